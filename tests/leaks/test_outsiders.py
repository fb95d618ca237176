"""Ten leaks and ten clean controls by an outsider: each leaks, or does not, as it says.

Nothing here asks the audit. A leak is shown by hand: the future is cut off or changed, and what
was decided or fitted before it is another. A control is computed on both, and is the same bits.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from leaks.corpus import LAYERS, planted
from touchstone.data.cache import StageCache
from touchstone.data.side import SIDES, Place
from touchstone.data.sources import SOURCES, Request
from touchstone.dataset.scalers import SCALERS
from touchstone.labels import LABELS
from touchstone.models import MODELS, Shape, Table
from touchstone.models.scoring import score_inputs
from touchstone.pipelines import decide
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import column, load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import parse_study
from touchstone.seeding import generator

OUTSIDERS = sorted((Path(__file__).parent / "outsiders").glob("*.py"))
DAY_NS = 86_400_000_000_000
CUTS = [
    int(np.datetime64(text, "ns").astype(np.int64))
    for text in ("2022-01-19T00:00", "2022-01-26T17:00", "2022-02-05T00:00", "2022-02-20T04:00")
]
"""Two at midnight, two within a day."""


@cache
def outsider(name):
    return planted(Path(__file__).parent / "outsiders" / f"{name}.py")


@cache
def study_of(name):
    return parse_study(outsider(name).settings, Path(), name)


def bars_of(name, end=None, seed=7):
    bars = study_of(name).config.bars
    return SOURCES.part_of(bars)(bars, Request(end=end, seed=seed)).panel


def side_of(name, panel):
    (side,) = study_of(name).config.side.values()
    (found,) = SIDES.part_of(side)(side, panel, Place()).columns.values()
    return found


def another_future(panel, end):
    """The bars known by `end`, and after it others: dearer bar by bar, and busier."""
    later = np.maximum(panel.available_at - end, 0) / 3.6e12
    grown = {n: getattr(panel, n) * np.exp(0.002 * later) for n in ("open", "high", "low", "close")}
    return replace(panel, **grown, volume=panel.volume * np.where(later > 0, 3.0, 1.0))


def differs(a, b):
    return ~((a == b) | (np.isnan(a) & np.isnan(b)))


def moved(name, panel, end):
    """Rows known by `end` whose feature is another where the panel ends there, all rows."""
    past = panel.available_at <= end
    found = np.zeros(len(panel), bool)
    found[past] = differs(side_of(name, panel)[past], side_of(name, panel.until(end)))
    return found


@pytest.mark.parametrize("path", OUTSIDERS, ids=lambda p: p.stem)
def test_a_study_can_be_read_from_each(path, tmp_path):
    found = planted(path)
    assert (found.layer is None) == path.stem.startswith("clean_")
    assert found.layer is None or found.layer in LAYERS
    assert found.study(tmp_path).config.name == path.stem


def test_there_are_as_many_clean_ones_as_leaks():
    clean = [path for path in OUTSIDERS if path.stem.startswith("clean_")]
    assert len(OUTSIDERS) == 20
    assert len(clean) == 10


def test_the_day_that_takes_a_bar_along_lies_at_midnight_alone():
    panel = bars_of("daily_closed_right")
    for end in CUTS:
        rows = moved("daily_closed_right", panel, end)
        assert (panel.available_at[rows] == end).all()
        assert rows.sum() == (panel.n_instruments if end % DAY_NS == 0 else 0)


def test_imputed_holes_alone_know_the_future():
    panel = bars_of("knn_imputed")
    for end in CUTS:
        rows = moved("knn_imputed", panel, end)
        assert 20 < rows.sum() < 0.1 * len(panel)


def test_one_symbol_knows_its_noise_to_come():
    panel = bars_of("one_noisy_symbol")
    for end in CUTS:
        rows = moved("one_noisy_symbol", panel, end)
        assert rows.any()
        assert (panel.asset_id[rows] == panel.n_instruments - 1).all()
    late = moved("one_noisy_symbol", panel, CUTS[-1]).sum()
    assert late < 0.03 * np.diff(panel.offsets)[-1]


def test_the_rank_knows_who_will_be_listed_and_no_price_of_theirs():
    panel = bars_of("not_yet_listed")
    newcomer = panel.asset_id == panel.n_instruments - 1
    for end in CUTS:
        rows = moved("not_yet_listed", panel, end)
        assert rows.any() == (end < panel.available_at[newcomer].min())
        past = panel.available_at <= end
        other = side_of("not_yet_listed", another_future(panel, end))
        assert not differs(side_of("not_yet_listed", panel), other)[past].any()


def test_winsorised_barriers_move_in_one_row_of_a_hundred():
    label = study_of("winsorised_width").config.label
    whole = bars_of("winsorised_width")

    def ups(panel):
        return LABELS.part_of(label)(panel, label, column(label.width, panel)).up

    for end in CUTS[1:]:
        past = whole.available_at <= end
        share = differs(ups(whole)[past], ups(whole.until(end))).mean()
        assert 0 < share < 0.05


def tables(n=600, seed=3):
    rng = generator(seed, "outsiders")
    inputs = rng.normal(size=(n, 3)).astype(np.float32)
    outcome = np.clip(np.round(inputs[:, 0] + rng.normal(size=n)), -1, 1).astype(np.int8)
    return Table(inputs, outcome, np.ones(n))


def grown(name, train, validate):
    (model,) = study_of(name).config.models
    (look,) = MODELS.part_of(model).grow(model, Shape(1, 1, 1, 3), train, validate, 7, None)
    return look.fitted()


def scores(fitted, inputs):
    return score_inputs(fitted, inputs, np.zeros(len(inputs), np.int32))


def test_a_batch_that_standardises_itself_reads_the_rows_after():
    train = tables()
    fitted = grown("predict_fit_transform", train, None)
    first, other = train.inputs[:40], tables(seed=4).inputs[:20]
    assert (scores(fitted, np.r_[first, other])[:40] != scores(fitted, first)).any()


@pytest.mark.parametrize(
    ("name", "leaks"), [("contiguous_rows", True), ("clean_trimmed_scaler", False)]
)
def test_a_scaler_and_the_rows_behind_its_own(name, leaks):
    panel = bars_of(name)
    features = generator(1, "features").standard_t(4, (len(panel), 3)).astype(np.float32)
    later = panel.available_at > CUTS[1]
    rows, scaler = np.flatnonzero(~later), study_of(name).config.scaler
    fit = SCALERS.part_of(scaler)
    changed = np.where(later[:, None], 2 * features + 1, features)
    assert (fit(scaler, features, rows).to_json() != fit(scaler, changed, rows).to_json()) == leaks


def prepared_of(name, place):
    study = study_of(name)
    loaded, data = load(study, Silent())
    return prepare(study, loaded, data, StageCache(place), Silent())


def test_labels_of_all_instruments_but_one_reach_over_the_bounds(tmp_path):
    prepared = prepared_of("purge_last_instrument", tmp_path)
    panel, exit_ = prepared.panel, prepared.labels.exit
    for fold in (*prepared.folds.folds, prepared.folds.final):
        parts = ((fold.train, fold.spans.train_end), (fold.validate, fold.spans.validate_end))
        for rows, end in parts:
            over = panel.available_at[exit_[rows]] > end
            assert set(panel.asset_id[rows][over]) == set(range(panel.n_instruments - 1))
            assert over.sum() < 0.1 * rows.size


@pytest.mark.parametrize(
    ("name", "leaks"), [("rest_of_everything", True), ("clean_recent_validation", False)]
)
def test_a_calibration_and_the_labels_of_its_test(name, leaks, tmp_path, monkeypatch):
    prepared, config = prepared_of(name, tmp_path), study_of(name).config
    fold = prepared.folds.folds[0]
    end = fold.spans.validate_end
    scored = generator(1, "scores").dirichlet([2, 2, 2], fold.validate.size)
    learned = Learned(scored, scored, 0, 0, 0, 0.0, Shape(1, 1, 1, 3), "", {})
    outsider(name).plant(monkeypatch)
    known = prepared.panel.available_at[np.maximum(prepared.labels.exit, 0)]
    realised = np.where(known > end, prepared.labels.realised * 1.1, prepared.labels.realised)
    changed = prepared._replace(labels=prepared.labels._replace(realised=realised))

    def said(market):
        found = decide.calibrate(config, market, fold, learned)
        return found.outcomes.to_json(), found.rest

    (before, rest), (after, other) = said(prepared), said(changed)
    assert before == after
    assert (rest != other) == leaks
    assert abs(rest - other) < 1e-3


def test_who_is_traded_most_depends_on_when_one_asks():
    whole = bars_of("traded_most")
    asked = [bars_of("traded_most", end=end) for end in CUTS]
    assert all(found.n_instruments == whole.n_instruments == 5 for found in asked)
    assert any(found.symbols != whole.symbols for found in asked)


@pytest.mark.parametrize(
    "name",
    ["clean_expanding_quantile", "clean_gap_warm_up", "clean_large_sums", "clean_present_members",
     "clean_refit_inside", "clean_seed_by_hash", "clean_yesterdays_high"],
)  # fmt: skip
@pytest.mark.parametrize("seed", [7, 8])
def test_a_clean_feature_is_the_same_bits_without_a_future_and_with_another(name, seed):
    panel = bars_of(name, seed=seed)
    whole = side_of(name, panel)
    assert np.isfinite(whole).mean() > 0.8
    for end in (*CUTS, *panel.available_at[50:300:25].tolist()):
        past = panel.available_at <= end
        assert not differs(whole[past], side_of(name, panel.until(end))).any()
        assert not differs(whole, side_of(name, another_future(panel, end)))[past].any()


def test_a_clean_model_scores_row_by_row_and_never_fits_its_validation_rows():
    train = tables()
    fitted = grown("clean_inner_validation", train, tables(seed=4))
    other = grown("clean_inner_validation", train, tables(seed=5))
    assert fitted.files() == other.files()
    whole = scores(fitted, train.inputs[:60])
    assert (whole[:40] == scores(fitted, train.inputs[:40])).all()


@pytest.mark.parametrize("name", ["clean_gap_warm_up", "clean_present_members"])
def test_a_clean_source_gives_the_same_bars_whenever_one_asks(name):
    whole = bars_of(name)
    for end in CUTS:
        asked, then = bars_of(name, end=end), whole.until(end)
        assert asked.symbols == then.symbols
        assert asked.content_hash() == then.content_hash()
