"""Side columns of files: carried beside the bars, NaN where not known, used by name."""

import numpy as np
import polars as pl

from small import bars_frame
from touchstone.data.sources import SOURCES, Request
from touchstone.features import FeaturesConfig, compile_features, evaluate
from walks import random_walk


def test_a_side_column_reaches_features_and_its_absence_is_told(tmp_path):
    tone = np.linspace(-1, 1, 100)
    tone[7] = np.nan
    bars_frame(random_walk(100, 1)).with_columns(sentiment=tone).write_parquet(
        tmp_path / "A.parquet"
    )
    bars_frame(random_walk(100, 2)).write_parquet(tmp_path / "B.parquet")
    config = SOURCES.parse({"source": "parquet", "path": str(tmp_path), "side": ("sentiment",)})
    panel = SOURCES.part_of(config)(config, Request()).panel
    np.testing.assert_array_equal(panel.side["sentiment"], np.r_[tone, np.full(100, np.nan)])
    extra = {"known": "where(sentiment_known, 1, 0)", "tone": "sentiment"}
    plan = compile_features(FeaturesConfig(set="baseline", extra=extra), tuple(panel.side))
    assert "sentiment" in plan.names
    known, told = evaluate(plan, panel, dtype=np.float64)[:, -2:].T
    np.testing.assert_array_equal(known, np.r_[~np.isnan(tone), np.zeros(100)])
    np.testing.assert_array_equal(told, np.r_[np.nan_to_num(tone), np.zeros(100)])


def test_without_being_asked_for_it_is_not_read(tmp_path):
    frame = bars_frame(random_walk(50, 1)).with_columns(pl.lit("x").alias("sentiment"))
    frame.write_parquet(tmp_path / "A.parquet")
    config = SOURCES.parse({"source": "parquet", "path": str(tmp_path)})
    assert dict(SOURCES.part_of(config)(config, Request()).panel.side) == {}
