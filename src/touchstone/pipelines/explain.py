"""Why does a run's model say what it says? Its folds' models asked on their own test rows.

Nothing new is tried and no choice is made: the models are those that the run fitted, the rows
those that it was compared on, so the trial ledger gets no candidate, no sweep and no look. Whoever
changes a study by what a page says has another study, whose candidates count when it is run. Only
a fit that is no longer in the cache is made again, and counted as a fit. The sealed rows stay
closed.

Each part is kept in the stage cache, so that a call that adds one, or that was stopped, computes
only what is missing.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from touchstone.errors import ConfigError
from touchstone.files import lock, write_text
from touchstone.pipelines import explain_methods as methods
from touchstone.pipelines.campaign_board import label_words
from touchstone.pipelines.explain_counterfactuals import counterfactuals
from touchstone.pipelines.explain_folds import (
    Reopened,
    Restored,
    Which,
    reopen,
    restored,
    run_of,
)
from touchstone.pipelines.prepare import stage_key
from touchstone.pipelines.progress import Progress, Step
from touchstone.pipelines.run import Ask, resources_of
from touchstone.pipelines.shelf import Resources
from touchstone.reports.contents import Contents, iso_moment
from touchstone.reports.explain import PARTS, ExplainResult, FoldExplained, PartName
from touchstone.reports.explain_contents import (
    Attention,
    Attributed,
    Counterfactuals,
    ErrorsFound,
    Permutation,
    RobustnessFound,
)
from touchstone.reports.explain_page import page

RESULT: Final = "explain.json"
FEWEST_ROWS: Final = 64


class Wish(NamedTuple):
    """What one call asks."""

    run: str
    """A run's name or folder, or an artifact's folder."""
    which: Which = Which()
    only: tuple[PartName, ...] = PARTS
    """The parts that are computed; what an equal call computed before stands on the page too."""


class Explained(NamedTuple):
    """Where page and figures lie, and what they say."""

    page: Path
    file: Path
    result: ExplainResult


class _Method(NamedTuple):
    """One part: who makes it, as what it is kept."""

    name: str
    """Of the stage, for the progress bar."""
    make: Callable[[Reopened, Restored, Step], Contents | None]
    kept_as: type[Contents]


_METHODS: Final[Mapping[PartName, _Method]] = {
    "permutation": _Method("permutation", methods.permutation, Permutation),
    "shap": _Method("SHAP", methods.shap_values, Attributed),
    "gradients": _Method("gradients", methods.gradients, Attributed),
    "attention": _Method("attention", methods.attention, Attention),
    "counterfactuals": _Method("changes", counterfactuals, Counterfactuals),
    "robustness": _Method("robustness", methods.robust, RobustnessFound),
    "errors": _Method("errors", methods.errors_found, ErrorsFound),
}


def explain(wish: Wish, ask: Ask, progress: Progress) -> Explained:
    """Explain a run's model, and write page and figures into the run's folder.

    `explain.html` and `explain.json` are about the model of the chosen candidate, or of the one
    that came closest; of another model the files carry its name, as `explain-gru.html`.

    Args:
        wish: which run, which model, which parts.
        ask: where; `again` computes what the cache holds once more.
        progress: who shows the stages.

    Raises:
        DataError: no such run, or one whose bars or files are gone.
        ConfigError: a model that the run does not have, a part that it cannot give, too few rows.
    """
    if wish.which.rows < FEWEST_ROWS:
        raise ConfigError(f"--rows {wish.which.rows}: needs {FEWEST_ROWS} at least")
    if wish.which.threshold is not None and not 0 < wish.which.threshold < 1:
        raise ConfigError(f"--threshold {wish.which.threshold}: needs a score between 0 and 1")
    run, held = run_of(wish.run, ask.workspace.runs)
    resources = resources_of(ask, progress)
    of = reopen(run, wish.which.model or held, resources)
    with lock(ask.workspace.locks / f"explain-{run.name}"):
        asked = restored(of, wish.which, resources)
        _refuse(of, asked, wish)
        found = {part: _part(part, of, asked, (wish, ask), resources) for part in PARTS}
        result = _result(of, asked, wish, found)
        name = "" if of.is_chosen else f"-{of.name.replace(' ', '-')}"
        target = run.folder / f"explain{name}.json"
        write_text(target, result.model_dump_json(indent=1) + "\n")
        html = target.with_suffix(".html")
        write_text(html, page(result, ask.command))
    return Explained(html, target, result)


def _refuse(of: Reopened, asked: Restored, wish: Wish) -> None:
    """What was asked for by name and cannot be is refused, not left out."""
    from touchstone.explain.gradients import has_gradients, why_none  # noqa: PLC0415  torch for networks

    is_named = wish.only != PARTS
    first = asked.exposed[0].subject.fitted
    if is_named and "gradients" in wish.only and not has_gradients(first):
        raise ConfigError(
            f"--only gradients: {of.name} has no gradients, since {why_none(first)}; take "
            "permutation, or with --model a network of the study"
        )
    if is_named and "permutation" in wish.only:
        able, notes = methods.lending(asked)
        if not able:
            raise ConfigError(f"--only permutation: {'; '.join(notes)}")


def _part(
    part: PartName, of: Reopened, asked: Restored, call: tuple[Wish, Ask], resources: Resources
) -> Contents | None:
    """One part, from the cache if it is there; None where it is not and was not asked for."""
    (wish, ask), method = call, _METHODS[part]
    key, is_asked = _key(of, wish, part), part in wish.only
    if not (ask.again and is_asked):
        kept = resources.cache.load_bytes("explain", key)
        if kept is not None:
            try:
                told = json.loads(kept)
                return None if told is None else method.kept_as.model_validate(told)
            except (ValueError, ValidationError):
                pass  # of another version: made anew
    if not is_asked:
        return None
    total = {"robustness": methods.n_attacks(asked), "counterfactuals": len(asked.exposed) + 1}
    with resources.progress.stage(method.name, total.get(part, 1)) as step:
        found = method.make(of, asked, step)
    content = "null" if found is None else found.model_dump_json()
    resources.cache.save_bytes("explain", key, content.encode())
    return found


def _key(of: Reopened, wish: Wish, part: str) -> str:
    which = wish.which
    return stage_key(
        of.prepared.key, of.study.fingerprint, of.study.source, of.prepared.data, of.model, of.name,
        str(of.study.config.seed), str(which.rows), str(which.threshold), part,
    )  # fmt: skip


def _result(
    of: Reopened, asked: Restored, wish: Wish, found: Mapping[PartName, Contents | None]
) -> ExplainResult:
    config, prepared = of.study.config, of.prepared
    folds = tuple(
        FoldExplained(
            name=one.subject.name,
            test=(iso_moment(start), iso_moment(min(end, prepared.folds.seal))),
            threshold=one.threshold,
            n_test=n_test,
            n_rows=int(one.subject.rows.size),
        )
        for one, n_test, (start, end) in zip(
            asked.exposed, asked.n_test, asked.tests, strict=True
        )
    )  # fmt: skip
    given = wish.which.threshold
    is_asked = "permutation" in wish.only or found.get("permutation") is not None
    return ExplainResult.model_validate(
        {
            "run": of.run.name,
            "study": config.name,
            "fingerprint": of.study.fingerprint,
            "seed": config.seed,
            "model": of.name,
            "is_chosen": of.is_chosen,
            "label": label_words(config.label),
            "features": asked.exposed[0].subject.names,
            "lookback": config.lookback,
            "timeframe": prepared.panel.timeframe.name,
            "n_instruments": prepared.panel.n_instruments,
            "sealed_from": iso_moment(prepared.folds.seal),
            "round_trip": config.costs.round_trip,
            "threshold_by": "as given" if given is not None
            else "the best F1 on each fold's validation rows",
            "folds": folds,
            "notes": (*asked.notes, *(methods.lending(asked)[1] if is_asked else ())),
            **{part: found.get(part) for part in PARTS},
        }
    )  # fmt: skip
