"""The corpus is what it claims: enough of each sort, and every feature judged by plain truncation.

The judge here is slow and knows nothing of the audit: it computes features again on bars that end
at a cut, and on bars that go on otherwise, and compares every row before it.
"""

import shutil
from dataclasses import replace
from itertools import count

import numpy as np
import polars as pl
import pytest

from leaks.corpus import FOLDERS, LAYERS, paths, planted
from touchstone.data.cache import StageCache
from touchstone.data.side import Place
from touchstone.data.side_inputs import with_side
from touchstone.features import evaluate
from touchstone.ledger import MemoryLedger
from touchstone.pipelines import decide, learn, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources

PRICES = ("open", "high", "low", "close")
HOUR = 3_600_000_000_000
FEATURES, CONTROLS = paths("features"), paths("controls")
HONEST = [p for p in CONTROLS if '"features"' in p.read_text()]
"""Controls with features of their own; what the others fit is for the audit to judge."""
EARLY = (2, 11, 22)
"""Bars after which to cut first: what fills the past in does so where history begins."""


@pytest.mark.parametrize(
    ("folders", "least"),
    [(("features",), 30), (("pipeline",), 20), (("engine", "data"), 11), (("controls",), 30)],
)
def test_there_are_enough(folders, least):
    assert len(paths(*folders)) >= least


def test_names_are_unique_and_every_file_says_what_it_is():
    names = [p.stem for p in paths()]
    assert len(set(names)) == len(names)
    for path in paths():
        one = planted(path)
        assert one.folder in FOLDERS
        assert (one.layer is None) == (one.folder == "controls"), one.name
        assert one.layer in (None, *LAYERS), one.name
        assert len(one.about) > 40, f"{one.name}: say what the mistake is, and who makes it"


@pytest.mark.parametrize("path", [p for p in paths() if p not in CONTROLS], ids=lambda p: p.stem)
def test_every_leaks_study_runs(path, tmp_path, monkeypatch):
    """To the choice among its candidates: one linear model, but where the model is the point."""
    one = planted(path)
    cheap = {} if "models" in path.read_text() else {"models": [{"kind": "logistic"}]}
    study = one.study(tmp_path, **cheap)
    if one.plant is not None:
        one.plant(monkeypatch)
    resources = Resources(StageCache(tmp_path / "cache"), MemoryLedger, Silent(), 1)
    bars = prepare.load(study, Silent())
    prepared = prepare.prepare(study, *bars, resources.cache, Silent())
    learned = [
        learn.learn(study, prepared, [learn.Task(model, fold, str(i)) for i, fold in
                                      enumerate(prepared.folds.folds)], resources)
        for model in study.config.models
    ]  # fmt: skip
    scored = decide.compare(study, prepared, learned, MemoryLedger()).scored
    assert max(s.record.n_trades for s in scored) >= 20, "what does not trade cannot leak into it"


@pytest.mark.parametrize("path", FEATURES, ids=lambda p: p.stem)
def test_every_leak_leaks(path, tmp_path):
    judge = Judge(planted(path), tmp_path, 11)
    assert any(judge.differs(cut) for cut in judge.cuts(150))


@pytest.mark.parametrize("path", HONEST, ids=lambda p: p.stem)
def test_no_control_does(path, tmp_path):
    judge = Judge(planted(path), tmp_path, 12)
    for cut in judge.cuts(3):
        assert not judge.differs(cut), np.datetime64(cut, "ns")


class Judge:
    """A study's side columns and features, before and after the future was taken or changed."""

    def __init__(self, one, place, seed):
        self.study, self.place, self.number = one.study(place, seed), place, count()
        loaded, _ = prepare.load(self.study, Silent())
        self.bars = loaded._replace(panel=loaded.panel.map_side({}))
        self.rng = np.random.default_rng(seed)
        self.whole = self.known(loaded.panel, None)

    def cuts(self, n):
        """Some early instants, then random ones, ns UTC."""
        end = np.unique(self.bars.panel.available_at)
        first = 60 if any(hasattr(s, "path") for s in self.study.config.side.values()) else 0
        early = [end[first + k] for k in EARLY]
        return [int(t) for t in (*early, *self.rng.choice(end[first:-1], n))]

    def differs(self, cut):
        """Whether any value of any row known by the cut does."""
        panel = self.bars.panel
        before = panel.available_at <= cut
        files = self.files_changed_after(cut)
        ended, other = panel.until(cut), self.changed_after(cut)
        pairs = [(ended, slice(None)), (other, before)]
        for bars, rows in pairs:
            found = self.known(bars, files)
            kept = ((self.whole[n][before], found[n][rows]) for n in self.whole)
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in kept):
                return True
        return False

    def known(self, panel, files):
        """Name -> column of every side input and feature on these bars."""
        loaded = self.bars._replace(panel=panel.map_side({}))
        place = Place(files or self.study.root)
        panel = with_side(loaded, self.study.config.side, place).panel
        plan = prepare.resolve(self.study, panel)
        features = evaluate(plan, panel)
        return {**panel.side, **{f"f {n}": features[:, i] for i, n in enumerate(plan.names)}}

    def changed_after(self, cut):
        """The same bars until the cut; then prices and volumes that go another way."""
        panel = self.bars.panel
        after = panel.available_at > cut
        step = np.where(after, self.rng.normal(0, 0.01, len(panel)), 0.0)
        path = np.ones(len(panel))
        for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
            path[a:b] = np.exp(np.cumsum(step[a:b]))
        volume = np.where(after, panel.volume * self.rng.lognormal(0, 1, len(panel)), panel.volume)
        prices = {n: np.where(after, getattr(panel, n) * path, getattr(panel, n)) for n in PRICES}
        return replace(panel, volume=volume, **prices)

    def files_changed_after(self, cut):
        """Side files whose rows known after the cut say something else."""
        names = [s.path for s in self.study.config.side.values() if hasattr(s, "path")]
        if not names:
            return None
        folder = self.place / f"cut-{next(self.number)}"
        folder.mkdir()
        for name in names:
            shutil.copy(self.study.root / name, folder / name)
            frame = pl.read_parquet(folder / name)
            known = "knowledge_time" if "knowledge_time" in frame.columns else "created_at"
            later = frame[known].cast(pl.Int64).to_numpy() > cut
            told = "value" if "value" in frame.columns else "headline"
            told = (
                pl.when(pl.Series(later)).then(pl.col(told).reverse()).otherwise(told).alias(told)
            )
            frame.with_columns(told).write_parquet(folder / name)
        return folder
