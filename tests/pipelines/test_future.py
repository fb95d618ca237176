"""Non-interference: what lies behind the seal moves nothing that was decided before it."""

from dataclasses import replace
from itertools import chain

import numpy as np
import polars as pl
import pytest
import yaml

from small import bars_frame, small_study, write_bars
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.decide import compare
from touchstone.pipelines.learn import Resources, Task, learn
from touchstone.pipelines.market import before_the_seal as told_before
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import read_study
from touchstone.simulation import MarketConfig, simulate

DAY_NS = 86_400_000_000_000
MODELS = [{"kind": "logistic"}, {"kind": "lightgbm", "rounds": 20}, {"kind": "gru", "hidden": 8}]
EVERYTHING = {
    "universe": "universe.yaml",
    "side": {"mood": {"kind": "table", "path": "mood.parquet"},
             "sentiment": {"kind": "news", "path": "news.parquet"}},
    "features": {"set": "baseline", "groups": ["cross_section", "calendar", "sentiment"], "extra": {
        "mood": "mood", "ranked": "cross_rank(mood) * mood_known",
        "day": 'higher("1d", close / ema(close, 3) - 1)',
        "day_rank": 'higher("4h", cross_zscore(mood + ret))',
    }},
    "regimes": {"kind": "hmm", "states": 2, "rows": 3000, "starts": 1, "tolerance": 1e-3,
                "inputs": {"move": "log(close / lag(close, 1))",
                           "beside": "cross_mean(abs(ret)) + 0.001 * mood"}},
    "selection": [{"kind": "clusters"}, {"kind": "mutual_information", "keep": 20, "level": 1},
                  {"kind": "permutation", "threshold": 0, "rounds": 10, "repeats": 1}],
    "models": MODELS[:2],
}  # fmt: skip


def before_the_seal(tmp_path, name, panel, changes):
    """Everything that a study computes before it looks, from a folder of bars."""
    folder = write_bars(tmp_path / name, panel)
    bars = {"source": "parquet", "path": str(folder)}
    study = read_study(str(small_study(tmp_path, bars=bars, **changes)))
    resources = Resources(StageCache(tmp_path / f"{name}-cache"), MemoryLedger, Silent(), 1)
    prepared = prepare(study, *load(study, Silent()), resources.cache, Silent())
    learned = [
        learn(study, prepared, [Task(m, f, str(i)) for i, f in enumerate(prepared.folds.folds)],
              resources)
        for m in study.config.models
    ]  # fmt: skip
    comparison = compare(study, prepared, learned, MemoryLedger())
    task = Task(study.config.models[0], prepared.folds.final, "final", 1)
    final = learn(study, prepared, [task], resources)[0]
    return prepared, learned, comparison, final, told_before(study, prepared, comparison)


def scrambled(panel, seal):
    """Prices and volume anew behind the seal."""
    after = panel.available_at > seal
    factor = np.where(after, np.exp(np.random.default_rng(3).normal(0, 1, len(panel))), 1.0)
    fields = ("open", "high", "low", "close", "volume")
    return replace(panel, **{n: getattr(panel, n) * factor for n in fields})


def write_beside(folder, panel, seal=None):
    """Side files and a universe; with a seal, all that was told later is something else.

    Figures are revised and added behind it, and who leaves or joins then is somebody else.
    """
    rng, again = np.random.default_rng(5), np.random.default_rng(6)
    first, last = int(panel.time.min()), int(panel.available_at.max())
    event, n = np.sort(rng.integers(first, last, 4000)), 4000
    known = event + rng.integers(0, 3 * DAY_NS, n)
    value, symbol = rng.normal(size=n), rng.choice(panel.symbols, n)
    words = np.array(["great profit", "terrible loss", "new order"])[rng.integers(0, 3, n)]
    stays = [{"since": day_of(first), "until": day_of(first + 0.5 * (last - first))}], [
        {"since": day_of(first + 0.3 * (last - first))}]  # fmt: skip
    if seal is not None:
        late = known > seal
        value, words = np.where(late, 9 + value, value), np.where(late, "great growth", words)
        event = np.where(late, event - again.integers(0, DAY_NS, n), event)
        late_day = day_of(seal + 2 * DAY_NS)
        # told behind the seal of a leaving long before it: nobody knew
        stays[1][0] |= {"until": day_of(seal - 40 * DAY_NS), "until_known": late_day}
    times = {"event_time": event, "knowledge_time": np.maximum(known, event)}
    stamps = [pl.col(c).cast(pl.Datetime("ns", "UTC")) for c in times]
    mood = pl.DataFrame({"symbol": symbol, **times, "value": value}).with_columns(stamps)
    mood.write_parquet(folder / "mood.parquet")
    news = pl.DataFrame({"symbol": symbol, "created_at": known, "headline": words})
    news.with_columns(pl.col("created_at").cast(pl.Datetime("ns", "UTC"))).write_parquet(
        folder / "news.parquet")  # fmt: skip
    listings = [{"symbol": s, "member": m} for s, m in zip(panel.symbols, stays, strict=False)]
    listings += [{"symbol": s} for s in panel.symbols[2:]]
    (folder / "universe.yaml").write_text(yaml.safe_dump({"instruments": listings}))


def day_of(ns):
    return str(np.datetime64(int(ns), "ns").astype("datetime64[D]"))


def seen(tmp_path, changes):
    """A folder, its bars, what a study of them decides, and what of the scrambled ones."""
    panel = simulate(MarketConfig(n_instruments=6, n_bars=5600, ic=0.4), 11)[0]
    write_beside(tmp_path, panel)
    whole = before_the_seal(tmp_path, "whole", panel, changes)
    seal = whole[0].folds.seal
    write_beside(tmp_path, panel, seal)
    other = before_the_seal(tmp_path, "scrambled", scrambled(panel, seal), changes)
    return tmp_path, panel, whole, other


@pytest.fixture(scope="module")
def bars_alone(tmp_path_factory):
    return seen(tmp_path_factory.mktemp("bars"), {"models": MODELS})


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return seen(tmp_path_factory.mktemp("everything"), EVERYTHING)


@pytest.fixture(params=["bars_alone", "everything"])
def both(request):
    _, panel, whole, other = request.getfixturevalue(request.param)
    return whole, other, panel.available_at > whole[0].folds.seal


def test_the_scramble_reaches_what_it_may(both):
    (one, *_), (other, *_), after = both
    assert (one.panel.close[after] != other.panel.close[after]).all()
    assert (one.labels.outcome != other.labels.outcome).any()
    for name in {"mood", "sentiment"} & set(one.panel.side):
        columns = (p.panel.side[name][after] for p in (one, other))
        assert np.not_equal(*columns).mean() > 0.5
    if one.panel.member is not None:
        assert (one.panel.member != other.panel.member)[after].any()
        assert not one.panel.members[~after].all()


def test_folds_and_features_before_the_seal_are_the_same_bits(both):
    (one, *_), (other, *_), after = both
    assert one.folds.seal == other.folds.seal
    for a, b in zip(one.folds.folds, other.folds.folds, strict=True):
        for part in ("train", "validate", "test"):
            np.testing.assert_array_equal(getattr(a, part), getattr(b, part))
    for part in ("train", "validate"):
        final = (getattr(p.folds.final, part) for p in (one, other))
        np.testing.assert_array_equal(*final)
    np.testing.assert_array_equal(one.features[~after], other.features[~after])
    if one.inputs is not None:
        np.testing.assert_array_equal(one.inputs[~after], other.inputs[~after])


def test_fits_and_scores_before_the_seal_are_the_same_bits(both):
    (_, one, *_), (_, other, *_), _ = both
    for a, b in zip(chain(*one), chain(*other), strict=True):
        np.testing.assert_array_equal(a.validate, b.validate)
        np.testing.assert_array_equal(a.test, b.test)
        assert (a.files, a.scaler, a.best_epoch) == (b.files, b.scaler, b.best_epoch)
        assert a.view == b.view


def test_the_refit_before_the_seal_is_the_same_bits(both):
    (*_, one, _), (*_, other, _), _ = both
    np.testing.assert_array_equal(one.validate, other.validate)
    assert (one.files, one.scaler, one.view) == (other.files, other.scaler, other.view)
    assert (one.test.shape != other.test.shape) or (one.test != other.test).any()


def test_a_listing_behind_the_seal_moves_no_fit(everything):
    """It stands first by name: every row moves, no instrument's id and no fit."""
    tmp_path, panel, (one, fits, *_), _ = everything
    write_beside(tmp_path, panel)
    later = panel.where((panel.asset_id == 0) & (panel.available_at > one.folds.seal)).bars(0)
    place = tmp_path / "universe.yaml"
    listings = yaml.safe_load(place.read_text())["instruments"] + [{"symbol": "AAA"}]
    place.write_text(yaml.safe_dump({"instruments": listings}))
    bars_frame(later).write_parquet(write_bars(tmp_path / "listed", panel) / "AAA.parquet")
    changes = {**EVERYTHING, "models": MODELS[:1]}
    other, others, *_ = before_the_seal(tmp_path, "listed", panel, changes)
    assert other.panel.symbols == ("AAA", *one.panel.symbols)
    assert other.assets == (*one.assets, "AAA")
    for a, b in zip(fits[0], others[0], strict=True):
        np.testing.assert_array_equal(a.test, b.test)
        assert (a.files, a.scaler, a.view) == (b.files, b.scaler, b.view)


def test_candidates_and_the_choice_are_the_same(both):
    (_, _, one, *_), (_, _, other, *_), _ = both
    assert one.chosen == other.chosen
    for a, b in zip(one.scored, other.scored, strict=True):
        assert a.record == b.record
        np.testing.assert_array_equal(a.returns, b.returns)


def test_what_the_page_tells_of_the_time_before_the_seal_is_the_same(both):
    (*_, one), (*_, other), _ = both
    assert one == other
