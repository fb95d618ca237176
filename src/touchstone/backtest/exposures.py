"""How much of the account was at work."""

from typing import NamedTuple

import numpy as np

from touchstone.backtest.result import Run


class Exposures(NamedTuple):
    """Over the bars of a run, each bar counted once; shares of equity."""

    mean: float
    """Net: longs less shorts."""
    highest: float
    lowest: float
    gross: float
    """Mean of longs and shorts together."""
    highest_gross: float
    time_in_market: float
    """Share of bars at whose close anything was held."""
    mean_positions: float
    most_positions: int


def exposures(run: Run) -> Exposures:
    """Exposure of a run; all 0 where it has no bar."""
    net, held = run.exposure, run.n_held
    if not net.size:
        return Exposures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
    value = run.invested if run.gross is None else run.gross
    gross = np.divide(value, run.equity, out=np.zeros_like(net), where=run.equity > 0)
    return Exposures(
        mean=float(net.mean()),
        highest=float(net.max()),
        lowest=float(net.min()),
        gross=float(gross.mean()),
        highest_gross=float(gross.max()),
        time_in_market=float(np.mean(held > 0)),
        mean_positions=float(held.mean()),
        most_positions=int(held.max()),
    )
