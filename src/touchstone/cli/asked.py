"""Options and ending of commands that ask much of a study's market, and show it when it is made."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias, TypeVar

import typer

from touchstone.cli import options as o

if TYPE_CHECKING:
    from touchstone.cli.terminal import Terminal
    from touchstone.pipelines.asked import Ended, Seconds
    from touchstone.pipelines.progress import Progress
    from touchstone.pipelines.run import Ask

A = TypeVar("A")
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the file, as in name=second, "
                 "or of its study, as in study.lookback=12; may be repeated."),
]  # fmt: skip
Again: TypeAlias = Annotated[
    bool, typer.Option("--again", help="Make it again where it is finished; its fits are cached.")
]


class How(NamedTuple):
    """Where and how, as it was typed."""

    out: Path
    ledger: Path | None
    jobs: int | None
    again: bool
    tracking: str | None
    quiet: bool
    verbose: bool
    json: bool

    def ask(self, command: str) -> "Ask":
        """For a pipeline; the command is what was typed."""
        from touchstone.pipelines.run import Ask
        from touchstone.pipelines.workspace import Workspace

        place, jobs = Workspace(self.out, self.ledger), self.jobs or os.cpu_count() or 1
        tracking, ray = o.tracking_asked(self.tracking), os.environ.get("RAY_ADDRESS", "")
        return Ask(place, jobs, command, self.again, tracking, ray)

    def progress(self) -> "Terminal":
        """Shows the stages."""
        from touchstone.cli.terminal import Terminal, console

        return Terminal(console(), -1 if self.quiet or self.json else int(self.verbose))


def answer(
    make: "Callable[[A, Ask, Progress, Seconds], Ended[Any]]", asked: A, how: How, command: str
) -> None:
    """Make what is asked, or show it.

    Args:
        make: a pipeline.
        asked: what its file says.
        how: as it was typed.
        command: what was typed, for the record.
    """
    progress = how.progress()
    ended = make(asked, how.ask(command), progress, progress.seconds)
    show(ended.folder, ended.noun if ended.shown else None, ended.lines, how)


def show(folder: Path, shown: str | None, lines: Iterable[str], how: How) -> None:
    """End as all commands do that leave a result and a report.

    Args:
        folder: that holds both.
        shown: what was finished before, by its noun; None: it was made now.
        lines: what it came to.
        how: as it was typed.
    """
    result = folder / "result.json"
    if how.json:
        typer.echo(result.read_text(), nl=False)
        return
    if shown is not None:
        typer.echo(f"this {shown} was run on these data before; --again repeats it", err=True)
    for line in lines:
        typer.echo(line)
    typer.echo(f"report  {folder / 'report.html'}")
    typer.echo(f"result  {result}")
