"""The verdict: one word by fixed rules, and what a person can repeat of it.

| word        | when                                                                            |
|-------------|---------------------------------------------------------------------------------|
| evidence    | both conditions hold                                                            |
| weak        | one of them holds                                                               |
| none        | neither holds, or there is too little to judge                                  |
| exploratory | it would be one of the first two, but the sealed rows were looked at before     |

First condition: the sealed rows, looked at once, show a mean daily net return above cash. Second:
the search before the seal found more than luck would have.
"""

import math
from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.metrics.trading import sharpe
from touchstone.validation.bootstrap import (
    N_RESAMPLES,
    MeanTest,
    mean_interval,
    mean_test,
    sharpe_interval,
)
from touchstone.validation.deflated import (
    N_TRADES_TO_JUDGE,
    Deflated,
    smallest_detectable_sharpe,
)

ALPHA: Final = 0.05
"""Level of both conditions."""
N_DAYS_TO_JUDGE: Final = 60
"""Sealed days below which there is too little to judge."""
N_DAYS_WITH_RETURN_TO_JUDGE: Final = 10
"""Sealed days with a return other than 0 below which there is too little to judge."""

Word = Literal["evidence", "weak", "none", "exploratory"]
Reason = Literal[
    "both_conditions",
    "primary_only",
    "secondary_only",
    "neither_condition",
    "looked_before",
    "no_positive_candidate",
    "no_trades",
    "too_few_trades",
    "too_few_days",
    "too_few_days_with_return",
    "no_variance",
]


class Drawn(NamedTuple):
    """The surrogate markets behind a search-corrected p."""

    budget: int
    """R: asked for."""
    n_searched: int
    """Counted; fewer than R where the sequential rule ended early, 0 where none was needed."""
    n_exceedances: int
    """On how many the search did at least as well."""


class Evidence(NamedTuple):
    """All that the verdict depends on."""

    chosen: bool
    """Whether a candidate was positive before the seal; if none was, nothing was traded there."""
    n_trades: int
    """Closed round trips on the sealed rows."""
    n_days: int
    """Sealed days."""
    n_days_with_return: int
    """Sealed days whose return, before cash is taken off, is not 0."""
    days_per_year: float
    """Of the calendar."""
    test: MeanTest
    """Of the sealed daily net returns in excess of cash."""
    sharpe: float | None
    """Annual, of the same returns."""
    sharpe_interval: tuple[float, float] | None
    """At 95 %, annual."""
    return_interval: tuple[float, float] | None
    """Of the annual net return, at 95 %."""
    deflated: Deflated | None
    """Of the chosen candidate before the seal; None where none was chosen."""
    surrogate_p: float | None
    """Search-corrected p from surrogate markets; None without a budget for them."""
    n_studies: int
    """Distinct studies that looked at these sealed rows, this one included."""
    drawn: Drawn | None = None
    """How many surrogate markets that p comes from, for the sentences; None where not told."""


class Condition(NamedTuple):
    """One of the two conditions of the word."""

    name: str
    value: float | None
    """None where it is not defined; then the condition is not met."""
    comparison: Literal["<=", ">"]
    threshold: float
    met: bool


class Verdict(NamedTuple):
    """The word, why, and what to say."""

    word: Word
    reason: Reason
    sentence: str
    """One plain sentence that a person can repeat."""
    limits: str
    """One sentence about what these data cannot prove."""
    primary_p: float
    """The sealed p-value; 1 where there is too little to judge."""
    sharpe: float | None
    """Annual, sealed; None where there is too little to judge."""
    sharpe_interval: tuple[float, float] | None
    return_interval: tuple[float, float] | None
    primary: Condition
    secondary: Condition
    deflated: Deflated | None
    n_studies: int


class Sealed(NamedTuple):
    """What the one look brought."""

    daily: Float64
    """(n_days,) net returns of every sealed day, traded or not."""
    n_trades: int
    """Closed round trips."""
    days_per_year: float
    """Of the calendar."""
    cash: Float64 | float = 0.0
    """What cash returned each day, (n_days,) or one number."""


class Search(NamedTuple):
    """What is known of the search before the seal, and of the looks at these rows."""

    chosen: bool
    deflated: Deflated | None
    surrogate_p: float | None
    n_studies: int
    drawn: Drawn | None = None


def weigh(
    sealed: Sealed, search: Search, rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> Evidence:
    """Everything that `judge` needs, computed from the sealed returns.

    Raises:
        DataError: daily returns that are not one column of finite numbers.
    """
    daily = np.asarray(sealed.daily - sealed.cash, np.float64)
    # One stream each, so that no interval depends on how many numbers the test drew.
    for_test, for_sharpe, for_return = rng.spawn(3)
    test = mean_test(daily, for_test, n_resamples)
    per_year = sealed.days_per_year
    return Evidence(
        chosen=search.chosen,
        n_trades=sealed.n_trades,
        n_days=daily.size,
        n_days_with_return=int(np.count_nonzero(sealed.daily)),
        days_per_year=per_year,
        test=test,
        sharpe=sharpe(daily, per_year),
        sharpe_interval=sharpe_interval(daily, per_year, for_sharpe, n_resamples=n_resamples),
        return_interval=mean_interval(daily, per_year, for_return, n_resamples=n_resamples),
        deflated=search.deflated,
        surrogate_p=search.surrogate_p,
        n_studies=search.n_studies,
        drawn=search.drawn,
    )


def judge(evidence: Evidence) -> Verdict:
    """The verdict that these numbers have, by rules alone."""
    too_little = _too_little(evidence)
    p = 1.0 if too_little else evidence.test.p
    primary = Condition("sealed p-value", p, "<=", ALPHA, p <= ALPHA)
    secondary = _secondary(evidence)
    word, reason = _word(too_little, primary.met, secondary.met, evidence.n_studies)
    return Verdict(
        word=word,
        reason=reason,
        sentence=_sentence(reason, evidence, p, secondary),
        limits=_limits(evidence),
        primary_p=p,
        sharpe=None if too_little else evidence.sharpe,
        sharpe_interval=None if too_little else evidence.sharpe_interval,
        return_interval=None if too_little else evidence.return_interval,
        primary=primary,
        secondary=secondary,
        deflated=evidence.deflated,
        n_studies=evidence.n_studies,
    )


def _too_little(evidence: Evidence) -> Reason | None:
    """Why nothing can be judged, the plainest reason first; None where it can."""
    if not evidence.chosen:
        return "no_positive_candidate"
    if evidence.n_trades == 0:
        return "no_trades"
    if evidence.n_trades < N_TRADES_TO_JUDGE:
        return "too_few_trades"
    if evidence.n_days < N_DAYS_TO_JUDGE:
        return "too_few_days"
    if evidence.n_days_with_return < N_DAYS_WITH_RETURN_TO_JUDGE:
        return "too_few_days_with_return"
    return "no_variance" if evidence.test.t is None else None


def _secondary(evidence: Evidence) -> Condition:
    if evidence.surrogate_p is not None:
        p = evidence.surrogate_p
        return Condition("search-corrected p-value", p, "<=", ALPHA, p <= ALPHA)
    value = evidence.deflated.value if evidence.deflated else None
    met = value is not None and value > 1 - ALPHA
    return Condition("deflated Sharpe", value, ">", 1 - ALPHA, met)


def _word(
    too_little: Reason | None, primary: bool, secondary: bool, n_studies: int
) -> tuple[Word, Reason]:
    if too_little:
        return "none", too_little
    if not primary and not secondary:
        return "none", "neither_condition"
    if n_studies > 1:
        return "exploratory", "looked_before"
    if primary and secondary:
        return "evidence", "both_conditions"
    return "weak", "primary_only" if primary else "secondary_only"


def _sentence(reason: Reason, evidence: Evidence, p: float, secondary: Condition) -> str:
    days, trades = _count(evidence.n_days, "sealed day"), _count(evidence.n_trades, "trade")
    searched = _searched(secondary, evidence)
    why = evidence.n_days_with_return
    return {
        "both_conditions": f"Evidence of an edge after costs: over {days} its mean net return was "
        f"above cash (p = {p:.4f}), and {searched}.",
        "primary_only": f"Weak evidence: over {days} the mean net return was above cash "
        f"(p = {p:.4f}), but {searched}.",
        "secondary_only": f"Weak evidence: {searched}, but over {days} the mean net return was "
        f"not shown to be above cash (p = {p:.4f}).",
        "neither_condition": f"No evidence of an edge: over {days} the mean net return was not "
        f"shown to be above cash (p = {p:.4f}), and {searched}.",
        "looked_before": f"Exploratory only: {evidence.n_studies} different studies looked at "
        f"these sealed rows, so p = {p:.4f} is no longer the p-value of one look.",
        "no_positive_candidate": "No evidence of an edge: before the seal no candidate with at "
        f"least {N_TRADES_TO_JUDGE} trades earned more than cash after costs, so nothing was "
        "traded on the sealed rows. On a market without an edge that is the ideal outcome.",
        "no_trades": f"No evidence of an edge: over {days} the strategy found no trade worth its "
        "costs. On a market without an edge that is the ideal outcome.",
        "too_few_trades": f"Too little to judge: {trades} closed on the sealed rows, "
        f"{N_TRADES_TO_JUDGE} are needed.",
        "too_few_days": f"Too little to judge: {days}, {N_DAYS_TO_JUDGE} are needed.",
        "too_few_days_with_return": f"Too little to judge: {_count(why, 'sealed day')} with a "
        f"return, {N_DAYS_WITH_RETURN_TO_JUDGE} are needed.",
        "no_variance": "Too little to judge: the sealed daily returns do not vary.",
    }[reason]


def _searched(secondary: Condition, evidence: Evidence) -> str:
    if secondary.value is None:
        return "whether its search beat luck is not defined (returns without variance)"
    verb = "found more than luck would have" if secondary.met else "may have found only luck"
    drawn = evidence.drawn if evidence.surrogate_p is not None else None
    return (
        f"the search behind it {verb} ({secondary.name} {secondary.value:.4f}, needed "
        f"{secondary.comparison} {secondary.threshold:.2f}"
        + (f"; {surrogates_said(drawn)})" if drawn is not None else ")")
    )


def surrogates_said(drawn: Drawn) -> str:
    """How a search-corrected p came about, as a clause.

    >>> surrogates_said(Drawn(19, 19, 0))
    'none of 19 surrogate markets did as well'
    >>> surrogates_said(Drawn(199, 7, 3))
    '3 of the first 7 surrogate markets did as well, which ended the search among 199'
    """
    if drawn.n_searched == 0:
        return (
            "no surrogate market was needed, for any does as well as a search that earned nothing"
        )
    many = drawn.n_exceedances or "none"
    if drawn.n_searched < drawn.budget:
        return (
            f"{many} of the first {_count(drawn.n_searched, 'surrogate market')} did as well, "
            f"which ended the search among {drawn.budget:,}"
        )
    return f"{many} of {_count(drawn.budget, 'surrogate market')} did as well"


def _limits(evidence: Evidence) -> str:
    least = smallest_detectable_sharpe(evidence.n_days, evidence.days_per_year, ALPHA, 0.8)
    drawn = evidence.drawn
    by = f" ({surrogates_said(drawn)})" if drawn is not None else ""
    how = (
        "no surrogate markets were run, so the search is corrected by the deflated Sharpe alone"
        if evidence.surrogate_p is None
        else f"the search is corrected by surrogate markets{by}, and that holds for markets that "
        "resemble them"
    )
    if math.isinf(least):
        return f"Without a sealed day nothing can be proven; {how}."
    years = evidence.n_days / evidence.days_per_year
    return (
        f"{_count(evidence.n_days, 'sealed day')} ({years:.1f} years) find a true annual Sharpe of "
        f"{least:.1f} with 80 % power and miss smaller ones more often, and no past can prove that "
        f"an edge lasts; {how}."
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
