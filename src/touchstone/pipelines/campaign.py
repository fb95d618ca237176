"""A campaign: all architectures on the same folds with the same budget, and a leaderboard.

Its unit of work is a fit, and every fit goes through `learn` and the stage cache: a campaign that
was stopped goes on with the fit that was under way. Only rows before the seal are scored; what is
compared is written to the trial ledger as a study's own comparison is, once a seed.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError, DataError, RefusedError, TrainingError
from touchstone.files import lock, write_bytes, write_text
from touchstone.pipelines import campaign_checks as checks
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.campaign_board import Raced, board, file_of
from touchstone.pipelines.campaign_config import Campaign
from touchstone.pipelines.campaign_machine import Cost, cost_key, keep_cost, kept_cost, probed
from touchstone.pipelines.decide import compare, model_names, tested_span
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared, load, prepare, resolve
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import (
    Ask,
    ledger_of,
    now,
    run_fingerprint,
    sound_ledger,
    versions,
)
from touchstone.pipelines.shelf import Columns, Resources, columns_of, shelve
from touchstone.pipelines.track import OFF, place_of, tell
from touchstone.pipelines.track_campaign import campaign_batch
from touchstone.pipelines.track_records import enqueue
from touchstone.reports.campaign import CampaignResult, Check
from touchstone.reports.campaign_page import page

RESULT = "result.json"
_TAKES = "Takes this architecture to its one look at the sealed rows."


class Ended(NamedTuple):
    """Where the leaderboard lies and what it says."""

    folder: Path
    result: CampaignResult
    shown: bool
    """True where a finished campaign was shown and nothing was computed."""


def campaign(
    asked: Campaign, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Ended:
    """Run a campaign, go on with one that was stopped, or show a finished one.

    Args:
        asked: what competes, on what.
        ask: where, with how many processes, and whether to repeat.
        progress: who shows the stages.
        seconds: (stage, seconds), filled by whoever shows the stages; goes to run.json.

    Raises:
        RefusedError: a prerequisite is not met; nothing was trained.
        TouchstoneError: with what is wrong and the way out; finished fits stay in the cache.
    """
    place_of(ask.workspace, ask.tracking)  # what is no address is refused now, not at the end
    ended = _ended(asked, ask, progress, seconds)
    tell(ask.workspace, ask.tracking, progress)
    return ended


def _ended(
    asked: Campaign, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Ended:
    loaded, data = load(asked.study, progress, StageCache(ask.workspace.cache))
    resolve(asked.study, loaded.panel)
    name = fingerprint(asked, loaded, data)
    folder = ask.workspace.campaigns / f"{asked.config.name}-{name}"
    with lock(ask.workspace.locks / folder.name):
        if not ask.again and (found := _finished(folder, asked, progress)) is not None:
            return Ended(folder, found, shown=True)
        started = now()
        raced = _race(asked, ask, (loaded, data), progress)
        with progress.stage("leaderboard") as step:
            result = board(asked, raced, name)
            about: dict[str, object] = {
                "command": ask.command, "versions": versions(), "stages": seconds,
                "started": started, "source": asked.study.source,
            }  # fmt: skip
            _write(folder, asked, result, about)
            if ask.tracking != OFF:
                enqueue(
                    folder, lambda: campaign_batch(folder, asked, raced, result, about), progress
                )
            step.say(f"{result.leader.name} leads {len(result.architectures)}")
    return Ended(folder, result, shown=False)


def check(asked: Campaign, ask: Ask, progress: Progress) -> tuple[Check, ...]:
    """Look at every prerequisite, and train nothing but for a moment."""
    loaded, data = load(asked.study, progress, StageCache(ask.workspace.cache))
    resolve(asked.study, loaded.panel)
    resources = _resources(ask, progress)
    prepared = prepare(asked.study, loaded, data, resources.cache, progress)
    columns = columns_of(shelve(asked.study.config, prepared, resources.cache))
    return _checked(asked, ask, (prepared, columns), resources)[0]


def fingerprint(asked: Campaign, loaded: Loaded, data: str) -> str:
    """Names a campaign on data: 12 hex digits."""
    config = asked.config
    # What the study says stands in its fingerprint; where its file lies is no part of it.
    own = config.model_copy(update={"study": "", "name": ""}).canonical()
    noun = (run_fingerprint(asked.study, loaded, data), own)
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:12]


def _race(
    asked: Campaign, ask: Ask, bars: tuple[Loaded, str], progress: Progress
) -> Raced:  # fmt: skip
    study, resources = asked.study, _resources(ask, progress)
    book = sound_ledger(ask.workspace)
    prepared = prepare(study, *bars, resources.cache, progress)
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


def _resources(ask: Ask, progress: Progress) -> Resources:
    cache = StageCache(ask.workspace.cache)
    return Resources(cache, ledger_of(ask.workspace), progress, ask.jobs, ask.workspace.checkpoints)


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


def _finished(folder: Path, asked: Campaign, progress: Progress) -> CampaignResult | None:
    """The result of a finished campaign; None where there is none that can still be read."""
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        found = CampaignResult.model_validate_json(path.read_bytes())
        about = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        progress.note(f"an earlier campaign cannot be read and is made anew: {error}")
        return None
    if about.get("source") != asked.study.source:
        progress.note("this campaign was run by another version of the code: --again repeats it")
    return found


def _write(folder: Path, asked: Campaign, result: CampaignResult, about: dict[str, object]) -> None:
    for name, model in zip(
        model_names(asked.study.config), asked.study.config.models, strict=True
    ):  # fmt: skip
        write_text(folder / file_of(name), study_text(asked.alone(model), name, folder, _TAKES))
    config = asked.config.model_dump(mode="json", serialize_as_any=True)
    write_text(folder / "campaign.json", json.dumps(config, indent=1) + "\n")
    write_bytes(folder / "run.json", json.dumps(about, indent=1).encode())
    write_text(folder / "report.html", page(result, str(about["command"])))
    # Last: a campaign with it is finished.
    write_text(folder / RESULT, result.model_dump_json(indent=1) + "\n")
