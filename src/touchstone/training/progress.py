"""How good an epoch was, and whether to go on."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from touchstone.arrays import Floats, Int8, Int64
from touchstone.metrics import MEASURES
from touchstone.metrics.classification import log_loss
from touchstone.metrics.ranked import ranked, ranked_float32, ranked_pr_auc, ranked_roc_auc
from touchstone.models import Head

_OWN: Final = {"loss": "lower", "accuracy": "higher"}
"""Direction of what is no measure of p(+1)."""


def classes(head: Head, outcome: Int8) -> Int64:
    """Outcomes (n,) as numbers of classes, +1 the last: 0, 1, 2 for `barrier`, 0, 1 for `buy`."""
    return ((outcome == 1) if head == "buy" else outcome + 1).astype(np.int64)


def measured(prefix: str, probability: Floats, outcome: Int8, loss: float) -> dict[str, float]:
    """The metrics of an epoch on some rows, those left out that are not defined there.

    Args:
        prefix: "train" or "validate".
        probability: (n, n_outcomes), the column of +1 last.
        outcome: (n,) +1, 0 or -1.
        loss: mean weighted loss of the rows.
    """
    last: Floats = probability[:, -1]
    up: Floats = np.minimum(np.maximum(last, 0), 1)
    hit, once = outcome == 1, np.ones(1)
    rows = (
        ranked_float32(up.astype(np.float32, copy=False), hit)
        if up.dtype == np.float32
        else ranked(up, hit, np.zeros(up.size, np.int64))
    )
    found: dict[str, float | None] = {
        "loss": loss,
        "pr_auc": ranked_pr_auc(rows, once),
        "roc_auc": ranked_roc_auc(rows, once),
        "log_loss": log_loss(up.astype(np.float64), hit),
        "accuracy": _accuracy(probability, outcome),
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
    return float(np.mean(probability.argmax(1) - 1 == outcome))


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


@dataclass
class Schedule:
    """The learning rate of each epoch, as a factor."""

    kind: str
    epochs: int
    factor: float = 1.0
    """Of `plateau`, so far."""
    waited: int = 0
    """Epochs without a better one since the factor was halved."""

    def at(self, index: int) -> float:
        """Factor of epoch `index`, counted from 1."""
        if self.kind == "cosine":
            done = min((index - 1) / self.epochs, 1.0)
            return float(0.5 * (1 + np.cos(np.pi * done)))
        return self.factor

    def see(self, improved: bool) -> None:
        """Take whether the epoch was better than all before."""
        self.waited = 0 if improved else self.waited + 1
        if self.kind == "plateau" and self.waited >= 3:
            self.factor, self.waited = self.factor / 2, 0
