"""`sweep`: every combination of a strategy's settings over scores of one's own."""

import json
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import options as o

Scores: TypeAlias = Annotated[
    Path,
    typer.Option("--scores", help="Parquet or CSV with timestamp (the bar's start, UTC), symbol, "
                 "score, as for `backtest`."),
]  # fmt: skip
Strategy: TypeAlias = Annotated[
    Path,
    typer.Option("--strategy", help="YAML as for `backtest`, with lists or ranges in place of "
                 "values: entry_threshold: [0.5, 0.6], or {from: 0.5, to: 0.9, step: 0.05}."),
]  # fmt: skip
Grid: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--grid", metavar="KEY=VALUES", help="Values of one more key, or in place of the "
                 "file's: entry_threshold=0.5:0.9:0.05, exit_threshold=null,0.3, hold_bars=4,8, "
                 "max_positions=5,10, costs.slippage_bp=2,5; may be repeated."),
]  # fmt: skip
Until: TypeAlias = Annotated[
    str | None,
    typer.Option("--calibrate-until", metavar="YYYY-MM-DD", help="Rows known before this date say "
                 "what return a score means (cost_aware needs it); trading begins there."),
]  # fmt: skip
Table: TypeAlias = Annotated[
    Path | None,
    typer.Option("--table", help="Write one row a combination to this Parquet or CSV file."),
]


def sweep(
    bars: o.BarsNeeded,
    scores: Scores,
    strategy: Strategy,
    grid: Grid = None,
    calibrate_until: Until = None,
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
    table: Table = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    quiet: o.Quiet = False,
    json_: o.Json = False,
) -> None:
    """Try every combination of a strategy's settings: one pass, one row of the ledger.

    Each combination is an account of its own, counted as a trial. The page in sweeps/ shows the
    map, whether the best stands on a plateau or is a spike, and its deflated Sharpe: the best of
    many looks good by luck alone.

    Example: touchstone sweep --bars data/1h --scores scores.parquet --strategy threshold.yaml
    --grid entry_threshold=0.5:0.9:0.02 --grid max_positions=5,10,20
    """
    from touchstone.cli.stages import bars_keys, load_bars, names_of
    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines import sweep as own
    from touchstone.pipelines.axes import read_combinations
    from touchstone.pipelines.run import ledger_of
    from touchstone.pipelines.scores import read_scores
    from touchstone.pipelines.tables import check_format, date_ns, write_table
    from touchstone.pipelines.workspace import Workspace
    from touchstone.reports.sweep import told

    if table is not None:
        check_format(table)
    combinations = read_combinations(strategy, grid or ())
    until = None if calibrate_until is None else date_ns(calibrate_until)
    loaded = load_bars(bars, bars_keys(timeframe, calendar, bars_set), symbols)
    left_out = [reject.symbol for reject in loaded.rejects]
    column = read_scores(scores, loaded.panel, names_of(symbols), left_out)
    found = own.sweep_scores(
        own.Asked(combinations, (loaded, loaded.panel.content_hash()), column, until),
        ledger_of(Workspace(out, ledger))(),
        Terminal(console(), -1 if quiet or json_ else 0),
    )
    folder = own.write_sweep(found, out, command_line())
    if table is not None:
        write_table(own.table(found.result), table)
    if json_:
        typer.echo(json.dumps(json.loads(found.result.model_dump_json()), indent=1))
        return
    for line in told(found.result):
        typer.echo(line)
    for name in ("report.html", "result.json", "map.svg", "map.png"):
        typer.echo(f"{name:<11} {folder / name}")
