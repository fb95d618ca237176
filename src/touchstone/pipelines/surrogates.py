"""The whole search again, on markets without an edge that are made of the study's own bars.

Only bars known by the seal are made anew and only they are searched: nothing of the sealed rows
enters the p-value. Each score is kept in the stage cache as soon as it is there, by study, data,
code, seed and number, so that a run that was stopped goes on where it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed

from touchstone.arrays import Float64
from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.market.bars import FIELDS
from touchstone.pipelines.decide import Comparison
from touchstone.pipelines.prepare import Prepared, data_hash, stage_key
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, identified
from touchstone.pipelines.workers import workers
from touchstone.reports.result import SurrogateSearch
from touchstone.simulation.surrogate import surrogate
from touchstone.validation.surrogates import (
    SurrogateTest,
    n_needed,
    search_score,
    surrogate_test,
)
from touchstone.validation.verdict import Drawn

Search = Callable[[Study, tuple[Loaded, str], Resources], Comparison]
"""The search of a study on a market, up to the choice; a function that workers can import."""


class Scored(NamedTuple):
    """What one surrogate brought."""

    score: float
    """As `validation.surrogates.search_score` gives it."""
    n_garch: int
    """Instruments whose volatility path is that of a GARCH(1,1)."""


class Job(NamedTuple):
    """Everything that a worker needs beside a surrogate's number."""

    study: Study
    """Without a budget for surrogates."""
    loaded: Loaded
    seal: int
    """ns UTC: only bars known by then are made anew."""
    search: Search
    cache: StageCache
    """On whose disk a search keeps its stages meanwhile."""


class Tested(NamedTuple):
    """The test, and what must be said of its surrogates."""

    test: SurrogateTest
    told: SurrogateSearch

    @property
    def drawn(self) -> Drawn:
        """What the verdict's sentences say of it."""
        test = self.test
        return Drawn(test.budget, len(test.scores), test.n_exceedances)


def surrogates(
    study: Study, prepared: Prepared, comparison: Comparison, search: Search, resources: Resources
) -> Tested | None:
    """Rank a study's search among those on its surrogate markets; None without a budget for them.

    The searches write to ledgers of their own, for they are no candidates; one row of kind
    `surrogate` in the study's ledger says how many there were and what they scored. Searches
    beyond the end of the sequential rule, which other workers had begun, are kept and not
    counted: the p-value does not depend on the number of workers.
    """
    config = study.config
    if not config.surrogates:
        return None
    best = search_score(None if comparison.winner is None else comparison.winner.returns)
    plain = identified(config.model_copy(update={"surrogates": 0}), study.root)
    job = Job(plain, prepared.loaded, prepared.folds.seal, search, resources.cache)
    with resources.progress.stage("surrogates", config.surrogates) as step:
        scored: list[Scored] = []
        while n := n_needed(best, [s.score for s in scored], config.surrogates):
            n = min(max(n, resources.jobs), config.surrogates - len(scored))
            numbers = range(len(scored), len(scored) + n)
            found = _kept(job, prepared.data, numbers)
            for number in found:
                step.advance(f"{number + 1} from cache")
            for number, one in _searched(job, [k for k in numbers if k not in found], resources):
                _keep(job, prepared.data, number, one)
                found[number] = one
                step.advance(f"{number + 1}")
            scored += [found[number] for number in numbers]
        test = surrogate_test(best, [s.score for s in scored], config.surrogates)
        told = _told(test, scored, _n_instruments(prepared))
        step.say(
            f"{test.n_exceedances} of {len(test.scores)} as good, p = {test.p:.4f}"
            if scored
            else "none needed: the search itself earned nothing"
        )
    facts = told.model_dump(mode="json") | {"seed": config.seed, "source": study.source}
    resources.ledger().record("surrogate", study.fingerprint, prepared.data, facts)
    return Tested(test, told)


def surrogate_market(loaded: Loaded, seal: int, seed: int, number: int) -> tuple[Loaded, int]:
    """The market with the bars known by the seal made anew, and how many GARCH fits it took.

    Later bars keep their shapes, at the level where the new ones end: no search reads them, nor
    bars of a shorter timeframe inside them, which are left out. Times, side columns, membership of
    the universe and what happened beside the bars stay in place; dividends, their share of the
    price.

    Args:
        loaded: the study's bars.
        seal: ns UTC.
        seed: of the study.
        number: of the surrogate.
    """
    panel = loaded.panel
    early = panel.available_at <= seal
    made = surrogate(panel.where(early), seed, number)
    level = _level(panel, made.panel)
    columns: dict[str, Any] = {}
    for name in FIELDS:
        column = getattr(panel, name) * (1.0 if name == "volume" else level)
        column[early] = getattr(made.panel, name)
        columns[name] = column
    happened = panel.happened
    if happened is not None and made.panel.happened is not None:
        dividend = happened.dividend * level
        dividend[early] = made.panel.happened.dividend
        happened = happened._replace(dividend=dividend)
    n_garch = sum(fitted == "garch" for fitted in made.volatility)
    columns |= {"happened": happened, "finer": made.panel.finer}
    return loaded._replace(panel=replace(panel, **columns)), n_garch


def _level(panel: Panel, made: Panel) -> Float64:
    """New over old close of each row's instrument at the last bar made anew, (n_rows,)."""
    level = np.ones(panel.n_instruments)
    n_made = np.diff(made.offsets)
    has = n_made > 0
    last = panel.offsets[:-1] + n_made - 1
    level[has] = made.close[made.offsets[1:] - 1][has] / panel.close[last][has]
    return np.asarray(level[panel.asset_id], np.float64)


def _search(job: Job, number: int) -> Scored:
    """Make one surrogate and run the search on it; in a worker, or here."""
    made, n_garch = surrogate_market(job.loaded, job.seal, job.study.config.seed, number)
    data = data_hash(made)
    made = made._replace(namespace=f"surrogate:{data[:16]}")
    ledger = MemoryLedger()
    with job.cache.aside() as cache:
        resources = Resources(cache, lambda: ledger, Silent(), 1)
        winner = job.search(job.study, (made, data), resources).winner
    return Scored(search_score(None if winner is None else winner.returns), n_garch)


def _searched(
    job: Job, numbers: Sequence[int], resources: Resources
) -> Iterator[tuple[int, Scored]]:
    """Yields each surrogate's score as it is done."""
    if resources.jobs == 1 or len(numbers) < 2:
        yield from ((number, _search(job, number)) for number in numbers)
        return
    pool = workers(resources.jobs, job.study.plugins)
    yield from pool(delayed(_in_worker)(job, number) for number in numbers)


def _in_worker(job: Job, number: int) -> tuple[int, Scored]:
    return number, _search(job, number)


def _key(job: Job, data: str, number: int) -> str:
    study = job.study
    return stage_key(study.source, study.fingerprint, data, str(study.config.seed), str(number))


def _keep(job: Job, data: str, number: int, one: Scored) -> None:
    arrays = {"score": np.array([one.score]), "n_garch": np.array([one.n_garch])}
    job.cache.save("surrogates", _key(job, data, number), arrays)


def _kept(job: Job, data: str, numbers: Sequence[int]) -> dict[int, Scored]:
    """The scores among these numbers that are in the cache."""
    found = {}
    for number in numbers:
        kept = job.cache.load("surrogates", _key(job, data, number))
        if kept is not None:
            found[number] = Scored(float(kept["score"][0]), int(kept["n_garch"][0]))
    return found


def _n_instruments(prepared: Prepared) -> int:
    """Instruments with bars enough before the seal to have a volatility."""
    panel = prepared.panel
    early = panel.asset_id[panel.available_at <= prepared.folds.seal]
    return int((np.bincount(early, minlength=panel.n_instruments) > 1).sum())


def _told(test: SurrogateTest, scored: Sequence[Scored], n_instruments: int) -> SurrogateSearch:
    return SurrogateSearch(
        p=test.p,
        budget=test.budget,
        n_searched=len(test.scores),
        n_exceedances=test.n_exceedances,
        score=test.best,
        scores=test.scores,
        n_instruments=n_instruments,
        n_garch=scored[0].n_garch if scored else None,
    )
