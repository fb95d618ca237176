"""Files beside the bars that tell something else after a cut: side inputs and the universe."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.config import Config
from touchstone.data.asset_ids import ids_file
from touchstone.data.side_file import SideFiles
from touchstone.errors import DataError
from touchstone.files import read_yaml
from touchstone.pipelines.study import Study
from touchstone.seeding import generator

if TYPE_CHECKING:
    import polars as pl

_KNOWN: Final = (
    "knowledge_time", "realtime_start", "vintage_date", "created_at", "published_at", "published",
    "updated_at", "received_at", "fetched_at", "release_time", "known_at", "timestamp",
)  # fmt: skip
_EVENT: Final = ("event_time", "date", "observation_date", "event_date")
_DAY_NS: Final = 86_400_000_000_000


def told_otherwise(study: Study, cut: int, how: str, seed: int, folder: Path) -> Study:
    """The study, whose side files and universe are others in what they tell after the cut.

    Rows known after it get other figures, texts and symbols of other such rows; revisions of what
    was told before it are appended; truncated, they are gone. Rows known before it stay. A file
    that does not say when its rows were known is left as it is.

    Args:
        study: as it is.
        cut: ns UTC.
        how: a key of `SCRAMBLES`.
        seed: of the scramble.
        folder: an empty folder for the files.
    """
    side: dict[str, Config] = {}
    for name, config in study.config.side.items():
        side[name] = config
        place = getattr(config, "path", "")
        if place and how != "blank":
            rng = generator(seed, "audit", "beside", name, cut)
            with contextlib.suppress(DataError):
                frame = SideFiles(study.root / place).frame()
                other = _other(frame, config, (cut, how), rng)
                if other is not None:
                    path = folder / f"{name}.parquet"
                    other.write_parquet(path)
                    side[name] = config.model_copy(update={"path": str(path)})
    changes: dict[str, Any] = {"side": side}
    if study.config.universe is not None:
        changes["universe"] = str(_universe(study, cut, how, folder))
    return study._replace(config=study.config.model_copy(update=changes))


def _other(
    frame: "pl.DataFrame", config: Config, what: tuple[int, str], rng: np.random.Generator
) -> "pl.DataFrame | None":
    """The file's rows as they might have gone on; None where it does not say what was known."""
    import polars as pl  # noqa: PLC0415

    cut, how = what
    name = _column(frame, config, ("knowledge_time", "knowledge", "created", "published"), _KNOWN)
    if name is None:
        return None
    known = _instants(frame[name], getattr(config, "timezone", None))
    late = known > cut
    if how == "truncated" or not late.any():
        return frame.filter(~pl.Series(late)) if late.any() and not late.all() else None
    event = _column(frame, config, ("event_time", "event"), _EVENT)
    times = {name, event}
    rows = np.flatnonzero(late)
    columns = []
    for column in frame.columns:
        series = frame[column]
        if column in times or series.dtype.is_temporal() or _is_clock(series, known):
            columns.append(series)
        else:
            columns.append(_mixed(series, rows, rng))
    other = pl.DataFrame(columns)
    return _revised(other, (name, event), late, rng)


def _mixed(series: "pl.Series", rows: Int64, rng: np.random.Generator) -> "pl.Series":
    """Late cells shuffled among each other, numbers stretched and turned besides."""
    import polars as pl  # noqa: PLC0415

    order = np.arange(series.len())
    order[rows] = rng.permutation(rows)
    mixed = series.gather(order)
    if not series.dtype.is_float():
        return mixed
    factor = np.ones(series.len())
    factor[rows] = rng.uniform(0.5, 2.0, rows.size) * rng.choice([-1.0, 1.0], rows.size)
    return (mixed * pl.Series(factor)).cast(series.dtype).alias(series.name)


def _revised(
    frame: "pl.DataFrame", times: tuple[str, str | None], late: Bool, rng: np.random.Generator
) -> "pl.DataFrame":
    """Early rows told once more, late, with other figures."""
    import polars as pl  # noqa: PLC0415

    known, event = times
    early, rows = np.flatnonzero(~late), np.flatnonzero(late)
    if event is None or event == known or not early.size or not rows.size:
        return frame
    n = min(early.size, rows.size, 50)
    taken = np.sort(rng.choice(early, n, replace=False))
    again = _mixed_all(frame, taken, rng)
    when = frame[known].gather(rng.choice(rows, n))
    again = again.with_columns(when.alias(known))
    key = [c for c in (known, event, "symbol") if c in frame.columns]
    return pl.concat([frame, again]).unique(key, keep="first", maintain_order=True)


def _mixed_all(frame: "pl.DataFrame", rows: Int64, rng: np.random.Generator) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415

    taken = frame[rows.tolist()]
    other: pl.DataFrame = taken.with_columns(
        (taken[c] * pl.Series(rng.uniform(1.5, 3.0, rows.size))).cast(taken[c].dtype).alias(c)
        for c in taken.columns
        if taken[c].dtype.is_float()
    )
    return other


def _column(
    frame: "pl.DataFrame", config: Config, keys: tuple[str, ...], usual: tuple[str, ...]
) -> str | None:
    """A column by the config's own names, else by the usual ones."""
    stated = getattr(config, "columns", None)
    for key in keys:
        name = getattr(stated, key, None)
        if isinstance(name, str) and name in frame.columns:
            return name
    lower = {c.strip().lower(): c for c in frame.columns}
    return next((lower[n] for n in usual if n in lower), None)


def _instants(series: "pl.Series", zone: str | None) -> Int64:
    """Times as ns UTC, in no case earlier than they are; what cannot be read is never known."""
    import polars as pl  # noqa: PLC0415

    if series.dtype == pl.String:
        series = series.str.to_datetime(time_zone="UTC", time_unit="ns", strict=False)
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("ns"))
    if isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone is None:
            series = series.dt.replace_time_zone(zone or "UTC", ambiguous="latest",
                                                 non_existent="null")  # fmt: skip
        series = series.dt.convert_time_zone("UTC").dt.cast_time_unit("ns")
    number = series.cast(pl.Int64, strict=False)
    return np.asarray(number.fill_null(np.iinfo(np.int64).min).to_numpy(), np.int64)


def _is_clock(series: "pl.Series", known: Int64) -> bool:
    """Whether numbers rise with the time at which they were known: another clock, not a figure."""
    if not series.dtype.is_numeric() or series.len() < 3:
        return False
    values = series.cast(float).fill_null(np.nan).to_numpy()
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        return False
    ranks = np.argsort(np.argsort(values)), np.argsort(np.argsort(known))
    return bool(np.corrcoef(*ranks)[0, 1] > 0.99)


def _universe(study: Study, cut: int, how: str, folder: Path) -> Path:
    """The universe, in which what was told after the cut was told otherwise."""
    import yaml  # noqa: PLC0415

    place = study.root / str(study.config.universe)
    content = _plain(read_yaml(place))
    day = str(np.datetime64(int(cut), "ns").astype("datetime64[D]") + 2)
    if how in ("another path", "another cast"):
        for i, listing in enumerate(content.get("instruments", [])):
            _untold(listing, day, leaves=i % 2 == 0)
    path = folder / place.name
    path.write_text(yaml.safe_dump(content))
    if ids_file(place).is_file():
        ids_file(path).write_bytes(ids_file(place).read_bytes())
    return path


def _untold(listing: dict[str, Any], day: str, leaves: bool) -> None:
    """A listing whose last stay ends after the day, or does not, unlike it does."""
    stays = listing.get("member")
    if not stays:
        return
    last = stays[-1]
    told = max(str(last.get("until_known") or ""), str(last.get("until") or ""))
    if last.get("until") is not None and told > day:
        last.pop("until")
        last.pop("until_known", None)
    elif last.get("until") is None and leaves and str(last["since"]) < day:
        last["until"], last["until_known"] = day, day


def _plain(value: Any) -> Any:
    """YAML's dates as text."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if value.__class__.__name__ == "date" else value
