"""SHAP values of networks: gradients on the way from usual windows to a row's own."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from touchstone.arrays import Float32, Float64, Int32, Int64
from touchstone.errors import DataError
from touchstone.explain import Subject
from touchstone.explain.attribution import (
    UNSAID,
    Attribution,
    Shares,
    attribution,
    bars_back,
    summed_up,
)
from touchstone.explain.margins import BATCH, Margin, margins, network_of, slopes, tensors
from touchstone.models.layers.network import threads
from touchstone.seeding import generator

_ROWS: Final = 2048
"""Rows whose windows are held at a time."""
PLACES: Final = (3, 6, 12, 24)
"""On the way from each usual window: the fewest first, more for rows that do not add up."""


def expected_gradients(
    subjects: Sequence[Subject], n_background: int, unsaid: float = UNSAID
) -> Attribution:
    """Mean over usual windows x' and places a of (x - x') times the gradient at x' + a (x - x').

    The mean over a, drawn from (0, 1) in the paper, is taken by the rule of Gauss and Legendre: no
    chance is left in it. The sum of a row's values is its margin less the base up to that rule's
    error (`gap`), and rows that miss it get more places (`summed_up`): their number is all that a
    row's values owe to the other rows of its fold.

    Args:
        subjects: folds with networks, rows rising.
        n_background: usual windows, train rows drawn without replacement.
        unsaid: share of the usual movement that a row's values may miss while places are left.

    Raises:
        ConfigError: a model without gradients.
        DataError: no train rows.

    Source: Erion et al. (2021), Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients, Nature Machine Intelligence 3, equation 4.
    """
    bars = bars_back(subjects[0].windows.lookback)
    shares = [_of_fold(subject, n_background, unsaid) for subject in subjects]
    return attribution("expected gradients", subjects, bars, shares)


def background(subject: Subject, n: int) -> Float32:
    """Scaled windows of train rows drawn without replacement, (n or fewer, lookback, f).

    Raises:
        DataError: no train rows.
    """
    if not subject.train.size:
        raise DataError(f"{subject.name}: no train rows to compare with")
    rng = generator(subject.seed, "background", subject.name)
    rows = np.sort(rng.choice(subject.train, min(n, subject.train.size), replace=False))
    return subject.windows.gather(rows)


def _of_fold(subject: Subject, n_background: int, unsaid: float) -> Shares:
    fitted = network_of(subject.fitted, "expected gradients")
    begins = background(subject, n_background)
    module = Margin(fitted.network, fitted.shape.n_outcomes)
    ids, windows = subject.windows.ids(subject.rows), subject.windows
    margin = np.empty(subject.rows.size)
    for start in range(0, subject.rows.size, _ROWS):
        part = slice(start, start + _ROWS)
        margin[part] = margins(fitted, windows.gather(subject.rows[part]), ids[part])
    assets, at = np.unique(ids, return_inverse=True)
    alike = [np.full(len(begins), asset, np.int32) for asset in assets]
    base = np.array([margins(fitted, begins, known).mean() for known in alike])[at]

    def walk(some: Int64, n_places: int) -> Float64:
        places, counts = np.polynomial.legendre.leggauss(n_places)
        values = np.zeros((some.size, windows.lookback, windows.n_features))
        for start in range(0, some.size, _ROWS):
            part = slice(start, start + _ROWS)
            held, own = windows.gather(subject.rows[some[part]]), ids[some[part]]
            for begin in begins:
                for a, count in zip((places + 1) / 2, counts / 2, strict=True):
                    values[part] += count * step(module, held, own, begin, float(a))
        return values / len(begins)

    return Shares(summed_up(walk, margin - base, PLACES, unsaid), margin, base)


def step(module: Margin, windows: Float32, ids: Int32, begin: Float32, a: float) -> Float64:
    """(x - begin) times the gradient at begin + a (x - begin), (n, lookback, f), one thread.

    Args:
        module: the margin of a network.
        windows: (n, lookback, f) scaled.
        ids: (n,) instruments.
        begin: (lookback, f) where the way begins.
        a: how far it has been gone, 0 to 1.
    """
    out = np.empty(windows.shape)
    with threads(1):
        for first in range(0, len(windows), BATCH):
            part = slice(first, first + BATCH)
            x, asset_id = tensors(windows[part], ids[part])
            apart = x - torch.from_numpy(begin)
            out[part] = (apart * slopes(module, x - (1 - a) * apart, asset_id)).numpy()
    return out
