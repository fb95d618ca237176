"""What a search found: every trial with its values, the winners and their retrained versions."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from touchstone.reports.aligned import aligned
from touchstone.reports.contents import Contents, Count, Ratio

State: TypeAlias = Literal["complete", "pruned", "failed", "infeasible"]
"""`infeasible`: it ended, but breaks a constraint."""


class SpaceKey(Contents):
    """One setting that was searched."""

    key: str
    """Dotted, as in hidden or training.learning_rate."""
    low: Ratio | None
    """Lowest value; null for choices."""
    high: Ratio | None
    """Highest value."""
    step: Ratio | None
    """Between values; null where any between is possible."""
    log: bool
    """Whether drawn on a logarithmic scale."""
    choices: tuple[Any, ...]
    """The values; empty for a range."""


class Step(Contents):
    """What a trial was worth on the way."""

    step: Count
    """Epoch, counted on over the folds."""
    value: Ratio
    """Of what is watched (`TuneResult.watched`)."""


class TrialFound(Contents):
    """One trial."""

    number: Count
    """From 0."""
    state: State
    """How it ended."""
    params: Mapping[str, Any]
    """Setting -> value."""
    values: tuple[Ratio | None, ...]
    """One an objective, means over the folds' validation rows; empty where it did not end."""
    constraints: Mapping[str, Ratio | None]
    """Constraint -> what was measured."""
    steps: tuple[Step, ...]
    """On the way; pruning goes by them."""
    reason: str
    """Why it was pruned or failed; empty otherwise."""


class Version(Contents):
    """The winner's checkpoints, or the same settings trained anew."""

    name: str
    """`checkpoint`, or `retrained, seed N`."""
    by_fold: tuple[Ratio | None, ...]
    """The first objective on each fold's validation rows."""
    mean: Ratio | None
    """Of the folds."""


class WinnerFound(Contents):
    """The best trial and what became of it when it was trained again."""

    number: Count
    """Of the trial."""
    settings: Mapping[str, Any]
    """The model's, whole."""
    training: Mapping[str, Any]
    """The recipe's settings that were searched."""
    versions: tuple[Version, ...]
    """The checkpoint first, then one a seed."""
    kept: str
    """Name of the version that goes on: the checkpoint, unless one trained anew is no worse on
    validation rows."""
    file: str
    """The study that takes it to its verdict, beside this result."""


class SearchFound(Contents):
    """The search of one architecture."""

    name: str
    """Its kind, numbered where a kind comes again."""
    space: tuple[SpaceKey, ...]
    """What was searched."""
    trials: tuple[TrialFound, ...]
    """In order of their numbers."""
    best: tuple[Count, ...]
    """Numbers of the best trials: one, or with several objectives the Pareto front."""
    importance: Mapping[str, Ratio] | None
    """Setting -> share of the variance of the first objective that single settings explain; null
    with fewer than 10 trials that ended, or where none explains more than chance would."""
    winner: WinnerFound | None
    """Null where no trial ended within the constraints."""


class TuneResult(Contents):
    """A finished search, as `result.json` holds it."""

    name: str
    """Of the search."""
    fingerprint: str
    """12 hex digits: what was asked of which data."""
    method: str
    """Kind of the search."""
    sampler: str
    """Where settings come from."""
    pruner: str
    """What ends trials early; `none` for nothing."""
    objectives: tuple[str, ...]
    """Names of the objectives."""
    directions: tuple[Literal["higher", "lower"], ...]
    """What is better, one an objective."""
    watched: str
    """What trials are watched by on their way: the first objective, or the metric of the recipe
    that stands in for it (`-` before it: its negative), since an epoch has no account."""
    limits: Mapping[str, Ratio]
    """Constraint -> its bound."""
    searches: tuple[SearchFound, ...]
    """One an architecture."""
    seed: Count
    """Of the search."""
    n_candidates: Count
    """Distinct candidates in the ledger on these rows, these trials among them."""
    data: Mapping[str, Any]
    """What the bars are: hash, n_instruments, first, last and sealed_from (YYYY-MM-DD), n_folds,
    n_validate (rows of all folds); what is not known is left out."""
    notes: tuple[str, ...]
    """What a reader should know."""
    machine: Mapping[str, Any]
    """What another machine, or another hour, measures otherwise: seconds (mean a trial), jobs."""


def told(result: TuneResult) -> list[str]:
    """The search for a terminal: an architecture a line, then what goes on."""
    head = ("", "trials", "ended", "pruned", "failed", "best", *result.objectives, "kept")
    rows = [head, *(_cells(result, search) for search in result.searches)]
    closing = (
        "Means over the folds' validation rows, which chose them: they flatter. "
        f"{result.n_candidates} candidates on these rows in the ledger."
    )
    return [*aligned(rows, left=(0, len(head) - 1)), closing, *result.notes]


def _cells(result: TuneResult, search: SearchFound) -> tuple[str, ...]:
    number = search.winner.number if search.winner else next(iter(search.best), None)
    values = next((t.values for t in search.trials if t.number == number), ())
    shown = [*values, *[None] * len(result.objectives)][: len(result.objectives)]
    states = [t.state for t in search.trials]
    ended = sum(s in ("complete", "infeasible") for s in states)
    return (
        search.name,
        str(len(states)),
        str(ended),
        str(states.count("pruned")),
        str(states.count("failed")),
        "-" if number is None else f"trial {number}",
        *("-" if v is None else f"{v:.4f}" for v in shown),
        search.winner.kept if search.winner else "-",
    )
