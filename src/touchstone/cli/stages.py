"""`features`, `labels`, `backtest`, `inspect`: one stage alone, on bars of your own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError

if TYPE_CHECKING:
    from touchstone.data.sources import Loaded

T = TypeVar("T")


def features(
    bars: o.BarsNeeded,
    out: Annotated[Path, typer.Option("--out", help="Parquet or CSV file to write.")],
    set_: Annotated[str, typer.Option("--set", help="Set of the catalogue.")] = "baseline",
    extra: Annotated[
        list[str] | None,
        typer.Option("--extra", metavar="NAME=EXPRESSION", help="A feature of your own, as in "
                     "gap='open / lag(close, 1) - 1'; may be given more than once."),
    ] = None,
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
    side: Annotated[
        list[str] | None,
        typer.Option("--side", metavar="NAME=YAML", help="A side input, as in a study: "
                     "vix='{kind: macro, path: VIXCLS.csv, release_lag: 1b}'; may be repeated."),
    ] = None,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", metavar="DIR", help="Take columns from the cache of this "
                     "workspace where it has them, and keep new ones there."),
    ] = None,
) -> None:  # fmt: skip
    """Evaluate features over bars: one row a bar, known at its close; NaN while warming up."""
    from touchstone.cli.terminal import Terminal, console
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.tables import check_format, load_side, write_features
    from touchstone.pipelines.workspace import Workspace

    check_format(out)
    own = _once("--extra", [_pair(text) for text in extra or []])
    inputs = _once("--side", [_side(text) for text in side or []])
    loaded = _load(bars, _more(timeframe, calendar, bars_set), symbols)
    loaded = load_side(loaded, inputs, Path())
    for finding in (f for f in loaded.findings if f.startswith("Side input")):
        typer.echo(finding, err=True)
    settings = {"set": set_, "extra": own}
    cache = None if workspace is None else StageCache(Workspace(workspace).cache)
    rows, columns = write_features(loaded.panel, settings, out, Terminal(console()), cache)
    typer.echo(f"{out}: {rows:,} rows, {columns} columns", err=True)


def labels(
    bars: o.BarsNeeded,
    out: Annotated[Path, typer.Option("--out", help="Parquet or CSV file to write.")],
    label: Annotated[
        str, typer.Option("--label", metavar="YAML", help="The label, as in a study.")
    ] = "{kind: triple_barrier, take_profit: 0.05, stop_loss: 0.02, horizon: 8}",
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
) -> None:
    """Label bars: outcome, exit, realised return before costs; empty where not known yet."""
    from touchstone.files import parse_yaml
    from touchstone.pipelines.tables import label_table

    loaded = _load(bars, _more(timeframe, calendar, bars_set), symbols)
    _write(label_table(loaded.panel, parse_yaml(label, "--label")), out)


def backtest(
    bars: o.BarsNeeded,
    scores: Annotated[
        Path,
        typer.Option("--scores", help="Parquet or CSV with timestamp (the bar's start, UTC), "
                     "symbol, score; a score is known at that bar's close, filled from the next."),
    ],
    strategy: Annotated[
        Path,
        typer.Option("--strategy", help="YAML with strategy:, label: (brackets and horizon), "
                     "costs:, account:; or a strategy alone, as in {kind: threshold, ...}."),
    ],
    calibrate_until: Annotated[
        str | None,
        typer.Option("--calibrate-until", metavar="YYYY-MM-DD", help="Rows known before this "
                     "date say what return a score means (cost_aware needs it); trading begins "
                     "there."),
    ] = None,
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
    trades: Annotated[
        Path | None, typer.Option("--trades", help="Write the trades to this Parquet file.")
    ] = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Backtest scores made elsewhere: bring your own model. Counted in the ledger as a trial."""
    from touchstone.pipelines import scores as own
    from touchstone.pipelines.run import ledger_of
    from touchstone.pipelines.tables import check_format, date_ns
    from touchstone.pipelines.workspace import Workspace

    if trades is not None:
        check_format(trades)
    config = own.read_strategy(strategy)
    loaded = _load(bars, _more(timeframe, calendar, bars_set), symbols)
    left_out = [reject.symbol for reject in loaded.rejects]
    column = own.read_scores(scores, loaded.panel, _names(symbols), left_out)
    until = None if calibrate_until is None else date_ns(calibrate_until)
    book = ledger_of(Workspace(out, ledger))()
    found = own.backtest_scores(config, (loaded, loaded.panel.content_hash()), column, book, until)
    if trades is not None:
        _write(own.trades_table(found, column), trades)
    typer.echo(
        json.dumps(own.told(found), indent=1) if json_ else "\n".join(own.money_lines(found))
    )


def inspect(
    path: Annotated[Path, typer.Argument(help="A folder of bars, an artifact, or a run.")],
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    bars_set: o.BarsSet = None,
    json_: o.Json = False,
) -> None:
    """Say what a folder holds: bars with findings, a verified artifact, or a run's verdict."""
    from touchstone.pipelines.inspect import inspected, told

    found = inspected(path, _more(timeframe, calendar, bars_set))
    typer.echo(json.dumps(found, indent=1) if json_ else told(found))


def _more(timeframe: str, calendar: str, pairs: list[str] | None) -> dict[str, Any]:
    """The options about bars, as a study would say them."""
    from touchstone.pipelines.study import nested, parse_overrides

    return {"timeframe": timeframe, "calendar": calendar, **nested(parse_overrides(pairs or []))}


def _load(bars: Path, more: dict[str, Any], symbols: str | None) -> "Loaded":
    from touchstone.pipelines.tables import load_folder

    loaded = load_folder(bars, more, _names(symbols))
    for reject in loaded.rejects:
        typer.echo(f"left out {reject.file}: {reject.reason}", err=True)
    for finding in loaded.findings:
        typer.echo(finding, err=True)
    return loaded


def _once(option: str, pairs: list[tuple[str, T]]) -> dict[str, T]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{option}: {twice!r} is given twice: rename one")
    return dict(pairs)


def _names(symbols: str | None) -> tuple[str, ...] | None:
    return None if symbols is None else tuple(s.strip() for s in symbols.split(",") if s.strip())


def _write(table: Any, out: Path) -> None:
    from touchstone.pipelines.tables import write_table

    write_table(table, out)
    typer.echo(f"{out}: {table.height:,} rows, {table.width} columns", err=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, expression = text.partition("=")
    if not equals:
        raise ConfigError(f"--extra {text!r}: needs NAME=EXPRESSION")
    return name.strip(), expression.strip()


def _side(text: str) -> tuple[str, dict[str, Any]]:
    from touchstone.files import parse_yaml

    name, equals, settings = text.partition("=")
    if not equals:
        raise ConfigError(f"--side {text!r}: needs NAME=YAML, as in vix={{kind: macro, path: ...}}")
    return name.strip(), parse_yaml(settings, f"--side {name.strip()}")
