"""A table of corporate actions, CSV or Parquet -> `Actions` of each instrument."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from touchstone.arrays import Int64
from touchstone.data.faults import BadRowError
from touchstone.errors import DataError, SourceError
from touchstone.files import SYMBOL
from touchstone.market import Bars, Calendar
from touchstone.market.actions import KINDS, Actions, View, adjusted

if TYPE_CHECKING:
    import polars as pl

NEEDED: Final = ("symbol", "kind", "ex_date", "knowledge_time")
_VALUES: Final = ("value", "ratio", "amount")
_DAY_NS: Final = 86_400_000_000_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|\+00:?00)\Z")
_RATIO = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)\Z")


class _Row(NamedTuple):
    ex_time: int
    kind: int
    end: int
    value: float
    known_at: int


def read_actions(path: Path) -> dict[str, Actions]:
    """Each symbol's actions, by ex-date.

    Columns: `symbol`; `kind` (split, dividend, halt, delisting); `ex_date`, as 2014-06-09 (for a
    halt its first instant, as 2013-08-22T16:14:00Z, and `end` its end); `value`, or `ratio` (7,
    or 7:1) and `amount`; `knowledge_time`, an instant with its zone, or a date: then the end of
    that date, UTC, but no later than the ex-date where that date is not after it.

    Raises:
        SourceError: no such file, a column that is missing, or a row that cannot be: names file,
            row, what was got and what was needed.
    """
    frame = _text(path)
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing or not set(_VALUES) & set(frame.columns):
        wanted = [*missing, *([] if set(_VALUES) & set(frame.columns) else ["value"])]
        late = " (when each action became known: without it nothing is point in time)"
        raise SourceError(
            f"{path}: no column {', '.join(wanted)}{late if 'knowledge_time' in wanted else ''}; "
            f"needs {', '.join(NEEDED)} and value (or ratio and amount), has "
            f"{', '.join(frame.columns)}"
        )
    rows: dict[str, list[_Row]] = {}
    seen: set[tuple[str, int, int, float]] = set()
    for i, told in enumerate(frame.iter_rows(named=True)):
        try:
            symbol, row = _row(i, {k: (v or "").strip() for k, v in told.items()})
            _refuse_twice(i, symbol, row, seen)
        except BadRowError as error:
            raise SourceError(f"{path}: row {error.row}: {error}") from None
        rows.setdefault(symbol, []).append(row)
    try:
        return {symbol: _actions(symbol, sorted(rows[symbol])) for symbol in sorted(rows)}
    except DataError as error:
        raise SourceError(f"{path}: {error}") from None


class Applied(NamedTuple):
    """Bars in another view, and what was done."""

    bars: Bars
    n_applied: int
    n_later: int
    """Actions not applied, because they held or were known only after the last bar."""


def apply(bars: Bars, actions: Actions, calendar: Calendar, last: int, view: View) -> Applied:
    """Raw bars -> a view, by the actions that held and were known by the last bar.

    Args:
        bars: raw, at least one.
        actions: of the instrument.
        calendar: market's hours, which date the bars.
        last: when the last bar is known, ns UTC.
        view: which one.

    Raises:
        BarsError: a dividend above the price.
    """
    known = actions.until(last)
    return Applied(
        adjusted(bars, known, calendar.day(bars.time), view), len(known), len(actions) - len(known)
    )


def _actions(symbol: str, rows: list[_Row]) -> Actions:
    def column(name: str) -> Int64:
        return np.array([getattr(row, name) for row in rows], np.int64)

    return Actions(
        symbol,
        column("kind").astype(np.int8),
        column("ex_time"),
        column("end"),
        np.array([row.value for row in rows], np.float64),
        column("known_at"),
    )


def _row(i: int, told: dict[str, str]) -> tuple[str, _Row]:
    symbol, kind = told["symbol"], told["kind"].lower()
    if not SYMBOL.fullmatch(symbol):
        raise BadRowError(i, f"{symbol!r} is no symbol: needs {SYMBOL.pattern}")
    if kind not in KINDS:
        raise BadRowError(i, f"{symbol}: kind {told['kind']!r}: needs {', '.join(KINDS)}")
    is_halt = kind == "halt"
    ex_time = _instant(i, "ex_date", told["ex_date"], dated=not is_halt)
    end = _instant(i, "end", told.get("end", ""), dated=False) if is_halt else ex_time
    own = {"split": "ratio", "dividend": "amount"}.get(kind, "value")
    text = told.get("value") or told.get(own, "")
    defaults = {"halt": 0.0, "delisting": 1.0}
    value = defaults[kind] if kind in defaults and not text else _number(i, symbol, own, text)
    known = told["knowledge_time"]
    known_at = _instant(i, "knowledge_time", known, dated=False)
    if _DATE.match(known):  # a date tells no hour; what holds from the ex-date on is known by then
        ended = known_at + _DAY_NS
        known_at = min(ended, ex_time) if known_at <= ex_time else ended
    return symbol, _Row(ex_time, KINDS.index(kind), end, value, known_at)


def _refuse_twice(i: int, symbol: str, row: _Row, seen: set[tuple[str, int, int, float]]) -> None:
    """A split that stands twice would be applied twice, and a dividend paid twice."""
    kind = KINDS[row.kind]
    if kind not in ("split", "dividend"):
        return
    one = (symbol, row.kind, row.ex_time, row.value if kind == "dividend" else 0.0)
    if one in seen:
        day = np.datetime64(row.ex_time, "ns").astype("datetime64[D]")
        both = "the product of the ratios" if kind == "split" else "the sum of the amounts"
        raise BadRowError(
            i, f"{symbol}: the {kind} of {day} stands twice: keep one row; {both} if both are true"
        )
    seen.add(one)


def _number(i: int, symbol: str, name: str, text: str) -> float:
    ratio = _RATIO.match(text)
    try:
        return float(ratio[1]) / float(ratio[2]) if ratio else float(text)
    except (ValueError, ZeroDivisionError):
        way_out = "as in 7 or 7:1, new shares for old" if name == "ratio" else "a number"
        raise BadRowError(i, f"{symbol}: {name} {text!r}: needs {way_out}") from None


def _instant(i: int, name: str, text: str, dated: bool) -> int:
    """Ns UTC of a date's beginning, or of an instant that names UTC."""
    is_date = _DATE.match(text) is not None
    midnight = re.match(r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?(Z|\+00:?00)?\Z", text)
    if dated and midnight:
        text, is_date = midnight[1], True
    if not is_date and (dated or not _ZONED.match(text)):
        needed = "a date as in 2014-06-09" + ("" if dated else " or 2014-06-09T13:30:00Z")
        raise BadRowError(i, f"{name} {text!r}: needs {needed}")
    plain = re.sub(r"(Z|\+00:?00)\Z", "", text)
    try:
        return int(np.datetime64(plain, "ns").astype(np.int64))
    except ValueError:
        raise BadRowError(i, f"{name} {text!r}: there is no such time") from None


def _text(path: Path) -> "pl.DataFrame":
    """Every column as text; times with a zone as ISO in UTC."""
    import polars as pl  # noqa: PLC0415  a study without actions needs none

    try:
        if path.name.endswith((".parquet", ".pq")):
            frame = pl.read_parquet(path)
        else:
            frame = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file: check bars.actions") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        said = " ".join(str(error).split())[:160]
        raise SourceError(f"{path}: cannot be read as a table of actions ({said})") from None
    zoned = [n for n, kind in frame.schema.items() if getattr(kind, "time_zone", None)]
    iso = "%Y-%m-%dT%H:%M:%S%.fZ"
    frame = frame.with_columns(
        pl.col(n).dt.convert_time_zone("UTC").dt.strftime(iso) for n in zoned
    )
    return frame.select(pl.all().cast(pl.String)).with_columns(pl.all().fill_null(""))
