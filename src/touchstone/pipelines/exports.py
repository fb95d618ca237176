"""A run's tables as Parquet: trades, equity, scores and positions, before the seal and after it."""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from touchstone.arrays import Float64
from touchstone.backtest import Run
from touchstone.backtest.held import held_units
from touchstone.execution import REASONS
from touchstone.files import write_bytes
from touchstone.models import OUTCOMES
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.market import Market

TABLES = ("trades", "equity", "scores", "positions", "validation")
"""What a run's folder holds; `features` are computed when they are asked for."""


class Part(NamedTuple):
    """One segment of a market with the chosen candidate's run on it."""

    name: str
    where: Segment
    run: Run
    probability: Float64


def save_exports(folder: Path, market: Market) -> None:
    """Write every table of `TABLES`; empty of rows where nothing was chosen.

    Scores are then those of the candidate that lost least, before the seal.
    """
    parts = _parts(market)
    tables = {
        "trades": trades(parts), "equity": equity(parts), "positions": positions(parts),
        "scores": scores(parts or _closest(market)), "validation": validation(market),
    }  # fmt: skip
    for name in TABLES:
        buffer = BytesIO()
        tables[name].write_parquet(buffer)
        write_bytes(folder / f"{name}.parquet", buffer.getvalue())


def _parts(market: Market) -> list[Part]:
    comparison, winner = market.comparison, market.comparison.winner
    parts = []
    if winner is not None:
        before = comparison.views[winner.place].probability
        parts.append(Part("walk_forward", comparison.segment, winner.run, before))
    if market.looked is not None:
        sealed = market.looked.sealed
        parts.append(Part("sealed", sealed.where, sealed.run, sealed.probability))
    return parts


def _closest(market: Market) -> list[Part]:
    """What nobody traded, to look at: the scores of the best of those that lost."""
    comparison = market.comparison
    shown = comparison.closest or comparison.scored[0]
    probability = comparison.views[shown.place].probability
    return [Part("walk_forward", comparison.segment, shown.run, probability)]


def trades(parts: list[Part]) -> pl.DataFrame:
    """Closed round trips: times are of the fills, prices with costs in them, money after costs."""
    schema = {
        "segment": pl.String, "symbol": pl.String, "entry_time": pl.Int64, "exit_time": pl.Int64,
        "quantity": pl.Float64, "entry_price": pl.Float64, "exit_price": pl.Float64,
        "pnl": pl.Float64, "costs": pl.Float64, "reason": pl.String,
    }  # fmt: skip
    frames = [pl.DataFrame(schema=schema)]
    for name, where, run, _ in parts:
        t, symbols = run.trades, np.array(where.panel.symbols)
        columns = {
            "segment": [name] * t.pnl.size,
            "symbol": symbols[t.instrument],
            "entry_time": t.entry_time,
            "exit_time": t.exit_time,
            "quantity": t.quantity,
            "entry_price": t.entry_price,
            "exit_price": t.exit_price,
            "pnl": t.pnl,
            "costs": t.costs,
            "reason": [REASONS[r] for r in t.reason],
        }
        frames.append(pl.DataFrame(columns, schema=schema))
    return _timed(pl.concat(frames), "entry_time", "exit_time")


def equity(parts: list[Part]) -> pl.DataFrame:
    """The account after each bar; `time` is the bar's start, the row is known at its close."""
    schema = {
        "segment": pl.String, "time": pl.Int64, "equity": pl.Float64, "cash": pl.Float64,
        "exposure": pl.Float64, "n_held": pl.Int64,
    }  # fmt: skip
    frames = [pl.DataFrame(schema=schema)]
    for name, _, run, _ in parts:
        columns = {
            "segment": [name] * run.time.size, "time": run.time, "equity": run.equity,
            "cash": run.cash, "exposure": run.exposure, "n_held": run.n_held,
        }  # fmt: skip
        frames.append(pl.DataFrame(columns, schema=schema))
    return _timed(pl.concat(frames), "time")


def scores(parts: list[Part]) -> pl.DataFrame:
    """Calibrated probabilities of the chosen model; `timestamp` is the bar's start."""
    schema = {"segment": pl.String, "timestamp": pl.Int64, "symbol": pl.String}
    names = _columns(parts[0].probability) if parts else _columns(np.empty((0, 3)))
    schema |= dict.fromkeys(names, pl.Float64)
    schema["score"] = pl.Float64
    frames = [pl.DataFrame(schema=schema)]
    for name, where, _, probability in parts:
        known = ~np.isnan(probability[:, -1])
        panel, p = where.panel, probability[known]
        found = {
            "segment": [name] * int(known.sum()),
            "timestamp": panel.time[known],
            "symbol": np.array(panel.symbols)[panel.asset_id[known]],
            **dict(zip(names, p.T, strict=True)),
            "score": p[:, -1],
        }
        frames.append(pl.DataFrame(found, schema=schema))
    return _timed(pl.concat(frames), "timestamp")


def validation(market: Market) -> pl.DataFrame:
    """What the thresholds were chosen by: the shown model on each fold's validation rows.

    Calibrated probabilities, and the label's outcome and return before costs.
    """
    panel, labels = market.prepared.panel, market.prepared.labels
    frames = [
        pl.DataFrame(
            {
                "fold": [one.fold] * one.rows.size,
                "timestamp": panel.time[one.rows],
                "symbol": np.array(panel.symbols)[panel.asset_id[one.rows]],
                **dict(zip(_columns(one.probability), one.probability.T, strict=True)),
                "outcome": labels.outcome[one.rows],
                "realised": labels.realised[one.rows],
            }
        )
        for one in market.validated
    ]
    return _timed(pl.concat(frames), "timestamp")


def _columns(probability: Float64) -> list[str]:
    """Names of the columns of a model's probabilities."""
    width = probability.shape[1]
    return ["p_plus"] if width == 1 else [f"p_{_sign(o)}" for o in OUTCOMES["barrier"]]


def positions(parts: list[Part]) -> pl.DataFrame:
    """What was held at each bar's close: quantity and value, one row an instrument held."""
    schema = {
        "segment": pl.String, "time": pl.Int64, "symbol": pl.String, "quantity": pl.Float64,
        "value": pl.Float64,
    }  # fmt: skip
    frames = [pl.DataFrame(schema=schema)]
    for name, where, run, _ in parts:
        panel, held = where.panel, held_units(where.panel, run.fills)
        rows = np.flatnonzero(held)
        quantity = held[rows]
        columns = {
            "segment": [name] * rows.size,
            "time": panel.time[rows],
            "symbol": np.array(panel.symbols)[panel.asset_id[rows]],
            "quantity": quantity,
            "value": quantity * panel.close[rows],
        }
        frames.append(pl.DataFrame(columns, schema=schema).sort("time", "symbol"))
    return _timed(pl.concat(frames), "time")


def _sign(outcome: int) -> str:
    return {-1: "minus", 0: "zero", 1: "plus"}[outcome]


def _timed(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(c).cast(pl.Datetime("ns", "UTC")) for c in columns)
