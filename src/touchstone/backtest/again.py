"""The same decisions once more: on another deposit, at other costs, by another reading of a bar."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from touchstone.backtest.replay import follow
from touchstone.backtest.result import Run
from touchstone.backtest.world import world_line
from touchstone.execution.account import AccountConfig
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Timeline
from touchstone.market import Panel
from touchstone.strategies import Decision

Again: TypeAlias = Callable[[AccountConfig, CostsConfig], Run]
"""Account and costs -> the run; impact, where the costs have one, knows the volatility."""


def again_of(panel: Panel, decision: Decision) -> Again:
    """Follows a decision as often as asked; nothing is counted, since nothing new is decided."""
    lines: dict[tuple[AccountConfig, CostsConfig], Timeline] = {}

    def follow_again(account: AccountConfig, costs: CostsConfig) -> Run:
        asked = account.model_copy(update={"cash": 1.0}), costs  # a deposit changes no line
        if asked not in lines:
            lines[asked] = world_line(panel, costs, account)
        return follow(panel, lines[asked], decision, account, costs)

    return follow_again


class Readings(NamedTuple):
    """The two readings of bars that span stop and target."""

    n_ambiguous: int
    """Such bars of open positions."""
    share: float | None
    """Of all closed trades; None without a trade."""
    between: float
    """Final equity if the target always came first, less that if the stop did, money."""


def readings(run: Run, again: Again, account: AccountConfig, costs: CostsConfig) -> Readings:
    """Both runs, where any bar is ambiguous; account and costs are those of `run`."""
    n_trades = run.trades.pnl.size
    share = run.n_ambiguous / n_trades if n_trades else None
    if run.n_ambiguous == 0:
        return Readings(0, share, 0.0)
    ends = []
    for reading in ("optimistic", "pessimistic"):
        same = account.ambiguity == reading
        read = account.model_copy(update={"ambiguity": reading})
        ends.append(float((run if same else again(read, costs)).equity[-1]))
    return Readings(run.n_ambiguous, share, ends[0] - ends[1])
