"""An ensemble: fitted out of fold, compared by a fixed word, resumed, counted, the seal kept."""

import json
from pathlib import Path

import numpy as np
import pytest

from small import touchstone
from touchstone.data.cache import StageCache
from touchstone.ensembles import ENSEMBLES
from touchstone.ensembles.out_of_fold import halves
from touchstone.errors import ConfigError, DataError
from touchstone.pipelines import decide
from touchstone.pipelines.distil import blocks
from touchstone.pipelines.ensemble_config import Slice, read_ensemble
from touchstone.pipelines.ensemble_fit import asked_of, fit_on_fold
from touchstone.pipelines.ensemble_members import fit_members, member_rows
from touchstone.pipelines.prepare import column, load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.workspace import Workspace
from touchstone.registry.artifact import load as load_artifact
from touchstone.registry.tracking import Queue
from touchstone.reports.ensemble import EnsembleResult, without_machine
from touchstone.validation.ledger import SqliteLedger

TINY = Path(__file__).parents[2] / "examples" / "ensemble_tiny.yaml"
FEW = ("--set", "ensembles=[mean, online, stack]")
NOWHERE = "http://127.0.0.1:9"  # nobody listens: what is tracked waits


def run(out, *words, file=TINY):
    """An ensemble in this process: its exit code, standard error and folder."""
    code, _, err = touchstone("ensemble", file, "--out", out, "--jobs", 1, "-q", *words)
    return code, err, next(iter(sorted((Path(out) / "ensembles").glob("*"))), None)


def read(folder):
    return EnsembleResult.model_validate_json((folder / "result.json").read_bytes())


def book_of(out):
    return SqliteLedger(Path(out) / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    out = tmp_path_factory.mktemp("ensemble")
    code, err, folder = run(out, *FEW, "--tracking", NOWHERE)
    assert code == 0, err
    return out, folder, read(folder)


@pytest.fixture(scope="module")
def fitted(ended):
    """The same members from the cache, with the market that they were fitted on."""
    out = ended[0]
    asked, cache = read_ensemble(TINY), StageCache(out / ".touchstone" / "cache")
    prepared = prepare(asked.study, *load(asked.study, Silent()), cache, Silent())
    resources = Resources(cache, ledger_of(Workspace(out)), Silent(), 1)
    folds = [(f"fold {i + 1}", f) for i, f in enumerate(prepared.folds.folds)]
    return asked, prepared, fit_members(asked, prepared, folds, resources)


def test_members_and_ensembles_are_compared_on_the_same_days(ended):
    _, _, found = ended
    assert [m.name for m in found.members] == ["logistic", "lightgbm", "wild"]
    assert {e.figures.name for e in found.ensembles} == {"mean", "online", "stack", "pruned"}
    assert found.best in [m.name for m in found.members]
    ranks = [e.figures.validation_pr_auc for e in found.ensembles]
    assert ranks == sorted(ranks, reverse=True)
    best = next(m for m in found.members if m.name == found.best)
    assert best.validation_pr_auc == max(m.validation_pr_auc for m in found.members)
    for one in found.ensembles:
        v = one.versus
        assert v.difference == pytest.approx(one.figures.sharpe - best.sharpe)
        assert v.pr_auc == pytest.approx(one.figures.pr_auc - best.pr_auc)
        assert v.interval[0] <= v.difference <= v.interval[1]
        assert v.p <= v.adjusted <= 1
        assert v.better == (v.adjusted < 0.05 and v.difference > 0)
        assert v.gain == pytest.approx(v.difference / best.sharpe)
        assert v.reaches_target == (v.gain >= 0.3)
    in_hindsight = max(found.members, key=lambda m: m.sharpe)
    assert found.best_on_test == in_hindsight.name


def test_weights_that_stay_within_a_fold_are_alike_in_calm_and_in_wild_rows(ended):
    for one in ended[2].ensembles:
        cells = np.array(one.weights.by_volatility)
        assert cells.shape == (3, 3)  # members, thirds
        assert (np.ptp(cells, axis=1).max() > 1e-9) == (one.figures.name == "online")


def test_holm_counts_every_ensemble(ended):
    from touchstone.validation.multiple import holm

    p = {e.figures.name: (e.versus.p, e.versus.adjusted) for e in ended[2].ensembles}
    np.testing.assert_allclose(holm(np.array([a for a, _ in p.values()])),
                               [b for _, b in p.values()])  # fmt: skip


def test_one_sweep_holds_members_and_ensembles_and_nobody_looked_behind_the_seal(ended):
    out, _, found = ended
    kinds = [row.kind for row in book_of(out).rows()]
    assert kinds.count("sweep") == 1
    assert not {"look", "repeat", "run"} & set(kinds)
    assert found.n_candidates == (3 + 4) * 2  # with each margin
    blocks_and_students = 3 * 2 + 2
    assert kinds.count("fit") == 3 * 2 + blocks_and_students


def test_a_member_that_is_nothing_special_is_the_studys_own_candidate(ended, fitted):
    out, (asked, prepared, _) = ended[0], fitted
    held = {one.fingerprint for one in book_of(out).candidates(decide.tested_span(prepared))}
    assert len(held) == ended[2].n_candidates
    strategies = asked.study.config.strategy.candidates()
    for name, member in asked.members:
        study = asked.alone(member.model)
        own = {
            decide.candidate_fingerprint(study, prepared.panel, member.model, s) for s in strategies
        }
        assert len(own) == len(strategies)
        if name != "wild":  # whose model is that of `logistic`, fitted to fewer rows
            assert own <= held, name


def test_a_finished_ensemble_is_shown_and_again_gives_the_same(ended):
    out, folder, found = ended
    code, text, err = touchstone("ensemble", TINY, "--out", out, *FEW)
    assert (code, "--again repeats it" in err) == (0, True)
    assert "Better than the best member" in text
    assert "Target +30%" in text
    n_fits = [row.kind for row in book_of(out).rows()].count("fit")
    code, err, again = run(out, *FEW, "--again")
    assert (code, again) == (0, folder)
    assert json.dumps(without_machine(read(again))) == json.dumps(without_machine(found))
    assert [row.kind for row in book_of(out).rows()].count("fit") == n_fits  # all cached
    assert touchstone("ledger", "verify", "--out", out)[0] == 0


def test_the_page_says_what_the_result_says(ended):
    _, folder, found = ended
    html = (folder / "report.html").read_text()
    assert "A comparison, no verdict" in html
    assert "Ledoit-Wolf p below 0.05 after Holm over" in html
    from touchstone.reports.ensemble_page import headline

    assert headline(found) in html
    for file in ("result.json", "run.json", "student.yaml"):
        assert f'href="{file}"' in html
    forced = [e.model_copy(update={"versus": e.versus.model_copy(update={"better": i < 1})})
              for i, e in enumerate(found.ensembles)]  # fmt: skip
    assert "is better than" in headline(found.model_copy(update={"ensembles": tuple(forced)}))
    nobody = [e.model_copy(update={"versus": e.versus.model_copy(update={"better": False})})
              for e in found.ensembles]  # fmt: skip
    told = headline(found.model_copy(update={"ensembles": tuple(nobody)}))
    assert told.startswith("None of")


def test_what_waits_for_tracking_is_the_ensemble_and_its_members_fits(ended):
    _, folder, found = ended
    [batch] = Queue(folder).waiting()
    parent, *fits = batch.runs
    assert parent.tags["touchstone.kind"] == "ensemble"
    assert parent.tags["touchstone.best_member"] == found.best
    assert {f.name for f in fits} == {f"{m.name} fold {k}" for m in found.members for k in (1, 2)}


def test_a_student_is_an_ordinary_model_with_an_artifact_of_its_own(ended):
    _, folder, found = ended
    student = found.student
    assert student.teacher == found.ensembles[0].figures.name  # best on validation rows
    assert student.folds == (2,)
    assert student.kept == pytest.approx(student.pr_auc / student.ensemble_pr_auc)
    assert student.taught == pytest.approx(student.pr_auc - student.untaught_pr_auc)
    artifact = load_artifact(folder / student.artifacts[0])  # golden rows included
    assert artifact.decider.fitted.config.kind == "mlp"
    code, _, err = touchstone("check", folder / student.file)
    assert code == 0, err


def test_a_specialist_sees_its_rows_alone(fitted):
    _, prepared, _ = fitted
    train = prepared.folds.folds[0].train
    value = column("std(ret, 48)", prepared.panel)[train]
    rows = member_rows(prepared, Slice(of="std(ret, 48)", above=0.5), train)
    finite = np.isfinite(value)
    assert 0.49 < rows.size / finite.sum() < 0.51
    assert column("std(ret, 48)", prepared.panel)[rows].min() >= np.median(value[finite])
    low = member_rows(prepared, Slice(of="std(ret, 48)", below=0.5), train)
    assert not np.intersect1d(low, rows).size
    assert np.array_equal(np.union1d(low, rows), train[finite])


def told(fitted, number=0):
    asked, prepared, learned = fitted
    fold = prepared.folds.folds[number]
    return [
        asked_of(asked, prepared, rows, [getattr(fits[number], part) for fits in learned], {})
        for rows, part in ((fold.validate, "validate"), (fold.test, "test"))
    ]


def test_halves_share_no_outcome(fitted):
    validate, _ = told(fitted)
    instant, known = validate.members.instant, validate.outcomes.known
    spoken = np.zeros(instant.size, int)
    for learns, speaks in halves(validate.members, validate.outcomes):
        spoken += speaks
        assert not (learns & speaks).any()
        assert learns.sum() > 0.8 * (~speaks).sum()
        before = known[learns].max() < instant[speaks].min()
        after = instant[learns].min() > known[speaks].max()
        assert before or after
    assert (spoken == 1).all()


def test_outcomes_behind_the_seal_are_never_known(fitted):
    _, prepared, _ = fitted
    _, test = told(fitted, 1)
    late = ~prepared.open_labels[test.rows]
    assert late.any()
    assert (test.outcomes.known[late] == np.iinfo(np.int64).max).all()
    assert not test.outcomes.realised[late].any()


@pytest.mark.parametrize("kind", ["mean", "online", "stack"])
def test_what_comes_later_changes_no_earlier_score(fitted, kind):
    """Planted: the outcomes of the last test rows are turned around."""
    validate, test = told(fitted)
    config = ENSEMBLES.parse({"kind": kind})
    cut = np.median(test.members.instant)
    late = test.outcomes.known > cut
    turned = test.outcomes._replace(
        outcome=np.where(late, -test.outcomes.outcome, test.outcomes.outcome).astype(np.int8)
    )
    one = fit_on_fold(config, False, (validate, test), 7)
    other = fit_on_fold(config, False, (validate, test._replace(outcomes=turned)), 7)
    early = test.members.instant <= cut
    np.testing.assert_array_equal(one.test[early], other.test[early])
    changed = not np.array_equal(one.test, other.test)
    assert changed == (kind == "online")  # the others learn nothing on test rows
    assert np.isfinite(one.validate).all()
    np.testing.assert_allclose(one.validate.sum(1), 1)


def test_a_teachers_blocks_hide_every_row_that_shares_time(fitted):
    _, prepared, _ = fitted
    fold = prepared.folds.folds[0]
    available, exits = prepared.panel.available_at, prepared.labels.exit
    parts = blocks(prepared, fold, 3)
    np.testing.assert_array_equal(np.sort(np.concatenate([s for _, s in parts])), fold.train)
    for learns, speaks in parts:
        begins, ends = available[speaks].min(), available[exits[speaks]].max()
        inside = (available[exits[learns]] >= begins) & (available[learns] <= ends)
        assert not inside.any()
        assert np.isin(learns, fold.train).all()
    with pytest.raises(DataError, match="lower blocks"):
        blocks(prepared, fold._replace(train=fold.train[:5]), 3)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("members=[{model: logistic}]", "needs two members"),
        ("members=[{model: logistic, name: a}, {model: mlp, name: a}]", "a comes twice"),
        ("ensembles=[mean, vote, mean]", "two are the same mean"),
        ("members=[{model: logistic}, {model: {kind: mlp, head: buy}}]", "different outcomes"),
        ("members=[{model: logistic}, {model: ensemble}]", "ensemble is an ensemble itself"),
        ("members=[{model: logistic}, {model: mlp, lookback: 99}]", "longer than the study's 8"),
        ("distil.student={kind: logistic}", "learned by networks alone"),
        ("distil.ensemble=nobody", "no ensemble is called 'nobody'"),
        ("ensembles=[meen]", "Did you mean 'mean'"),
        ("choose_by=luck", "choose_by"),
        ("members.2.rows.above=1.0", "does not lie below"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(setting, words):
    from touchstone.pipelines.study import parse_overrides

    with pytest.raises(ConfigError, match=words):
        read_ensemble(TINY, parse_overrides([setting]))


def test_what_the_market_must_tell_is_refused_before_anything_is_fitted(tmp_path):
    for setting, words in (
        ("members.2.rows.of=nothing(close)", "members: wild: rows.of"),
        ("members.0.label={kind: triple_barrier, take_profit: 2, stop_loss: 1, horizon: 24, "
         "width: 'std(close / lag(close, 1) - 1, 48) * sqrt(8)'}", "is known later"),
    ):  # fmt: skip
        code, err, folder = run(tmp_path, *FEW, "--set", setting)
        assert (code, folder) == (2, None), err
        assert words in err


def test_a_member_may_have_a_shorter_window_and_label(ended):
    out = ended[0]
    short = ("{kind: triple_barrier, take_profit: 2, stop_loss: 1, horizon: 4, "
             "width: 'std(close / lag(close, 1) - 1, 48) * sqrt(8)'}")  # fmt: skip
    words = ("--set", "name=short", "--set", "distil=null", "--set", "ensembles=[mean]")
    code, err, _ = run(out, *words, "--set", f"members.2.label={short}",
                       "--set", "members.2.lookback=2", "--set", "members.2.rows=null")  # fmt: skip
    assert code == 0, err
    folder = next((Path(out) / "ensembles").glob("short-*"))
    found = read(folder)
    assert found.student is None
    wild = found.members[2]
    assert (wild.config["lookback"], wild.config["label"]["horizon"]) == (2, 4)
