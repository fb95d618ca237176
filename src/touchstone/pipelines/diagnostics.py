"""The printed diagnostics: numbers beside the verdict that change no word of it.

Those before the seal judge the search, over all its candidates; those on the sealed segment come
from the one look's answer, so that a repeat gives the same bytes. What is not defined is given
with its reason.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest import daily
from touchstone.backtest.baselines import buy_and_hold
from touchstone.metrics import trading
from touchstone.pipelines.decide import Comparison
from touchstone.pipelines.money import Terms, Traded
from touchstone.reports.result import Diagnostic, Performance
from touchstone.seeding import generator
from touchstone.validation import deflated as d
from touchstone.validation.day_bootstrap import FEWEST_DAYS, day_interval
from touchstone.validation.overfitting import N_BLOCKS, overfitting
from touchstone.validation.sharpe_difference import sharpe_difference
from touchstone.validation.stretches import stretches
from touchstone.validation.superior_ability import superior_ability

_DAYS_A_BLOCK = 4
_FEWEST_BLOCKS = 8
_FEWEST_DAYS_FOR_SPA = 3

_GLOSSES = {
    "deflated_sharpe": "probability that the search found more than luck would have",
    "expected_max": "annual Sharpe that the best of {n} worthless candidates is expected to show",
    "min_backtest_years": "years of data below which so high a Sharpe is expected of the best of "
    "so many",
    "min_track_record_days": "days of such returns that prove a Sharpe above zero at 95 %, one "
    "candidate",
    "pbo": "share of halves of the test days whose best candidate is among the worse on the other "
    "half; near one half or above, choosing by these tests chooses noise",
    "superior_ability_p": "chance that the best candidate earns so much more than cash on the "
    "tests before the seal, were none better than cash",
    "smallest_detectable_sharpe": "true annual Sharpe that the sealed segment finds with 80 % "
    "power",
    "better_than_buy_and_hold": "lower end of the 95 % interval of the annual Sharpe less that of "
    "buying every instrument for the same money and holding, same sealed days",
    "control_rank": "share of 200 random strategies of the same turnover that earned less on the "
    "sealed days",
    "expectancy_lower": "lower end of the 95 % interval of what a sealed trade earns after its "
    "costs, as a fraction of what it bought; stretches of days resampled",
}
KEYS = tuple(_GLOSSES)
"""All diagnostics, in the order of the page."""


class SealedIntervals(NamedTuple):
    """What the look computes for the diagnostics, at 95 %; None where it is not defined."""

    over_buy_and_hold: tuple[float, float] | None
    """Annual Sharpe less that of buy-and-hold."""
    expectancy: tuple[float, float] | None
    """Mean net return of a closed trade, fraction."""


class Sealed(NamedTuple):
    """What the diagnostics need of the look's answer."""

    performance: Performance
    intervals: SealedIntervals


def sealed_intervals(config: Terms, traded: Traded) -> SealedIntervals:
    """Both intervals of a run on the sealed segment.

    Buy-and-hold puts equal money into every instrument at its first open there, costs paid:
    fixed before the look, since no choice enters it.
    """
    panel, trades = traded.panel, traded.run.trades
    per_year = panel.calendar.days_per_year
    kept = daily(panel, buy_and_hold(panel, config.account, config.costs))[1]
    for_difference, for_trades = generator(config.seed, "diagnostics", "sealed").spawn(2)
    found = sharpe_difference(daily(panel, traded.run)[1], kept, for_difference).interval
    over = None if found is None else _scaled(found, math.sqrt(per_year))
    net = trades.net
    day = panel.calendar.day(panel.time)
    until = np.minimum(trades.exit_row, len(panel) - 1)
    held = stretches(day[trades.entry_row], day[until])
    expectancy = day_interval(lambda rows: float(net[rows].mean()), held, for_trades)
    return SealedIntervals(over, expectancy)


def diagnostics(
    comparison: Comparison,
    deflated: d.Deflated | None,
    sealed: Sealed | None,
    n_sealed_days: int,
    seed: int,
) -> dict[str, Diagnostic]:
    """Every diagnostic of `KEYS`, with a value or the reason why there is none.

    Args:
        comparison: all candidates before the seal.
        deflated: of the chosen one; None where none was.
        sealed: of the look's answer; None where no look was taken.
        n_sealed_days: days of the calendar behind the seal.
        seed: of the study.
    """
    per_year = comparison.segment.panel.calendar.days_per_year
    least = d.smallest_detectable_sharpe(n_sealed_days, per_year)
    found = _chosen(comparison, deflated, per_year) | _search(comparison, seed)
    found["smallest_detectable_sharpe"] = _value("smallest_detectable_sharpe", least)
    found |= _sealed(sealed)
    return {key: found[key] for key in KEYS}


def _chosen(
    comparison: Comparison, deflated: d.Deflated | None, per_year: float
) -> dict[str, Diagnostic]:
    """Of the chosen candidate on the tests before the seal."""
    winner = comparison.winner
    names = ("deflated_sharpe", "expected_max", "min_backtest_years", "min_track_record_days")
    if winner is None or deflated is None:
        return {name: _absent(name, "no candidate was chosen") for name in names}
    annual = trading.sharpe(winner.returns, per_year) or 0.0
    seen = d.moments(winner.returns)
    flat = "its returns have no variance"
    record = None if seen is None else d.min_track_record(seen)
    values = (
        deflated.value,
        deflated.threshold * math.sqrt(per_year),
        d.min_backtest_length(deflated.n, annual),
        record,
    )
    return {
        name: _absent(name, flat, deflated.n) if value is None else _value(name, value, deflated.n)
        for name, value in zip(names, values, strict=True)
    }


def _search(comparison: Comparison, seed: int) -> dict[str, Diagnostic]:
    """Of all candidates together on the tests before the seal."""
    table = np.column_stack([s.returns for s in comparison.scored])
    return {
        "pbo": _or_reason("pbo", _pbo, table),
        "superior_ability_p": _or_reason(
            "superior_ability_p", lambda returns: _spa(returns, seed), table
        ),
    }


def _pbo(returns: Float64) -> float | str:
    """The probability, or why there is none."""
    n_days = returns.shape[0]
    n_blocks = min(N_BLOCKS, n_days // _DAYS_A_BLOCK // 2 * 2)
    if n_blocks < _FEWEST_BLOCKS:
        return f"{n_days} test days, {_FEWEST_BLOCKS * _DAYS_A_BLOCK} are needed"
    found = overfitting(returns, n_blocks)
    return "fewer than two candidates traded" if found is None else found.probability


def _spa(returns: Float64, seed: int) -> float | str:
    if returns.shape[0] < _FEWEST_DAYS_FOR_SPA:
        return f"{returns.shape[0]} test days, {_FEWEST_DAYS_FOR_SPA} are needed"
    found = superior_ability(returns, generator(seed, "diagnostics", "superior_ability"))
    return "no candidate traded" if found.statistic is None else found.p


def _sealed(sealed: Sealed | None) -> dict[str, Diagnostic]:
    """From the look's answer."""
    names = ("better_than_buy_and_hold", "control_rank", "expectancy_lower")
    if sealed is None:
        return {name: _absent(name, "no look was taken") for name in names}
    over, expectancy = sealed.intervals
    rank, traded = sealed.performance.controls_rank, sealed.performance.n_trades
    without = "no trade closed on the sealed days"
    few = f"trades on fewer than {FEWEST_DAYS} sealed days" if traded else without
    flat = "the returns of one of the two have no variance there"
    return {
        names[0]: _absent(names[0], flat) if over is None else _value(names[0], over[0]),
        names[1]: _absent(names[1], without) if rank is None else _value(names[1], rank),
        names[2]: _absent(names[2], few) if expectancy is None else _value(names[2], expectancy[0]),
    }


def _or_reason(
    name: str, measure: Callable[[Float64], float | str], returns: Float64
) -> Diagnostic:
    found = measure(returns)
    return _absent(name, found) if isinstance(found, str) else _value(name, found)


def _value(name: str, value: float, n: int = 0) -> Diagnostic:
    return Diagnostic(value=value, gloss=_GLOSSES[name].format(n=n))


def _absent(name: str, reason: str, n: int | str = "so many") -> Diagnostic:
    return Diagnostic(value=None, gloss=_GLOSSES[name].format(n=n), reason=reason)


def _scaled(interval: tuple[float, float], factor: float) -> tuple[float, float]:
    return interval[0] * factor, interval[1] * factor
