"""Files of bars for tests, good and bad."""

import numpy as np
import polars as pl

from touchstone.data.sources import SOURCES, Request
from walks import random_walk

FIELDS = ("open", "high", "low", "close", "volume")


def frame_of(bars, zone="UTC"):
    """Bars as vendors ship them: a datetime column and five numbers."""
    time = pl.Series(bars.time).cast(pl.Datetime("ns", "UTC"))
    time = time if zone == "UTC" else time.dt.convert_time_zone(zone) if zone else None
    columns = {name: getattr(bars, name) for name in FIELDS}
    if time is None:
        time = pl.Series(bars.time).cast(pl.Datetime("ns"))
    return pl.DataFrame({"timestamp": time, **columns})


def frame(n_bars=48, seed=0, **changes):
    """A frame of hourly bars; `close={3: None}` changes rows of a column."""
    made = frame_of(random_walk(n_bars, seed))
    for name, rows in changes.items():
        values = made[name].to_list()
        for row, value in rows.items():
            values[row] = value
        made = made.with_columns(pl.Series(name, values, dtype=made[name].dtype))
    return made


def save(folder, name, table):
    """Write as the suffix says."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if name.endswith(".parquet"):
        table.write_parquet(path)
    elif isinstance(table, str):
        path.write_text(table)
    else:
        table.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.f%:z")
    return path


def load(path, request=None, **settings):
    """Load a folder or file; the source is told by what is in it."""
    names = [path.name] if path.is_file() else [p.name for p in path.iterdir()]
    source = "csv" if any(".csv" in n for n in names) else "parquet"
    config = SOURCES.parse({"source": source, "path": str(path), **settings})
    return SOURCES.part_of(config)(config, request or Request())


def assert_same(panel, instrument, bars):
    """An instrument of a panel holds these bars."""
    got = panel.bars(instrument)
    for name in ("time", *FIELDS):
        np.testing.assert_allclose(getattr(got, name), getattr(bars, name), rtol=1e-12)
