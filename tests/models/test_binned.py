"""Candidates of one fold share their binned rows, and no bit of a fit shows it."""

import numpy as np
import pytest

from touchstone.models import MODELS, Shape, Table
from touchstone.models import lightgbm as kind
from touchstone.models.lightgbm import Binned

ROWS = 1500
COLUMNS = 6


def table(seed, n=ROWS):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n, COLUMNS)).astype(np.float32)
    inputs[:, -1] = rng.random(n) < 0.02  # too rare for a leaf of 200 rows
    outcome = np.sign(np.round(inputs[:, 0] + rng.standard_normal(n))).astype(np.int8)
    return Table(inputs, outcome, rng.uniform(0.5, 1.5, n))


def grown(settings, train, validate, seed):
    config = MODELS.parse({"kind": "lightgbm", "rounds": 10} | settings)
    shape = Shape(1, COLUMNS, 1, 3 if config.head == "barrier" else 1)
    looks = list(kind.Lightgbm.grow(config, shape, train, validate, seed, None))
    seen = [] if validate is None else [look.validate() for look in looks]
    return looks[-1].fitted().text, seen


CANDIDATES = [
    ({}, 1), ({}, 2), ({"leaves": 7}, 1), ({"min_rows": 20}, 1), ({"learning_rate": 0.2}, 1),
    ({"max_bin": 15}, 1), ({"head": "buy"}, 1), ({"l2": 0.0, "feature_fraction": 1.0}, 3),
]  # fmt: skip


@pytest.mark.parametrize("looks", [True, False])
def test_a_fit_is_the_same_bits_whoever_binned_its_rows(monkeypatch, looks):
    folds = [(table(1), table(2, 400) if looks else None), (table(3), None)]
    alone = []
    for settings, seed in CANDIDATES:
        for fold in folds:
            monkeypatch.setattr(kind, "BINNED", Binned(0))
            alone.append(grown(settings, *fold, seed))
    monkeypatch.setattr(kind, "BINNED", Binned(2**28))
    for again in range(2):
        shared = [grown(s, *fold, seed) for s, seed in CANDIDATES for fold in folds]
        for one, other in zip(alone, shared, strict=True):
            assert one[0] == other[0], again
            assert all(np.array_equal(a, b) for a, b in zip(one[1], other[1], strict=True))
    assert len({text for text, _ in alone}) == len(alone)  # and every setting made a difference


def test_rows_are_binned_once_a_fold_and_memory_is_bounded():
    shape, train, validate = Shape(1, COLUMNS, 1, 3), table(1), table(2, 400)
    one = COLUMNS * (ROWS + 400) + 8 * (ROWS + 400)
    binned = Binned(2 * one)
    first = binned.of(train, validate, shape, 63)[0]
    assert binned.of(table(1), table(2, 400), shape, 63)[0] is first  # by content, not by object
    for other in (table(3), train._replace(weight=2 * train.weight),
                  train._replace(outcome=-train.outcome)):  # fmt: skip
        assert binned.of(other, validate, shape, 63)[0] is not first
        assert binned.n_bytes <= 2 * one
    assert binned.of(train, validate, shape, 63)[0] is not first  # the oldest went
    assert Binned(one - 1).of(train, validate, shape, 63)[0].num_data() == ROWS
