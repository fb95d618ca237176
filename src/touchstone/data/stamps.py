"""The time column of a file -> nanoseconds UTC; what is not a definite instant is refused."""

import difflib
import zoneinfo
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Int64
from touchstone.data.faults import BadRowError, refuse
from touchstone.errors import ConfigError, SourceError

if TYPE_CHECKING:
    import polars as pl

Unit = Literal["auto", "s", "ms", "us", "ns"]

_UNIT_NS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DAY_NS: Final = 86_400_000_000_000
_ZONE: Final = r"(?:\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}))$"
_FORMATS: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_STATE_ZONE: Final = (
    "state the zone they are written in, as in timezone: UTC or timezone: America/New_York"
)


class Stamps(NamedTuple):
    """Times of a file, in its own order, (n_rows,)."""

    utc: Int64
    """Nanoseconds since 1970 UTC."""
    wall: Int64
    """What the clock beside the data showed, as nanoseconds since 1970 of that clock."""
    named_days: bool
    """Whether the column named days without any zone, so that `utc` means nothing."""


def parse(column: "pl.Series", unit: Unit, timezone: str | None, days_have_names: bool) -> Stamps:
    """Read a time column of any usual type.

    Args:
        column: (n_rows,) datetimes, dates, integers, floats or text.
        unit: what an integer counts since 1970; "auto" tells by magnitude.
        timezone: zone of times that name none; None refuses those.
        days_have_names: whether a date alone is enough (daily bars of an exchange, where a
            date names a session).

    Raises:
        BadRowError: a row without a time, or whose time cannot be read.
        SourceError: the column as a whole is of no such type, or names no zone.
    """
    import polars as pl  # noqa: PLC0415

    refuse(column.is_null().to_numpy(), lambda _: "the time is missing", "remove or repair the row")
    kind = column.dtype
    if kind == pl.String:
        return _text(column, unit, timezone, days_have_names)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            return _naive(column, timezone, days_have_names)
        wall = column.dt.replace_time_zone(None)
        return Stamps(_ns(column), _ns(wall), named_days=False)
    if kind == pl.Date:
        return _naive(column.cast(pl.Datetime("us")), timezone, days_have_names)
    if kind.is_integer():
        return _epoch(column.cast(pl.Int64).to_numpy(), unit)
    if kind.is_float():
        return _epoch(_whole(column.to_numpy().astype(np.float64)), unit)
    raise SourceError(f"the time column {column.name!r} is of type {kind}: needs datetimes")


def known_timezone(name: str) -> str:
    """The name, if it is a time zone's.

    Raises:
        ConfigError: it is not; names the nearest.
    """
    if name in zoneinfo.available_timezones():
        return name
    near = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " Write it as in America/New_York."
    raise ConfigError(f"no time zone named {name!r}.{hint}")


def local(utc: Int64, timezone: str) -> Int64:
    """What a clock in `timezone` shows at `utc`, as nanoseconds since 1970 of that clock."""
    import polars as pl  # noqa: PLC0415

    instants = pl.Series(utc).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(timezone)
    return _ns(instants.dt.replace_time_zone(None))


def instant(wall: Int64, timezone: str) -> Int64:
    """The inverse of `local`.

    Raises:
        BadRowError: a time that the clock skipped, or showed twice.
    """
    import polars as pl  # noqa: PLC0415

    walls = pl.Series(wall).cast(pl.Datetime("ns"))
    aware = walls.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    refuse(
        aware.is_null().to_numpy(),
        lambda r: f"{walls[r]} is skipped or shown twice by the clocks of {timezone}",
        "write the times in UTC",
    )
    return _ns(aware)


def _naive(column: "pl.Series", timezone: str | None, days_have_names: bool) -> Stamps:
    wall = _ns(column)
    if days_have_names and not (wall % _DAY_NS).any():
        return Stamps(wall, wall, named_days=True)
    if timezone is None:
        raise BadRowError(0, f"time {column[0]} names no time zone: {_STATE_ZONE}")
    return Stamps(instant(wall, timezone), wall, named_days=False)


def _text(column: "pl.Series", unit: Unit, timezone: str | None, days_have_names: bool) -> Stamps:
    import polars as pl  # noqa: PLC0415

    text = column.str.strip_chars()
    if text.str.contains(r"^-?\d{9,}(\.0*)?$").all():
        return _epoch(text.str.replace(r"\.0*$", "").cast(pl.Int64, strict=False).to_numpy(), unit)
    # a date alone ends like an offset (-01), so the zone is looked for behind a clock time
    zone = text.str.extract(r":\d{2}(?:\.\d+)?" + _ZONE, 1)
    plain = pl.select(pl.when(zone.is_null()).then(text).otherwise(text.str.replace(_ZONE, "")))
    wall = _walls(plain.to_series())
    refuse(
        wall.is_null().to_numpy(),
        lambda r: f"time {column[r]!r} cannot be read",
        "write ISO 8601, as in 2022-01-01T07:00:00Z, or whole seconds since 1970",
    )
    bare = zone.is_null()
    if bare.all():
        return _naive(wall, timezone, days_have_names)
    refuse(
        bare.to_numpy(),
        lambda r: f"time {column[r]!r} names no time zone while other rows do",
        "write them all with one, or none and state timezone:",
    )
    ns = _ns(wall)
    return Stamps(ns - _offset(zone), ns, named_days=False)


def _walls(text: "pl.Series") -> "pl.Series":
    """Text without a zone -> naive datetimes, null where no format fits."""
    import polars as pl  # noqa: PLC0415

    iso = text.str.replace(r"^(\d{4})[/.](\d{2})[/.](\d{2})", "${1}-${2}-${3}")
    iso = iso.str.replace(r"^(\d{4})(\d{2})(\d{2})($|[ T])", "${1}-${2}-${3}${4}")
    iso = iso.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ")
    out: pl.Series | None = None
    for pattern in _FORMATS:
        if pattern == "%Y-%m-%d":
            parsed = iso.str.to_date(pattern, strict=False).cast(pl.Datetime("ns"))
        else:
            parsed = iso.str.to_datetime(pattern, strict=False, time_unit="ns")
        out = parsed if out is None else pl.select(pl.coalesce(out, parsed)).to_series()
        if not out.null_count():
            break
    assert out is not None
    return out


def _offset(zone: "pl.Series") -> Int64:
    """+05:30, -0500, Z -> nanoseconds east of UTC."""
    import polars as pl  # noqa: PLC0415

    found = zone.unique()
    seconds = []
    for text in found:
        digits = text.lstrip("+-").replace(":", "")
        named = not digits.isdigit()
        size = 0 if named else int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
        seconds.append(-size if text.startswith("-") else size)
    east = zone.replace_strict(found, pl.Series(seconds, dtype=pl.Int64))
    return np.asarray(east.to_numpy(), np.int64) * 10**9


def _whole(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Int64:
    refuse(
        ~(np.isfinite(values) & (np.floor(values) == values)),
        lambda r: f"time {values[r]!r} is no whole number",
        "write whole seconds, milliseconds, microseconds or nanoseconds since 1970",
    )
    return values.astype(np.int64)


def _epoch(values: Int64, unit: Unit) -> Stamps:
    known = unit if unit != "auto" else _unit_of(values)
    # beyond 2199 nanoseconds run out of int64
    outside = (values < -(2**31) * 10**9 // _UNIT_NS[known]) | (
        values > 7_226_582_400 * (10**9 // _UNIT_NS[known])
    )
    refuse(
        outside,
        lambda r: f"time {values[r]} in {known} lies outside 1901 .. 2199",
        "state timestamp_unit: s, ms, us or ns, and write one unit throughout",
    )
    utc = values * _UNIT_NS[known]
    return Stamps(utc, utc, named_days=False)


def _unit_of(values: Int64) -> str:
    """Unit by magnitude: each covers 1973 to 5138, and no two overlap."""
    size = np.abs(values)
    unit = np.searchsorted(np.array([10**8, 10**11, 10**14, 10**17]), size, side="right")
    refuse(
        unit == 0,
        lambda r: f"time {values[r]} is too small for seconds since 1973",
        "write ISO 8601, or state timestamp_unit: s, ms, us or ns",
    )
    names = ("", "s", "ms", "us", "ns")
    refuse(
        unit != unit[0],
        lambda r: (
            f"time {values[r]} looks like {names[unit[r]]}, {values[0]} like {names[unit[0]]}"
        ),
        "write one unit throughout",
    )
    return names[int(unit[0])]


def _ns(column: "pl.Series") -> Int64:
    """Datetimes -> int64 nanoseconds; refuses what int64 cannot hold."""
    import polars as pl  # noqa: PLC0415

    year = column.dt.year().to_numpy()
    refuse(
        (year < 1901) | (year > 2199),
        lambda r: f"time {column[r]} lies outside 1901 .. 2199",
        "repair the time, or state timestamp_unit:",
    )
    return np.asarray(column.dt.cast_time_unit("ns").cast(pl.Int64).to_numpy(), np.int64)
