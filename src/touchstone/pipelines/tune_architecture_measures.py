"""Found cells against random ones: the same rows, the same days, the cells and seeds drawn again.

An interval holds both ways in which the difference could have come out otherwise. The days of the
rows, drawn whole and the same for all. And the cells: another search, or other random cells, each
with other seeds. How much cells differ is known from the cells of both sides, a mean over its seeds
each, and a mean of few of them is drawn as Student's t has it: of one found cell nothing says how
much the next would differ, so it is taken to differ as random ones do. That is the careful side: if
the search were a random draw itself, one interval in forty would lie wholly above 0.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.metrics.ranked import ranked, ranked_pr_auc
from touchstone.models.darts import DartsConfig, Genotype
from touchstone.pipelines.campaign_measures import Common, OfDays, common_of, pr_auc_of, ranking
from touchstone.pipelines.decide import Comparison
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared
from touchstone.reports.architecture import CellFound, Compared
from touchstone.seeding import generator
from touchstone.validation.day_bootstrap import N_RESAMPLES, counted_interval, days_of
from touchstone.validation.stretches import stretches

_MOST_PASSES: Final = 60_000_000
"""Rows times fits times resamples of one interval."""
_FEWEST_RESAMPLES: Final = 199


class Cells(NamedTuple):
    """Which networks are compared."""

    found: tuple[DartsConfig, ...]
    """Distinct, in the order of the searches."""
    random: tuple[DartsConfig, ...]

    @property
    def all(self) -> tuple[DartsConfig, ...]:
        """Found ones first."""
        return (*self.found, *self.random)


class Trained(NamedTuple):
    """What every cell came to."""

    told: tuple[CellFound, ...]
    """Found ones first, in the order of `Cells`."""
    compared: tuple[Compared, ...]
    base_rate: float | None


class Fits(NamedTuple):
    """Measures of one sort of rows."""

    common: Common
    of: tuple[tuple[OfDays, ...], ...]
    """Cell -> seed -> its PR-AUC, each day counted so often."""
    n_rows: int


def told_cells(
    prepared: Prepared, seeds: tuple[Sequence[int], int], cells: Cells,
    fitted: tuple[Sequence[Sequence[Sequence[Learned]]], Sequence[Comparison]],
) -> Trained:  # fmt: skip
    """Measure every cell on validation and test rows, and found against random ones.

    Args:
        prepared: the market.
        seeds: of the fits, and of the resamples.
        cells: in the order of the study's models.
        fitted: seed -> model -> fold, and each seed's comparison.
    """
    (of_fits, seed), (fits, compared) = seeds, fitted
    n = len(cells.all)
    rankings = [
        [
            ranking(prepared, one, place, learned[place], of)
            for of, learned, one in zip(of_fits, fits, compared, strict=True)
        ]
        for place in range(n)
    ]
    rows = rankings[0][0].rows
    common = common_of(rows, seed)
    test = Fits(
        common,
        tuple(tuple(pr_auc_of(common, one.rows) for one in of) for of in rankings),
        rows.p.size,
    )
    held_out = _on_validation(prepared, seed, fits)
    names = [f"found {i + 1}" for i in range(len(cells.found))]
    names += [f"random {i + 1}" for i in range(len(cells.random))]
    told = tuple(
        _told(name, cells.all[i].genotype, (test.of[i], held_out.of[i]), (test, held_out))
        for i, name in enumerate(names)
    )
    sizes = [_parameters(fits[0][i][0], cells.all[i]) for i in range(n)]
    told = tuple(
        cell.model_copy(update={"parameters": size})
        for cell, size in zip(told, sizes, strict=True)
    )  # fmt: skip
    n_found = len(cells.found)
    both = (_compared("validation", held_out, n_found), _compared("test", test, n_found))
    return Trained(told, both, float(rows.hit.mean()) if rows.hit.size else None)


def _parameters(fit: Learned, config: DartsConfig) -> int:
    fitted = fit.restore(config)
    return int(fitted.n_parameters)  # type: ignore[attr-defined]  # of a network


def _on_validation(
    prepared: Prepared, seed: int, fits: Sequence[Sequence[Sequence[Learned]]]
) -> Fits:
    """Mean over the folds of the PR-AUC on each one's validation rows, raw scores."""
    labels, panel, folds = prepared.labels, prepared.panel, prepared.folds.folds
    day = panel.calendar.day(panel.time)
    rows = np.concatenate([fold.validate for fold in folds])
    days = days_of(stretches(day[rows], day[labels.exit[rows]]))
    ends = np.cumsum([0, *(fold.validate.size for fold in folds)])

    def measure(learned: Sequence[Learned]) -> OfDays:
        orders = [
            ranked(
                fit.validate[:, -1], labels.outcome[fold.validate] == 1,
                days.at[ends[i] : ends[i + 1]],
            )
            for i, (fold, fit) in enumerate(zip(folds, learned, strict=True))
        ]  # fmt: skip

        def mean(counts: Float64) -> float | None:
            values = [ranked_pr_auc(order, counts) for order in orders]
            known = [v for v in values if v is not None]
            return float(np.mean(known)) if len(known) == len(values) else None

        return mean

    of = tuple(
        tuple(measure(learned[place]) for learned in fits) for place in range(len(fits[0]))
    )  # fmt: skip
    return Fits(Common(days, seed), of, rows.size)


def _told(
    name: str, genotype: Genotype, of: tuple[Sequence[OfDays], Sequence[OfDays]],
    fits: tuple[Fits, Fits],
) -> CellFound:  # fmt: skip
    (test, held_out), (on_test, on_validation) = of, fits
    spread = on_test.common.spread(test, on_test.n_rows)
    once = np.ones(on_validation.common.days.n)
    by_seed = tuple(one(once) for one in held_out)
    return CellFound(
        name=name,
        searched=name.startswith("found"),
        genotype=genotype,
        parameters=0,
        validation=_mean(by_seed),
        validation_by_seed=by_seed,
        test=spread.mean,
        test_interval=spread.interval,
        test_by_seed=spread.by_seed,
        file="",
    )


def _compared(rows: Literal["validation", "test"], fits: Fits, n_found: int) -> Compared:
    common, days = fits.common, fits.common.days
    found, random = fits.of[:n_found], fits.of[n_found:]
    once = np.ones(days.n)
    ours, theirs = (_mean(_cells(side, once)) for side in (found, random))
    known = ours is not None and theirs is not None
    return Compared(
        rows=rows,
        found=ours,
        random=theirs,
        difference=ours - theirs if ours is not None and theirs is not None else None,
        interval=difference_interval(common, found, random, fits.n_rows) if known else None,
        n_rows=fits.n_rows,
        n_days=days.n,
    )


def difference_interval(
    common: Common, found: Sequence[Sequence[OfDays]], random: Sequence[Sequence[OfDays]],
    n_rows: int,
) -> tuple[float, float] | None:  # fmt: skip
    """95 % interval of the mean of found cells less that of random ones.

    Resampled: D*(days) + s sqrt(1/K + 1/R) t with t of Student's law with K + R - 2 degrees of
    freedom, s the pooled standard deviation of K found and R random cells, as in a two-sample test.

    Args:
        common: days of the rows, and the seed of the resamples.
        found: cell -> seed -> measure.
        random: the same; at least two cells.
        n_rows: that one measure passes over.
    """
    spread, freedom = _spread(common, found, random)
    draws = generator(common.seed, "architecture", "cells")

    def resampled(counts: Float64) -> float | None:
        ours, theirs = (_mean(_cells(side, counts)) for side in (found, random))
        moved = spread * float(draws.standard_t(freedom))
        return None if ours is None or theirs is None else ours - theirs + moved

    n_fits = sum(len(cell) for cell in (*found, *random))
    most = _MOST_PASSES // max(n_rows * n_fits, 1)
    n_resamples = min(N_RESAMPLES, max(_FEWEST_RESAMPLES, most))
    days = generator(common.seed, "architecture", "days")
    return counted_interval(resampled, common.days.n, days, n_resamples=n_resamples)


def _spread(
    common: Common, found: Sequence[Sequence[OfDays]], random: Sequence[Sequence[OfDays]]
) -> tuple[float, int]:
    """Standard error of the difference from the cells, and its degrees of freedom."""
    once, squares = np.ones(common.days.n), 0.0
    for side in (found, random):
        known = np.array([v for v in _cells(side, once) if v is not None])
        squares += float(np.square(known - known.mean()).sum()) if known.size else 0.0
    freedom = len(found) + len(random) - 2
    share = 1 / len(found) + 1 / len(random)
    return float(np.sqrt(squares / freedom * share)), freedom


def _cells(side: Sequence[Sequence[OfDays]], counts: Float64) -> list[float | None]:
    """Each cell's mean over its seeds."""
    return [_mean([measure(counts) for measure in cell]) for cell in side]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
