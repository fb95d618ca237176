"""The same decisions once more: on another deposit, at other costs, by another reading of a bar."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from touchstone.arrays import Float64
from touchstone.backtest.replay import follow
from touchstone.backtest.result import Run
from touchstone.execution.account import AccountConfig
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import timeline
from touchstone.market import Panel
from touchstone.strategies import Decision

Again: TypeAlias = Callable[[AccountConfig, CostsConfig, Float64], Run]
"""(account, costs, sigma of each row known before its bar, (n_rows,) or (0,) for none) -> run."""


def again_of(panel: Panel, decision: Decision) -> Again:
    """Follows a decision as often as asked; nothing is counted, since nothing new is decided."""
    line = timeline(panel)

    def follow_again(account: AccountConfig, costs: CostsConfig, sigma: Float64) -> Run:
        market = line.world.market._replace(sigma=sigma)
        moved = line._replace(world=line.world._replace(market=market))
        return follow(panel, moved, decision, account, costs)

    return follow_again


class Readings(NamedTuple):
    """The two readings of bars that span stop and target."""

    n_ambiguous: int
    """Such bars of open positions."""
    share: float | None
    """Of all closed trades; None without a trade."""
    between: float
    """Final equity if the target always came first, less that if the stop did, money."""


def readings(
    run: Run, again: Again, account: AccountConfig, costs: CostsConfig, sigma: Float64
) -> Readings:
    """Both runs, where any bar is ambiguous.

    Args:
        run: what was done.
        again: its decisions once more.
        account: as in the run.
        costs: as in the run.
        sigma: as in the run.
    """
    n_trades = run.trades.pnl.size
    share = run.n_ambiguous / n_trades if n_trades else None
    if run.n_ambiguous == 0:
        return Readings(0, share, 0.0)
    ends = []
    for reading in ("optimistic", "pessimistic"):
        same = account.ambiguity == reading
        read = account.model_copy(update={"ambiguity": reading})
        ends.append(float((run if same else again(read, costs, sigma)).equity[-1]))
    return Readings(run.n_ambiguous, share, ends[0] - ends[1])
