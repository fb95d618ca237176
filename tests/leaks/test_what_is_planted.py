"""Each mistake of pipeline and data matters: what is computed with it is another thing."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest

from leaks.corpus import paths, planted
from touchstone.data.cache import StageCache
from touchstone.data.loading import Request
from touchstone.data.side import SIDES, Place
from touchstone.data.sources import SOURCES
from touchstone.dataset.splits import SPLITS, timeline
from touchstone.ledger import MemoryLedger
from touchstone.pipelines import market, prepare, seal
from touchstone.pipelines.inputs import whole_windows
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources

MINE = {p.stem: p for p in paths("pipeline", "data")}
EDITS = [n for n, p in MINE.items() if "def plant(" in p.read_text()]
FORGETS = "cache_for_other_data"


def part(family):
    return [n for n, p in MINE.items() if f"@{family}.register(" in p.read_text()]


def told(study, place):
    """All that a study computes and looks at, as text, and what its ledger was told."""
    ledger = MemoryLedger()
    resources = Resources(StageCache(place / "cache"), lambda: ledger, Silent(), 1)
    bars = prepare.load(study, Silent())
    prepared, learned, comparison = market.search_market(study, bars, resources)
    looked = None
    if comparison.winner is not None:
        looked = seal.look(study, prepared, comparison, learned, resources)
    span = market.whole_span(prepared)
    kept = ledger.candidates(span)
    return (
        prepared.features.tobytes(), [f.train.tobytes() for f in prepared.folds.folds],
        [(fit.test.tobytes(), fit.files) for fits in learned for fit in fits],
        [s.record for s in comparison.scored], comparison.chosen,
        None if looked is None else looked.answer.returns,
        kept, sorted(row[0] for row in ledger.rows),
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
    honest = SPLITS.parse({"kind": "walk_forward", "train": "expanding", "validate": "9d",
                           "test": "9d", "folds": 2, "sealed": "14d"})  # fmt: skip
    assert not any(meets(line, f) for f in SPLITS.part_of(honest)(honest, line).folds)


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


@pytest.mark.parametrize("name", part("SOURCES"))
def test_a_source_tells_another_past_later(name, tmp_path):
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
