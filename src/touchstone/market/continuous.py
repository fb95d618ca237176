"""A continuous series of expiring futures: rolled on what was known, back-adjusted by ratio."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import BarsError
from touchstone.market.bars import Bars


@dataclass(frozen=True)
class RollRule:
    """When the front contract is left for the next one; decided at a bar's close.

    At the first close at which the next contract traded more than the front (`by_volume`), and
    at the latest at the first close of both whose bar starts `days_before` days of 24 hours, or
    fewer, before the front's expiry. There is no way back.
    """

    days_before: int = 5
    by_volume: bool = True

    def __post_init__(self) -> None:
        if self.days_before < 0:
            raise BarsError(f"days_before: needs 0 or more, got {self.days_before}")


class Contract(NamedTuple):
    """One expiring future."""

    bars: Bars
    expiry: int
    """End of its last trading day, ns UTC: known since it was listed."""


class Continuous(NamedTuple):
    """The series that holds one contract after another."""

    bars: Bars
    """Prices before a roll are multiplied by its ratio, so that returns are those of who held the
    contracts; volume is that of the contract held, unadjusted."""
    contract: Int64
    """Which contract each bar is of, (n_bars,)."""
    roll_row: Int64
    """Last bar of each contract left: the roll was decided at its close, (n_rolls,)."""
    ratio: Float64
    """Close of the next contract over close of the front at that bar, (n_rolls,)."""


_DAY_NS = 86_400_000_000_000


def continuous(symbol: str, contracts: Sequence[Contract], rule: RollRule) -> Continuous:
    """Contracts in order of expiry -> one series.

    The new contract is held from the bar after the roll's close: a return never compares prices
    of two contracts. Cutting the future off changes no roll before it and no return, only the
    level of the back-adjusted prices.

    Args:
        symbol: what the series is called.
        contracts: at least one.
        rule: when to roll.

    Raises:
        BarsError: none at all, expiries that do not rise, or two neighbours without a common bar
            before the first expires.
    """
    if not contracts:
        raise BarsError(f"{symbol}: a continuous series needs at least one contract, got none")
    for front, after in pairwise(contracts):
        if after.expiry <= front.expiry:
            raise BarsError(
                f"{symbol}: {after.bars.symbol} expires no later than {front.bars.symbol}: give "
                "contracts in the order of their expiries"
            )
    pieces: list[tuple[int, int, int]] = []
    ratios: list[float] = []
    begin = 0
    for i, (front, after) in enumerate(pairwise(contracts)):
        found = _roll(front, after, begin, rule)
        if found is None:  # the data end before it
            _refuse_hole(symbol, contracts[i:], rule)
            contracts = contracts[: i + 1]
            break
        last, first = found
        pieces.append((i, begin, last + 1))
        ratios.append(float(after.bars.close[first - 1] / front.bars.close[last]))
        begin = first
    pieces.append((len(contracts) - 1, begin, len(contracts[-1].bars)))
    return _joined(symbol, contracts, pieces, np.array(ratios, np.float64))


def _roll(front: Contract, after: Contract, begin: int, rule: RollRule) -> tuple[int, int] | None:
    """(last bar of the front, first bar of the next one); None while neither rule has spoken."""
    held, other = front.bars, after.bars
    both, mine, its = np.intersect1d(held.time, other.time, return_indices=True)
    usable = (mine >= begin) & (both < front.expiry)
    mine, its = mine[usable], its[usable]
    deadline = front.expiry - rule.days_before * _DAY_NS
    due = np.zeros(mine.size, bool)
    if rule.by_volume:
        due |= other.volume[its] > held.volume[mine]
    due |= held.time[mine] >= deadline
    if due.any():
        at = int(due.argmax())
        return int(mine[at]), int(its[at]) + 1
    return None


def _refuse_hole(symbol: str, contracts: Sequence[Contract], rule: RollRule) -> None:
    """Refuse to end a series at its front while any later contract goes on behind its expiry."""
    front, after = contracts[0], contracts[1]
    if any(len(c.bars) and c.bars.time[-1] >= front.expiry for c in contracts[1:]):
        raise BarsError(
            f"{symbol}: {front.bars.symbol} and {after.bars.symbol} have no bar in common from "
            f"{rule.days_before} days before the first expires until it does: no ratio can be "
            "taken; add the missing bars, or raise days_before"
        )


def _joined(
    symbol: str,
    contracts: Sequence[Contract],
    pieces: list[tuple[int, int, int]],
    ratio: Float64,
) -> Continuous:
    """Pieces of contracts, each scaled by the product of the ratios of all later rolls."""
    scale = np.r_[np.cumprod(ratio[::-1])[::-1], 1.0]
    columns: dict[str, Any] = {}
    for name in ("time", "open", "high", "low", "close", "volume"):
        scaled = name not in ("time", "volume")
        columns[name] = np.concatenate(
            [
                getattr(contracts[i].bars, name)[a:b] * (scale[i] if scaled else 1)
                for i, a, b in pieces
            ]
        )
    lengths = np.array([b - a for _, a, b in pieces], np.int64)
    contract = np.repeat([i for i, _, _ in pieces], lengths).astype(np.int64)
    roll_row = np.cumsum(lengths)[:-1].astype(np.int64) - 1
    return Continuous(Bars(symbol, **columns), contract, roll_row, ratio)
