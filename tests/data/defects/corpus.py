"""Named defects: each plants one fault into clean bars and knows which check must find it where."""
# ruff: noqa: ARG001  every defect is called alike: columns, market, generator

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from defects.markets import FIELDS, Market

PRICES = FIELDS[:4]


class Planted(NamedTuple):
    """What was planted."""

    columns: dict[str, np.ndarray]
    """The file with the fault."""
    first: int
    """Times between which a finding must lie, ns UTC."""
    last: int
    now: int | None = None


class Defect(NamedTuple):
    name: str
    checks: tuple[str, ...]
    """Any of these must find it."""
    plant: Callable[..., Planted | None]


DEFECTS: dict[str, Defect] = {}


def defect(*checks):
    def keep(plant):
        name = plant.__name__
        DEFECTS[name] = Defect(name, checks, plant)
        return plant

    return keep


def rows(columns, a, b, now=None):
    """The planted file and the times of its rows a .. b - 1."""
    time = columns["time"][a:b]
    return Planted(columns, int(time.min()), int(time.max()), now)


def whole(columns, now=None):
    return rows(columns, 0, columns["time"].size, now)


def somewhere(columns, rng, margin=200):
    """A row that lies well inside."""
    n = columns["time"].size
    margin = min(margin, n // 4)
    return int(rng.integers(margin, n - margin))


def contiguous(columns, market, rng, calm=True):
    """A row whose neighbours lie side by side and whose volume is nothing special."""
    beside = np.diff(columns["time"]) == market.step
    if market.daily:
        beside = np.ones_like(beside)
    n = columns["time"].size
    quiet = columns["volume"] <= np.quantile(columns["volume"], 0.8)
    good = np.r_[False, beside] & np.r_[beside, False] & (quiet | ~np.array(calm))
    good[:200] = good[n - 200 :] = False
    at = np.flatnonzero(good)
    return int(rng.choice(at)) if at.size else somewhere(columns, rng)


def scaled(columns, part, factor):
    for name in PRICES:
        columns[name][part] *= factor


def enclose(columns, part):
    columns["high"][part] = np.max([columns[f][part] for f in PRICES], axis=0)
    columns["low"][part] = np.min([columns[f][part] for f in PRICES], axis=0)


def take(columns, keep):
    return {k: v[keep] for k, v in columns.items()}


# --- values


@defect("impossible_values")
def close_missing(c, m, rng):
    t = somewhere(c, rng)
    c["close"][t] = np.nan
    return rows(c, t, t + 1)


@defect("impossible_values")
def open_zero(c, m, rng):
    t = somewhere(c, rng)
    c["open"][t] = 0.0
    return rows(c, t, t + 1)


@defect("impossible_values")
def low_negative(c, m, rng):
    t = somewhere(c, rng)
    c["low"][t] *= -1
    return rows(c, t, t + 1)


@defect("impossible_values")
def high_infinite(c, m, rng):
    t = somewhere(c, rng)
    c["high"][t] = np.inf
    return rows(c, t, t + 1)


@defect("impossible_values")
def volume_negative(c, m, rng):
    t = somewhere(c, rng)
    c["volume"][t] = -1.0
    return rows(c, t, t + 1)


@defect("impossible_values")
def prices_missing_for_a_while(c, m, rng):
    t = somewhere(c, rng)
    for name in PRICES:
        c[name][t : t + 20] = np.nan
    return rows(c, t, t + 20)


# --- times


@defect("time_order")
def row_twice(c, m, rng):
    t = somewhere(c, rng)
    return rows(take(c, np.insert(np.arange(c["time"].size), t, t)), t, t + 2)


@defect("time_order")
def two_rows_exchanged(c, m, rng):
    t = somewhere(c, rng)
    order = np.arange(c["time"].size)
    order[[t, t + 1]] = order[[t + 1, t]]
    return rows(take(c, order), t, t + 2)


@defect("time_order")
def newest_first(c, m, rng):
    return whole(take(c, np.arange(c["time"].size)[::-1]))


@defect("time_order")
def old_block_at_the_end(c, m, rng):
    n = c["time"].size
    return whole(take(c, np.r_[n // 4 : n, 0 : n // 4]))


@defect("off_grid")
def stamps_seven_minutes_off(c, m, rng):
    c["time"] = c["time"] + 7 * 60 * 10**9
    return whole(c)


@defect("off_grid")
def one_stamp_off(c, m, rng):
    t = somewhere(c, rng)
    c["time"][t] += 17 * 10**9
    return whole(c)


@defect("off_grid")
def bars_of_two_timeframes(c, m, rng):
    if m.daily or m.calendar != "24/7":
        return None  # a session cuts bars, so that a coarser grid is no proof
    return whole(take(c, slice(None, None, 4)))


@defect("future_stamps")
def stamps_a_year_ahead(c, m, rng):
    now = int(c["time"][-1]) + m.step * 2
    c["time"] = c["time"] + 364 * 86_400 * 10**9
    return whole(c, now)


@defect("future_stamps")
def last_rows_in_the_future(c, m, rng):
    n = c["time"].size
    return rows(c, n - 3, n, int(c["time"][n - 4]) + m.step // 2)


@defect("outside_sessions", "wrong_zone")
def bars_by_night(c, m, rng):
    if m.calendar != "XNYS" or m.daily:
        return None
    copy = take(c, slice(None))
    copy["time"] = copy["time"] + 8 * m.step
    both = {k: np.r_[c[k], copy[k]] for k in c}
    return whole(take(both, np.argsort(both["time"], kind="stable")))


# --- inside a row


@defect("enclosure")
def high_below_the_close(c, m, rng):
    t = somewhere(c, rng)
    c["high"][t] = min(c["open"][t], c["close"][t]) * 0.999
    c["low"][t] = c["high"][t] * 0.999
    return rows(c, t, t + 1)


@defect("enclosure")
def low_above_the_open(c, m, rng):
    t = somewhere(c, rng)
    c["low"][t] = np.nextafter(max(c["open"][t], c["close"][t]), np.inf)
    c["high"][t] = max(c["high"][t], c["low"][t])
    return rows(c, t, t + 1)


@defect("enclosure")
def high_and_low_exchanged_once(c, m, rng):
    t = somewhere(c, rng)
    c["high"][t] = c["high"][t] * 1.001
    c["high"][t], c["low"][t] = c["low"][t], c["high"][t]
    return rows(c, t, t + 1)


@defect("mixed_adjustment")
def close_adjusted_for_dividends(c, m, rng):
    n = c["time"].size
    steps = np.repeat(np.linspace(0.7, 1.0, 16), n // 16 + 1)[:n]
    c["close"] = c["close"] * steps
    return rows(c, 0, n * 15 // 16)


@defect("mixed_adjustment")
def close_adjusted_for_a_split(c, m, rng):
    t = somewhere(c, rng)
    c["close"][:t] /= 4
    return rows(c, 0, t)


@defect("mixed_adjustment")
def open_and_close_adjusted(c, m, rng):
    t = somewhere(c, rng)
    c["close"][:t] *= 0.8
    c["open"][:t] *= 0.8
    return rows(c, 0, t)


@defect("mixed_adjustment")
def high_and_low_adjusted(c, m, rng):
    t = somewhere(c, rng)
    c["high"][:t] *= 0.5
    c["low"][:t] *= 0.5
    return rows(c, 0, t)


def swapped(c, a, b, part):
    c[a][part], c[b][part] = c[b][part].copy(), c[a][part].copy()


@defect("swapped_columns")
def high_and_low_swapped(c, m, rng):
    swapped(c, "high", "low", slice(None))
    return whole(c)


@defect("swapped_columns")
def high_and_low_swapped_at_the_end(c, m, rng):
    a = c["time"].size * 3 // 4
    swapped(c, "high", "low", slice(a, None))
    return rows(c, a, c["time"].size)


@defect("swapped_columns")
def open_and_close_swapped(c, m, rng):
    swapped(c, "open", "close", slice(None))
    return whole(c)


@defect("swapped_columns")
def open_and_close_swapped_at_first(c, m, rng):
    b = c["time"].size // 2
    swapped(c, "open", "close", slice(0, b))
    return rows(c, 0, b)


@defect("swapped_columns")
def close_and_volume_swapped(c, m, rng):
    if not m.has_volume:
        return None
    swapped(c, "close", "volume", slice(None))
    return whole(c)


@defect("swapped_columns")
def open_and_high_swapped(c, m, rng):
    swapped(c, "open", "high", slice(None))
    return whole(c)


@defect("swapped_columns")
def close_and_low_swapped(c, m, rng):
    swapped(c, "close", "low", slice(None))
    return whole(c)


@defect("vwap_outside")
def vwap_of_another_adjustment(c, m, rng):
    t = somewhere(c, rng)
    c["vwap"] = (c["high"] + c["low"] + c["close"]) / 3
    c["vwap"][:t] *= 0.8
    return rows(c, 0, t) if m.has_volume else None


@defect("vwap_outside")
def vwap_off_in_one_row(c, m, rng):
    t = somewhere(c, rng)
    c["vwap"] = (c["high"] + c["low"] + c["close"]) / 3
    c["vwap"][t] = c["high"][t] * 1.01
    return rows(c, t, t + 1) if m.has_volume and c["volume"][t] > 0 else None


# --- holes and ends


def hole(c, t, n):
    time = c["time"][t : t + n]
    kept = take(c, np.r_[0:t, t + n : c["time"].size])
    return Planted(kept, int(time[0]), int(time[-1]))


@defect("gaps")
def hole_of_three_bars(c, m, rng):
    return hole(c, somewhere(c, rng), 3)


@defect("gaps")
def hole_of_a_dozen_bars(c, m, rng):
    return hole(c, somewhere(c, rng), 12)


@defect("gaps")
def hole_of_a_quarter(c, m, rng):
    return hole(c, somewhere(c, rng), c["time"].size // 8)


@defect("gaps")
def two_holes(c, m, rng):
    n = c["time"].size
    first = hole(c, n // 3, 8)
    return Planted(hole(first.columns, n // 2, 8).columns, first.first, first.last)


@defect("stale_end")
def ends_early(c, m, rng):
    n = c["time"].size * 9 // 10
    return rows(take(c, slice(0, n)), n - 1, n)


@defect("stale_end")
def ends_four_bars_early(c, m, rng):
    n = c["time"].size - 4
    return rows(take(c, slice(0, n)), n - 1, n)


@defect("partial_bar")
def last_bar_not_over(c, m, rng):
    n = c["time"].size
    return rows(c, n - 1, n, int(c["time"][-1]) + m.step // 3)


@defect("partial_bar")
def last_bar_cut_short(c, m, rng):
    if not m.has_volume:
        return None
    n = c["time"].size
    c["close"][-1] = c["high"][-1] = c["low"][-1] = c["open"][-1]
    c["volume"][-1] = np.floor(np.median(c["volume"][-50:]) * 0.002)
    return rows(c, n - 1, n)


# --- prices that nobody paid


@defect("outliers")
def level_up_without_a_cause(c, m, rng):
    t = contiguous(c, m, rng)
    scaled(c, slice(t, None), 2.4)
    return rows(c, t, t + 1)


@defect("outliers")
def level_down_without_a_cause(c, m, rng):
    t = contiguous(c, m, rng)
    scaled(c, slice(t, None), 0.43)
    return rows(c, t, t + 1)


@defect("outliers", "unmarked_split")
def decimal_point_moves(c, m, rng):
    t = contiguous(c, m, rng)
    scaled(c, slice(t, None), 10.0)
    return rows(c, t, t + 1)


@defect("spikes")
def bad_close(c, m, rng):
    t = contiguous(c, m, rng)
    c["close"][t] *= 1.35
    enclose(c, slice(t, t + 1))
    return rows(c, t, t + 1)


@defect("spikes")
def bad_row(c, m, rng):
    t = contiguous(c, m, rng)
    scaled(c, slice(t, t + 1), 0.6)
    return rows(c, t, t + 1)


@defect("spikes")
def row_with_a_slipped_decimal(c, m, rng):
    t = contiguous(c, m, rng)
    scaled(c, slice(t, t + 1), 0.1)
    return rows(c, t, t + 1)


@defect("spikes")
def two_bad_rows(c, m, rng):
    t = contiguous(c, m, rng)
    scaled(c, slice(t, t + 2), 1.5)
    return rows(c, t, t + 2)


@defect("spikes")
def bad_high(c, m, rng):
    t = contiguous(c, m, rng)
    c["high"][t] *= 3.0
    return rows(c, t, t + 1)


@defect("spikes")
def bad_low(c, m, rng):
    t = contiguous(c, m, rng)
    c["low"][t] *= 0.2
    return rows(c, t, t + 1)


# --- prices that stand


def stand(c, t, n, volume):
    for name in PRICES:
        c[name][t : t + n] = c["close"][t - 1]
    if not volume:
        c["volume"][t : t + n] = 0.0
    return rows(c, t, t + n)


@defect("frozen")
def frozen_without_trades(c, m, rng):
    return stand(c, somewhere(c, rng), 24, volume=False)


@defect("frozen")
def frozen_with_volume(c, m, rng):
    return stand(c, somewhere(c, rng), 15, volume=True)


@defect("frozen")
def frozen_at_the_end(c, m, rng):
    return stand(c, c["time"].size - 30, 30, volume=False)


@defect("volume_without_move")
def volume_at_a_price_that_stands(c, m, rng):
    return stand(c, somewhere(c, rng), 12, volume=True) if m.has_volume else None


@defect("move_without_volume")
def volume_lost(c, m, rng):
    if not m.has_volume:
        return None
    t = somewhere(c, rng)
    c["volume"][t : t + 40] = 0.0
    return rows(c, t, t + 40)


# --- splits and units


def unsplit(c, m, rng, ratio):
    """Prices before a row as they were before a split of ratio : 1."""
    if not m.has_volume or m.calendar == "FX":
        return None  # currencies do not split
    t = morning(c, m, rng)
    scaled(c, slice(0, t), ratio)
    c["volume"][:t] /= ratio
    return rows(c, t, t + 1)


def morning(c, m, rng):
    """A row after a pause, where splits happen; any row where a market never pauses."""
    if m.daily or m.calendar == "24/7":
        return contiguous(c, m, rng)
    paused = np.flatnonzero(np.diff(c["time"]) > m.step) + 1
    return int(rng.choice(paused[(paused > 200) & (paused < c["time"].size - 200)]))


@defect("unmarked_split")
def split_2(c, m, rng):
    return unsplit(c, m, rng, 2.0)


@defect("unmarked_split")
def split_7(c, m, rng):
    return unsplit(c, m, rng, 7.0)


@defect("unmarked_split")
def split_20(c, m, rng):
    return unsplit(c, m, rng, 20.0)


@defect("unmarked_split")
def split_3_for_2(c, m, rng):
    return unsplit(c, m, rng, 1.5)


@defect("unmarked_split")
def reverse_split_10(c, m, rng):
    return unsplit(c, m, rng, 0.1)


@defect("unmarked_split")
def reverse_split_4(c, m, rng):
    return unsplit(c, m, rng, 0.25)


@defect("volume_unit")
def volume_in_lots(c, m, rng):
    t = somewhere(c, rng)
    c["volume"][t:] /= 1000
    return rows(c, t - 1, t + 2) if m.has_volume else None


@defect("volume_unit")
def volume_of_one_venue(c, m, rng):
    t = somewhere(c, rng)
    c["volume"][:t] *= 0.02
    return rows(c, t - 1, t + 2) if m.has_volume else None


# --- copies


def copy(c, source, to, n):
    for name in FIELDS:
        c[name][to : to + n] = c[name][source : source + n].copy()
    return rows(c, to, to + n)


@defect("duplicate_day")
def session_copied_over_the_next(c, m, rng):
    n = 1 if m.daily else 24 if m.calendar != "XNYS" else 7
    t = somewhere(c, rng)
    n = 2 if m.daily and not m.has_volume else n
    return copy(c, t, t + n, n)


@defect("duplicate_day")
def session_copied_from_last_month(c, m, rng):
    n = 2 if m.daily else 24 if m.calendar != "XNYS" else 7
    t = somewhere(c, rng)
    return copy(c, t - 150, t, n)


@defect("duplicate_day")
def week_copied(c, m, rng):
    n = 5 if m.daily else 120 if m.calendar != "XNYS" else 35
    t = somewhere(c, rng)
    return copy(c, t - n, t, n)


# --- clocks


def late(c, part, ns):
    c["time"] = c["time"].copy()
    c["time"][part] += ns
    keep = np.r_[True, np.diff(c["time"]) > 0]
    return take(c, keep)


HOUR = 3600 * 10**9


@defect("wrong_zone", "outside_sessions")
def local_clock_taken_for_utc(c, m, rng):
    if m.daily:
        return None
    return whole(late(c, slice(None), -5 * HOUR))


@defect("wrong_zone")
def one_hour_late(c, m, rng):
    return whole(late(c, slice(None), HOUR)) if not m.daily else None


@defect("wrong_zone")
def eight_hours_early(c, m, rng):
    return whole(late(c, slice(None), -8 * HOUR)) if m.calendar == "24/7" else None


@defect("wrong_zone")
def ends_taken_for_starts(c, m, rng):
    return whole(late(c, slice(None), m.step)) if not m.daily else None


@defect("wrong_zone")
def summer_time_forgotten(c, m, rng):
    if m.daily:
        return None
    a = c["time"].size * 2 // 3
    out = late(c, slice(a, None), HOUR)
    return rows(out, a, out["time"].size)


@defect("wrong_zone", "outside_sessions")
def dates_a_day_late(c, m, rng):
    return whole(late(c, slice(None), 24 * HOUR)) if m.daily else None


# --- origins


@defect("mixed_origin")
def feed_changes_inside(c, m, rng):
    t = somewhere(c, rng)
    c["feed"] = np.where(np.arange(c["time"].size) < t, "sip", "iex")
    return rows(c, t, t + 1)


@defect("mixed_origin")
def adjustment_changes_inside(c, m, rng):
    t = somewhere(c, rng)
    c["adjustment"] = np.where(np.arange(c["time"].size) < t, "raw", "all")
    return rows(c, t, t + 1)


@defect("unreadable")
def text_among_the_prices(c, m, rng):
    c["close"] = np.array([f"{x:.4f}" for x in c["close"]])
    c["close"][somewhere(c, rng)] = "n.a.?"
    return whole(c)


@defect("unreadable")
def column_missing(c, m, rng):
    del c["low"]
    return whole(c)


@defect("unreadable")
def no_rows(c, m, rng):
    return Planted(take(c, slice(0, 0)), 0, 0)


def plant(name: str, market: Market, symbol: str, seed: int) -> Planted | None:
    """One defect in one file; None where it does not apply to this kind of market."""
    columns = {k: v.copy() for k, v in market.frames[symbol].items()}
    rng = np.random.default_rng([seed, *name.encode()])
    return DEFECTS[name].plant(columns, market, rng)
