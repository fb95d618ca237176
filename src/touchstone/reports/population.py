"""What population based training found: every member of every generation, and what it was worth."""

from collections.abc import Mapping
from typing import Any, Literal

from touchstone.reports.contents import Contents, Count, Interval, Ratio
from touchstone.reports.tune import SpaceKey


class Life(Contents):
    """A member after a generation."""

    generation: Count
    """From 0."""
    member: Count
    """From 0; 0 begins with the study's own settings."""
    source: Count | None
    """Whose state, of the generation before, it went on from; null for a beginning. Another than
    itself: weights and settings were copied, and the settings moved."""
    value: Ratio | None
    """The objective, mean over the folds' validation rows; null where training failed."""
    settings: Mapping[str, Any]
    """Setting -> value, of this generation."""
    reason: str
    """Why it failed; empty otherwise."""


class Beside(Contents):
    """A winner, measured."""

    generation: Count
    """After which it was best."""
    member: Count
    """From 0."""
    value: Ratio | None
    """The objective, mean over the folds' validation rows."""
    by_fold: tuple[Ratio | None, ...]
    """The same, fold by fold."""
    test: Ratio | None
    """PR-AUC on the pooled test rows before the seal, calibrated; not what it was chosen by."""


class Again(Contents):
    """The winner's last settings, trained from the beginning."""

    seed: Count
    """Of the fits."""
    by_fold: tuple[Ratio | None, ...]
    """The objective on each fold's validation rows."""
    mean: Ratio | None
    """Of the folds."""


class PopulationFound(Contents):
    """The population of one architecture."""

    name: str
    """Its kind, numbered where a kind comes again."""
    space: tuple[SpaceKey, ...]
    """What was moved."""
    still: tuple[str, ...]
    """Settings of the space that stayed as the study says: they change the shape of weights, or
    what a fit is about."""
    lives: tuple[Life, ...]
    """Generation by generation, member by member."""
    alone: tuple[Life, ...]
    """The same members, had none taken over from another: fixed settings, the same budget."""
    winner: Beside
    """The best of all lives, the earliest of equals."""
    fixed: Beside
    """The best of those alone."""
    ancestors: tuple[Life, ...]
    """What led to the winner, a generation each; their settings are its schedule."""
    difference: Ratio | None
    """PR-AUC on test rows of the winner less that of the best fixed settings."""
    interval: Interval
    """Of that difference at 95 %, days drawn anew; null where there is none."""
    again: tuple[Again, ...]
    """The winner's last settings trained anew, a seed each: what its study gives."""
    file: str
    """The study with the winner's last settings, beside this result."""


class PopulationResult(Contents):
    """A finished search by populations, as `result.json` holds it."""

    name: str
    """Of the search."""
    fingerprint: str
    """12 hex digits: what was asked of which data."""
    method: Literal["population"]
    """Kind of the search."""
    objective: str
    """What a member is worth."""
    direction: Literal["higher", "lower"]
    """What is better."""
    members: Count
    """Of a population."""
    generations: Count
    """Of a population."""
    epochs: Count
    """Passes over the train rows in a generation."""
    seed: Count
    """Everything that was drawn follows from it."""
    populations: tuple[PopulationFound, ...]
    """One an architecture."""
    refused: Mapping[str, str]
    """Architecture -> why it has no population."""
    n_candidates: Count
    """Distinct candidates in the ledger on these rows, these members among them."""
    data: Mapping[str, Any]
    """What the bars are: hash, days, instruments, folds."""
