"""The command line: parse, load a config, call one pipeline, print. `touchstone --help` teaches."""

import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from touchstone.errors import TouchstoneError

app = typer.Typer(
    name="touchstone",
    help=(
        "Market data in, an honest verdict out: is the edge of a trading model real, after costs?"
        "\n\nBegin with [bold]touchstone run[/bold] (the quickstart: a planted edge and its null "
        "twin), then [bold]touchstone init[/bold] for a study of your own bars."
    ),
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The door: every error of the tree becomes one message and its exit code."""
    from touchstone.cli import commands
    from touchstone.cli.stopping import INTERRUPTED, terminable
    from touchstone.pipelines.compiled_code import forget_stale_code

    forget_stale_code()
    if not app.registered_commands:  # a process may come in more than once: tests, notebooks
        commands.attach(app)
    try:
        with terminable() as stop:
            code = app(standalone_mode=False)
    except TouchstoneError as error:
        _end(error.exit_code, f"error: {error}")
    except TyperException as error:
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        _end(2, f"error: {said} (--help shows what there is)")
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        raise SystemExit(0) from None
    except (
        SystemExit
    ) as error:  # no command ends so: a plugin did, and nobody may take it for an end
        if isinstance(error.__context__, BrokenPipeError):  # typer's own end, as before `| head`
            raise SystemExit(0) from None
        _end(3, f"error: a part of the study ended the process (sys.exit({error.code!r})); nothing "
                "was concluded: let it raise an error instead")  # fmt: skip
    except OSError as error:
        _end(3, f"error: {error.filename or 'a file'}: {error.strerror or error}")
    except SystemError as error:  # numba's wrapping of an interrupt that met compiled code
        if not _holds_interrupt(error):
            raise
        code = INTERRUPTED
    if code == INTERRUPTED:
        _end(stop.code, "\nstopped; finished stages of a study are kept, the same command resumes")
    raise SystemExit(code if isinstance(code, int) else 0)


def _holds_interrupt(error: BaseException | None) -> bool:
    """Whether an error came of an interrupt, however often it was wrapped."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _end(code: int, said: str) -> NoReturn:
    print(said, file=sys.stderr)  # noqa: T201
    raise SystemExit(code) from None
