"""A fitted ensemble, whatever combines it, comes back from an artifact's files."""

import functools
import json

import numpy as np
import pytest

from touchstone import training
from touchstone.dataset.scalers import SCALERS
from touchstone.ensembles import ENSEMBLES
from touchstone.errors import ArtifactError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, restore
from touchstone.models.ensemble import FACTS, Columns, asked
from touchstone.models.scoring import score, score_inputs
from touchstone.registry.folder import NAME
from training.planted import LOOKBACK, ensembled, job, samples

MEMBERS = (
    {"kind": "logistic"},
    {"kind": "lightgbm", "rounds": 10},
    {"kind": "mlp", "hidden": (8,)},
)
EVERY = [*({"combiner": {"kind": kind}} for kind in ENSEMBLES.kinds()),
         {"combiner": "mean", "prune": True}]  # fmt: skip
ROWS = np.arange(LOOKBACK, 400)


@functools.cache
def market():
    train, validate = samples()
    scaler = SCALERS.part("standard")(
        SCALERS.config("standard")(), train.windows.features, train.rows
    )
    return train, validate, scaler


@functools.cache
def members():
    train, validate, _ = market()
    return tuple(
        training.run(job(m["kind"], train, validate, model=m), MemoryLedger()).fitted
        for m in MEMBERS
    )


def joined(settings):
    config = MODELS.parse({"kind": "ensemble", "members": MEMBERS, **settings})
    place = np.arange(len(config.columns)) % 3
    columns = Columns.at(place.tolist(), market()[2])
    return ensembled(config, members(), market()[1], columns)


@pytest.mark.parametrize("settings", EVERY, ids=lambda s: str(s["combiner"]))
def test_it_comes_back_from_the_files_of_an_artifact(settings):
    model, windows = joined(settings), market()[1].windows
    files = model.files()
    assert all(NAME.fullmatch(f"model/{name}") for name in files)
    again = restore(MODELS.parse(json.loads(model.config.canonical())), model.shape, files)
    assert again.files() == files
    np.testing.assert_array_equal(score(again, windows, ROWS), score(model, windows, ROWS))
    for name in files:
        with pytest.raises(ArtifactError):
            restore(model.config, model.shape, {k: v for k, v in files.items() if k != name})


def test_groups_are_written_with_the_members_names():
    groups = {"combiner": {"kind": "hierarchy", "groups": {"rows": ["tree", "line"]}}}
    model = joined(groups | {"names": ("line", "tree", "net")})
    assert model.combined.names == ("rows", "others")


def test_a_score_is_the_combination_of_what_the_scoring_path_says_of_the_members():
    model, windows = joined({"combiner": "mean"}), market()[1].windows
    said = np.mean([score(one, windows, ROWS) for one in members()], axis=0)
    np.testing.assert_allclose(score(model, windows, ROWS), said, atol=1e-6)


def test_a_column_is_read_at_the_last_bar_and_nowhere_else():
    model, windows = joined({"combiner": {"kind": "regime"}}), market()[1].windows
    inputs, ids = windows.gather(ROWS), windows.ids(ROWS)
    read = model.columns.read(inputs[:, -1, model.columns.place])[:, 0]
    weight = model.combined.weights(members_at(model, read, len(inputs)))
    assert len(np.unique(weight, axis=0)) == 3, "three regimes, three rows of weights"
    said = np.stack([score_inputs(one, taken(one, windows), ids) for one in members()])
    expected = np.einsum("nk,kno->no", weight, said)
    np.testing.assert_allclose(score_inputs(model, inputs, ids), expected, atol=2e-6)


def members_at(model, read, n):
    flat = np.full((len(MEMBERS), n, 3), 1 / 3)
    return asked(model.config, flat, np.zeros(n, np.int64), np.zeros(n, np.int64), read[:, None])


def taken(fitted, windows):
    return (windows.gather if fitted.inputs == "window" else windows.tabular)(ROWS)


@pytest.mark.parametrize(
    ("told", "says"),
    [(b"{", "cannot be read"), (b"[]", "cannot be read"), (b'{"place": [0]}', "cannot be read"),
     (b'{"place": [9], "centre": [0.0], "scale": [1.0], "combiner": []}', "columns are not")],
)  # fmt: skip
def test_facts_that_are_none_are_refused(told, says):
    model = joined({"combiner": {"kind": "regime"}})
    with pytest.raises(ArtifactError, match=says):
        restore(model.config, model.shape, model.files() | {FACTS: told})
