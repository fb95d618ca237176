"""Layer C: what a sample was made from meets nothing that judges it, and bars have an end."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.labels import UNKNOWN
from touchstone.market import Panel
from touchstone.validation.audit.evidence import Evidence, Fitted
from touchstone.validation.audit.report import Finding, Layer, broken, utc

_EVERY: Final = 16
"""Bars between two rows whose own bar is stretched, so that no label sees two of them."""


class Intervals(NamedTuple):
    """What each row's sample was made from, ns UTC, (n_rows,)."""

    begin: Int64
    """Start of the first bar of its window."""
    end: Int64
    """Close of its label's exit bar, or its own close where it has no label."""


Outcomes = Callable[[Panel], Float64]
"""Bars -> up, down, outcome, exit, realised of every row, (n_rows, 5)."""


def audit_folds(evidence: Evidence, bars: Panel, outcomes: Outcomes) -> Layer:
    """Intervals of train, validation and test; the seal; when bars are known; labels' own bars.

    Args:
        evidence: what one run left behind.
        bars: what it ran on, before side inputs were joined.
        outcomes: labels of such bars.
    """
    checks = (_convention, _exits, _overlaps, _sealed)
    finding = None
    n = 0
    for check in checks:
        finding, done = check(evidence)
        n += done
        if finding is not None:
            break
    if finding is None:
        other, rows = stretched(bars)
        one, two = outcomes(bars), outcomes(other)
        if len(one) == len(two) == len(bars):
            n += rows.size
            finding = own_bar(bars, rows, one, two)
    return Layer("C", n, finding)


def intervals(evidence: Evidence) -> Intervals:
    """First bar of each row's window to the close of its label's exit."""
    panel, exits = evidence.panel, evidence.labels.exit
    rows = np.arange(len(panel))
    first = np.maximum(rows - evidence.lookback + 1, panel.offsets[:-1][panel.asset_id])
    known = panel.available_at
    end = np.where(exits != UNKNOWN, known[np.maximum(exits, 0)], known)
    return Intervals(panel.time[first], np.maximum(end, known))


def _convention(evidence: Evidence) -> tuple[Finding | None, int]:
    """A bar is known at its end: a timeframe after its start, or when its session closes."""
    panel = evidence.panel
    end = panel.time + panel.timeframe.ns
    if not panel.timeframe.is_daily and panel.calendar.is_exchange:
        closes = panel.calendar.session_bounds(panel.time)[2]
        end = np.minimum(end, np.where(closes > panel.time, closes, end))
    early = panel.available_at <= panel.time if panel.timeframe.is_daily else (
        panel.available_at < end
    )  # fmt: skip
    if not early.any():
        return None, len(panel)
    row = int(early.argmax())
    return broken("C", "a bar is known before it ends",
                  ("bars", "available_at", _symbol(panel, row), int(panel.time[row])),
                  (utc(int(end[row])), utc(int(panel.available_at[row])))), len(panel)  # fmt: skip


def _exits(evidence: Evidence) -> tuple[Finding | None, int]:
    """A label ends after its row, in the bars of the row's own instrument."""
    panel, exits = evidence.panel, evidence.labels.exit
    rows = np.flatnonzero(exits != UNKNOWN)
    bad = (exits[rows] <= rows) | (panel.asset_id[exits[rows]] != panel.asset_id[rows])
    if not bad.any():
        return None, rows.size
    row = int(rows[bad.argmax()])
    return broken("C", "a label ends at a later bar of its instrument",
                  ("labels", "exit", _symbol(panel, row), int(panel.time[row])),
                  (f"a row after {row}", f"row {int(exits[row])}")), rows.size  # fmt: skip


def _overlaps(evidence: Evidence) -> tuple[Finding | None, int]:
    found = intervals(evidence)
    n = 0
    for fit in evidence.fits:
        fold = fit.fold
        pairs = (
            ("train", fit.taken, "test", fold.test),
            ("train", fit.taken, "validate", fold.validate),
            ("train", fold.train, "test", fold.test),
            ("validate", fold.validate, "test", fold.test),
        )  # fmt: skip
        for one, rows, other, beside in pairs:
            n += 1
            row, meets = first_overlap(found, rows, beside)
            if row >= 0:
                return _meet(evidence, fit, (one, row, other, meets), found), n
    return None, n


def first_overlap(found: Intervals, rows: Int64, beside: Int64) -> tuple[int, int]:
    """The first of `rows` whose interval meets one of `beside`, and which; -1, -1 for none.

    Touching is no meeting: an interval may begin where another one ends.
    """
    rows, beside = (r[r < found.begin.size] for r in (rows, beside))
    if not rows.size or not beside.size:
        return -1, -1
    order = beside[np.argsort(found.begin[beside], kind="stable")]
    begin = found.begin[order]
    reach = np.maximum.accumulate(found.end[order])
    n_before = np.searchsorted(
        begin, found.end[rows], side="left"
    )  # those that begin before it ends
    meets = (n_before > 0) & (reach[np.maximum(n_before - 1, 0)] > found.begin[rows])
    if not meets.any():
        return -1, -1
    k = int(meets.argmax())
    row = int(rows[k])
    those = order[: int(n_before[k])]
    return row, int(those[found.end[those] > found.begin[row]][0])


def _meet(
    evidence: Evidence, fit: Fitted, which: tuple[str, int, str, int], found: Intervals
) -> Finding:
    one, row, other, meets = which
    panel = evidence.panel
    return broken(
        "C", f"no {one} sample shares a bar with a {other} sample",
        (f"{fit.name}, {one} rows", "interval", _symbol(panel, row), int(panel.time[row])),
        (f"nothing from {utc(int(found.begin[meets]))} of {_symbol(panel, meets)}",
         f"{utc(int(found.begin[row]))} to {utc(int(found.end[row]))}"),
    )  # fmt: skip


def _sealed(evidence: Evidence) -> tuple[Finding | None, int]:
    """Before the seal nothing is learned from what ends behind it, nor tested there."""
    found, panel = intervals(evidence), evidence.panel
    n = 0
    for fit in evidence.fits:
        is_final = fit.name.endswith("final")
        parts = [("train", fit.taken, found.end), ("validate", fit.fold.validate, found.end)]
        if not is_final:
            parts.append(("test", fit.fold.test, panel.available_at))
        for part, all_rows, ends in parts:
            n += 1
            rows = all_rows[all_rows < len(panel)]
            late = ends[rows] > evidence.seal
            if late.any():
                row = int(rows[late.argmax()])
                return broken(
                    "C", f"no {part} sample reaches behind the seal",
                    (f"{fit.name}, {part} rows", "interval", _symbol(panel, row),
                     int(panel.time[row])),
                    (f"at most {utc(evidence.seal)}", utc(int(ends[row]))),
                ), n  # fmt: skip
    return None, n


def stretched(panel: Panel) -> tuple[Panel, Int64]:
    """Bars of which some rows reach much higher and lower, and which rows those are.

    Only their high and low change, so that a label that begins with the next bar keeps its value.
    """
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    rows = np.flatnonzero(age % _EVERY == _EVERY // 2)
    high, low = panel.high.copy(), panel.low.copy()
    high[rows] *= 1.5
    low[rows] /= 1.5
    return replace(panel, high=high, low=low), np.asarray(rows, np.int64)


def own_bar(panel: Panel, rows: Int64, one: Float64, other: Float64) -> Finding | None:
    """A label whose barriers stay does not move with the high and low of its own row's bar.

    Args:
        panel: the bars.
        rows: those whose own bar was stretched.
        one: up, down, outcome, exit, realised of every row, (n_rows, 5).
        other: the same on the stretched bars.
    """
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    moved = same[rows, :2].all(axis=1) & ~same[rows, 2:].all(axis=1)
    if not moved.any():
        return None
    row = int(rows[moved.argmax()])
    k = 2 + int((~same[row, 2:]).argmax())
    name = ("up", "down", "outcome", "exit", "realised")[k]
    return broken(
        "C", "a label watches bars after its row alone",
        ("labels", name, _symbol(panel, row), int(panel.time[row])), (one[row, k], other[row, k]),
    )  # fmt: skip


def _symbol(panel: Panel, row: int) -> str:
    return panel.symbols[int(panel.asset_id[row])]
