"""`study`: small studies that stand alone."""

import json
from pathlib import Path
from typing import Annotated

import typer

from touchstone.cli import options as o

app = typer.Typer(help="Small studies that stand alone.", no_args_is_help=True)


@app.command()
def survivorship(
    panel: Annotated[
        Path,
        typer.Option("--panel", help="Parquet or CSV with symbol, timestamp and adjusted close, a "
                     "row a day, those that died included."),
    ],
    lifetimes: Annotated[
        Path | None,
        typer.Option("--lifetimes", help="Parquet or CSV with symbol and ended_before_panel; "
                     "without it, who has no bar in the last five days died."),
    ] = None,
    delisting_return: Annotated[
        float,
        typer.Option("--delisting-return", help="What holders of the dead get on top of the last "
                     "close, as -0.3; 0 is the last close."),
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Of the bootstrap.")] = 7,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Measure how much a universe of survivors flatters: their equal weight less that of all."""
    from touchstone.pipelines.survivorship import as_json, study_survivorship, told

    found = study_survivorship(panel, lifetimes, seed, delisting_return)
    if json_:
        typer.echo(json.dumps(as_json(found), indent=1))
    else:
        typer.echo("\n".join(told(found)))


@app.command()
def execution(
    trades: Annotated[
        Path, typer.Option("--trades", help="Parquet with timestamp, price, size.")
    ],
    quotes: Annotated[
        Path,
        typer.Option("--quotes", help="Parquet with timestamp, bid, ask; sizes and exchange if "
                     "there are."),
    ],
    horizon: Annotated[
        float, typer.Option(min=0.001, help="Seconds after which a maker has unwound.")
    ] = 300.0,
    calendar: o.CalendarName = "24/7",
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Measure what trading costs: quoted, effective and realised spread, and impact, from ticks.

    Half the effective spread is what `costs: {half_spread_bp: ...}` wants to know.
    """
    from touchstone.pipelines.execution_quality import measure_execution, told

    found = measure_execution(trades, quotes, horizon, calendar)
    typer.echo(json.dumps(found, indent=1) if json_ else "\n".join(told(found)))


@app.callback()
def _studies() -> None:
    """Small studies that stand alone."""
