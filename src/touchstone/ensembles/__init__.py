"""Many scores in, one score out: what members said of rows that none of them was fitted to.

A part of the family is fitted on scores that are out of fold for every member, with what came of
those rows, and then combines what the same members say of other rows. Arrays in, arrays out; who
the members are, and where their scores come from, is the caller's business.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple, Protocol

from pydantic import Field

from touchstone.arrays import Float64, Int8, Int64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import Family

Strength = Annotated[float, Field(gt=0, le=1e9)]
"""How strong a pull or a rate is: beyond the bound sums would overflow."""


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
    name: tuple[str, ...] = ()
    """Names of the members, in their order: what groups of members are written with. Empty: the
    members are called 0, 1, 2, ..."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a member."""
        return self.name or tuple(str(k) for k in range(len(self.score)))

    def column(self, expression: str) -> Float64:
        """What was asked for by `columns`, (n_rows,).

        Raises:
            ConfigError: whoever gathered the members did not evaluate it.
        """
        if expression not in self.named:
            raise ConfigError(
                f"members: the ensemble needs the column {expression!r}, which was not evaluated; "
                f"it has {', '.join(self.named) or 'none'}. Evaluate every expression of "
                "`columns_of(config)` and give it as `named`."
            )
        return self.named[expression]


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

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """What each member counted for in each row that `combine` gives, (n_rows, n_members).

        Not negative and summing to one over the members, unless the config says `recalibrates`:
        then they are coefficients of log-odds, of any sign and sum. It may be a read-only view of
        one row where all are alike.
        """

    def files(self) -> dict[str, bytes]:
        """Everything `Combiner.restore` needs beside the config, by file name; never a pickle."""


class Combiner(Protocol):
    """What the family registers.

    A kind's config may have

    - `columns`, a property: expressions that it reads from `members.named`;
    - `recalibrates`, a property: its score is not a mean of the members' but a function fitted to
      what came, so that members of one mind are corrected and not repeated;
    - `asks`, a method: refuses names of members that it cannot be fitted on, with a ConfigError.
    """

    def fit(self, config: Config, members: Members, outcomes: Outcomes, seed: int, /) -> Combined:
        """Fit on out-of-fold scores; the same arguments give the same bits.

        Raises:
            DataError: no rows, one kind of outcome throughout, arrays that do not fit each other,
                values that are not finite or no probabilities.
            ConfigError: a column that was not evaluated.
        """

    def restore(self, config: Config, files: Mapping[str, bytes], /) -> Combined:
        """The combination that wrote these files, combining the same bits.

        Raises:
            ArtifactError: files that no such combination wrote.
        """


ENSEMBLES: Family[Combiner] = Family("ensemble", f"{__name__}.combiners")


def columns_of(config: Config) -> tuple[str, ...]:
    """Expressions that an ensemble and the parts in it read from `Members.named`, each once."""
    asked = [e for part in _parts(config) for e in getattr(part, "columns", ())]
    return tuple(dict.fromkeys(asked))


def recalibrates(config: Config) -> bool:
    """Whether its weights are coefficients of log-odds, and no shares."""
    return bool(getattr(config, "recalibrates", False))


def check_names(config: Config, names: tuple[str, ...]) -> None:
    """Refuse members that an ensemble cannot be fitted on, by their names, before any is fitted.

    Raises:
        ConfigError: as the kind says.
    """
    asks = getattr(config, "asks", None)
    if asks is not None:
        asks(names)


def _parts(config: Config) -> Iterator[Config]:
    yield config
    for name in type(config).model_fields:
        value: Any = getattr(config, name)
        if isinstance(value, Config):
            yield from _parts(value)
