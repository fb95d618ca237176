"""`calibrate`: how often is the whole pipeline fooled by markets without an edge?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from touchstone.cli import options as o


class Which(StrEnum):
    """Runs that can be asked for."""

    size = "size"
    product = "product"
    both = "both"


def calibrate(
    markets: Annotated[
        int, typer.Option(min=1, help="Markets a run, shared evenly by the sorts.")
    ] = 400,
    bars: o.Bars = None,
    run: Annotated[
        Which, typer.Option("--run", help="`size`: nothing costs, it always trades; p-values must "
                            "be uniform. `product`: a study as users run it.")
    ] = Which.both,
    instruments: Annotated[int, typer.Option(min=1, max=143, help="Of each market.")] = 10,
    length: Annotated[
        int, typer.Option("--length", min=8040, help="Bars of each instrument, hours where they "
                          "are simulated; the last 73 days are sealed.")
    ] = 8760,
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    quiet: o.Quiet = False,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Judge hundreds of markets without any edge, and count how often the pipeline is fooled.

    Three sorts are simulated (iid, GARCH with leverage, changing volatility); with --bars a fourth
    is made of your own bars, drawn in random order. Every market goes through the whole pipeline:
    features, labels, folds, fits, ten candidates, the one look, the verdict. Printed: rejection
    rates at 5 % with the exact band that a correct test keeps to, pooled and by sort; whether
    p-values are smaller than uniform; the shares of false evidence and of markets left untraded.

    About 2 seconds of one core a market and run. Every market is journaled in
    .touchstone/calibration.jsonl: after Ctrl-C the same command resumes, and more --markets
    continue where fewer ended. The page and its figures are written to calibration/.

    Exit code 0 where every run kept to its band, 1 where one missed it.

    Example: touchstone calibrate --markets 40 --run product --jobs 2
    """
    import os

    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines.calibrate import RUNS, CalibrateConfig, Wish, calibration
    from touchstone.reports.calibration import told

    config = CalibrateConfig.parse(
        {"markets": markets, "market": {"n_instruments": instruments, "n_bars": length}}
    )
    found = calibration(
        Wish(
            config=config,
            runs=tuple(r for r in RUNS if run in (r, Which.both)),
            bars=bars,
            shape={"timeframe": timeframe, "calendar": calendar},
            root=out,
            jobs=jobs or os.cpu_count() or 1,
            command=command_line(),
        ),
        Terminal(console(), -1 if quiet or json_ else 0),
    )
    show(found.folder, told(found.result), json_)
    raise typer.Exit(0 if found.result.kept else 1)


def show(folder: Path, lines: list[str], as_json: bool) -> None:
    """Print an outcome: its JSON alone, or the lines and where page and figures stand."""
    result = folder / "result.json"
    if as_json:
        typer.echo(result.read_text(), nl=False)
        return
    for line in (*lines, f"page    {folder / 'report.html'}", f"result  {result}"):
        typer.echo(line)
