"""How much is flattered by leaving out what died: equal weight of survivors less that of all."""

from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError, TooFewBarsError
from touchstone.seeding import generator
from touchstone.validation.bootstrap import mean_interval

CLIP: Final = 1.5
"""A day's move beyond this factor, or below its inverse, is cut to it: symmetric in the logarithm,
so that neither losers nor winners are favoured."""
PATIENCE_DAYS: Final = 5
"""A move across more days without a bar is left out: nobody could rebalance meanwhile."""
FEWEST_DAYS: Final = 20

Weighting: TypeAlias = Literal["rebalanced", "held"]


class Lives(NamedTuple):
    """Closes of instruments over common days; rows in any order, one for each (day, instrument)."""

    day: Int64
    """Number of the trading day, 0 .. n_days - 1, (n_rows,)."""
    instrument: Int64
    """(n_rows,)."""
    close: Float64
    """Adjusted for splits and dividends, (n_rows,)."""
    survives: Bool
    """Whether each instrument lives on at the end, (n_instruments,)."""
    year: Int64
    """Calendar year of each day, (n_days,)."""


class Bias(NamedTuple):
    """Survivors less all, a year; arithmetic means of daily returns times days a year."""

    weighting: Weighting
    """rebalanced: equal money every day; held: equal money on the first day, then left alone."""
    clipped: bool
    """Whether wild moves were cut."""
    survivors: float
    all: float
    bias: float
    interval: tuple[float, float] | None
    """95 %, stationary bootstrap over days of the daily difference; None without variance."""


class YearBias(NamedTuple):
    """The bias of one calendar year, wild moves cut; as `Bias`, at the year's own rate."""

    weighting: Weighting
    year: int
    n_days: int
    bias: float
    interval: tuple[float, float] | None


class Study(NamedTuple):
    """The size of the bias in one panel."""

    n_days: int
    """Days with a return, one less than those with closes."""
    n_instruments: int
    n_survivors: int
    n_died_later: int
    """Of those that died, how many still had a close on the last day: their end is not in here."""
    first_end: int | None
    """First day that is the last one of an instrument that died; None: all died later."""
    n_cut_down: int
    """Moves below 1 / CLIP."""
    n_cut_up: int
    """Moves above CLIP."""
    n_left_out: int
    """Moves across too many days without a bar."""
    biases: tuple[Bias, ...]
    """By weighting, with wild moves cut and as they are."""
    years: tuple[YearBias, ...]
    """By weighting and calendar year, those of 20 days and more."""


def survivorship_bias(
    lives: Lives, days_per_year: float, seed: int, delisting_return: float = 0.0
) -> Study:
    """Equal weight of those that live on against equal weight of all, on the same days.

    Args:
        lives: closes.
        days_per_year: of the calendar.
        seed: of the bootstrap.
        delisting_return: what a holder gets on top of the last close of one that died, as -0.3
            (Shumway 1997 finds -30 % where a delisting is for performance); 0: the last close.
            One that is still traded on the last day pays nothing yet, whatever became of it.

    Raises:
        TooFewBarsError: fewer than 20 days.
        DataError: nobody dies, or nobody lives on; a delisting return of -1 or below; a day that
            an instrument has twice; a close that is not finite and positive.
    """
    _check(lives, delisting_return)
    moves, n_left_out = _moves(lives)
    held_first = np.zeros(lives.survives.size, bool)
    held_first[lives.instrument[lives.day == 0]] = True
    log_clip = np.log(CLIP)
    cut = np.clip(moves, -log_clip, log_clip)
    last = _last_day(lives)
    ended = ~lives.survives & (last < moves.shape[0])
    biases, years = [], []
    for clipped, logs in ((True, cut), (False, moves)):
        growth = _with_end(np.exp(logs), last, ended, delisting_return)
        for weighting in ("rebalanced", "held"):
            mine, all_ = (
                _rebalanced(growth[:, who]) if weighting == "rebalanced"
                else _held(growth[:, who & held_first])
                for who in (lives.survives, np.ones_like(lives.survives))
            )  # fmt: skip
            rng = generator(seed, "survivorship", weighting, str(clipped))
            interval = mean_interval(mine - all_, days_per_year, rng)
            one, other = float(mine.mean()) * days_per_year, float(all_.mean()) * days_per_year
            biases.append(Bias(weighting, clipped, one, other, one - other, interval))
            if clipped:
                years += _by_year(mine - all_, lives.year[1:], weighting, (days_per_year, seed))
    return Study(
        n_days=moves.shape[0],
        n_instruments=lives.survives.size,
        n_survivors=int(lives.survives.sum()),
        n_died_later=int((~lives.survives & ~ended).sum()),
        first_end=int(last[ended].min()) if ended.any() else None,
        n_cut_down=int((moves < -log_clip).sum()),
        n_cut_up=int((moves > log_clip).sum()),
        n_left_out=n_left_out,
        biases=tuple(biases),
        years=tuple(years),
    )


def _by_year(
    difference: Float64, year: Int64, weighting: Weighting, how: tuple[float, int]
) -> list[YearBias]:
    """The daily difference of each calendar year that has days enough."""
    days_per_year, seed = how
    found = []
    for one in np.unique(year):
        daily = difference[year == one]
        if daily.size >= FEWEST_DAYS:
            rng = generator(seed, "survivorship", weighting, str(one))
            interval = mean_interval(daily, days_per_year, rng)
            bias = float(daily.mean()) * days_per_year
            found.append(YearBias(weighting, int(one), daily.size, bias, interval))
    return found


def _check(lives: Lives, delisting_return: float) -> None:
    n_days = int(lives.day.max(initial=-1)) + 1
    if lives.year.shape != (n_days,):
        raise DataError(f"years: needs one for each of {n_days} days, got {lives.year.shape}")
    if n_days < FEWEST_DAYS:
        raise TooFewBarsError(f"{n_days} days of closes: needs {FEWEST_DAYS} at least")
    if not (np.isfinite(lives.close) & (lives.close > 0)).all():
        raise DataError("closes must be finite and positive")
    n = lives.survives.size
    if np.unique(lives.day * n + lives.instrument).size < lives.day.size:
        raise DataError("an instrument has two closes on one day: keep one")
    n_live = int(lives.survives.sum())
    if n_live in (0, n):
        who = "nobody dies" if n_live else "nobody lives on"
        raise DataError(
            f"{who} among {n} instruments: a bias is measured between some that live on and some "
            "that do not"
        )
    if not delisting_return > -1:
        raise DataError(f"a delisting return lies above -1, got {delisting_return:g}")


def _moves(lives: Lives) -> tuple[Float64, int]:
    """Log return of each (day, instrument) since its last close, NaN where there is none."""
    order = np.lexsort((lives.day, lives.instrument))
    day, who, log = lives.day[order], lives.instrument[order], np.log(lives.close[order])
    same = np.r_[False, who[1:] == who[:-1]]
    gap = np.r_[0, np.diff(day)]
    near = same & (gap <= PATIENCE_DAYS)
    moves = np.full((int(day.max()) + 1, lives.survives.size), np.nan)
    moves[day[near], who[near]] = np.r_[0.0, np.diff(log)][near]
    return moves[1:], int((same & ~near).sum())


def _last_day(lives: Lives) -> Int64:
    """Day on which each instrument has its last close, (n_instruments,)."""
    last = np.zeros(lives.survives.size, np.int64)
    np.maximum.at(last, lives.instrument, lives.day)
    return last


def _with_end(growth: Float64, last: Int64, ended: Bool, delisting_return: float) -> Float64:
    """Moves with what the last close of those that ended was worth, however it was reached."""
    if delisting_return:
        row, who = np.maximum(last[ended] - 1, 0), np.flatnonzero(ended)
        growth[row, who] = np.nan_to_num(growth[row, who], nan=1.0) * (1.0 + delisting_return)
    return growth


def _rebalanced(growth: Float64) -> Float64:
    """Mean return of those that have one, each day; 0 on a day without any."""
    known = ~np.isnan(growth)
    total = np.where(known, growth - 1.0, 0.0).sum(1)
    return np.asarray(total / np.maximum(known.sum(1), 1), np.float64)


def _held(growth: Float64) -> Float64:
    """Daily returns of equal money on day 0; what ends is kept as cash."""
    worth = np.cumprod(np.where(np.isnan(growth), 1.0, growth), axis=0).mean(1)
    return np.asarray(worth / np.r_[1.0, worth[:-1]] - 1.0, np.float64)
