"""`touchstone tune` with method `darts`: search a cell, train it, and random cells beside it.

The search sees the train rows of the first fold alone, which no fold validates or tests on. What it
finds is then a model like any other: every fit goes through `learn` and the stage cache, and every
cell, found or random, is a candidate in the ledger.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.ledger import Ledger
from touchstone.models import MODELS
from touchstone.models.darts import DartsConfig
from touchstone.pipelines.asked import fingerprint_of
from touchstone.pipelines.decide import Comparison, compare, tested_span
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask, resources_of, sound_ledger
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, identified
from touchstone.pipelines.track_searched import architecture_batch
from touchstone.pipelines.tune_architecture_measures import Cells, Trained, told_cells
from touchstone.pipelines.tune_architecture_search import Ground, Searched, ground_of, searched
from touchstone.pipelines.tune_config import Tune
from touchstone.pipelines.tune_way import Found, Market, Way
from touchstone.registration import kind_of
from touchstone.reports.architecture import (
    ArchitectureResult,
    EpochFound,
    SearchTold,
    Stage,
    told,
)
from touchstone.reports.architecture_page import page
from touchstone.reports.contents import iso_day
from touchstone.reports.figures import plural
from touchstone.seeding import derive, generator
from touchstone.tuning.architecture_cells import n_parameters, random_cells
from touchstone.tuning.methods.darts import ArchitectureConfig

WINNER: Final = "found.yaml"


def run(asked: Tune, ask: Ask, market: Market, progress: Progress, folder: Path) -> Found:
    """Search, or go on with a search that was stopped; see `pipelines.tune_way.Way`.

    Raises:
        ConfigError: models other than one `darts`, or folds that test on what a search sees.
        TouchstoneError: with what is wrong and the way out; what is finished stays.
    """
    method: ArchitectureConfig = asked.config.method  # type: ignore[assignment]  # its own kind
    network = network_of(asked)
    resources = resources_of(ask, progress)
    book = sound_ledger(ask.workspace)
    study = asked.alone(network)
    prepared = prepare(study, *market, resources.cache, progress)
    ground = ground_of(study, prepared, resources)
    seeds = [derive(asked.seed, "architecture search", i) for i in range(method.searches)]
    searches = searched(study, (method, network), ground, (seeds, folder), resources)
    cells = _cells(asked, (method, network), ground, searches)
    trained = _trained(asked, prepared, cells, resources, book)
    n_candidates = len(book.candidates(tested_span(prepared)))
    result = _result(asked, prepared, (ground, searches), (cells, trained), n_candidates)
    name = fingerprint_of(folder)
    won = cells.all[[c.name for c in trained.told].index(result.winner)]
    studies = {WINNER: (asked.alone(won), "darts found")}
    told_as = result.model_copy(update={"fingerprint": name})
    return Found(told_as, studies, partial(architecture_batch, folder, asked, told_as))


def network_of(asked: Tune) -> DartsConfig:
    """The size of the networks: the one `darts` among the models.

    Raises:
        ConfigError: another kind is named, several sizes are, or what a search cannot heed.
    """
    named, config = asked.config.models, asked.config
    if config.backend != "processes":
        raise ConfigError(
            "backend: a search of an architecture is one after the other: leave the key out, and "
            "give --jobs for the fits that follow"
        )
    if config.objectives != ("pr_auc",):
        raise ConfigError(
            f"objectives: cells are compared by pr_auc, not by {config.objectives[0]}: leave the "
            "key out, or search settings with method: trials"
        )
    if not named:
        sizes = [m for m in config.overrides if kind_of(m) == "darts"]
        named = (*sizes, MODELS.parse({"kind": "darts"}))[:1]
    if [kind_of(model) for model in named] != ["darts"]:
        raise ConfigError(
            f"models: method 'darts' searches the wiring of one darts, got "
            f"{[kind_of(model) for model in named]}: name one, as in models: [{{kind: darts, "
            f"cells: 2, width: 16}}]"
        )
    found: Config = named[0]
    assert isinstance(found, DartsConfig)
    if found.head == "multi_task":
        raise ConfigError(
            "models: a search learns from outcomes alone: take head: barrier, and give the study "
            "of the found network head: multi_task afterwards"
        )
    return found


def _cells(
    asked: Tune, on: tuple[ArchitectureConfig, DartsConfig], ground: Ground,
    searches: Sequence[Searched],
) -> Cells:  # fmt: skip
    method, network = on
    wirings = dict.fromkeys(one.found.genotype for one in searches)
    found = [network.model_copy(update={"genotype": cell}) for cell in wirings]
    drawn = random_cells(
        generator(asked.seed, "random cells"), method.random_cells, found, ground.shape(network),
        (method.operations, method.most_skips, method.size_band),
    )  # fmt: skip
    if len(drawn) < 2:
        raise ConfigError(
            f"method: of {method.nodes} nodes and {len(method.operations)} operations there are "
            f"{len(drawn)} other cells: add nodes or operations"
        )
    random = [network.model_copy(update={"genotype": cell}) for cell in drawn]
    return Cells(tuple(found), tuple(random))


def _trained(
    asked: Tune, prepared: Prepared, cells: Cells, resources: Resources, book: Ledger
) -> Trained:
    """Every cell on every fold with every seed, each compared in the ledger."""
    config, folds = asked.study.config, prepared.folds.folds
    whole = identified(config.model_copy(update={"models": cells.all}), asked.study.root)
    tasks = [
        Task(model, fold, f"fold {i + 1}") for model in cells.all for i, fold in enumerate(folds)
    ]
    fits = list[list[list[Learned]]]()
    for seed in asked.seeds:
        resources.progress.note(f"seed {seed}: {len(tasks)} fits")
        flat = learn(_seeded(whole, seed), prepared, tasks, resources)
        fits.append([flat[i : i + len(folds)] for i in range(0, len(flat), len(folds))])
    compared = list[Comparison]()
    with resources.progress.stage("candidates", len(fits)) as step:
        for seed, learned in zip(asked.seeds, fits, strict=True):
            compared.append(compare(_seeded(whole, seed), prepared, learned, book))
            step.advance(f"seed {seed}")
        step.say(f"{len(compared[0].scored)} compared with each of {len(fits)} seeds")
    return told_cells(prepared, (asked.seeds, config.seed), cells, (fits, compared))


def _seeded(study: Study, seed: int) -> Study:
    """The same study, asked once, whose fits are drawn by another seed."""
    return study._replace(config=study.config.model_copy(update={"seed": seed}))


def _result(
    asked: Tune, prepared: Prepared, on: tuple[Ground, Sequence[Searched]],
    made: tuple[Cells, Trained], n_candidates: int,
) -> ArchitectureResult:  # fmt: skip
    (ground, searches), (cells, trained) = on, made
    method: ArchitectureConfig = asked.config.method  # type: ignore[assignment]  # its own kind
    wirings = [cell.genotype for cell in cells.found]
    names = [cell.name for cell in trained.told]
    network = cells.found[0].model_dump(mode="json", exclude={"genotype"})
    found, panel = trained.told[: len(cells.found)], prepared.panel
    # Cells are told apart by validation rows alone; ties go to the earlier search.
    order = sorted(found, key=lambda cell: -(cell.validation or 0.0))
    winner = order[0]
    order[0] = winner.model_copy(update={"file": WINNER})
    return ArchitectureResult(
        name=asked.config.name,
        study=asked.study.config.name,
        fingerprint="",
        data=prepared.data,
        seeds=asked.seeds,
        order=method.order,
        stages=tuple(Stage.model_validate(s.model_dump()) for s in method.stages),
        operations=method.operations,
        network=network,
        n_weights=ground.weights.size,
        n_held=ground.held.size,
        n_purged=ground.n_purged,
        searches=tuple(
            _search_told(one, i, names[wirings.index(one.found.genotype)])
            for i, one in enumerate(searches)
        ),
        cells=(*order, *trained.told[len(found) :]),
        winner=winner.name,
        compared=trained.compared,
        n_folds=len(prepared.folds.folds),
        base_rate=trained.base_rate,
        first=iso_day(panel.time.min()),
        last=iso_day(panel.time.max()),
        sealed_from=iso_day(prepared.folds.seal),
        n_candidates=n_candidates,
        notes=_notes(method, cells, ground),
    )


def _search_told(one: Searched, place: int, cell: str) -> SearchTold:
    history = tuple(
        EpochFound(
            index=epoch.index, stage=epoch.stage + 1, train_loss=epoch.train_loss,
            held_loss=epoch.held_loss, shares=epoch.shares,
        )
        for epoch in one.found.history
    )  # fmt: skip
    return SearchTold(number=place + 1, seed=one.seed, cell=cell, history=history)


def _notes(method: ArchitectureConfig, cells: Cells, ground: Ground) -> tuple[str, ...]:
    notes = []
    shape, depth = ground.shape(cells.found[0]), cells.found[0].cells
    sizes, others = ([n_parameters(c, shape) for c in of] for of in (cells.found, cells.random))
    far = max(abs(n / sizes[i % len(sizes)] - 1) for i, n in enumerate(others))
    if method.stages[-1].cells != depth:
        notes.append(
            f"The last stage searched a network of {plural(method.stages[-1].cells, 'cell')}, the "
            f"found one has {depth}: what is best at one depth need not be best at another."
        )
    if far > method.size_band:
        notes.append(
            f"Random cells as large as the found one within {100 * method.size_band:.0f} % were "
            f"too few: the nearest were taken, up to {100 * far:.0f} % away."
        )
    if len(cells.random) < method.random_cells:
        notes.append(
            f"{method.random_cells} random cells were asked for, there are {len(cells.random)}."
        )
    if len(cells.found) < method.searches:
        notes.append(
            f"{method.searches} searches came to {plural(len(cells.found), 'distinct cell')}; each "
            "counts once."
        )
    return tuple(notes)


WAY: Final = Way(run=run, result=ArchitectureResult, page=page, told=told)
