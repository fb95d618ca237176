"""Options that several commands share, each written once."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Study: TypeAlias = Annotated[
    str, typer.Argument(metavar="STUDY.yaml", help="A study, or the packaged `quickstart`.")
]
Bars: TypeAlias = Annotated[
    Path | None,
    typer.Option("--bars", help="Folder of bars, one Parquet or CSV file per symbol, in place "
                 "of the study's `bars.path`."),
]  # fmt: skip
BarsNeeded: TypeAlias = Annotated[
    Path, typer.Option("--bars", help="Folder of bars, one Parquet or CSV file per symbol.")
]
Timeframe: TypeAlias = Annotated[str, typer.Option(help="Length of a bar: 1m, 5m, 1h, 1d.")]
CalendarName: TypeAlias = Annotated[
    str, typer.Option("--calendar", help="When the market is open: 24/7, XNYS, FX, CME.")
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the study, as in "
                 "strategy.max_positions=5; may be given more than once."),
]  # fmt: skip
BarsSet: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--bars-set", metavar="KEY=VALUE", help="What a study says under `bars:`, as in "
                 "timezone=America/New_York, stamp=end, columns.volume=vol; may be repeated."),
]  # fmt: skip
Seed: TypeAlias = Annotated[int | None, typer.Option(help="Another seed than the study's.")]
Symbols: TypeAlias = Annotated[
    str | None, typer.Option(help="Only these instruments, comma-separated.")
]
From: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First date, UTC.")
]
To: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last date, UTC, included.")
]
Jobs: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Worker processes; the number of cores by default. Any number "
                 "gives the same result."),
]  # fmt: skip
Out: TypeAlias = Annotated[
    Path, typer.Option("--out", help="Folder that holds runs/ and .touchstone/.")
]
LedgerPath: TypeAlias = Annotated[
    Path | None,
    typer.Option("--ledger", help="Another trial ledger than .touchstone/ledger.sqlite."),
]
Tracking: TypeAlias = Annotated[
    str | None,
    typer.Option("--tracking", metavar="URI|off", help="Where MLflow keeps what was run: the "
                 "address of a tracking server, or off; TOUCHSTONE_TRACKING says the same. "
                 ".touchstone/mlflow.sqlite by default."),
]  # fmt: skip
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Only the last lines.")]
Verbose: TypeAlias = Annotated[bool, typer.Option("--verbose", "-v", help="Every unit, all notes.")]
RunName: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN", help="A run: its folder, its name, or the start of it.")
]
Stage: TypeAlias = Annotated[str | None, typer.Option(help="Only this stage.")]


def tracking_asked(option: str | None) -> str:
    """Where to track: what was typed, else what the environment says; empty for the default."""
    return os.environ.get("TOUCHSTONE_TRACKING", "") if option is None else option
