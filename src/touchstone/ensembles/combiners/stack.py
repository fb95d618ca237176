"""Stacking: a multinomial logistic regression on what the members say, its penalty tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveInt

from touchstone.arrays import Float64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength, logits
from touchstone.ensembles.rows import (
    alike,
    array,
    check_scores,
    checked,
    from_files,
    reading,
    to_files,
)
from touchstone.ensembles.timeline import Part, folds, thinned


class StackConfig(Config):
    """Log-odds of the outcomes, linear in the members' log-odds (`ensembles.logits`).

    The penalty is the one of `penalties` with the least log-loss over `folds` inner folds, each
    later in time than all it is fitted to and purged by when outcomes are known; of equal ones the
    stronger. Where no inner fold holds two kinds of outcome, it is the strongest.

    Source: Wolpert (1992), Stacked generalization, Neural Networks 5(2); van der Laan, Polley &
    Hubbard (2007), Super learner, Statistical Applications in Genetics 6(1).
    """

    kind: Literal["stack"] = "stack"
    l2: Annotated[Strength | None, Range(1e-4, 1, log=True)] = None
    """Penalty, relative to the mean log-loss; null: chosen on inner folds."""
    penalties: Annotated[tuple[Strength, ...], Field(min_length=1)] = (
        1e-4, 1e-3, 1e-2, 1e-1, 1.0,
    )  # fmt: skip
    """What is tried where `l2` is null."""
    folds: Annotated[PositiveInt, Range(2, 8, step=1)] = 3
    """Inner folds."""
    max_rows: Annotated[int, Field(ge=100)] = 200_000
    """Of more rows, so many evenly spread over time are fitted to."""

    @property
    def recalibrates(self) -> bool:
        """Its coefficients are fitted, their sum too."""
        return True


@ENSEMBLES.register(StackConfig)
@dataclass(frozen=True)
class Stack:
    """Coefficients, (n_logits, 1 + n_members): a shift, then one a member."""

    config: StackConfig
    l2: float
    """The penalty that was used."""
    theta: Float64 = field(repr=False)

    @classmethod
    def fit(cls, config: StackConfig, members: Members, outcomes: Outcomes, seed: int) -> "Stack":  # noqa: ARG003 (nothing is drawn: there is one best value)
        """Choose the penalty on inner folds, then fit on all rows."""
        checked(members, outcomes)
        some = thinned(members.instant, config.max_rows)
        given = logits.rows(members.score, outcomes.outcome, outcomes.weight, some)
        start = logits.prior(len(given.odds), len(members.score))
        parts = folds(members.instant[some], outcomes.known[some], config.folds)
        l2 = config.l2 or _choose(given, parts, config.penalties, start)
        return cls(config, l2, logits.least_loss(given, l2, start))

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """What the regression says, (n_rows, n_outcomes)."""
        self._check(members)
        return logits.combine(members.score, self.theta)

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """Each member's coefficient, of three outcomes the mean of its two."""
        self._check(members)
        return alike(self.theta[:, 1:].mean(0), members.score.shape[1])

    def files(self) -> dict[str, bytes]:
        """The coefficients as JSON."""
        return to_files("stack", {"l2": self.l2, "theta": self.theta})

    @classmethod
    def restore(cls, config: StackConfig, files: Mapping[str, bytes]) -> "Stack":
        """The regression that wrote these files."""
        content = from_files("stack", files)
        with reading("stack"):
            return cls(config, float(content["l2"]), array(content, "theta", (-1, -1)))

    def _check(self, members: Members) -> None:
        n_logits, width = self.theta.shape
        check_scores(members, width - 1, 1 if n_logits == 1 else 3)


def _choose(
    given: logits.Rows, parts: tuple[Part, ...], penalties: tuple[float, ...], start: Float64
) -> float:
    """The penalty of least log-loss over the later rows of all parts."""
    tried = sorted(set(penalties), reverse=True)
    loss = np.zeros(len(tried))
    for part in parts:
        if not part.later.size or not part.earlier.size:
            continue
        earlier, later = given.of(part.earlier), given.of(part.later)
        if earlier.are_of_one_kind:
            continue
        theta, size = start, given.share[part.later].sum()
        for at, l2 in enumerate(tried):
            theta = logits.least_loss(earlier, l2, theta)
            loss[at] += size * logits.log_loss(later, theta)
    return tried[int(np.argmin(loss))]
