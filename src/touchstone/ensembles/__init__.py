"""Many scores in, one score out: what members said of rows that none of them was fitted to.

A part of the family is fitted on scores that are out of fold for every member, with what came of
those rows, and then combines what the same members say of other rows. Arrays in, arrays out; who
the members are, and where their scores come from, is the caller's business.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from touchstone.arrays import Float64, Int8, Int64
from touchstone.config import Config
from touchstone.registration import Family


class Members(NamedTuple):
    """What the members said of some rows, each row known at its bar's close."""

    score: Float64
    """(n_members, n_rows, n_outcomes) probabilities, columns as in a model's score, finite. Of no
    row that a member's weights were fitted to."""
    instant: Int64
    """(n_rows,) ns UTC at which the row's close is known; rising within an instrument."""
    asset: Int64
    """(n_rows,) number of the row's instrument: tells rows apart and says no more."""
    named: Mapping[str, Float64] = {}
    """Columns that a part asks for (`columns_of`): expression -> (n_rows,), known at the row's
    close, nan in warm-up."""


class Outcomes(NamedTuple):
    """What came of the same rows."""

    outcome: Int8
    """(n_rows,) +1, -1 or 0."""
    realised: Float64
    """(n_rows,) exit / entry - 1 before costs."""
    known: Int64
    """(n_rows,) ns UTC at which the outcome is known, after `Members.instant` of the row."""
    weight: Float64
    """(n_rows,) positive."""


class Combined(Protocol):
    """A fitted combination: nothing in it changes any more."""

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """One score a row, (n_rows, n_outcomes), rows summing to one where there are three.

        Args:
            members: the same members, in the same order, on other rows.
            outcomes: of these rows, for weights that go on learning: a row's combination reads
                those alone that are known by its own instant. None: weights stay as fitted.

        Raises:
            DataError: another number of members, or scores that are not finite.
        """

    def files(self) -> dict[str, bytes]:
        """Everything `Combiner.restore` needs beside the config, by file name; never a pickle."""


class Combiner(Protocol):
    """What the family registers."""

    def fit(self, config: Config, members: Members, outcomes: Outcomes, seed: int, /) -> Combined:
        """Fit on out-of-fold scores; the same arguments give the same bits."""

    def restore(self, config: Config, files: Mapping[str, bytes], /) -> Combined:
        """The combination that wrote these files, combining the same bits."""


ENSEMBLES: Family[Combiner] = Family("ensemble", __name__)
