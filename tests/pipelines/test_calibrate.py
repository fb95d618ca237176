"""The calibration of the whole pipeline: it repeats itself, keeps its bands, and sees a leak."""

import json
import re

import numpy as np
import pytest

from small import touchstone, write_bars
from touchstone.pipelines import columns
from touchstone.pipelines.calibrate import MASTER_SEED, CalibrateConfig, asks, calibrate
from touchstone.pipelines.progress import Silent
from touchstone.simulation.nulls import NullConfig, null_market
from touchstone.validation.calibration import ALPHA, product, size

TINY = NullConfig(n_instruments=2, n_bars=8040)
CONFIG = CalibrateConfig(markets=3, market=TINY, seed=5)
TODO = asks(CONFIG, "product", ("iid", "garch", "regimes"))
LEAKY = TODO[:2]
WORDS = r"https?://|<script|\bNaN\b|\bNone\b"


def calibrated(journal, todo=TODO, jobs=1, config=CONFIG):
    return tuple(d.found for d in calibrate(config, todo, None, journal, jobs, Silent()))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return calibrated(tmp_path_factory.mktemp("whole") / "journal.jsonl")


def test_other_processes_find_the_same(finished, tmp_path):
    assert calibrated(tmp_path / "journal.jsonl", jobs=2) == finished


def test_a_look_ahead_is_what_makes_rejections_rise(finished, tmp_path, monkeypatch):
    honest = finished[: len(LEAKY)]
    assert all(t.n_candidates == 10 and 0 < t.search_p <= 1 for t in honest)
    assert not any(t.p <= ALPHA or t.word == "evidence" for t in honest)
    true = columns.evaluate

    def peeking(plan, panel, **how):
        features = np.array(true(plan, panel, **how))
        for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
            features[a : b - 8, 0] = panel.close[a + 8 : b] / panel.close[a : b - 8] - 1
        return features

    monkeypatch.setattr(columns, "evaluate", peeking)
    leaky = calibrated(tmp_path / "journal.jsonl", LEAKY)
    assert all(t.p <= ALPHA and t.search_p <= ALPHA and t.word == "evidence" for t in leaky)


@pytest.mark.slow
def test_forty_markets_keep_their_bands(tmp_path):
    """The short form of the proof: the same master seed, smaller markets, wider bands."""
    config = CalibrateConfig(markets=40, market=TINY)
    assert config.seed == MASTER_SEED == 20261128  # fixed before the first run
    kinds = ("iid", "garch", "regimes")
    sizes, products = (
        calibrated(tmp_path / "journal.jsonl", asks(config, run, kinds), config=config)
        for run in ("size", "product")
    )
    counted = size(sizes)
    assert counted.kept
    assert all(rate.inside for rate in (*counted.by_kind, *counted.search_by_kind))
    assert all(t.n_trades > 20 for t in sizes)  # it always trades
    assert product(products).kept


def test_the_command_resumes_and_writes_a_page(tmp_path):
    real = write_bars(tmp_path / "bars", null_market(TINY, "iid", 3))
    words = ("calibrate", "--run", "product", "--instruments", "2", "--length", "8040", "--bars",
             real, "--jobs", "1", "--out", tmp_path)  # fmt: skip
    code, out, err = touchstone(*words, "--markets", "4")
    assert code == 0, err
    assert "primary p, residual: " in out
    assert "4 markets" in err
    page = (tmp_path / "calibration" / "report.html").read_text()
    assert not {"http://", "https://", "<script", "NaN", "None"} & set(re.findall(WORDS, page))
    code, out, err = touchstone(*words, "--markets", "5", "--json")
    found = json.loads(out)
    assert (code, found["runs"][0]["n"], len(found["runs"][0]["markets"])) == (0, 5, 5)
    assert len((tmp_path / ".touchstone" / "calibration.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("words", "code", "needs"),
    [
        (("--markets", "0"), 2, "markets"),
        (("--length", "100"), 2, "length"),
        (("--run", "all"), 2, "run"),
        (("--bars", "nowhere"), 3, "nowhere"),
    ],
)
def test_bad_input_is_refused(tmp_path, words, code, needs):
    got, _, err = touchstone("calibrate", "--out", tmp_path, *words)
    assert got == code
    assert needs in err
    assert not (tmp_path / "calibration").exists()


def test_too_short_a_history_is_refused_before_anything_runs(tmp_path):
    bars = write_bars(
        tmp_path / "bars", null_market(NullConfig(n_instruments=2, n_bars=900), "iid", 3)
    )
    code, _, err = touchstone("calibrate", "--bars", bars, "--out", tmp_path)
    assert code == 3
    assert "has bars of 37 days, 335 are needed" in err
    assert not (tmp_path / ".touchstone").exists()
