"""A campaign: all architectures on the same folds with the same budget, and a leaderboard.

Its unit of work is a fit, and every fit goes through `learn` and the stage cache: a campaign that
was stopped goes on with the fit that was under way. Only rows before the seal are scored; what is
compared is written to the trial ledger as a study's own comparison is, once a seed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.errors import ConfigError, DataError, RefusedError, TrainingError
from touchstone.pipelines import campaign_checks as checks
from touchstone.pipelines.asked import (
    Ended,
    Made,
    Market,
    Seconds,
    Work,
    answered,
    fingerprint_of,
)
from touchstone.pipelines.campaign_board import Raced, board, file_of
from touchstone.pipelines.campaign_config import Campaign
from touchstone.pipelines.campaign_machine import Cost, cost_key, keep_cost, kept_cost, probed
from touchstone.pipelines.decide import compare, model_names, tested_span
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared, load, prepare, resolve
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask, resources_of, sound_ledger
from touchstone.pipelines.shelf import Columns, Resources, columns_of, shelve
from touchstone.pipelines.track_campaign import campaign_batch
from touchstone.reports.campaign import CampaignResult, Check, told
from touchstone.reports.campaign_page import page

_HEAD: Final = "Takes this architecture to its one look at the sealed rows."


def campaign(
    asked: Campaign, ask: Ask, progress: Progress, seconds: Seconds
) -> Ended[CampaignResult]:
    """Run a campaign, go on with one that was stopped, or show a finished one; see `answered`.

    Raises:
        RefusedError: a prerequisite is not met; nothing was trained.
    """
    return answered(WORK, asked, ask, progress, seconds)


def check(asked: Campaign, ask: Ask, progress: Progress) -> tuple[Check, ...]:
    """Look at every prerequisite, and train nothing but for a moment."""
    loaded, data = load(asked.study, progress, StageCache(ask.workspace.cache))
    resolve(asked.study, loaded.panel)
    resources = resources_of(ask, progress)
    prepared = prepare(asked.study, loaded, data, resources.cache, progress)
    columns = columns_of(shelve(asked.study.config, prepared, resources.cache))
    return _checked(asked, ask, (prepared, columns), resources)[0]


def _make(
    asked: Campaign, ask: Ask, market: Market, progress: Progress, folder: Path
) -> Made[CampaignResult]:
    raced, models = _race(asked, ask, market, progress), asked.study.config.models
    with progress.stage("leaderboard") as step:
        result = board(asked, raced, fingerprint_of(folder))
        step.say(f"{result.leader.name} leads {len(result.architectures)}")
    names = model_names(asked.study.config)
    studies = {file_of(n): (asked.alone(m), n) for n, m in zip(names, models, strict=True)}
    return Made(result, studies, lambda about: campaign_batch(folder, asked, raced, result, about))


def _race(asked: Campaign, ask: Ask, market: Market, progress: Progress) -> Raced:
    study, resources = asked.study, resources_of(ask, progress)
    book = sound_ledger(ask.workspace)
    prepared = prepare(study, *market, resources.cache, progress)
    columns = columns_of(shelve(study.config, prepared, resources.cache))
    found, costs = _checked(asked, ask, (prepared, columns), resources)
    if wrong := checks.failed(found):
        raise RefusedError(f"prerequisites that are not met, so nothing was trained:\n{wrong}")
    fits = tuple(_fits(asked, prepared, seed, resources) for seed in asked.seeds)
    with progress.stage("candidates", len(fits)) as step:
        compared = []
        # The study's own seed last: of a candidate that is tried again the ledger keeps the
        # newest score, and `touchstone run` gives that of this seed.
        for seed, learned in reversed(list(zip(asked.seeds, fits, strict=True))):
            compared.append(compare(asked.seeded(seed), prepared, learned, book))
            step.advance(f"seed {seed}")
        step.say(f"{len(compared[0].scored)} compared with each of {len(fits)} seeds")
    costs = _remember(asked, prepared, fits, costs, resources.cache)
    n = len(book.candidates(tested_span(prepared)))
    return Raced(prepared, columns, fits, tuple(reversed(compared)), costs, found, n)


def _fits(
    asked: Campaign, prepared: Prepared, seed: int, resources: Resources
) -> list[list[Learned]]:
    """Per model, its fits of the folds with one seed."""
    folds = prepared.folds.folds
    tasks = [
        Task(model, fold, f"fold {i + 1}")
        for model in asked.study.config.models
        for i, fold in enumerate(folds)
    ]
    resources.progress.note(f"seed {seed}: {len(tasks)} fits")
    found = learn(asked.seeded(seed), prepared, tasks, resources)
    return [found[i : i + len(folds)] for i in range(0, len(found), len(folds))]


def _checked(
    asked: Campaign, ask: Ask, market: tuple[Prepared, Columns], resources: Resources
) -> tuple[tuple[Check, ...], dict[str, Cost]]:
    """All prerequisites, and what a fit of each model costs."""
    config, (prepared, columns) = asked.study.config, market
    models = dict(zip(model_names(config), config.models, strict=True))
    found = [
        *checks.data_checks(prepared, asked.config.fewest_hits),
        *checks.window_checks(models, config.lookback),
    ]
    if checks.failed(found):
        return tuple(found), {}
    costs = dict[str, Cost]()
    with resources.progress.stage("short fits", len(models)) as step:
        for name, model in models.items():
            cost = _cost(asked, prepared, (model, columns), resources.cache)
            if isinstance(cost, Cost):
                costs[name] = cost
            else:
                found.append(checks.refused(name, cost))
            step.advance(name)
        step.say(f"{len(models)} architectures, each fitted for a moment or known")
    n_fits = len(asked.seeds) * len(prepared.folds.folds)
    found += [
        *checks.model_checks(costs, asked.config.budget.seconds),
        checks.memory_check(prepared, costs, ask.jobs),
        checks.disk_check(prepared, len(models), len(asked.seeds), ask.workspace.root),
        checks.time_check(costs, n_fits, ask.jobs),
    ]
    return tuple(found), costs


def _cost(
    asked: Campaign, prepared: Prepared, on: tuple[Config, Columns], cache: StageCache
) -> Cost | ConfigError | DataError | TrainingError:
    """What is known of a model's fits, or a short one; the error of a model that cannot be."""
    (model, columns), config = on, asked.study.config
    key = cost_key(config, prepared, model)
    known = kept_cost(cache, key)
    if known is not None:
        return known
    try:
        cost = probed(config, prepared, model, columns)
    except (ConfigError, DataError, TrainingError) as error:
        return error
    keep_cost(cache, key, cost)
    return cost


def _remember(
    asked: Campaign, prepared: Prepared, fits: Sequence[Sequence[Sequence[Learned]]],
    costs: dict[str, Cost], cache: StageCache,
) -> dict[str, Cost]:  # fmt: skip
    """Costs as the fits themselves took, kept for the next start."""
    config, found = asked.study.config, dict[str, Cost]()
    for i, (name, model) in enumerate(zip(model_names(config), config.models, strict=True)):
        took = [fit.seconds for of_seed in fits for fit in of_seed[i]]
        cost = costs[name]._replace(seconds=float(np.mean(took)), measured=True)
        keep_cost(cache, cost_key(config, prepared, model), cost)
        found[name] = cost
    return found


WORK: Final = Work("campaign", "campaign", _make, CampaignResult, page, told, _HEAD)
