"""What an account did, as tables: trades, fills, what it still holds, its equity bar by bar."""

from typing import Any

import numpy as np
import polars as pl

from touchstone.arrays import Int8, Int32, Int64
from touchstone.backtest import Run
from touchstone.execution import REASONS
from touchstone.market import Panel


def trades(panel: Panel, run: Run) -> pl.DataFrame:
    """Closed round trips in the order of their exits."""
    t = run.trades
    return _table(
        {
            "symbol": _symbols(panel, t.instrument),
            "side": np.where(t.side > 0, "long", "short"),
            "entry_time": t.entry_time,
            "exit_time": t.exit_time,
            "quantity": t.quantity,
            "entry_price": t.entry_price,
            "exit_price": t.exit_price,
            "entry_reference": t.entry_reference,
            "exit_reference": t.exit_reference,
            "pnl": t.pnl,
            "costs": t.costs,
            "reason": _reasons(t.reason),
        },
        ("entry_time", "exit_time"),
    )


def fills(panel: Panel, run: Run) -> pl.DataFrame:
    """Every fill in the order they happened."""
    f = run.fills
    return _table(
        {
            "symbol": _symbols(panel, panel.asset_id[f.row]),
            "time": panel.time[f.row],
            "ordered": panel.time[f.order_row],
            "side": np.where(f.side > 0, "buy", "sell"),
            "quantity": f.quantity,
            "price": f.price,
            "reference": f.reference,
            "commission": f.commission,
            "slippage": f.slippage,
            "spread": f.spread,
            "impact": f.impact,
            "position": f.left,
            "reason": _reasons(f.reason),
        },
        ("time", "ordered"),
    )


def holdings(panel: Panel, run: Run) -> pl.DataFrame:
    """Positions open at the last bar."""
    h = run.holdings
    return _table(
        {
            "symbol": _symbols(panel, h.instrument),
            "entry_time": panel.time[h.entry_row],
            "quantity": h.quantity,
            "entry_price": h.entry_price,
            "value": h.value,
            "unrealised": h.unrealised,
        },
        ("entry_time",),
    )


def equity(panel: Panel, run: Run) -> pl.DataFrame:  # noqa: ARG001  as the others
    """The account after each bar; `time` is the bar's start, the row is known at its close."""
    return _table(
        {
            "time": run.time,
            "equity": run.equity,
            "cash": run.cash,
            "exposure": run.exposure,
            "n_held": run.n_held,
        },
        ("time",),
    )


def rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """A table's rows as JSON has them: times as text, to the second."""
    stamps = [name for name, kind in table.schema.items() if isinstance(kind, pl.Datetime)]
    text = table.with_columns(pl.col(c).dt.strftime("%Y-%m-%dT%H:%M:%SZ") for c in stamps)
    return text.to_dicts()


def _table(columns: dict[str, Any], times: tuple[str, ...]) -> pl.DataFrame:
    frame = pl.DataFrame({name: np.ascontiguousarray(c) for name, c in columns.items()})
    text = [n for n, kind in frame.schema.items() if kind == pl.Object or n in _TEXT]
    return frame.with_columns(
        *(pl.col(c).cast(pl.Datetime("ns", "UTC")) for c in times),
        *(pl.col(c).cast(pl.String) for c in text),
    )


_TEXT = ("symbol", "side", "reason")


def _symbols(panel: Panel, instrument: Int32 | Int64) -> Any:
    return np.array(panel.symbols, np.str_)[instrument]


def _reasons(codes: Int8) -> Any:
    return np.array(REASONS, np.str_)[codes]
