"""`backtest`: scores or orders that were made elsewhere, through the kernel."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from touchstone.cli import backtest_options as b
from touchstone.cli import options as o
from touchstone.errors import ConfigError

if TYPE_CHECKING:
    from touchstone.data.sources import Loaded
    from touchstone.ledger import Ledger
    from touchstone.pipelines.backtested import BacktestConfig, Backtested


def backtest(
    bars: b.Bars,
    scores: b.Scores = None,
    orders: b.Orders = None,
    strategy: b.Strategy = None,
    set_: b.Set = None,
    cash: b.Cash = None,
    commission_bp: b.CommissionBp = None,
    slippage_bp: b.SlippageBp = None,
    calibrate_until: b.CalibrateUntil = None,
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
    trades: b.Trades = None,
    fills: b.Fills = None,
    equity: b.Equity = None,
    figures: b.Figures = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    json_: o.Json = False,
) -> None:
    """Backtest scores or orders made elsewhere: bring your own model, or your own decisions.

    With --scores a strategy decides; with --orders the account does what the list says. Either
    way the kernel fills, the same costs are paid, and the ledger counts a trial. --json has every
    key of docs/backtest.md, with all trades and fills.

    Example: touchstone backtest --bars my_bars --scores scores.csv --strategy strategy.yaml

    Example: touchstone backtest --bars my_bars --orders orders.csv --cash 50000 --commission-bp 2
    """
    from touchstone.pipelines.backtested import money_lines, read_strategy, told
    from touchstone.pipelines.run import ledger_of
    from touchstone.pipelines.workspace import Workspace
    from touchstone.reports.backtested import as_json

    tables = {"trades": trades, "fills": fills, "equity": equity}
    changes = _changes(set_, {
        "account.cash": cash, "costs.commission_bp": commission_bp, "costs.slippage_bp": slippage_bp
    })  # fmt: skip
    _check(scores, orders, strategy, changes, calibrate_until, tables)
    if figures is not None and figures.exists() and not figures.is_dir():
        raise ConfigError(f"--figures {figures}: is a file; it needs a folder, made where missing")
    config = read_strategy(strategy, changes)
    loaded = _load(bars, (timeframe, calendar, bars_set), symbols)
    book = ledger_of(Workspace(out, ledger))
    if orders is not None:
        found = _orders(config, loaded, orders, symbols, book())
    else:
        assert scores is not None
        found = _scores(config, loaded, scores, (symbols, calibrate_until), book())
    _write_tables(found, tables)
    if figures is not None:
        _draw(found, figures)
    typer.echo(as_json(told(found)) if json_ else "\n".join(money_lines(found)))


def _check(
    scores: Path | None, orders: Path | None, strategy: Path | None, changes: dict[str, Any],
    calibrate_until: str | None, tables: dict[str, Path | None],
) -> None:  # fmt: skip
    """Refuse options that do not belong together, before anything is read."""
    from touchstone.pipelines.tables import check_format

    if (scores is None) == (orders is None):
        said = "both were given" if scores is not None else "neither was given"
        raise ConfigError(f"--scores FILE or --orders FILE, one of the two; {said}")
    if orders is not None and calibrate_until is not None:
        raise ConfigError("--calibrate-until belongs to --scores: orders are not calibrated")
    if orders is None and strategy is None and not any(k.startswith("strategy") for k in changes):
        raise ConfigError(
            "--scores need a strategy: --strategy FILE.yaml, or --set strategy.kind=threshold "
            "--set strategy.entry_threshold=0.6"
        )
    for path in tables.values():
        if path is not None:
            check_format(path)


def _changes(pairs: list[str] | None, named: dict[str, float | None]) -> dict[str, Any]:
    """What --set and the options of their own change; a key that both name is refused."""
    from touchstone.pipelines.study import parse_overrides

    changes = parse_overrides(pairs or [])
    for key, value in named.items():
        if value is None:
            continue
        if key in changes:
            raise ConfigError(f"{key} is given twice, by --set and by its own option: leave one")
        changes[key] = value
    return changes


def _load(
    bars: Path, more: tuple[str, str, list[str] | None], symbols: str | None
) -> "tuple[Loaded, str]":
    """The bars and their hash, of a folder or of a study, whose `bars:` may be changed."""
    from touchstone.cli.stages import bars_keys, load_bars, names_of
    from touchstone.pipelines.prepare import load
    from touchstone.pipelines.progress import Silent
    from touchstone.pipelines.study import parse_overrides, read_study

    if bars.suffix not in (".yaml", ".yml"):
        loaded = load_bars(bars, bars_keys(*more), symbols)
        return loaded, loaded.panel.content_hash()
    if more[:2] != ("1h", "24/7"):
        raise ConfigError(
            f"--bars {bars}: a study says itself what its bars are: leave --timeframe and "
            "--calendar out (--bars-set changes a key of its bars:), or name a folder"
        )
    changes = {f"bars.{key}": value for key, value in parse_overrides(more[2] or []).items()}
    if symbols is not None:
        changes["symbols"] = names_of(symbols)
    return load(read_study(str(bars), changes), Silent())


def _orders(
    config: "BacktestConfig", loaded: "tuple[Loaded, str]", path: Path, symbols: str | None,
    book: "Ledger",
) -> "Backtested":  # fmt: skip
    from touchstone.cli.stages import names_of
    from touchstone.pipelines.orders import backtest_orders, read_orders

    panel, left_out = loaded[0].panel, [reject.symbol for reject in loaded[0].rejects]
    whole = config.account.units == "whole"
    read = read_orders(path, panel, names_of(symbols), left_out, whole)
    return backtest_orders(config, loaded, read, book)


def _scores(
    config: "BacktestConfig", loaded: "tuple[Loaded, str]", path: Path,
    how: tuple[str | None, str | None], book: "Ledger",
) -> "Backtested":  # fmt: skip
    from touchstone.cli.stages import names_of
    from touchstone.pipelines.scores import backtest_scores, read_scores
    from touchstone.pipelines.tables import date_ns

    symbols, calibrate_until = how
    panel, left_out = loaded[0].panel, [reject.symbol for reject in loaded[0].rejects]
    column = read_scores(path, panel, names_of(symbols), left_out)
    until = None if calibrate_until is None else date_ns(calibrate_until)
    return backtest_scores(config, loaded, column, book, until)


def _write_tables(found: "Backtested", tables: dict[str, Path | None]) -> None:
    from touchstone.cli.stages import write
    from touchstone.pipelines.backtested import TABLES

    for name, path in tables.items():
        if path is not None:
            write(TABLES[name](found.where.panel, found.run), path)


def _draw(found: "Backtested", folder: Path) -> None:
    """Write the figures, and say so on standard error."""
    from touchstone.files import write_bytes
    from touchstone.reports.images import images

    drawn = images(None, found.performance)
    for name, image in drawn.items():
        write_bytes(folder / f"{name}.png", image)
    typer.echo(
        f"{folder}: {', '.join(f'{name}.png' for name in drawn) or 'nothing to draw'}", err=True
    )
