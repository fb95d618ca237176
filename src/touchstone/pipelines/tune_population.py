"""A search by populations: each architecture's, beside the same members left alone.

Both are walked side by side, generation by generation. What a path of settings leads to is in the
cache or in a checkpoint, so a search that was killed is walked again from its start in seconds, up
to where it was; it ends in the same bytes.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.ledger import Ledger
from touchstone.pipelines.asked import fingerprint_of
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.population_book import entered
from touchstone.pipelines.population_found import Both, found_of, mean
from touchstone.pipelines.population_members import Population, Walked, is_network
from touchstone.pipelines.population_space import Searched, searched
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask, resources_of, sound_ledger
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study
from touchstone.pipelines.track_searched import population_batch
from touchstone.pipelines.tune_config import DIRECTIONS, Tune
from touchstone.pipelines.tune_values import by_fold, validated_span
from touchstone.pipelines.tune_way import Found, Market, Way
from touchstone.pipelines.tune_winner import keep_fits
from touchstone.reports.contents import iso_day
from touchstone.reports.population import Again, PopulationResult
from touchstone.reports.population_page import page, told
from touchstone.tuning.methods.population import PopulationConfig
from touchstone.tuning.population import Generation, Rules, generations

_NO_WEIGHTS: Final = (
    "has no weights that a member could take over from another; search its settings with "
    "method: trials"
)


def run(
    asked: Tune, ask: Ask, market: Market, progress: Progress, folder: Path
) -> Found:  # fmt: skip
    """Train a population of every network that is asked for; see `Way.run`.

    Raises:
        ConfigError: a tabular kind that is named, a curriculum, another backend, or keys that may
            not change while a network learns.
    """
    method, objective = _method(asked), _objective(asked)
    networks, refused = _networks(asked)
    resources = resources_of(ask, progress)
    book = sound_ledger(ask.workspace)
    prepared = prepare(asked.study, *market, resources.cache, progress)
    found, studies = [], dict[str, tuple[Study, str]]()
    for one in searched(asked, networks, method.keys, prepared):
        members = _members(asked, one, prepared, (resources, folder.name), objective)
        both = _walked(asked, method, one, members, book)
        last = _last_study(asked, members, both.winner)
        again = _again(asked, last, prepared, resources)
        found.append(found_of(one, members, both, (again, book)))
        won = f"generation {found[-1].winner.generation}, member {found[-1].winner.member}"
        keep_fits(folder, one.name, (won, last), (prepared, members.fits(both.winner)))
        studies[found[-1].file] = (last, one.name)
    result = PopulationResult(
        name=asked.config.name,
        fingerprint=fingerprint_of(folder),
        method="population",
        objective=objective,
        direction=DIRECTIONS[objective],
        members=method.members,
        generations=method.generations,
        epochs=method.epochs,
        seed=asked.seed,
        populations=tuple(found),
        refused=refused,
        n_candidates=len(book.candidates(validated_span(prepared))),
        data=_data(prepared),
    )
    return Found(result, studies, partial(population_batch, folder, asked, result))


def _method(asked: Tune) -> PopulationConfig:
    method = asked.config.method
    assert isinstance(method, PopulationConfig), "the way is chosen by the method's kind"
    if asked.config.backend != "processes":
        raise ConfigError(
            "backend: the members of a population are trained by worker processes of this "
            "machine: leave the key out, and give --jobs"
        )
    if asked.study.config.training.curriculum:
        raise ConfigError(
            "training.curriculum: a population learns one label, so that all its generations are "
            "worth the same; leave the curriculum out, or search with method: trials"
        )
    return method


def _objective(asked: Tune) -> str:
    (objective,) = asked.config.objectives  # the method knows no second one
    return objective


def _networks(asked: Tune) -> tuple[dict[str, Config], dict[str, str]]:
    """Name -> architectures that have weights, and why the others are left out."""
    models = asked.config.architectures
    names = model_names(asked.study.config)
    named = dict(zip(names, models, strict=True))
    refused = {n: f"{n} {_NO_WEIGHTS}" for n, m in named.items() if not is_network(m)}
    if refused and (asked.config.models or len(refused) == len(named)):
        raise ConfigError("models: " + "\n".join(refused.values()))
    return {n: m for n, m in named.items() if n not in refused}, refused


def _members(
    asked: Tune, one: Searched, prepared: Prepared, by: tuple[Resources, str], objective: str
) -> Population:
    method = _method(asked)

    def values(study: Study, fits: Sequence[Learned]) -> tuple[float | None, ...]:
        return by_fold(objective, study, prepared, fits)

    epochs = (method.epochs, method.epochs * method.generations)
    study = asked.alone(one.space.model, one.space.training)
    return Population(study, prepared, one.space, epochs, by, values)


def _walked(
    asked: Tune, method: PopulationConfig, one: Searched, members: Population, book: Ledger
) -> Both:
    """Both populations, side by side, so that what they share is trained once."""
    rules = Rules(
        method.members, method.generations, DIRECTIONS[_objective(asked)], method.bottom,
        method.top, method.resample,
    )  # fmt: skip
    data, first, seed = members.prepared.data, one.own, asked.seed
    taken, alone = (
        generations(r, one.moved, members, seed, (book, data), first)
        for r in (rules, rules._replace(bottom=0.0))
    )
    past, left = list[Generation[Walked]](), list[Generation[Walked]]()
    n_turns = 2 * method.members * method.generations * len(members.tasks)
    with members.resources.progress.stage(f"population of {one.name}", n_turns) as step:
        members.step = step
        for ours, theirs in zip(taken, alone, strict=True):
            past.append(ours)
            left.append(theirs)
            lived = [m.state for m in (*ours.members, *theirs.members) if m.state is not None]
            entered(members, list(dict.fromkeys(lived)), _objective(asked), book)
            members.forget((*ours.kept, *theirs.kept))
        assert past[-1].best is not None, "a generation without a value is an error"
        number, member = past[-1].best
        best = past[number].members[member].value
        step.say(f"{_objective(asked)} {best:.4f}, member {member} in generation {number}")
    return Both(tuple(past), tuple(left))


def _last_study(asked: Tune, members: Population, winner: Walked) -> Study:
    """The study with the winner's last settings, by which a network is trained from the start."""
    config = members.study_of(winner).config
    own = asked.study.config.training
    recipe = config.training.model_copy(update={"keep_every": own.keep_every})
    return asked.alone(config.models[0], recipe)


def _again(asked: Tune, last: Study, prepared: Prepared, resources: Resources) -> tuple[Again, ...]:
    """The winner's last settings, trained from the beginning with each seed."""
    tasks = [
        Task(last.config.models[0], fold, f"fold {i + 1}")
        for i, fold in enumerate(prepared.folds.folds)
    ]
    found = []
    for seed in asked.seeds:
        seeded = last._replace(config=last.config.model_copy(update={"seed": seed}))
        fits = learn(seeded, prepared, tasks, resources)
        values = by_fold(_objective(asked), last, prepared, fits)
        found.append(Again(seed=seed, by_fold=values, mean=mean(values)))
    return tuple(found)


def _data(prepared: Prepared) -> dict[str, object]:
    panel, folds = prepared.panel, prepared.folds
    return {
        "hash": prepared.data,
        "n_instruments": len(panel.symbols),
        "first": iso_day(int(panel.time.min())),
        "last": iso_day(int(panel.time.max())),
        "n_folds": len(folds.folds),
        "n_validate": sum(len(fold.validate) for fold in folds.folds),
        "n_test": sum(len(fold.test) for fold in folds.folds),
        "sealed_from": iso_day(folds.seal),
    }


WAY: Final = Way(run=run, result=PopulationResult, page=page, told=told)
"""As `touchstone tune` calls it."""
