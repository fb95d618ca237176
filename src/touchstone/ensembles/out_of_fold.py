"""Combinations as they are asked for: fitted, pruned, restored; and scored on rows new to them.

A combination's own scores of the rows that fit it, which calibrate it and by which it is chosen,
are made in two halves of the time: each half is combined by what was fitted to the other, purged.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.config import Config
from touchstone.ensembles import ENSEMBLES, Combined, Members, Outcomes
from touchstone.ensembles.pruning import Selection, select
from touchstone.ensembles.rows import (
    alike,
    array,
    check_scores,
    from_files,
    pool,
    reading,
    take,
    to_files,
)
from touchstone.errors import DataError
from touchstone.registration import kind_of
from touchstone.seeding import derive

_PRUNED: Final = "pruned"


class How(NamedTuple):
    """A combination as it is asked for."""

    combiner: Config
    """Config of a part of `ENSEMBLES`."""
    prune: bool
    """The mean of those members that greedy selection keeps, in the combiner's place."""
    seed: int
    """Of everything drawn."""


class Selected(NamedTuple):
    """The mean of the members that greedy selection keeps, each as often as it was added."""

    selection: Selection
    n_outcomes: int

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002  as the protocol has it
        """As `Combined.combine`; nothing is learned from outcomes."""
        check_scores(members, self.selection.weight.size, self.n_outcomes)
        return pool(members.score, self.selection.weight)

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002  as the protocol has it
        """As `Combined.weights`; the same in every row."""
        check_scores(members, self.selection.weight.size, self.n_outcomes)
        return alike(self.selection.weight, members.score.shape[1])

    def files(self) -> dict[str, bytes]:
        """The weights and the way to them as JSON."""
        return to_files(_PRUNED, {**self.selection._asdict(), "n_outcomes": self.n_outcomes})


def fit(how: How, members: Members, outcomes: Outcomes) -> Combined:
    """Fit a combination on scores that are out of fold for every member.

    Raises:
        DataError: rows that nothing can be fitted on.
    """
    if how.prune:
        return Selected(select(members, outcomes), members.score.shape[2])
    part = ENSEMBLES.part_of(how.combiner)
    return part.fit(how.combiner, members, outcomes, how.seed)


def restore(combiner: Config, prune: bool, files: Mapping[str, bytes]) -> Combined:
    """The combination that wrote these files.

    Raises:
        ArtifactError: files that no such combination wrote.
    """
    if not prune:
        return ENSEMBLES.part_of(combiner).restore(combiner, files)
    content = from_files(_PRUNED, files)
    with reading(_PRUNED):
        added = np.array(content["added"], np.int64)
        loss, weight = array(content, "loss", (-1,)), array(content, "weight", (-1,))
        selection = Selection(added, loss, int(content["n_best"]), weight)
        return Selected(selection, int(content["n_outcomes"]))


def across(how: How, members: Members, outcomes: Outcomes, learns: bool) -> Float64:
    """Each half of the rows combined by what was fitted to the other, (n_rows, n_outcomes).

    Args:
        how: the combination.
        members, outcomes: the rows that fit it.
        learns: whether weights that go on learning do so on the half that they combine.

    Raises:
        DataError: rows that cannot be halved, or a half that nothing can be fitted on.
    """
    out = np.full(members.score.shape[1:], np.nan)
    for number, (fits, speaks) in enumerate(halves(members, outcomes), 1):
        half = how._replace(seed=derive(how.seed, "half", number))
        try:
            one = fit(half, *take(members, outcomes, np.flatnonzero(fits)))
        except DataError as error:
            raise DataError(
                f"ensemble {kind_of(how.combiner)}, half {number} of the validation rows: {error}"
            ) from None
        other, came = take(members, outcomes, np.flatnonzero(speaks))
        out[speaks] = one.combine(other, came if learns else None)
    return out


def halves(members: Members, outcomes: Outcomes) -> tuple[tuple[Bool, Bool], ...]:
    """(rows to fit, rows to combine), twice; of each pair no outcome is known to the other half.

    Raises:
        DataError: too few instants to be halved.
    """
    instant, known = members.instant, outcomes.known
    instants = np.unique(instant)
    if instants.size < 4:
        raise DataError(
            f"validation rows of {instants.size} instants cannot be halved: lengthen folds.validate"
        )
    first = instant <= instants[instants.size // 2 - 1]
    cut = int(instant[~first].min())
    late = int(known[first].max())
    return (first & (known < cut), ~first), (~first & (instant > late), first)
