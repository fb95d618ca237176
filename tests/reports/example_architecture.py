"""Results of architecture searches, made without a network."""

import numpy as np

from touchstone.models.layers.operations import NONE, OPERATIONS
from touchstone.reports.architecture import (
    ArchitectureResult,
    CellFound,
    Compared,
    EpochFound,
    SearchTold,
    Stage,
)
from touchstone.tuning.architecture_cells import discrete, narrowed, random_cell
from touchstone.tuning.architecture_network import every_edge

EPOCHS, SEEDS = 8, (8, 9, 10)


def searched(number=1, nodes=2, seed=0):
    """(a search of two stages, the cell that it came to)."""
    rng, history = np.random.default_rng(seed), []
    choices = every_edge(nodes, (NONE, *OPERATIONS))
    for stage in (1, 2):
        alphas = {edge: np.zeros(len(names)) for edge, names in choices.items()}
        for i in range(1 + (stage - 1) * EPOCHS, 1 + stage * EPOCHS):
            shares = {}
            alphas = {edge: a + rng.normal(0, 0.12, a.size) for edge, a in alphas.items()}
            for edge, alpha in alphas.items():
                shares[edge] = tuple((np.exp(alpha) / np.exp(alpha).sum()).tolist())
            told = {
                f"{k} {place}": dict(zip(choices[k, place], share, strict=True))
                for (k, place), share in shares.items()
            }
            loss = 0.9 + 0.2 / i + 0.05 * stage
            history.append(EpochFound(index=i, stage=stage, train_loss=loss,
                                      held_loss=loss + 0.02, shares=told))  # fmt: skip
        if stage == 1:
            choices = narrowed(choices, shares, 4)
    cell = discrete(choices, shares, 2)
    name = f"found {number}"
    return SearchTold(number=number, seed=2**30 + number, cell=name, history=tuple(history)), cell


def cell_of(name, genotype, value, file=""):
    around = (-0.004, 0.0, 0.004)
    return CellFound(
        name=name, searched=name.startswith("found"), genotype=genotype, parameters=9120,
        validation=value + 0.01, validation_by_seed=tuple(value + 0.01 + a for a in around),
        test=value, test_interval=(value - 0.03, value + 0.03),
        test_by_seed=tuple(value + a for a in around), file=file,
    )  # fmt: skip


def result(n_searches=1, lead=0.012, interval=(-0.008, 0.03), nodes=2, n_random=6, notes=()):
    rng = np.random.default_rng(5)
    searches, cells = zip(*(searched(i, nodes, i) for i in range(1, 1 + n_searches)), strict=True)
    found = [
        cell_of(one.cell, cell, 0.31 + lead - 0.002 * i, "" if i else "found.yaml")
        for i, (one, cell) in enumerate(zip(searches, cells, strict=True))
    ]
    random = [
        cell_of(f"random {i + 1}", random_cell(rng, nodes, OPERATIONS, 2), 0.31 + 0.004 * (i - 2.5))
        for i in range(n_random)
    ]

    def compared(rows, less):
        ends = None if interval is None else tuple(end - less for end in interval)
        return Compared(rows=rows, found=0.31 + lead - less, random=0.31, difference=lead - less,
                        interval=ends, n_rows=5760, n_days=40)  # fmt: skip

    return ArchitectureResult(
        name="cells", study="cells", fingerprint="0123456789ab", data="x", seeds=SEEDS,
        order="second", stages=(Stage(cells=1, operations=None),
                                Stage(cells=2, operations=4, skip_dropout=0.4)),
        operations=OPERATIONS,
        network={"kind": "darts", "head": "barrier", "cells": 2, "width": 16, "embedding": 8,
                 "dropout": 0.1},
        n_weights=4120, n_held=3980, n_purged=214, searches=searches, cells=(*found, *random),
        winner="found 1", compared=(compared("validation", 0.001), compared("test", 0.0)),
        n_folds=2, base_rate=0.21, first="2022-01-01", last="2022-06-16",
        sealed_from="2022-05-18", n_candidates=14, notes=notes,
    )  # fmt: skip


EXAMPLES = {
    "does not beat": result,
    "beats": lambda: result(interval=(0.002, 0.02)),
    "is worse than": lambda: result(lead=-0.02, interval=(-0.04, -0.001)),
    "too few days": lambda: result(interval=None),
    "three searches": lambda: result(3, notes=("Random cells <of> that size were too few.",)),
    "four nodes": lambda: result(nodes=4, n_random=20),
}  # fmt: skip
