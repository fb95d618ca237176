"""How often a true edge is found: rates with exact intervals, and the truth behind each point."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy import stats

from touchstone.errors import DataError
from touchstone.validation.verdict import Word

NEAR: Final = 0.25
"""Annual Sharpe within which a market's own truth counts as the one that was wanted."""


class Trial(NamedTuple):
    """What a pipeline said of one market with a known edge, and what that edge is worth."""

    ic: float
    """Strength of the planted edge."""
    number: int
    word: Word
    p: float
    """Primary p-value."""
    deflated: float | None
    """Deflated Sharpe of the search; None without a chosen candidate."""
    n_trades: int
    """Closed on the sealed rows."""
    n_candidates: int
    true_sharpe: float | None
    """Annual, net, of the chosen candidate on fresh years; None where nobody was chosen, where
    nothing varied, or where it was not measured."""
    true_return: float | None
    """Its mean net return a year there."""
    oracle_return: float | None
    """Of the same strategy led by the truth, on the same fresh years."""


class Interval(NamedTuple):
    """Low and high end, at 95 %."""

    low: float
    high: float


class Point(NamedTuple):
    """One point of the power curve."""

    target: float
    """True annual net Sharpe that was wanted."""
    ic: float
    """Strength that a pilot found for it."""
    n: int
    evidence: int
    evidence_interval: Interval
    """Of the true rate, exact."""
    weak_or_better: int
    weak_interval: Interval
    chosen: int
    """Markets on which the search chose a candidate."""
    true_mean: float
    """Mean true Sharpe of the chosen candidates; NaN without one."""
    true_interval: Interval
    """Of that mean."""
    true_sd: float
    """From market to market."""
    near: int
    """Markets whose own true Sharpe lay within `NEAR` of the target."""
    near_evidence: int
    near_interval: Interval
    oracle_share: float
    """Net return of the chosen candidates over that of the truth led by the same strategies, sums
    over all markets with a chosen candidate; NaN without one."""


def exact_interval(hits: int, n: int, coverage: float = 0.95) -> Interval:
    """Of the true rate behind `hits` of `n`; 0 to 1 without a trial.

    Source: Clopper & Pearson (1934).
    """
    tail = (1 - coverage) / 2
    low = float(stats.beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return Interval(low, high)


def point(target: float, ic: float, trials: Sequence[Trial]) -> Point:
    """Count one point of the curve; trials of one strength."""
    n = len(trials)
    found = sum(t.word == "evidence" for t in trials)
    some = found + sum(t.word == "weak" for t in trials)
    true = np.array([t.true_sharpe for t in trials if t.true_sharpe is not None], np.float64)
    near = [t for t in trials if t.true_sharpe is not None and abs(t.true_sharpe - target) <= NEAR]
    near_found = sum(t.word == "evidence" for t in near)
    paid = [t for t in trials if t.true_return is not None and t.oracle_return is not None]
    of_oracle = sum(t.oracle_return or 0.0 for t in paid)
    own = sum(t.true_return or 0.0 for t in paid)
    return Point(
        target=target,
        ic=ic,
        n=n,
        evidence=found,
        evidence_interval=exact_interval(found, n),
        weak_or_better=some,
        weak_interval=exact_interval(some, n),
        chosen=sum(t.deflated is not None for t in trials),
        true_mean=float(true.mean()) if true.size else math.nan,
        true_interval=mean_interval(true),
        true_sd=float(true.std(ddof=1)) if true.size > 1 else math.nan,
        near=len(near),
        near_evidence=near_found,
        near_interval=exact_interval(near_found, len(near)),
        oracle_share=own / of_oracle if of_oracle > 0 else math.nan,
    )


def mean_interval(values: np.ndarray) -> Interval:
    """Student's interval of a mean, (n,) independent values; NaN for fewer than two."""
    if values.size < 2:
        return Interval(math.nan, math.nan)
    half = stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / math.sqrt(values.size)
    return Interval(float(values.mean() - half), float(values.mean() + half))


def words(trials: Sequence[Trial]) -> Mapping[str, int]:
    """How often each verdict came."""
    return dict(Counter(t.word for t in trials))


def strengths(targets: Sequence[float], pilot: Sequence[Trial]) -> tuple[float, ...]:
    """Strength of the edge at which the chosen candidate's true Sharpe is each target.

    A parabola through the pilot's (strength, mean true Sharpe), by least squares, followed
    upwards from its foot; so every pilot market helps at every target.

    Raises:
        DataError: the pilot does not reach a target, or too few of its markets chose anybody.
    """
    ic = np.array([t.ic for t in pilot if t.true_sharpe is not None])
    true = np.array([t.true_sharpe for t in pilot if t.true_sharpe is not None])
    known = np.unique(ic)
    if known.size < 3:
        raise DataError(
            f"the pilot chose candidates at {known.size} strengths, 3 are needed: ask for more "
            "pilot markets"
        )
    grid = np.linspace(known[0], known[-1], 2001)
    curve = np.maximum.accumulate(np.polyval(np.polyfit(ic, true, 2), grid))
    found = []
    for target in targets:
        if not curve[0] <= target <= curve[-1]:
            raise DataError(
                f"a true Sharpe of {target:g} lies outside what the pilot's strengths "
                f"{known[0]:g} to {known[-1]:g} reach, {curve[0]:.2f} to {curve[-1]:.2f}: ask for "
                "other targets, or more pilot markets"
            )
        found.append(round(float(grid[np.searchsorted(curve, target)]), 4))
    return tuple(found)
