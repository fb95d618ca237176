"""Populations on a market: a path means the same however it was come by; counted, and resumed."""

import hashlib
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from real_data import DATA
from rewritten import rewritten
from touchstone import training
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError
from touchstone.ledger import MemoryLedger
from touchstone.metrics.classification import pr_auc
from touchstone.models import MODELS, Shape, restore
from touchstone.models.scoring import score
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Task, fit_and_score
from touchstone.pipelines.population_members import Population, Stride, _driven, _name
from touchstone.pipelines.population_members import told as as_text
from touchstone.pipelines.population_space import STILL, movable
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import Ask, ledger_of
from touchstone.pipelines.shelf import Resources, columns_of
from touchstone.pipelines.study import read_study
from touchstone.pipelines.tune import tune
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.tune_values import by_fold
from touchstone.pipelines.workspace import Workspace
from touchstone.registry import checkpoints
from touchstone.seeding import derive
from touchstone.training import TrainingConfig
from touchstone.training.weights import TENSORS
from touchstone.tuning.population import ROW, Turn
from touchstone.tuning.space import space_of
from touchstone.validation.ledger import SqliteLedger

EXAMPLES = Path(__file__).parents[2] / "examples"
NETWORKS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs == "window"]
MEMBERS, GENERATIONS, FOLDS = 3, 3, 2


def settings_of(**more):
    study = yaml.safe_load((EXAMPLES / "campaign_tiny.yaml").read_text())["study"]
    method = {"kind": "population", "members": MEMBERS, "generations": GENERATIONS, "epochs": 1}
    told = {
        "name": "grown", "study": study, "models": [{"kind": "mlp", "hidden": [8]}],
        "budget": {"rows": 300, "patience": 1}, "method": method,
    }  # fmt: skip
    return told | more


def written(folder, **more):
    path = Path(folder) / "grown.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(settings_of(**more)))
    return path


def run(out, jobs=1, again=False, **more):
    asked = read_tune(written(out, **more))
    return tune(asked, Ask(Workspace(Path(out)), jobs, "touchstone tune", again), Silent(), [])


def book_of(out):
    return SqliteLedger(Path(out) / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")


def rows_of(out):
    """Rows of the ledger about members, and every counted candidate, in an order of their own."""
    rows = [row for row in book_of(out).rows() if row.kind == ROW]
    trials = sorted(json.dumps(json.loads(row.facts), sort_keys=True) for row in rows)
    counted = [c for row in book_of(out).rows() if row.kind == "sweep"
               for c in json.loads(row.facts)["candidates"]]  # fmt: skip
    return trials, sorted({json.dumps(c, sort_keys=True) for c in counted})


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    out = tmp_path_factory.mktemp("grown")
    return out, run(out)


def test_every_member_of_every_generation_is_there_and_has_an_ancestor_in_generation_0(ended):
    _, done = ended
    (found,) = done.result.populations
    by = {(life.generation, life.member): life for life in found.lives}
    assert set(by) == set(itertools.product(range(GENERATIONS), range(MEMBERS)))
    for (generation, _), life in by.items():
        assert (life.source is None) == (generation == 0)
        at = life
        while at.source is not None:
            source = by[at.generation - 1, at.source]
            if at.source == at.member:
                assert at.settings == source.settings
            at = source
        assert at.generation == 0
    assert sum(life.source not in (None, life.member) for life in found.lives) == GENERATIONS - 1
    own = {"dropout": 0.2, "training.learning_rate": 2e-3, "training.weight_decay": 1e-2}
    assert by[0, 0].settings == own
    values = [life.value for life in found.lives]
    assert found.winner.value == max(values)
    assert found.winner.value == by[found.winner.generation, found.winner.member].value
    assert found.winner.value == pytest.approx(np.mean(found.winner.by_fold))
    assert found.fixed.value == max(life.value for life in found.alone)
    assert [a.generation for a in found.ancestors] == list(range(found.winner.generation + 1))
    assert found.ancestors[-1].member == found.winner.member
    assert found.interval[0] <= found.difference <= found.interval[1]
    assert found.difference == pytest.approx(found.winner.test - found.fixed.test)


def test_members_left_alone_keep_their_settings_and_begin_as_the_others_did(ended):
    (found,) = ended[1].result.populations
    first = [life for life in found.lives if life.generation == 0]
    assert [life for life in found.alone if life.generation == 0] == first
    for life in found.alone:
        assert life.settings == first[life.member].settings
        assert life.source in (None, life.member)


def test_the_winners_study_holds_its_last_settings_and_can_be_run(ended):
    _, done = ended
    (found,) = done.result.populations
    study = read_study(str(done.folder / found.file))
    last = found.ancestors[-1].settings
    (model,) = study.config.models
    assert model.dropout == last["dropout"]
    assert model.hidden == (8,)
    assert study.config.training.learning_rate == last["training.learning_rate"]
    assert study.config.training.epochs == GENERATIONS
    assert [a.seed for a in found.again] == [8, 9, 10]
    text = (done.folder / "report.html").read_text()
    assert "A schedule, no recipe" in text
    assert done.lines[0].startswith("MLP: PR-AUC")


def test_the_winners_own_weights_stay_and_no_others_do(ended):
    out, done = ended
    (found,) = done.result.populations
    kept = list((out / ".touchstone" / "checkpoints").glob("*/generation*"))
    n_ends = {(found.winner.generation, found.winner.member)}
    n_ends.add((found.fixed.generation, found.fixed.member))
    assert FOLDS <= len(kept) <= 2 * FOLDS
    for path in kept:
        about = checkpoints.read(path).about
        name = f"generation{about.epoch - 1:04d}_"
        assert path.name.startswith(name)
        assert any(f"generation {g}" in about.fit and f"member {m}," in about.fit
                   for g, m in n_ends)  # fmt: skip


def test_the_winners_weights_lie_beside_the_result_and_score_its_validation_rows(ended, by_hand):
    _, done = ended
    (found,) = done.result.populations
    prepared, values = by_hand.prepared, []
    columns = columns_of(by_hand.ground.shelf)
    for i, fold in enumerate(prepared.folds.folds, start=1):
        place = done.folder / "winners" / "mlp" / f"fold-{i}"
        facts = json.loads((place / "fit.json").read_text())
        content = {path.name: path.read_bytes() for path in place.iterdir()}
        own = {name: hashlib.sha256(content[name]).hexdigest() for name in facts["files"]}
        assert {*facts["files"], "fit.json"} == set(content)
        assert own == facts["files"]
        won = f"generation {found.winner.generation}, member {found.winner.member}"
        assert facts["version"] == won
        assert facts["epochs"] == found.winner.generation + 1
        network = restore(MODELS.parse(facts["model"]), Shape(*facts["shape"]), content)
        number = known_first(columns.begun, fold.spans.train_end)[columns.asset_id]
        scaler = Scaler.from_json(content["scaler.json"].decode())
        windows = Windows(columns.features, number, network.shape.lookback, scaler)
        said = score(network, windows, fold.validate)[:, -1]
        values.append(pr_auc(said, prepared.labels.outcome[fold.validate] == 1))
    assert values == list(found.winner.by_fold)


def test_nothing_behind_the_validation_rows_changes_what_a_member_is_worth(tmp_path):
    """Features, outcomes and returns from the last fold's first test row on are drawn anew."""

    def scrambled(prepared, config, cache):
        rng, last, labels = np.random.default_rng(3), prepared.folds.folds[-1], prepared.labels
        late = prepared.panel.time >= prepared.panel.time[last.test].min()
        features = np.array(prepared.features)
        features[late] = rng.standard_normal((late.sum(), features.shape[1]))
        outcome, realised = np.array(labels.outcome), np.array(labels.realised)
        outcome[late] = rng.permutation(outcome[late])
        realised[late] = rng.permutation(realised[late])
        told = labels._replace(outcome=outcome, realised=realised)
        return rewritten(prepared, config, cache, (features, told))

    both = [
        members_of(tmp_path / "as it is"),
        members_of(tmp_path / "scrambled", changed=scrambled),
    ]
    ends = [walked(members, (0, OWN), (1, FAST)) for members in both]
    assert ends[0].value == ends[1].value
    said = [members.fits(end.state)[-1] for members, end in zip(both, ends, strict=True)]
    assert said[0].files == said[1].files
    assert not np.array_equal(said[0].test, said[1].test), "otherwise nothing was scrambled"


def test_the_ledger_has_every_member_once_however_often_it_is_walked(ended):
    out, done = ended
    (found,) = done.result.populations
    trials, counted = rows_of(out)
    lives = {
        json.dumps([x.generation, x.member, x.source, dict(x.settings), x.value])
        for x in (*found.lives, *found.alone)
    }
    assert len(trials) == len(lives)
    again = run(out, again=True)
    assert again.result == done.result
    assert rows_of(out) == (trials, counted)
    # Every distinct course of settings is a candidate; the margins of the two that were
    # compared on test rows come on top.
    courses = {tuple(json.dumps(dict(a.settings)) for a in line_of(found.lives, life))
               for life in found.lives}  # fmt: skip
    courses |= {(json.dumps(dict(life.settings)),) for life in found.alone}
    distinct = {c if len(set(c)) > 1 else c[:1] for c in courses}
    no_score = [c for c in counted if json.loads(c).get("daily_sharpe", 0) is None]
    assert done.result.n_candidates >= len(distinct)
    assert len(no_score) >= len(distinct)


def line_of(lives, life):
    by = {(x.generation, x.member): x for x in lives}
    line = [life]
    while line[0].source is not None:
        line.insert(0, by[line[0].generation - 1, line[0].source])
    return line


def members_of(out, objective="pr_auc", changed=None, **more):
    """The same members as a search has, to walk by hand."""
    asked = read_tune(written(out, **more))
    workspace = Workspace(Path(out))
    resources = Resources(
        StageCache(workspace.cache), ledger_of(workspace), Silent(), 1, workspace.checkpoints
    )
    loaded, data = load(asked.study, Silent(), resources.cache)
    prepared = prepare(asked.study, loaded, data, resources.cache, Silent())
    if changed is not None:
        prepared = changed(prepared, asked.study.config, resources.cache)
    (model,) = asked.study.config.models
    space = space_of(model, asked.study.config.training, {}, "space")

    def values(study, fits):
        return by_fold(objective, study, prepared, fits)

    study, by = asked.alone(model), (resources, "by hand")
    return Population(study, prepared, space, (1, GENERATIONS), by, values)


@pytest.fixture(scope="module")
def by_hand(ended):
    return members_of(ended[0])


OWN = {"dropout": 0.2, "training.learning_rate": 2e-3, "training.weight_decay": 1e-2}
FAST = {**OWN, "training.learning_rate": 9e-3}


def walked(members, *strides):
    state = None
    for number, (member, told) in enumerate(strides):
        (end,) = members.advance([Turn(number, member, told, state)])
        state = end.state
    return end


def test_a_path_of_the_same_settings_is_the_uninterrupted_fit_bit_for_bit(by_hand):
    end = walked(by_hand, *[(1, OWN)] * GENERATIONS)
    fits = by_hand.fits(end.state)
    for task, fit in zip(by_hand.tasks, fits, strict=True):
        seed = derive(by_hand.ground.config.seed, "population", 1, task.name)

        def whole(job, beside, seed=seed):
            del beside
            this = job._replace(seed=seed, epochs=GENERATIONS)
            done, _, history = _driven(this, MemoryLedger())
            return done, history

        once = fit_and_score(
            by_hand.ground.config, Task(task.model, task.fold, task.name),
            columns_of(by_hand.ground.shelf), by_hand.ground.data, whole,
        )  # fmt: skip
        assert once.files == fit.files
        assert (once.validate == fit.validate).all()
        assert once.history == fit.history


def test_a_copy_goes_on_from_the_very_bits_of_its_source(by_hand):
    first = walked(by_hand, (1, FAST))
    state = checkpoints.read(by_hand.folders[0] / _name(first.state)).state
    turns = [Turn(1, 1, FAST, first.state), Turn(1, 2, OWN, first.state)]
    on, copy = by_hand.advance(turns)
    assert copy.state[0] == on.state[0] == Stride(1, as_text(FAST))
    after = checkpoints.read(by_hand.folders[0] / _name(first.state)).state
    assert after[TENSORS] == state[TENSORS], "handed to two, changed under neither"
    a, b = by_hand.fits(on.state)[0], by_hand.fits(copy.state)[0]
    assert a.history[0] == b.history[0], "the first epoch is the source's"
    assert a.files != b.files


def test_what_was_forgotten_is_walked_again_to_the_same_bits(by_hand):
    path = [(1, OWN), (2, FAST), (2, FAST)]
    end = walked(by_hand, *path)
    files = [fit.files for fit in by_hand.fits(end.state)]
    by_hand.forget([])
    assert not [path for folder in by_hand.folders for path in folder.glob("generation*")]
    for key in (one.key for _, one in by_hand._folds(end.state)):
        shutil.rmtree(by_hand.resources.cache.root / "models" / key)
    again = walked(by_hand, *path)  # only the last is missing; its ancestors are trained anew
    assert again == end
    assert [fit.files for fit in by_hand.fits(again.state)] == files


def test_killed_again_and_again_with_two_processes_it_ends_in_the_same_bytes(ended, tmp_path):
    out, done = ended
    rng, kept = np.random.default_rng(5), tmp_path / ".touchstone" / "cache" / "models"
    fork = multiprocessing.get_context("fork")
    for n_fits in (0, 3, 9):
        life = fork.Process(target=run, args=(tmp_path,), daemon=True)
        life.start()
        while life.is_alive() and (len(list(kept.glob("[!.]*"))) if kept.is_dir() else 0) < n_fits:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.1))
        assert life.is_alive()
        os.kill(life.pid, signal.SIGKILL)
        life.join()
        assert not list(tmp_path.glob("tunes/*/result.json"))
    again = run(tmp_path, jobs=2)
    own = [p.relative_to(done.folder) for p in done.folder.glob("winners/**/*") if p.is_file()]
    assert len(own) == 4 * FOLDS
    for name in ("result.json", "report.html", "mlp.yaml", *own):
        assert (again.folder / name).read_bytes() == (done.folder / name).read_bytes()
    assert rows_of(tmp_path) == rows_of(out)


def test_members_that_fail_are_told_and_take_over_and_sharpe_is_an_objective(tmp_path):
    space = {"all": {"training.learning_rate": [1e-3, 1e30]}}
    method = {"kind": "population", "members": 4, "generations": 2, "epochs": 1, "bottom": 0.25}
    done = run(tmp_path, space=space, method=method, objectives=["sharpe"])
    (found,) = done.result.populations
    failed = [life for life in found.lives if life.value is None]
    assert failed
    assert all(life.settings["training.learning_rate"] == 1e30 for life in failed)
    assert all("fold 1" in life.reason for life in failed)
    later = {life.member: life for life in found.lives if life.generation == 1}
    for life in failed:
        if life.generation == 0:
            assert later[life.member].source != life.member
    assert "Training failed" in (done.folder / "report.html").read_text()
    # nothing is trained again to know that it fails
    fits = [row.kind for row in book_of(tmp_path).rows()].count("fit")
    assert run(tmp_path, again=True, space=space, method=method,
               objectives=["sharpe"]).result == done.result  # fmt: skip
    assert [row.kind for row in book_of(tmp_path).rows()].count("fit") == fits


def test_trees_are_refused_where_they_are_named_and_left_out_where_all_are_asked(tmp_path):
    with pytest.raises(ConfigError, match=r"lightgbm has no weights.*method: trials"):
        run(tmp_path, models=[{"kind": "lightgbm"}, {"kind": "mlp"}])
    with pytest.raises(ConfigError, match="logistic has no weights"):
        run(tmp_path, models=[{"kind": "logistic"}])


REFUSED = [
    ({"objectives": ["pr_auc", "f1"]}, "objectives: method 'population' knows no more than one"),
    ({"constraints": {"min_trades": 3}}, "knows no bounds"),
    ({"storage": "postgresql://x"}, "knows no shared storage"),
    ({"backend": "ray"}, "backend: the members of a population"),
    ({"method": {"kind": "population", "keys": ["embedding"]}}, "'embedding' of mlp may"),
    ({"method": {"kind": "population", "keys": ["hidden"]}}, "no 'hidden' in its space"),
    ({"method": {"kind": "population", "members": 1}}, "members"),
    ({"space": {"all": {"training.rows": [100, 200]}},
      "method": {"kind": "population", "keys": ["training.rows"]}}, "may not change"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "said"), REFUSED, ids=lambda x: str(x)[:40])
def test_what_a_population_cannot_be_asked_is_refused_with_a_sentence(ended, more, said):
    with pytest.raises(ConfigError, match=said):
        run(ended[0], again=True, **more)  # a backend alone asks for a search that is finished


def test_a_curriculum_is_refused(ended):
    study = settings_of()["study"]
    phase = {"label": {"kind": "triple_barrier", "take_profit": 0.02}, "epochs": 2}
    with pytest.raises(ConfigError, match="curriculum"):
        run(ended[0], study={**study, "training": {"curriculum": [phase]}})


SHAPE = Shape(8, 5, 3, 3)
SIZES = {"hidden", "layers", "embedding", "width", "filters", "kernel", "blocks", "convolutions"}


@pytest.mark.parametrize("kind", NETWORKS)
def test_of_every_network_what_is_moved_keeps_the_weights_and_what_changes_them_is_not(kind):
    """A second way to the same answer: whether one network can take the other's weights."""
    space = space_of(MODELS.parse({"kind": kind}), TrainingConfig(), {}, "space")
    moved, still = movable(space, SHAPE, ())
    assert {"dropout", "training.learning_rate", "training.weight_decay"} <= set(moved)
    assert not SIZES & set(moved)
    part = MODELS.part(kind)
    weights = part.built(space.model, SHAPE).state_dict()
    for key in (*moved, *still):
        if key.startswith("training."):
            assert key in moved
            continue
        values = space.keys[key]
        ends = values.choices or [int(e) if values.whole else e for e in (values.low, values.high)]
        fits = [takes(part.built(space.configs({key: e})[0], SHAPE), weights) for e in ends]
        assert all(fits) == (key in moved), key


def test_a_range_is_not_moved_where_a_value_inside_it_does_not_go_with_the_rest():
    """Width 16 has 1, 2 and 4 heads, not 3: both ends can be, and keep the weights' shapes."""
    model = MODELS.parse({"kind": "transformer", "width": 16, "layers": 1})
    for low, high, moved in ((1, 4, False), (1, 2, True)):
        told = {"heads": {"low": low, "high": high, "step": 1}}
        space = space_of(model, TrainingConfig(), told, "space")
        assert ("heads" in movable(space, SHAPE, ())[0]) == moved


def takes(network, weights):
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        return False
    return True


def test_every_key_of_a_recipe_is_either_carried_or_still():
    """Whatever a recipe may say in mid-fit is taken by a checkpoint's heir; the rest is `STILL`."""
    assert set(STILL) <= set(TrainingConfig.model_fields)
    moved = set(TrainingConfig.model_fields) - set(STILL)
    assert moved == {
        "batch", "learning_rate", "weight_decay", "optimiser", "loss", "schedule", "clip",
        "sampling", "augment",
    }  # fmt: skip


def test_torch_draws_nothing_from_who_called(by_hand):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    walked(by_hand, (2, {**OWN, "dropout": 0.31}))
    assert torch.equal(before, torch.get_rng_state())
    assert isinstance(by_hand.study.config, Config)
    assert training.same_weights(MODELS.parse("mlp"), MODELS.parse("mlp"), SHAPE)
    assert not training.same_weights(MODELS.parse("mlp"), MODELS.parse("gru"), SHAPE)
    assert not training.same_weights(MODELS.parse("lightgbm"), MODELS.parse("lightgbm"), SHAPE)


COINS = ("AAVEUSDT", "BTCUSDT", "ETHUSDT")


@pytest.mark.real_data
@pytest.mark.skipif(not (DATA / "bars" / "crypto" / "1h").is_dir(), reason=f"no bars in {DATA}")
def test_a_population_on_real_coins_says_whether_it_helped(tmp_path):
    (tmp_path / "bars").mkdir()
    for coin in COINS:
        shutil.copy(DATA / "bars" / "crypto" / "1h" / f"{coin}.parquet", tmp_path / "bars")
    study = {
        "name": "coins", "bars": {"source": "parquet", "path": "bars", "timeframe": "1h"},
        "features": {"set": "none", "extra": {"r1": "close / lag(close, 1) - 1",
                                              "r24": "close / lag(close, 24) - 1"}},
        "start": "2022-01-01", "end": "2022-09-01", "lookback": 8,
        "label": {"kind": "triple_barrier", "take_profit": 0.03, "stop_loss": 0.02, "horizon": 8},
        "folds": {"kind": "walk_forward", "train": "90d", "validate": "20d", "test": "20d",
                  "folds": 2, "sealed": "30d"},
    }  # fmt: skip
    method = {"kind": "population", "members": 2, "generations": 2, "epochs": 1}
    done = run(tmp_path, study=study, models=[{"kind": "gru", "hidden": 4}], method=method)
    (found,) = done.result.populations
    assert found.name == "gru"
    assert len(found.lives) == 4
    assert found.interval[0] <= found.difference <= found.interval[1]
    assert done.result.data["n_instruments"] == len(COINS)
    assert "GRU" in done.lines[0]
