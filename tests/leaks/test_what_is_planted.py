"""Each mistake of pipeline and data matters: what is computed with it is another thing."""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest

from leaks.corpus import paths, planted
from reference.days import days_are_whole
from touchstone.data.cache import StageCache
from touchstone.data.loading import Request
from touchstone.data.side import SIDES, Place
from touchstone.data.sources import SOURCES
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.selection import SELECTION, Evidence
from touchstone.dataset.splits import SPLITS, timeline
from touchstone.labels import LABELS
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, Shape, Table
from touchstone.pipelines import market, prepare, seal
from touchstone.pipelines.inputs import whole_windows
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.strategies import STRATEGIES, Outlook
from touchstone.validation import deflated
from touchstone.validation.audit.trials import trials_are_counted

MINE = {p.stem: p for p in paths("pipeline", "data")}
HONEST = {"kind": "walk_forward", "train": "expanding", "validate": "9d", "test": "9d",
          "folds": 2, "sealed": "14d"}  # fmt: skip
EDITS = [n for n, p in MINE.items() if "def plant(" in p.read_text()]
FORGETS = "cache_for_other_data"
DROPS = "test_rows_need_a_label"


def part(family):
    registered = f"@{family}.register("
    return [n for n, p in MINE.items() if n != DROPS and registered in p.read_text()]


def told(study, place):
    """All that a study computes and looks at, as text, and what its ledger was told."""
    ledger = MemoryLedger()
    resources = Resources(StageCache(place / "cache"), lambda: ledger, Silent(), 1)
    bars = prepare.load(study, Silent())
    prepared, learned, comparison = market.search_market(study, bars, resources)
    looked = None
    if comparison.winner is not None:
        looked = seal.look(study, prepared, comparison, learned, resources)
    span = seal.whole_span(prepared)
    kept, n_tried = ledger.candidates(span), 0
    if comparison.winner is not None:
        n_tried = deflated.deflated_sharpe(comparison.winner.returns, kept).n
    return (
        prepared.features.tobytes(), [f.train.tobytes() for f in prepared.folds.folds],
        [(fit.test.tobytes(), fit.files) for fits in learned for fit in fits],
        [s.record for s in comparison.scored], comparison.chosen,
        None if looked is None else looked.answer.returns,
        kept, n_tried, sorted(row[0] for row in ledger.rows),
    )  # fmt: skip


@cache
def clean(settings):
    """What the study of a planted file computes when nothing is planted."""
    one = planted(MINE[settings[0]])
    with TemporaryDirectory() as place:
        return told(one.study(Path(place)), Path(place))


def twin(name):
    """The first file with the same study: what is clean is computed once for all of them."""
    mine = planted(MINE[name]).settings
    return next(
        n for n in EDITS if {**planted(MINE[n]).settings, "name": ""} == {**mine, "name": ""}
    )


@pytest.mark.parametrize("name", [n for n in EDITS if n != FORGETS])
def test_an_edit_changes_what_is_computed_or_counted(name, tmp_path):
    one = planted(MINE[name])
    study = one.study(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        one.plant(patch)
        edited = told(study, tmp_path)
    assert edited != clean((twin(name),))


def test_the_forgetful_cache_answers_for_another_market(tmp_path, monkeypatch):
    one = planted(MINE[FORGETS])
    kept, study = StageCache(tmp_path / "cache"), one.study(tmp_path)
    one.plant(monkeypatch)
    other = one.study(tmp_path, seed=8)
    resources = [(s, *prepare.load(s, Silent())) for s in (study, other)]
    found = [prepare.prepare(s, loaded, data, kept, Silent()) for s, loaded, data in resources]
    assert (found[0].panel.close != found[1].panel.close).all()
    np.testing.assert_array_equal(found[0].features, found[1].features)


@pytest.mark.parametrize("name", part("SPLITS"))
def test_a_split_lets_what_is_learned_meet_what_judges_it(name, tmp_path):
    study = planted(MINE[name]).study(tmp_path)
    bars = prepare.load(study, Silent())
    made = prepare.prepare(study, *bars, StageCache(tmp_path / "cache"), Silent())
    whole = whole_windows(made.features, None, made.panel, study.config.lookback)
    line = timeline(made.panel, made.labels, whole, study.config.lookback)
    assert any(meets(line, f) for f in made.folds.folds)
    honest = SPLITS.parse(HONEST)
    assert not any(meets(line, f) for f in SPLITS.part_of(honest)(honest, line).folds)


def test_a_delisted_row_is_never_tested_where_rows_need_a_label(tmp_path):
    study = planted(MINE[DROPS]).study(tmp_path)
    bars = prepare.load(study, Silent())
    folds, n_unknown = {}, {}
    for name, changes in ((DROPS, {}), ("honest", {"folds": HONEST})):
        study = planted(MINE[DROPS]).study(tmp_path, **changes)
        made = prepare.prepare(study, *bars, StageCache(tmp_path / name), Silent())
        folds[name] = [f.train.tobytes() for f in made.folds.folds]
        n_unknown[name] = sum((~made.labels.known[f.test]).sum() for f in made.folds.folds)
    assert folds[DROPS] == folds["honest"]
    assert n_unknown[DROPS] == 0 < n_unknown["honest"]


def meets(line, fold):
    """Whether what a train row was made from overlaps what a validation or test row was."""
    pairs = ((fold.train, fold.validate), (fold.train, fold.test), (fold.validate, fold.test))
    return any(overlaps(line, early, late) for early, late in pairs)


def overlaps(line, one, other):
    begin, end = line.begin[other], line.end[other]
    order = np.argsort(begin)
    begin, reach = begin[order], np.maximum.accumulate(end[order])
    at = np.searchsorted(begin, line.end[one]) - 1
    return bool(((at >= 0) & (reach[np.maximum(at, 0)] > line.begin[one])).any())


@pytest.mark.parametrize("name", sorted({*part("SOURCES")} - {"action_known_early"}))
def test_a_source_tells_another_past_later(name, tmp_path):
    """One has an honest source, and hears of its actions too early in the strategy."""
    study = planted(MINE[name]).study(tmp_path)
    config, load = study.config, SOURCES.part_of(study.config.bars)
    whole = load(config.bars, Request(seed=config.seed)).panel
    cuts = np.unique(whole.available_at)[200::97]
    assert any(
        load(config.bars, Request(seed=config.seed, end=int(cut))).panel.content_hash()
        != whole.until(int(cut)).content_hash()
        for cut in cuts
    )


@pytest.mark.parametrize("name", part("SIDES"))
def test_a_side_input_knows_what_its_file_was_told_later(name, tmp_path):
    study = planted(MINE[name]).study(tmp_path)
    ((_, config),) = study.config.side.items()
    panel = prepare.load(study, Silent())[0].panel
    join, file = SIDES.part_of(config), tmp_path / config.path
    whole, table = join(config, panel, Place(tmp_path)).columns[""], pl.read_parquet(file)

    def differs(cut):
        before = panel.available_at <= cut
        table.filter(pl.col("knowledge_time").cast(pl.Int64) <= cut).write_parquet(file)
        known = join(config, panel, Place(tmp_path)).columns[""]
        return not np.array_equal(whole[before], known[before], equal_nan=True)

    day = np.unique(panel.available_at)[700:724]
    assert any(differs(int(cut)) for cut in day)


@pytest.mark.parametrize("name", part("SCALERS"))
def test_a_scaler_reads_rows_beside_its_own(name):
    rng = np.random.default_rng(1)
    features, rows = rng.normal(size=(400, 3)).astype(np.float32), np.arange(200)
    one = planted_part(SCALERS, name)(features, rows).to_json()
    features[300:] *= 5
    assert planted_part(SCALERS, name)(features, rows).to_json() != one


@pytest.mark.parametrize("name", part("SELECTION"))
def test_a_rule_chooses_by_rows_beside_its_own(name):
    rng = np.random.default_rng(2)
    features, outcome = rng.normal(size=(400, 9)), rng.integers(-1, 2, 400)
    features[200:, :4] += outcome[200:, None]
    train, zeros = np.arange(200), np.zeros(400, np.int64)
    evidence = Evidence(features, tuple("abcdefghi"), train, train[:0], outcome, zeros, zeros)
    chosen = planted_part(SELECTION, name)(evidence, np.arange(9), rng).keep
    assert chosen.tolist() == [True] * 4 + [False] * 5, "noise on the train rows"


@pytest.mark.parametrize("name", part("STRATEGIES"))
def test_a_strategy_decides_otherwise_when_more_comes(name):
    rng = np.random.default_rng(3)
    said = np.sort(rng.dirichlet((3, 3, 2), 300), axis=0)
    wide = np.full(300, 0.02)
    whole = planted_part(STRATEGIES, name)(Outlook(said, wide, wide, 0.0, 0.003, None), 8)
    part = Outlook(said[:200], wide[:200], wide[:200], 0.0, 0.003, None)
    assert (planted_part(STRATEGIES, name)(part, 8).enter != whole.enter[:200]).any()


@pytest.mark.parametrize("name", part("LABELS"))
def test_a_label_or_its_width_looks_where_it_may_not(name, tmp_path):
    """At the row's own bar, or for its width at bars that come."""
    study = planted(MINE[name]).study(tmp_path)
    panel = prepare.load(study, Silent())[0].panel
    label = study.config.label
    width = getattr(label, "width", None)
    column = None if width is None else prepare.column(width, panel)
    load, cut = LABELS.part_of(label), int(np.unique(panel.available_at)[700])
    whole = load(panel, label, column)
    row = 700 + int((whole.known & (whole.outcome == 0))[700:].argmax())
    high = panel.high.copy()
    high[row] *= 2
    watched = load(replace(panel, high=high), label, column)
    ended = load(panel.until(cut), label, None if column is None else column[kept(panel, cut)])
    moved = watched.outcome[row] != whole.outcome[row]
    early = not np.array_equal(ended.up, whole.up[kept(panel, cut)], equal_nan=True)
    assert moved or early


def kept(panel, cut):
    return panel.available_at <= cut


def test_what_is_scored_depends_on_what_was_scored_before(tmp_path):
    one = planted(MINE["evaluation_updates_normaliser"])
    model = one.study(tmp_path).config.models[0]
    shape = Shape(1, 2, 1, 3)
    rng = np.random.default_rng(4)
    table = Table(rng.normal(size=(90, 2)).astype(np.float32), rng.integers(-1, 2, 90),
                  np.ones(90))  # fmt: skip
    (seen,) = MODELS.part_of(model).grow(model, shape, table, None, 0, None)
    ids, fitted = np.zeros(30, np.int32), seen.fitted()
    first = fitted.raw(table.inputs[:30], ids)
    fitted.raw(5 + table.inputs[30:60], ids)
    assert (fitted.raw(table.inputs[:30], ids) != first).any()


def planted_part(family, name):
    """A part of the family as its default config calls it."""
    planted(MINE[name])
    return partial(family.part(name), family.config(name)())


def test_the_ledgers_laws_name_idle_days_and_typed_trials(tmp_path):
    found = {}
    for name in ("honest", "idle_days_left_out", "trials_typed_by_hand"):
        one = planted(MINE[EDITS[0] if name == "honest" else name])
        with pytest.MonkeyPatch.context() as patch:
            if name != "honest":
                one.plant(patch)
            found[name] = named_by_the_laws(one.study(tmp_path), tmp_path / name)
    assert found == {
        "honest": (False, False),
        "idle_days_left_out": (True, False),
        "trials_typed_by_hand": (False, True),
    }


def named_by_the_laws(study, place):
    ledger = MemoryLedger()
    resources = Resources(StageCache(place), lambda: ledger, Silent(), 1)
    prepared, _, told = market.search_market(study, prepare.load(study, Silent()), resources)
    known = ledger.candidates(seal.whole_span(prepared))
    n_told = deflated.deflated_sharpe(told.winner.returns, known).n
    days = [days_are_whole("one", told.segment.panel, s.run, s.returns) for s in told.scored]
    return any(d is not None for d in days), trials_are_counted(n_told, known) is not None
