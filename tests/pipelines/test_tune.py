"""A search whole: its trials, what the ledger holds of them, and going on after it was stopped."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from small import SMALL, touchstone
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.drive import HaltError
from touchstone.pipelines.learn import learn
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import Ask
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.tune import tune
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.tune_trial import fold_tasks, on_the_way
from touchstone.pipelines.tune_values import account, broken, by_fold, enter, validated_span
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.tune import TuneResult
from touchstone.training import TrainingConfig
from touchstone.training.progress import Watch
from touchstone.tuning.by_number import drawn
from touchstone.tuning.space import spaces
from touchstone.validation.ledger import SqliteLedger

STUDY = {k: v for k, v in SMALL.items() if k != "models"} | {
    "bars": {"source": "simulated", "market": {"n_instruments": 3, "n_bars": 2500, "ic": 0.3}},
    "folds": {"kind": "walk_forward", "train": "expanding", "validate": "12d", "test": "8d",
              "folds": 2, "sealed": "15d"},
}  # fmt: skip
TUNE = {
    "name": "small",
    "study": STUDY,
    "models": [{"kind": "lightgbm", "rounds": 12, "look_every": 4},
               {"kind": "logistic", "max_iterations": 8}],
    "method": {"kind": "trials", "trials": 5, "sampler": {"kind": "tpe", "startup": 2},
               "pruner": {"kind": "median", "startup": 2, "warmup": 0}},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tune")


def asked(folder, **changes):
    """The search as a file of its own name, keys changed, read."""
    path = folder / f"{len(list(folder.glob('*.yaml')))}.yaml"
    path.write_text(yaml.safe_dump(TUNE | changes))
    return path


class Stops(Silent):
    """Somebody who presses Ctrl-C when so many units are done."""

    def __init__(self, after):
        self.left = after

    def stage(self, name, total=1):
        del name, total
        return _Stage(self)


class _Stage(Silent):
    def __init__(self, whose):
        self._whose = whose

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def done(self, text):
        if text.startswith("trial"):
            self._whose.left -= 1
            if self._whose.left == 0:
                raise KeyboardInterrupt


def run(path, out, progress=None, jobs=1):
    return tune(read_tune(path), Ask(Workspace(out), jobs, "touchstone tune"),
                progress or Silent(), [])  # fmt: skip


def book_of(out):
    return SqliteLedger(Path(out) / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")


def told(result):
    """Without what another hour measures otherwise."""
    return result.model_copy(update={"machine": {}})


def fits_of(out):
    return [json.loads(r.facts) for r in book_of(out).rows() if r.kind == "fit"]


@pytest.fixture(scope="module")
def ended(folder):
    out = folder / "ended"
    path = asked(folder)
    return path, out, run(path, out)


def test_every_architecture_has_its_trials_and_a_winner(ended):
    _, _, found = ended
    result = found.result
    assert [s.name for s in result.searches] == ["lightgbm", "logistic"]
    for search in result.searches:
        assert [t.number for t in search.trials] == list(range(5))
        assert {key.key for key in search.space} == set(search.trials[0].params)
        whole = [t for t in search.trials if t.state == "complete"]
        best = max(whole, key=lambda t: t.values[0])
        assert search.best == (best.number,)
        # The winner's checkpoints are the trial's own fits: measured again they are worth the same.
        checkpoint = search.winner.versions[0]
        assert checkpoint.mean == pytest.approx(best.values[0], abs=1e-12)
        assert len(checkpoint.by_fold) == result.data["n_folds"] == 2
        assert (found.folder / search.winner.file).is_file()
    for name in ("report.html", "result.json", "run.json", "tune.json"):
        assert (found.folder / name).is_file()
    read = TuneResult.model_validate_json((found.folder / "result.json").read_bytes())
    assert read == result


def test_every_trial_is_one_row_of_the_ledger_before_the_seal(ended):
    _, out, found = ended
    book = book_of(out)
    assert book.verify() == ()
    sweeps = [json.loads(r.facts) for r in book.rows() if r.kind == "sweep"]
    assert len(sweeps) == 10
    names = Counter(c["fingerprint"] for row in sweeps for c in row["candidates"])
    assert set(names.values()) == {1}
    assert found.result.n_candidates == len(names) == 10
    sealed = np.datetime64(found.result.data["sealed_from"]).astype("datetime64[ns]")
    for row in sweeps:
        assert row["span"]["end"] <= sealed.astype(np.int64) + 86_400_000_000_000
        assert all(c["daily_sharpe"] is None for c in row["candidates"])  # no account was asked for


def test_a_pruned_trial_ends_within_the_epoch_and_is_counted(ended):
    _, out, found = ended
    pruned = [t for s in found.result.searches for t in s.trials if t.state == "pruned"]
    assert pruned, "the fixture prunes"
    stopped = [f for f in fits_of(out) if f["status"] == "stopped"]
    at = {f"epoch {f['epochs']} of " if f["epochs"] else "" for f in stopped}
    assert len(stopped) <= len(pruned)
    for trial in pruned:
        assert trial.values == ()
        assert trial.reason.startswith("behind the others at")
        assert trial.steps
    assert all(any(a in t.reason for t in pruned) for a in at)


def test_a_finished_search_is_shown_again_and_repeated_when_asked(ended):
    path, out, found = ended
    n_rows = len(book_of(out).rows())
    code, said, err = touchstone("tune", path, "--out", out, "--jobs", 1, "-q")
    assert code == 0
    assert "run on these data before" in err
    assert "lightgbm" in said
    assert len(book_of(out).rows()) == n_rows
    code, said, err = touchstone("tune", path, "--out", out, "--jobs", 1, "--again", "--json")
    assert code == 0, err
    assert told(TuneResult.model_validate_json(said)) == told(found.result)
    # The trials were tried once, however often: nothing new was counted.
    assert len([r for r in book_of(out).rows() if r.kind == "sweep"]) == 10


@pytest.mark.parametrize("after", [1, 4])
def test_a_search_that_is_stopped_anywhere_ends_as_one_that_was_not(ended, folder, after):
    _, whole, found = ended
    out = folder / f"stopped {after}"
    shutil.copytree(whole / ".touchstone" / "cache", out / ".touchstone" / "cache",
                    ignore=shutil.ignore_patterns("models"))  # fmt: skip
    path = asked(folder, models=TUNE["models"][:1])
    with pytest.raises(KeyboardInterrupt):
        run(path, out, Stops(after))
    assert not list((out / "tunes").glob("*/result.json"))
    again = run(path, out)
    assert again.result.searches == found.result.searches[:1]
    sweeps = [r for r in book_of(out).rows() if r.kind == "sweep"]
    assert len(sweeps) == 5


def test_more_trials_go_on_where_fewer_ended(ended, folder):
    _, out, found = ended
    n_fits = len(fits_of(out))
    method = TUNE["method"] | {"trials": 6}
    more = run(asked(folder, method=method, models=TUNE["models"][:1], seeds=3), out)
    fewer = run(asked(folder, models=TUNE["models"][:1]), out)
    assert more.result.searches[0].trials[:5] == fewer.result.searches[0].trials
    assert fewer.result.searches[0].trials == found.result.searches[0].trials
    # One trial of two folds more, and at most its winner's three versions.
    assert len(fits_of(out)) - n_fits <= 2 + 6


def test_accounts_are_searched_with_bounds_and_every_margin_is_counted(folder, ended):
    _, out, _ = ended
    method = {"kind": "trials", "trials": 3, "sampler": "random"}
    some = {"models": TUNE["models"][:1], "method": method, "objectives": ["sharpe", "log_loss"]}
    n = len([r for r in book_of(out).rows() if r.kind == "sweep"])
    found = run(asked(folder, **some, constraints={"max_drawdown": 0.9, "min_trades": 1}), out)
    result = found.result
    assert result.directions == ("higher", "lower")
    assert result.pruner == "none"
    (search,) = result.searches
    for trial in search.trials:
        assert set(trial.constraints) == {"max_drawdown", "min_trades"}
        assert 0 <= trial.constraints["max_drawdown"] < 1
        kept = trial.constraints["max_drawdown"] <= 0.9 and trial.constraints["min_trades"] >= 1
        assert trial.state == ("complete" if kept else "infeasible")
    rows = [json.loads(r.facts) for r in book_of(out).rows() if r.kind == "sweep"][n:]
    assert [len(row["candidates"]) for row in rows] == [2, 2, 2]  # two margins
    assert all(c["daily_sharpe"] is not None or c["n_trades"] == 0
               for row in rows for c in row["candidates"])  # fmt: skip
    none = run(asked(folder, **some, constraints={"min_trades": 1e6}), out).result
    assert {t.state for t in none.searches[0].trials} == {"infeasible"}
    assert none.searches[0].best == ()
    assert none.searches[0].winner is None
    assert any("breaks a bound" in note for note in none.notes)


@pytest.fixture(scope="module")
def market(folder, ended):
    """A study of one model, its market, and its fits."""
    _, out, _ = ended
    search = read_tune(asked(folder, models=TUNE["models"][:1]))
    study = search.alone(search.study.config.models[0])
    book, cache = MemoryLedger(), StageCache(Workspace(out).cache)
    prepared = prepare(study, *load(study, Silent(), cache), cache, Silent())
    resources = Resources(cache, lambda: book, Silent(), 1, folder / "checkpoints")
    tasks = fold_tasks(study, prepared)
    return study, prepared, resources, learn(study, prepared, tasks, resources)


def test_a_watched_fit_ends_at_the_epoch_it_is_ended_and_leaves_nothing(market):
    study, prepared, resources, fits = market
    model = study.config.models[0].model_copy(update={"leaves": 9})
    seen = []

    def watch(name, history):
        seen.append((name, [at for at, _ in history]))
        if history[-1][0] == 12:
            raise HaltError("enough")

    task = fold_tasks(study, prepared)[0]._replace(model=model)
    with pytest.raises(HaltError):
        learn(study, prepared, [task], resources, watch)
    assert seen == [("fold 1", [4]), ("fold 1", [4, 8]), ("fold 1", [4, 8, 12])]
    facts = [facts for kind, _, _, facts in resources.ledger().rows if kind == "fit"][-1]
    assert (facts["status"], facts["epochs"]) == ("stopped", 12)
    assert not any(resources.checkpoints.glob("*/*"))
    assert len(fits) == 2


def test_an_account_is_that_of_the_best_margin_and_its_bounds_are_measured_on_it(market):
    study, prepared, _, fits = market
    found = account(study, prepared, fits)
    assert len(found.candidates) == 2
    assert found.sharpe == by_fold("sharpe", study, prepared, fits)
    alone = []
    for margin in (0, 20):
        strategy = study.config.strategy.model_copy(update={"margin_bp": (float(margin),)})
        one = study._replace(config=study.config.model_copy(update={"strategy": strategy}))
        alone.append(account(one, prepared, fits))
    assert np.mean(found.sharpe) == max(np.mean(one.sharpe) for one in alone)
    assert [c.daily_sharpe for c in found.candidates] == [a.candidates[0].daily_sharpe
                                                          for a in alone]  # fmt: skip
    limits = {"max_drawdown": found.max_drawdown, "min_trades": found.n_trades + 1.0}
    assert broken(limits, found) == {"max_drawdown": 0.0, "min_trades": 1.0}
    idle = found._replace(win_rate=None)
    assert broken({"min_win_rate": 0.4}, idle) == {"min_win_rate": 0.4}


def test_what_was_tried_is_written_once(market):
    study, prepared, _, fits = market
    book, tried = MemoryLedger(), account(study, prepared, fits).candidates
    for _ in range(3):
        enter(book, study, prepared, tried)
    assert len(book.rows) == 1
    assert set(book.candidates(validated_span(prepared))) == set(tried)
    enter(book, study, prepared, tuple(c._replace(n_trades=c.n_trades + 1) for c in tried))
    assert len(book.rows) == 2  # another score is news


@pytest.mark.parametrize("objective", ["pr_auc", "f1", "log_loss", "sharpe"])
@pytest.mark.parametrize("metric", ["pr_auc", "log_loss"])
def test_pruning_goes_the_way_of_the_objective(objective, metric):
    name, sign = on_the_way(objective, TrainingConfig(metric=metric))
    own = name.removeprefix("validate_")
    assert own == (metric if objective == "sharpe" else objective)
    worse, better = (1.0, 2.0) if Watch(own, 1.0).see(1, 2.0) else (2.0, 1.0)
    maximised = objective != "log_loss"
    assert (sign * better > sign * worse) == maximised


WRONG = {
    "key": (["--set", "methd=3"], "Did you mean 'method'"),
    "sampler": (["--set", "method.sampler.kind=tpee"], "Did you mean 'tpe'"),
    "objective": (["--set", "objectives=[sharp]"], "sharpe"),
    "twice": (["--set", "objectives=[f1, f1]"], "comes twice"),
    "space": (["--set", "space.lightgbm.leavs=3"], "Did you mean 'leaves'"),
    "trials": (["--set", "method.trials=0"], "greater than 0"),
    "storage": (["--storage", "trials.db"], "needs an address"),
    "backend": (["--backend", "slurm"], "'processes' or 'ray'"),
    "pruner": (["--set", "objectives=[f1, pr_auc]", "--set", "method.pruner.kind=median"],
               "several objectives"),
    "all": (["--set", "models=[{kind: transformer, width: 16}]",
             "--set", "space={transformer: {width: 16, heads: [3, 5]}}"], "every trial failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_in_a_sentence(ended, folder, name):
    _, out, _ = ended
    words, said = WRONG[name]
    path = asked(folder, method={"kind": "trials", "trials": 2, "sampler": {"kind": "tpe"}})
    code, _, err = touchstone("tune", path, "--out", out, "--jobs", 1, "-q", *words)
    assert code != 0
    assert said in err
    assert "Traceback" not in err


def test_help_teaches():
    code, said, _ = touchstone("tune", "--help")
    assert code == 0
    for word in ("TUNE.yaml", "--storage", "--backend", "--again", "ledger", "Example"):
        assert word in said
    assert "'without=[hybrid]'" in said


def test_the_example_searches_every_architecture_that_has_settings():
    example = Path(__file__).parents[2] / "examples" / "tune.yaml"
    search = read_tune(example)
    names = model_names(search.study.config)
    assert set(names) == set(MODELS.kinds()) - {"ensemble"}
    models = dict(zip(names, search.study.config.models, strict=True))
    found = spaces(models, search.study.config.training, search.config.space)
    # As its first lines say: of what is left out the space may still speak.
    fewer = read_tune(example, {"without": ["hybrid", "transformer"]})
    assert set(search.config.space) - set(fewer.config.sought) == {"hybrid", "transformer"}
    some = {kind: models[kind] for kind in models if kind not in ("hybrid", "transformer")}
    assert set(spaces(some, fewer.study.config.training, fewer.config.sought)) == set(some)
    for name, space in found.items():
        for number in range(30):
            model, _ = space.configs(space.settings(drawn(1, number, space.distributions)))
            assert model.kind == name
