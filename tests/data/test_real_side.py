"""Real posts and real series on real bars: whole, in seconds, and known at no bar too early."""

import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from touchstone.data.side import SIDES, Place
from touchstone.data.side_inputs import with_side
from touchstone.data.sources import SOURCES, Request

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (DATA / "news").is_dir(), reason=f"no side data in {DATA}"),
]
HOUR_NS = 3_600_000_000_000
MINUTE_NS = HOUR_NS // 60


def loaded(path, inputs, **settings):
    config = SOURCES.parse({"source": "parquet", "path": str(DATA / "bars" / path), **settings})
    bars = SOURCES.part_of(config)(config, Request())
    sides = {name: SIDES.parse(s) for name, s in inputs.items()}
    started = time.perf_counter()
    found = with_side(bars, sides, Place(DATA))
    seconds = time.perf_counter() - started
    told = [f for f in found.findings if f.startswith("Side input")]
    sys.stdout.write(f"\n{path}: {len(found.panel):,} bars joined in {seconds:.2f} s\n")
    sys.stdout.writelines(f"  {sentence}\n" for sentence in told)
    return found.panel, told


@pytest.fixture(scope="module")
def tweets():
    inputs = {"sentiment": {"kind": "news", "path": "news/tweets.parquet",
                            "columns": {"created_at": "timestamp"}}}  # fmt: skip
    return loaded("stocknet/1d", inputs, calendar="XNYS", timeframe="1d")


def test_posts_are_known_after_their_session_in_the_span_they_cover(tweets):
    panel, told = tweets
    known = ~np.isnan(panel.side["sentiment"])
    day = panel.time.astype("datetime64[ns]").astype("datetime64[D]")
    covered = (day >= np.datetime64("2014-01-02")) & (day < np.datetime64("2015-10-01"))
    assert known[covered].mean() > 0.6
    assert not known[day < np.datetime64("2013-12-31")].any()
    assert any("91,793 items" in t for t in told)
    assert any("% of the items are older than their scorer" in t for t in told)


def test_the_count_is_that_of_the_posts_published_by_then(tweets):
    """A hundred rows, each from all posts of its instrument: weights of those known, no others."""
    panel, _ = tweets
    frame = pl.read_parquet(DATA / "news" / "tweets.parquet")
    known = np.flatnonzero(~np.isnan(panel.side["sentiment_count"]))
    for row in np.random.default_rng(1).choice(known, 100, replace=False).tolist():
        symbol, at = panel.symbols[panel.asset_id[row]], int(panel.available_at[row])
        mine = frame.filter(pl.col("symbol") == symbol.replace(".", "-")).unique()
        published = mine["timestamp"].dt.timestamp("ns").to_numpy()
        published = published[published + MINUTE_NS <= at]
        weight = (0.5 ** ((at - published) / (24 * HOUR_NS))).sum()
        np.testing.assert_allclose(panel.side["sentiment_count"][row], weight, rtol=1e-9)


def test_series_are_known_the_next_session_and_end_with_their_file():
    lag = {"kind": "macro", "release_lag": "1b", "release_time": "09:00"}
    inputs = {
        "vix": {**lag, "path": "macro/VIXCLS.parquet"},
        "dollar": {**lag, "path": "macro/DTWEXB.parquet"},
        "fed_funds": {**lag, "path": "macro/DFF.parquet"},
        "claims": {"kind": "macro", "path": "macro/IURSA.parquet", "release_lag": "12d",
                   "max_age": "30d"},
    }  # fmt: skip
    panel, told = loaded("sp500/1d", inputs, calendar="XNYS", timeframe="1d")
    vix = pl.read_parquet(DATA / "macro" / "VIXCLS.parquet").drop_nulls("value")
    dates, values = vix["date"].to_numpy().astype("datetime64[D]"), vix["value"].to_numpy()
    day = panel.time.astype("datetime64[ns]").astype("datetime64[D]")
    before = np.searchsorted(dates, day, side="left") - 1  # the last date before the bar's own
    np.testing.assert_array_equal(panel.side["vix"], values[before])
    assert sum("not point in time" in t for t in told) == 4
    assert np.isfinite(panel.side["fed_funds"]).mean() > 0.99
