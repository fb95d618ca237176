"""Folds: which rows train, validate and test, cut by time across all instruments and purged."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
from pydantic import AfterValidator

from touchstone.arrays import Bool, Int64
from touchstone.errors import ConfigError, TooFewBarsError
from touchstone.labels import PATIENCE, Labels
from touchstone.market import Calendar, Panel

_DAY_NS: Final = 86_400_000_000_000
EXPANDING: Final = "expanding"
"""A train range that begins with the first bar."""
_UNITS: Final = {"h": _DAY_NS // 24, "d": _DAY_NS, "w": 7 * _DAY_NS}


class Timeline(NamedTuple):
    """When each row of a panel is decided and what it reaches over, all (n_rows,), ns UTC.

    A row's *interval* runs from `begin` to `end`: everything its sample was made from.
    """

    known: Int64
    """`available_at` of the row: the instant of its decision."""
    begin: Int64
    """Start of the first bar of its window; of its own bar where it has no window."""
    end: Int64
    """`available_at` of its label's exit row; without meaning where it has no label."""
    has_window: Bool
    """Whether a model can score it."""
    has_label: Bool
    """Whether its outcome is known."""
    calendar: Calendar
    """Measures trading time, where a split needs an embargo."""
    embargo: int = 0
    """ns of trading time that no train row may begin in after a test block."""
    start: Int64 | None = None
    """Start of the row's own bar; None: no row is carried on."""
    leaves: Int64 | None = None
    """From this instant on no decision's window can begin with the row's bar any more, whether or
    not its instrument goes on. Known then: before it nothing but earlier bars says so."""

    def first_read(self, bound: int) -> int:
        """The earliest bar that a window of any row decided after `bound` may begin with, ns UTC.

        From rows known by `bound` alone: each instrument's last bars before it, as though every
        one of them went on. Which of them do is the future's to tell, and must not say which rows
        are purged.
        """
        if self.start is None or self.leaves is None:
            return bound
        carried = self.start[(self.known <= bound) & (self.leaves > bound)]
        return min(int(carried.min()), bound) if carried.size else bound


class Spans(NamedTuple):
    """Bounds of a fold, ns UTC: a row belongs to a span where start < known <= end."""

    train_start: int
    train_end: int
    validate_start: int
    validate_end: int
    test_start: int
    test_end: int


class Stretches(NamedTuple):
    """Where each part of a fold lies in time: (start, end) ns UTC, rising, apart."""

    train: tuple[tuple[int, int], ...]
    validate: tuple[tuple[int, int], ...]
    test: tuple[tuple[int, int], ...]


class Fold(NamedTuple):
    """Rows of the panel (rising) that fit, choose and compare."""

    train: Int64
    """Rows with window and label, (n_train,)."""
    validate: Int64
    """Rows with window and label, (n_validate,)."""
    test: Int64
    """Rows with a window, (n_test,); a label may be missing or reach past the span's end."""
    spans: Spans
    purged_train: int
    """Train rows dropped because their interval meets the validation's or the test's."""
    purged_validate: int
    """Validation rows dropped because their interval meets the test's."""
    pieces: Stretches | None = None
    """Where parts lie that are not one span each; `spans` are their outermost bounds."""
    embargoed: int = 0
    """Of `purged_train`, rows that nothing but the embargo keeps away."""

    @property
    def stretches(self) -> Stretches:
        """Where each part lies."""
        s = self.spans
        return self.pieces or Stretches((s[0:2],), (s[2:4],), (s[4:6],))


class Folds(NamedTuple):
    """All folds before the seal, in time, and the one that looks behind it."""

    folds: tuple[Fold, ...]
    final: Fold
    """The last train and validation ranges before the seal; test = the sealed rows."""
    seal: int
    """ns UTC: rows known after it are sealed."""


Splitter = Callable[[Any, Timeline], Folds]
"""(config, timeline) -> Folds."""


def timeline(panel: Panel, labels: Labels, complete: Bool, lookback: int) -> Timeline:
    """The timeline of a labelled panel.

    A window that spans more than 4 x lookback bars of trading time is none: the instrument was
    away, and one such window would meet, and purge, the training rows of all others.

    The embargo is the longer of lookback and the most bars that a label looked ahead, in trading
    time.

    Args:
        panel: (n_rows,) bars.
        labels: (n_rows,) labels.
        complete: (n_rows,) rows whose whole window is there, from `windows.complete`.
        lookback: bars of a window, the row's own included.
    """
    rows = np.arange(len(panel), dtype=np.int64)
    first = np.maximum(rows - lookback + 1, panel.offsets[:-1][panel.asset_id])
    begin = panel.time[first]
    has_window = complete & fresh(panel, lookback)
    has_label = labels.known
    end = np.where(has_label, panel.available_at[labels.exit], panel.available_at)
    patience = PATIENCE * lookback * _bar_ns(panel)
    leaves = panel.calendar.later(panel.time, patience)
    last = rows + lookback - 1
    whole = last < panel.offsets[1:][panel.asset_id]
    leaves[whole] = np.minimum(leaves[whole], panel.available_at[last[whole]])
    longest = int((labels.exit - rows)[has_label].max(initial=0))
    return Timeline(
        panel.available_at,
        np.where(has_window, begin, panel.time),
        end,
        has_window,
        has_label,
        panel.calendar,
        max(longest, lookback) * _bar_ns(panel),
        panel.time,
        leaves,
    )


def fresh(panel: Panel, lookback: int) -> Bool:
    """Rows whose last `lookback` bars span at most 4 x lookback bars of trading time, (n_rows,).

    Known at the row's close. A row with fewer bars before it is measured over those it has.
    """
    rows = np.arange(len(panel), dtype=np.int64)
    first = np.maximum(rows - lookback + 1, panel.offsets[:-1][panel.asset_id])
    trading_time = panel.calendar.trading_time
    span = trading_time(panel.available_at) - trading_time(panel.time[first])
    return np.asarray(span <= PATIENCE * lookback * _bar_ns(panel), bool)


def _bar_ns(panel: Panel) -> int:
    """Trading time of one bar; a bar of d days counts d sessions."""
    if panel.timeframe.is_daily:
        return panel.timeframe.ns // _DAY_NS * panel.calendar.session_ns
    return panel.timeframe.ns


def cut(timeline: Timeline, spans: Spans) -> Fold:
    """The rows of a fold, purged by time across instruments.

    A train row stays only if its label ends by the train span's end and before the first bar
    that any validation or test row's window reads, a validation row likewise for the test. The
    bounds come from times alone, never from which later rows have a label or a value, nor from
    which instruments have later rows: each counts as if it went on.
    """
    train, validate, test = (
        (timeline.known > start) & (timeline.known <= end)
        for start, end in (spans[0:2], spans[2:4], spans[4:6])
    )
    usable = timeline.has_window & timeline.has_label
    test_begins = _first(timeline.begin[test], timeline.first_read(spans.test_start))
    validate_begins = _first(timeline.begin[validate], timeline.first_read(spans.validate_start))
    validate_bound = min(spans.validate_end, test_begins)
    train_bound = min(spans.train_end, validate_begins, test_begins)
    train, validate = train & usable, validate & usable
    kept_train = train & (timeline.end <= train_bound)
    kept_validate = validate & (timeline.end <= validate_bound)
    return Fold(
        np.flatnonzero(kept_train),
        np.flatnonzero(kept_validate),
        np.flatnonzero(test & timeline.has_window),
        spans,
        int(train.sum() - kept_train.sum()),
        int(validate.sum() - kept_validate.sum()),
    )


def checked(fold: Fold, name: str, sealed: bool = True, remedy: str | None = None) -> Fold:
    """A fold with rows in every part; without a seal the final fold has no test rows.

    Args:
        fold: what was cut.
        name: as the error should call it.
        sealed: whether the test needs rows.
        remedy: what a user of the split may change; by default the part's own length.

    Raises:
        TooFewBarsError: a part has no rows; says how many were purged and which key to change.
    """
    parts = {"train": fold.purged_train, "validate": fold.purged_validate, "test": 0}
    for i, (part, n_purged) in enumerate(parts.items()):
        if getattr(fold, part).size or (part == "test" and not sealed):
            continue
        length = days(fold.spans[2 * i + 1] - fold.spans[2 * i])
        key = "sealed" if name == "final" and part == "test" else part
        raise TooFewBarsError(
            f"{name}: no {part} rows in a span of {length} ({n_purged} purged, because their "
            f"windows and labels reach into other spans); needs at least 1: "
            f"{remedy or f'lengthen `{key}`, or shorten lookback and horizon'}"
        )
    return fold


def _first(begin: Int64, carried: int) -> int:
    """The first bar that is read: a row's own may begin before the bound that it is known after."""
    return min(int(begin.min()), carried) if begin.size else carried


class History(NamedTuple):
    """What there is to cut, ns UTC."""

    start: int
    """Start of the first bar."""
    seal: int
    last: int
    """Close of the last bar."""


def history(timeline: Timeline, sealed: str) -> History:
    """The time before and behind the seal.

    Args:
        timeline: at least one row.
        sealed: a share of all time or a duration, as a `Portion`.

    Raises:
        TooFewBarsError: no rows at all, or no time before the seal.
    """
    if not timeline.known.size:
        raise TooFewBarsError("a split needs bars, got none: widen the dates or the symbols")
    start, last = int(timeline.begin.min()), int(timeline.known.max())
    seal = last - portion_ns(sealed, last - start)
    if seal <= start:
        raise TooFewBarsError(
            f"there are {days(last - start)} of history and `sealed: {sealed}` leaves none before "
            f"the seal: lower `sealed`, as to 20%, or bring more history"
        )
    return History(start, seal, last)


def duration_ns(text: str) -> int:
    """Calendar time in nanoseconds: `36h`, `60d`, `8w`.

    >>> duration_ns("60d") == 60 * 24 * 3_600_000_000_000
    True

    Raises:
        ConfigError: not a positive whole number of hours, days or weeks.
    """
    if not re.fullmatch(r"[1-9]\d{0,5}[hdw]", text):
        raise ConfigError(f"a duration is a whole number and h, d or w, as in 60d; got {text!r}")
    return int(text[:-1]) * _UNITS[text[-1]]


def portion_ns(text: str, whole: int) -> int:
    """A share of a span, or a duration, in nanoseconds.

    >>> portion_ns("20%", 1000), portion_ns("0%", 1000)
    (200, 0)

    Raises:
        ConfigError: neither a percentage below 100 nor a duration.
    """
    if text.endswith("%"):
        return round(whole * share(text))
    return duration_ns(text)


def share(text: str) -> float:
    """A percentage as a fraction.

    Raises:
        ConfigError: not a number in [0, 100) and a percent sign.
    """
    if not re.fullmatch(r"\d{1,2}(\.\d+)?%", text):
        raise ConfigError(f"a share is a percentage below 100, as in 20%; got {text!r}")
    return float(text[:-1]) / 100


def days(span: int) -> str:
    """A span for a person: days with one decimal.

    >>> days(36 * 3_600_000_000_000)
    '1.5 days'
    """
    return f"{span / _DAY_NS:.1f} days"


def _checked_duration(text: str) -> str:
    duration_ns(text)
    return text


def _checked_train(text: str) -> str:
    if text != EXPANDING and not re.fullmatch(r"[1-9]\d{0,5}[hdw]", text):
        raise ConfigError(f"a whole number and h, d or w, as in 365d, or expanding; got {text!r}")
    return text


def _checked_share(text: str) -> str:
    share(text)
    return text


def _checked_portion(text: str) -> str:
    portion_ns(text, 0)
    return text


Duration = Annotated[str, AfterValidator(_checked_duration)]
"""`36h`, `60d` or `8w` of calendar time."""
TrainRange = Annotated[str, AfterValidator(_checked_train)]
"""A duration, or `expanding`."""
Share = Annotated[str, AfterValidator(_checked_share)]
"""`70%`."""
Portion = Annotated[str, AfterValidator(_checked_portion)]
"""`20%` of all time, or `73d`."""
