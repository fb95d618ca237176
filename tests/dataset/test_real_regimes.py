"""On real bars: a filter fitted on the past tells calm from wild in a future it has not seen."""

from pathlib import Path

import numpy as np
import pytest

from touchstone.data.sources import SOURCES, Request
from touchstone.dataset.regimes import begins, sequences
from touchstone.dataset.regimes.hmm import HmmConfig, hmm
from touchstone.dataset.selection import SELECTION, Evidence, select
from touchstone.features import FeaturesConfig, compile_features, evaluate
from touchstone.labels import LABELS

BARS = Path(__file__).parents[3] / "shared" / "data" / "bars"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not BARS.is_dir(), reason=f"no market data in {BARS}"),
]


def load(path, symbols, **settings):
    config = SOURCES.parse({"source": "parquet", "path": str(BARS / path), **settings})
    return SOURCES.part_of(config)(config, Request(symbols)).panel


@pytest.mark.parametrize(
    ("path", "symbols", "settings"),
    [
        ("crypto/1h", ("BTCUSDT", "ETHUSDT", "LUNAUSDT_OLD"), {}),
        ("equity/1h", ("SPY", "AIG"), {"calendar": "XNYS"}),
    ],
    ids=["coins", "stocks"],
)
def test_regimes_of_the_future_differ_in_volatility_as_those_of_the_past(path, symbols, settings):
    panel = load(path, symbols, **settings)
    config = HmmConfig(rows=10_000, tolerance=1e-4, starts=1)
    plan = compile_features(FeaturesConfig(set="none", extra=dict(config.inputs)))
    inputs = np.asarray(evaluate(plan, panel, dtype=np.float64))
    cut = np.quantile(panel.available_at, 0.6)
    train = np.flatnonzero(panel.available_at <= cut)
    found = hmm(config, inputs, sequences(begins(panel), inputs, train), 7)
    said = found.filtered(inputs, begins(panel))
    known = np.isfinite(inputs).all(1)
    assert (np.isfinite(said).all(1) == known).all()
    np.testing.assert_allclose(said[known].sum(1), 1, rtol=1e-12)
    state = said.argmax(1)[:-1]
    same = (panel.asset_id[1:] == panel.asset_id[:-1]) & known[:-1] & known[1:]
    later = same & (panel.available_at[:-1] > cut)
    ahead = inputs[1:, 0]  # the next bar's return: nothing of it stands in the state
    size = [np.abs(ahead[later & (state == s)]).mean() for s in range(3)]
    assert size[0] < size[1] < size[2]


def test_rules_choose_the_same_of_a_coins_columns_whatever_comes_after():
    panel = load("crypto/1h", ("BTCUSDT", "LUNAUSDT_OLD"))
    plan = compile_features(FeaturesConfig())
    features = np.asarray(evaluate(plan, panel), np.float32)
    label = LABELS.parse({"kind": "triple_barrier"})
    labels = LABELS.part_of(label)(panel, label, None)
    known = np.flatnonzero(np.isfinite(features).all(1) & labels.known)
    bounds = np.quantile(panel.available_at, [0.6, 0.62, 0.8])
    when = panel.available_at[known]
    train, validate = known[when <= bounds[0]], known[(when > bounds[1]) & (when <= bounds[2])]
    one = Evidence(features, plan.names, train, validate, labels.outcome, panel.asset_id,
                   panel.available_at)  # fmt: skip
    late = panel.available_at > bounds[2]
    other = one._replace(features=np.where(late[:, None], np.float32(0), features))
    rules = tuple(SELECTION.parse(k) for k in ("clusters", "mutual_information"))
    chosen = select(rules, one, 7)
    assert "atr_14" in chosen.scores or "bandwidth" in chosen.scores  # +5 % needs a wild hour
    assert select(rules, other, 7).scores == chosen.scores
