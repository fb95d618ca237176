"""How good an epoch was, and whether to go on."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Floats, Int8, Int64
from touchstone.metrics import MEASURES
from touchstone.metrics.acceptance import net
from touchstone.metrics.classification import log_loss
from touchstone.metrics.ranked import (
    ranked,
    ranked_best_f1,
    ranked_float32,
    ranked_pr_auc,
    ranked_roc_auc,
)
from touchstone.models import Head

_OWN: Final = {"loss": "lower", "accuracy": "higher"}
"""Direction of what is no measure of p(+1)."""


def classes(head: Head, outcome: Int8) -> Int64:
    """Outcomes (n,) as numbers of classes, +1 the last: 0, 1, 2 for `barrier`, 0, 1 for `buy`."""
    return ((outcome == 1) if head == "buy" else outcome + 1).astype(np.int64)


class Truth(NamedTuple):
    """What came of some rows."""

    outcome: Int8
    """(n,) +1, 0 or -1."""
    realised: Floats
    """(n,) exit / entry - 1 before costs."""
    round_trip: float
    """What a trade costs, fraction of its price."""


def measured(prefix: str, probability: Floats, truth: Truth, loss: float) -> dict[str, float]:
    """The metrics of an epoch on some rows, those left out that are not defined there.

    Precision, recall and f1 of +1 are those at the threshold with the highest f1 on these rows:
    where hits are rare a fixed threshold would select nothing, and weights of rows or classes
    would move what it selects.

    Args:
        prefix: "train" or "validate".
        probability: (n, n_outcomes), the column of +1 last.
        truth: of the same rows.
        loss: mean weighted loss of the rows.
    """
    outcome = truth.outcome
    last: Floats = probability[:, -1]
    up: Floats = np.minimum(np.maximum(last, 0), 1)
    hit, once = outcome == 1, np.ones(1)
    rows = (
        ranked_float32(up.astype(np.float32, copy=False), hit)
        if up.dtype == np.float32
        else ranked(up, hit, np.zeros(up.size, np.int64))
    )
    best = ranked_best_f1(rows)
    found: dict[str, float | None] = {
        "loss": loss,
        "pr_auc": ranked_pr_auc(rows, once),
        "roc_auc": ranked_roc_auc(rows, once),
        "log_loss": log_loss(up.astype(np.float64), hit),
        "accuracy": _accuracy(probability, outcome),
        "precision": None if best is None else best.precision,
        "recall": None if best is None else best.recall,
        "f1": None if best is None else best.f1,
        "net": net(up, truth.realised, truth.round_trip, rows.score),
    }
    return {f"{prefix}_{name}": value for name, value in found.items() if value is not None}


def surprise(probability: Floats, head: Head, outcome: Int8, weight: Floats) -> float:
    """Weighted mean log-loss over all outcomes, nats a row, from probabilities."""
    p = probability.astype(np.float64)
    if head == "buy":
        p = np.concatenate([1 - p, p], axis=1)
    said = p[np.arange(outcome.size), classes(head, outcome)]
    return float(np.average(-np.log(np.maximum(said, 1e-15)), weights=weight))


def _accuracy(probability: Floats, outcome: Int8) -> float:
    if probability.shape[1] == 1:
        return float(np.mean((probability[:, 0] > 0.5) == (outcome == 1)))
    down, flat, up = probability.T
    # The first of the highest, as argmax(1), in half its time.
    said = np.where(
        up > np.maximum(down, flat), np.int8(1), (flat > down).view(np.int8) - np.int8(1)
    )
    return float(np.mean(said == outcome))


@dataclass
class Watch:
    """Remembers the best value of a metric, when it was, and for how long none was better."""

    metric: str
    best: float | None = None
    best_epoch: int = 0
    waited: int = 0

    def see(self, index: int, value: float) -> bool:
        """Take an epoch's value; True where it is the best so far."""
        if self.best is None or self._better(value, self.best):
            self.best, self.best_epoch, self.waited = value, index, 0
            return True
        self.waited += 1
        return False

    def _better(self, new: float, old: float) -> bool:
        better = _OWN[self.metric] if self.metric in _OWN else MEASURES[self.metric].better
        return new > old if better == "higher" else new < old


_UP: Final = 0.3
"""Share of its steps in which `one_cycle` rises, from ..."""
_START: Final = 1 / 25
"""... this share of the highest rate."""


@dataclass
class Schedule:
    """The learning rate of each step, as a factor."""

    kind: str
    epochs: int
    """Over which `cosine` and `one_cycle` fall, phases included."""
    factor: float = 1.0
    """Of `plateau`, so far."""
    waited: int = 0
    """Epochs without a better one since the factor was halved."""

    @property
    def stepwise(self) -> bool:
        """Whether the factor changes within an epoch."""
        return self.kind == "one_cycle"

    def at(self, index: int, share: float = 0.0) -> float:
        """Factor in epoch `index`, counted from 1, when this share of its steps is done."""
        done = min((index - 1 + share) / self.epochs, 1.0)
        if self.kind == "cosine":
            return _falling(done)
        return one_cycle(done) if self.kind == "one_cycle" else self.factor

    def see(self, improved: bool) -> None:
        """Take whether the epoch was better than all before."""
        self.waited = 0 if improved else self.waited + 1
        if self.kind == "plateau" and self.waited >= 3:
            self.factor, self.waited = self.factor / 2, 0


def one_cycle(done: float) -> float:
    """Factor when a share of all steps is done: up in a line, down along half a cosine to zero.

    The momentum of Adam stays as it is.

    Source: Smith & Topin (2019), Super-convergence; the shape is that of fastai and torch.
    """
    if done < _UP:
        return _START + (1 - _START) * done / _UP
    return _falling((done - _UP) / (1 - _UP))


def _falling(done: float) -> float:
    return float(0.5 * (1 + np.cos(np.pi * done)))
