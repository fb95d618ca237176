"""Thresholds: chosen on validation rows alone, counted against a slow walk, told when none pays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.pipelines import thresholds as t
from touchstone.pipelines.decide import calibrate, segment
from touchstone.pipelines.learn import Task, learn
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import parse_study
from touchstone.reports.sections import thresholds as section
from touchstone.reports.thresholds import (
    FEWEST_ROWS,
    ThresholdChoice,
    Thresholds,
    ThresholdScore,
)

LEVELS = st.sampled_from([0.005, 0.01, 0.05, 0.1, 0.35, 0.5, 0.9, 1.0])
ROWS = st.lists(
    st.tuples(LEVELS, st.booleans(), st.floats(-0.1, 0.1)), min_size=1, max_size=80
).map(lambda rows: t.Outcomes(*(np.array(column) for column in zip(*rows, strict=True))))


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_every_threshold_counts_what_a_slow_walk_counts(rows):
    for told in t.grid_scores(rows, 0.003):
        taken = [i for i, p in enumerate(rows.p) if p >= told.threshold]
        won = sum(bool(rows.hit[i]) for i in taken)
        assert told.count == len(taken)
        assert told.precision == (pytest.approx(won / len(taken)) if taken else None)
        all_won = int(rows.hit.sum())
        assert told.recall == (pytest.approx(won / all_won) if all_won else None)
        if taken or all_won:
            assert told.f1 == pytest.approx(2 * won / (len(taken) + all_won))
        net = sum(rows.realised[i] for i in taken) / len(taken) - 0.003 if taken else None
        assert told.net == (None if net is None else pytest.approx(net, abs=1e-12))


def score(threshold, count=50, **values):
    return ThresholdScore(threshold=threshold, count=count, **values)


def test_the_best_is_the_lowest_of_the_highest_and_nothing_is_chosen_by_luck_or_loss():
    even = [score(0.1, f1=0.4), score(0.2, f1=0.5), score(0.3, f1=0.5)]
    assert t.best(even, "f1") == 0.2
    assert t.best([score(0.1, f1=0.0), score(0.2, f1=None)], "f1") is None
    assert t.best([score(0.1, net=-0.001), score(0.2, net=0.0)], "net") is None
    lucky = [score(0.1, net=0.001), score(0.5, count=FEWEST_ROWS - 1, net=0.2)]
    assert t.best(lucky, "net") == 0.1
    assert t.best(lucky[1:], "net") is None
    assert t.best([], "f1") is None


def test_the_grid_holds_what_was_asked_and_three_below():
    assert t.GRID[-9:] == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert list(t.GRID) == sorted(set(t.GRID))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("thresholds")
    study = parse_study(
        {
            "bars": {"source": "simulated",
                     "market": {"n_instruments": 3, "n_bars": 3000, "volatility": 0.01,
                                "ic": 0.4}},
            "label": {"kind": "triple_barrier", "take_profit": 0.02, "stop_loss": 0.01,
                      "horizon": 8},
            "features": {"set": "none", "extra": {"volume": "volume / mean(volume, 24)"}},
            "folds": {"kind": "walk_forward", "train": "40d", "validate": "20d", "test": "20d",
                      "folds": 2, "sealed": "20d"},
            "models": [{"kind": "logistic"}],
            "lookback": 2,
            "seed": 3,
        },
        folder,
        "here",
    )  # fmt: skip
    loaded, data = load(study, Silent())
    prepared = prepare(study, loaded, data, StageCache(folder / "cache"), Silent())
    folds = prepared.folds.folds
    tasks = [Task(study.config.models[0], f, f"fold {i + 1}") for i, f in enumerate(folds)]
    resources = Resources(StageCache(folder / "cache"), MemoryLedger, Silent(), 1)
    fits = learn(study, prepared, tasks, resources)
    where = segment(prepared.panel, folds[0].spans.test_start, prepared.folds.seal)
    return study.config, prepared, fits, where


def spoiled(prepared, rows):
    """Other outcomes and returns on some rows."""
    labels, rng = prepared.labels, np.random.default_rng(0)
    outcome, realised = labels.outcome.copy(), labels.realised.copy()
    outcome[rows] = rng.integers(-1, 2, rows.size)
    realised[rows] = rng.normal(0, 0.1, rows.size)
    return prepared._replace(labels=labels._replace(outcome=outcome, realised=realised))


@pytest.mark.parametrize("part", ["test", "train", "validate"])
def test_choices_and_calibrators_see_validation_rows_alone(made, part):
    """With the same scores, other outcomes of test or train rows change no bit."""
    config, prepared, fits, _ = made
    for fold, fit in zip(prepared.folds.folds, fits, strict=True):
        others = np.setdiff1d(getattr(fold, part), fold.validate) if part != "validate" else (
            fold.validate)  # fmt: skip
        after = spoiled(prepared, others)
        one, two = (t.choices("m", config, p, fold, fit) for p in (prepared, after))
        same = calibrate(config, prepared, fold, fit) == calibrate(config, after, fold, fit)
        assert (one == two) is same is (part != "validate")


def test_chosen_thresholds_select_test_rows_fold_by_fold(made):
    config, prepared, fits, where = made
    found = t.thresholds("logistic", config, prepared, fits, where)
    assert [c.by for c in found.choices] == ["f1", "net"]
    for choice in found.choices:
        n, won, money = 0, 0, 0.0
        for fold, fit, level in zip(prepared.folds.folds, fits, choice.folds, strict=True):
            of_fold = {c.measure: c for c in t.choices("m", config, prepared, fold, fit)}
            assert of_fold[choice.by].chosen == level
            assert level in (None, *t.GRID)
            p = calibrate(config, prepared, fold, fit).outcomes.apply(fit.test)[:, -1]
            for row, said in zip(fold.test, p, strict=True):
                is_known = prepared.labels.exit[row] in where.rows
                if level is not None and is_known and said >= level:
                    n += 1
                    won += prepared.labels.outcome[row] == 1
                    money += prepared.labels.realised[row]
        assert choice.test.count == n > 0
        assert choice.test.precision == pytest.approx(won / n)
        assert choice.test.net == pytest.approx(money / n - config.costs.round_trip)
    by_hand = sum(int((f.validate[:, -1] >= 0).sum()) for f in fits)
    assert found.on_validation[0].count <= by_hand


def test_what_validation_says_is_kept_row_by_row(made):
    """The score vectors can be made again from what is exported."""
    config, prepared, fits, _ = made
    kept = t.validated(config, prepared, fits)
    for one, fold, fit in zip(kept, prepared.folds.folds, fits, strict=True):
        labels = prepared.labels
        rows = t.Outcomes(one.probability[:, -1], labels.outcome[one.rows] == 1,
                          labels.realised[one.rows])  # fmt: skip
        again = t.grid_scores(rows, config.costs.round_trip)
        told = {c.measure: c for c in t.choices("m", config, prepared, fold, fit)}
        assert tuple(s.f1 for s in again) == told["f1"].scores
        assert tuple(s.net for s in again) == told["net"].scores


def test_where_costs_eat_everything_no_threshold_beats_cash_and_it_is_said(made):
    config, prepared, fits, where = made
    dear = config.model_copy(
        update={"costs": config.costs.model_copy(update={"commission_bp": 500.0})}
    )
    found = t.thresholds("logistic", dear, prepared, fits, where)
    by_money = found.choices[1]
    assert by_money.folds == (None, None)
    assert by_money.test.count == 0
    assert by_money.test.net is None
    view = section.view(found)
    assert "no threshold of the grid that selects 20 rows beat cash" in view.said
    assert view.chart.title == "On validation rows no threshold pays its costs"


def test_the_page_says_what_was_chosen_and_what_it_gave():
    told = {"break_even": 0.3, "recall": 0.5, "f1": 0.2, "net": 0.001}
    grid = tuple(
        score(x, count=500 - i, precision=0.1 + x / 2, **told) for i, x in enumerate(t.GRID)
    )
    test = ThresholdScore(count=90, precision=0.4, recall=0.2, f1=0.27, break_even=0.3, net=0.002)
    choices = (
        ThresholdChoice(by="f1", folds=(0.1, 0.2), test=test),
        ThresholdChoice(by="net", folds=(0.5, None), test=test.model_copy(update={"count": 0})),
    )
    view = section.view(Thresholds(model="gru", on_validation=grid, choices=choices))
    said = view.said.replace("\u202f", " ").replace("\xa0", " ")
    assert "By F1 the validation rows chose 10.0 % to 20.0 %." in said
    assert "On the folds' test rows, before the seal, that selects 90 rows with a" in said
    assert "90 rows with a precision of 40.0 % where 30.0 % is needed, and +0.200 % a row" in said
    assert "By money the validation rows chose 50.0 % in 1 of 2 folds, nowhere in the rest" in said
    assert said.endswith("no test row reached it.")
    assert [row[0] for row in view.chosen.rows] == ["by F1", "by money"]
    assert view.chosen.rows[1][1] == "50, –"
    assert "net" in view.chart.body
    assert section.view(Thresholds(model="gru", on_validation=grid[:1])).chart is None
