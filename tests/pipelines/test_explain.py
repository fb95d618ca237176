"""A run explained: the planted feature, the seal kept, nothing tried, the same again, bad input."""

import json
import shutil

import numpy as np
import pytest

from small import touchstone
from touchstone.data.cache import StageCache
from touchstone.pipelines.explain_folds import Which, calendar_of, reopen, restored, run_of
from touchstone.pipelines.finished import find
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.explain import PARTS, ExplainResult, goes_by, told
from touchstone.reports.explain_page import page
from touchstone.reports.figures import plural, words
from touchstone.validation.ledger import SqliteLedger

ROWS, FEWER = 400, 100


def ledger_rows(out):
    book = SqliteLedger(out / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")
    return [row.kind for row in book.rows()]


def explained(out, *words):
    code, text, err = touchstone(
        "explain", "first", "--out", out, "--rows", ROWS, "--jobs", 1, "--json", *words
    )
    assert code == 0, err
    return ExplainResult.model_validate_json(text)


@pytest.fixture(scope="module")
def both(explained_workspace):
    """The run, explained by its chosen model and by the other one."""
    out = explained_workspace
    before = ledger_rows(out)
    chosen = explained(out)
    other = explained(out, "--model", "gru", "--rows", FEWER)
    assert chosen.model == "logistic"
    assert ledger_rows(out) == before  # no candidate, no look, and every fit from the cache
    return out, {found.model: found for found in (chosen, other)}, chosen.model


def test_every_part_is_there_and_says_what_it_is_about(both):
    out, found, chosen = both
    for model, result in found.items():
        assert result.is_chosen == (model == chosen)
        assert result.permutation is not None
        names = [n.name for n in result.permutation.features]
        assert sorted([*names, *result.permutation.untested]) == sorted(result.features)
        assert result.permutation.untested == ("day_sin", "day_cos")
        assert {w.name for w in result.shap.features} == set(result.features)
        n_rows = ROWS if model == "logistic" else FEWER
        assert sum(f.n_rows for f in result.folds) == pytest.approx(n_rows, abs=2)
        assert {p.share for p in result.robustness.points} >= {0.0, 0.5}
        assert any("PR-AUC" in line for line in told(result))
        name = "explain" if model == chosen else f"explain-{model}"
        assert (find(out / "runs", "first").folder / f"{name}.html").is_file()
    network, line = found["gru"], found["logistic"]
    assert network.gradients is not None
    assert network.counterfactuals.how == "gradient descent"
    assert {p.attack for p in network.robustness.points} == {"random", "fgsm", "pgd"}
    assert len(network.attention.layers[0].mean) == network.lookback == 8
    assert line.gradients is None
    assert line.counterfactuals.how == "search"
    assert {p.attack for p in line.robustness.points} == {"random", "greedy"}
    assert line.attention.layers == ()


def test_the_planted_feature_is_named_first(both):
    _, found, _ = both
    for result in found.values():
        assert "volume" in result.permutation.features[0].name
    assert found["logistic"].permutation.features[0].is_told
    assert goes_by(found["logistic"]).startswith("The score goes by volume")


def test_examples_turn_the_decision_and_keep_the_clock(both):
    _, found, _ = both
    for result in found.values():
        examples = result.counterfactuals.examples
        assert len({e.case for e in examples}) == len(examples) >= 3
        assert {"day_sin", "day_cos"} <= set(result.counterfactuals.held)
        for one in examples:
            accepted = one.score >= one.threshold
            assert accepted == one.case.endswith("accepted")
            if one.moves:
                assert (one.changed_score >= one.threshold) != accepted
                assert not {m.name for m in one.moves} & set(result.counterfactuals.held)
            if one.nearest_score is not None:
                assert (one.nearest_score >= one.threshold) != accepted


def test_no_row_is_scored_whose_outcome_lies_behind_the_seal(explained_workspace):
    out = explained_workspace
    workspace = Workspace(out)
    resources = Resources(StageCache(workspace.cache), ledger_of(workspace), Silent(), 1)
    of = reopen(find(workspace.runs, "first"), None, resources)
    asked = restored(of, Which(rows=ROWS), resources)
    panel, labels, folds = of.prepared.panel, of.prepared.labels, of.prepared.folds
    for one in asked.exposed:
        fold = folds.folds[int(one.subject.name.split()[1]) - 1]
        assert np.isin(one.subject.rows, fold.test).all()
        assert not np.isin(one.subject.rows, fold.train).any()
        assert (panel.available_at[labels.exit[one.subject.rows]] <= folds.seal).all()
    rows = asked.where.rows[asked.judged.at]
    assert (panel.available_at[labels.exit[rows]] <= folds.seal).all()
    assert asked.judged.p.size == sum(asked.n_test)
    counted = {
        (s.group, s.n_rows)
        for s in explained(out, "--only", "errors").errors.slices
        if s.group == "weekday"
    }
    assert sum(n for _, n in counted) <= asked.judged.p.size


def test_slices_add_up_to_all_test_rows(both):
    _, found, _ = both
    for result in found.values():
        whole = result.errors
        assert whole.n_rows == sum(f.n_test for f in result.folds)
        for group in ("symbol", "hour", "weekday", "regime", "year"):
            mine = [s for s in whole.slices if s.group == group]
            assert sum(s.n_rows for s in mine) == whole.n_rows
        assert {m.symbol for m in whole.false_positives}
        assert all(m.realised < 0 for m in whole.false_positives)
        assert all(m.realised > 0 for m in whole.false_negatives)


def test_a_second_call_computes_nothing_and_says_the_same_bytes(both, monkeypatch):
    out, _, _ = both
    from touchstone.pipelines import explain as verb

    file = find(out / "runs", "first").folder / "explain.json"
    before = file.read_bytes()

    def never(*_):
        raise AssertionError("computed again")

    for part in PARTS:
        monkeypatch.setitem(verb._METHODS, part, verb._METHODS[part]._replace(make=never))
    explained(out)
    assert file.read_bytes() == before


def test_what_is_computed_again_is_the_same_to_the_bit(both):
    out, found, chosen = both
    names = ("permutation", "counterfactuals", "robustness")
    again = explained(out, "--only", ",".join(names), "--again")
    for name in names:
        assert getattr(again, name) == getattr(found[chosen], name)
    assert again.shap == found[chosen].shap  # computed before, and still on the page
    alone = explained(out, "--only", "errors", "--rows", 100)
    assert (alone.shap, alone.permutation) == (None, None)
    assert alone.errors == found[chosen].errors  # of all rows, however many are drawn
    explained(out)  # the whole page again


def test_the_artifact_of_a_run_is_the_run(both, tmp_path):
    out, _, chosen = both
    runs = out / "runs"
    run = find(runs, "first")
    if not (run.folder / "artifact").is_dir():
        pytest.skip("the run chose nothing, so it wrote no artifact")
    assert run_of(str(run.folder / "artifact"), runs)[1] == chosen
    copy = shutil.copytree(run.folder / "artifact", tmp_path / "elsewhere")
    found, model = run_of(str(copy), runs)
    assert (found.name, model) == (run.name, chosen)
    code, _, err = touchstone("explain", copy, "--out", tmp_path)
    assert code != 0
    assert "no run of that study" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("frist",), "Did you mean first"),
        (("first", "--model", "gur"), "did you mean gru?"),
        (("first", "--rows", "3"), "needs 64 at least"),
        (("first", "--threshold", "2"), "between 0 and 1"),
        (("first", "--only", "robustnes"), "did you mean robustness?"),
        (("first", "--only", ","), "names no part"),
        (("first", "--model", "logistic", "--only", "gradients"), "has no gradients"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(explained_workspace, words, says):
    code, out, err = touchstone("explain", *words, "--out", explained_workspace, "-q")
    assert code != 0
    assert says in err
    assert "Traceback" not in out + err


def test_a_run_without_its_study_is_told(explained_workspace, tmp_path):
    run = find(explained_workspace / "runs", "first")
    bare = tmp_path / "runs" / run.name
    bare.mkdir(parents=True)
    shutil.copy(run.folder / "result.json", bare)
    code, _, err = touchstone("explain", run.name, "--out", tmp_path, "-q")
    assert code != 0
    assert "cannot be restored" in err


def test_features_of_the_clock_alone_are_held():
    told_ = {"a": "sin(pi * hour / 12)", "b": "close / lag(close, 1)", "c": "weekday > 4",
             "d": "hour * volume", "e": "2 * 3"}  # fmt: skip
    assert calendar_of(told_) == ("a", "c")


def test_the_page_leaves_out_what_was_not_asked_and_names_what_it_left(both):
    _, found, chosen = both
    result = found[chosen]
    bare = result.model_copy(
        update=dict.fromkeys(PARTS, None) | {"notes": ("fold 1 was left out <&>",)}
    )
    html = page(bare, "touchstone explain <b>")
    assert "fold 1 was left out &lt;&amp;&gt;" in html
    assert "<b>" not in html.split("Do it again")[1].split("</pre>")[0].replace("<b>x", "")
    for key in ("importance", "window", "changes", "robustness", "errors"):
        assert f'id="{key}"' not in html
    whole = page(result, "x")
    luck = f"Of {words(len(result.permutation.features))} worth nothing, luck would tell "
    assert luck in whole
    assert "Not tested: day_sin and day_cos, which keep their values" in whole
    few = result.permutation.model_copy(
        update={
            "features": tuple(
                n.model_copy(update={"interval": None}) for n in result.permutation.features
            ),
            "groups": (), "bars": (), "kept": 3,
        }
    )  # fmt: skip
    told_of_few = page(result.model_copy(update={"permutation": few}), "x")
    assert luck not in told_of_few
    assert "Too few days for an interval" in told_of_few
    assert f"{plural(3, 'row')} had no other day to borrow from" in told_of_few
    for key in ("importance", "window", "changes", "robustness", "errors", "limits", "how"):
        assert f'id="{key}"' in whole
    assert json.loads(result.model_dump_json())["schema_version"] == 1
