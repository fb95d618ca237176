"""`run`, `init`, `check`, `schema`: a study from its first line to its verdict."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError, without_password


def run(
    study: o.Study = "quickstart",
    bars: o.Bars = None,
    set_: o.Set = None,
    seed: o.Seed = None,
    symbols: o.Symbols = None,
    from_: o.From = None,
    to: o.To = None,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: Annotated[bool, typer.Option("--again", help="Repeat a finished run.")] = False,
    tracking: o.Tracking = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Run a study: bars, features, labels, folds, models, decision, backtest, verdict, report.

    Without STUDY.yaml the packaged quickstart runs: a simulated market with a planted edge, and
    its null twin without one. A finished run is shown, not repeated; after Ctrl-C the same
    command resumes.

    Example: touchstone run study.yaml --bars data/1h --set strategy.max_positions=5
    """
    asked = overrides(set_, seed, (symbols, from_, to), bars, study)
    from touchstone.cli.asked import How, show
    from touchstone.pipelines.run import run as run_study
    from touchstone.pipelines.study import read_study
    from touchstone.reports.terminal import summary_lines

    how = How(out, ledger, jobs, again, tracking, quiet, verbose, json_)
    progress = how.progress()
    found = run_study(read_study(study, asked), how.ask(command_line()), progress, progress.seconds)
    shown = "study" if found.shown else None
    show(found.folder, shown, summary_lines(found.result), how)


def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("study.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented study for your own bars: every key with its default."""
    from touchstone.files import write_text
    from touchstone.pipelines.study import packaged_text

    if path.exists() and not force:
        raise ConfigError(f"{path} is there already: choose another name, or --force")
    write_text(path, packaged_text("template"))
    typer.echo(f"{path} written; put its bars in place, then: touchstone check {path}")


def check(
    study: o.Study = "quickstart",
    bars: o.Bars = None,
    set_: o.Set = None,
    seed: o.Seed = None,
    symbols: o.Symbols = None,
    from_: o.From = None,
    to: o.To = None,
    json_: o.Json = False,
) -> None:
    """Read a study and say what it would do: rows, folds, trials, time, memory. Fits nothing."""
    asked = overrides(set_, seed, (symbols, from_, to), bars, study)
    from touchstone.pipelines.check import check_study, told
    from touchstone.pipelines.study import read_study

    found = check_study(read_study(study, asked))
    typer.echo(json.dumps(found, indent=1) if json_ else told(found))


def schema() -> None:
    """Print the JSON schema of a study, for editors that complete and check YAML."""
    from touchstone.pipelines.study import StudyConfig

    typer.echo(json.dumps(StudyConfig.model_json_schema(), indent=1))


def overrides(
    pairs: list[str] | None,
    seed: int | None,
    universe: tuple[str | None, str | None, str | None],
    bars: Path | None,
    study: str,
) -> dict[str, Any]:
    """What the command line says over the study's file."""
    from touchstone.pipelines.study import bars_overrides, parse_overrides

    asked = parse_overrides(pairs or [])
    symbols, start, end = universe
    if seed is not None:
        asked["seed"] = seed
    if symbols is not None:
        asked["symbols"] = [s.strip() for s in symbols.split(",") if s.strip()]
    if start is not None:
        asked["start"] = start
    if end is not None:
        asked["end"] = end
    if bars is not None:
        asked = bars_overrides(study, asked, bars)
    return asked


def command_line() -> str:
    """What was typed, with the program's name instead of its path, and no password: it is kept."""
    return shlex.join(["touchstone", *map(without_password, sys.argv[1:])])
