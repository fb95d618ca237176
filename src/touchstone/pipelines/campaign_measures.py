"""What a campaign measures: every architecture on the same test rows, over seeds and days.

An interval holds both ways in which a figure could have come out otherwise. Within: the days of
the test rows, drawn whole, the same days for every seed and architecture. Between: the seeds,
drawn anew in each resample, their deviations from the mean stretched by sqrt(S / (S - 1)), since
S seeds drawn from themselves vary by that much too little.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.dataset.splits import Fold
from touchstone.metrics import classification as c
from touchstone.metrics import trading as t
from touchstone.metrics.ranked import ranked, ranked_pr_auc, ranked_roc_auc
from touchstone.pipelines.cards import candidate_label
from touchstone.pipelines.decide import Comparison, Scored
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.naive import yardsticks
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.skill import Judged, best_f1_threshold, judged
from touchstone.pipelines.study import StudyConfig
from touchstone.reports.campaign import FitFound, NetFound, Spread, Yardstick
from touchstone.seeding import generator
from touchstone.validation.bootstrap import sharpe_interval
from touchstone.validation.day_bootstrap import N_RESAMPLES, Days, counted_interval, days_of
from touchstone.validation.deflated import N_TRADES_TO_JUDGE

OfDays = Callable[[Float64], float | None]
"""A measure of one fit's test rows, each day counted so often, (n_days,)."""
_MOST_PASSES: Final = 60_000_000
"""Rows times seeds times resamples of one interval of an area under a curve."""
_FEWEST_RESAMPLES: Final = 99


class Ranking(NamedTuple):
    """One architecture with one seed, on the pooled test rows."""

    rows: Judged
    """Calibrated; selected where the raw score reached the threshold of its fold."""
    fits: tuple[FitFound, ...]
    """One a fold."""


class Common(NamedTuple):
    """What all architectures share, so that their resamples are of the same days."""

    days: Days
    seed: int

    def spread(self, of_seed: Sequence[OfDays], n_rows: int = 0) -> Spread:
        """Mean over the seeds with its interval; `n_rows` where each resample passes over rows."""
        ones = np.ones(self.days.n)
        values = tuple(measure(ones) for measure in of_seed)
        known = [v for v in values if v is not None]
        mean = float(np.mean(known)) if len(known) == len(values) else None
        return Spread(mean=mean, interval=self.interval(of_seed, n_rows), by_seed=values)

    def interval(self, of_seed: Sequence[OfDays], n_rows: int = 0) -> tuple[float, float] | None:
        """95 %: days within, seeds between."""
        n = len(of_seed)
        draws = generator(self.seed, "campaign", "seeds")

        def resampled(counts: Float64) -> float | None:
            values = [measure(counts) for measure in of_seed]
            known = np.array([v for v in values if v is not None])
            if known.size < n:
                return None
            mean = float(known.mean())
            if n == 1:
                return mean
            drawn = float(known[draws.integers(n, size=n)].mean())
            return mean + (drawn - mean) * float(np.sqrt(n / (n - 1)))

        most = _MOST_PASSES // max(n_rows * n, 1)
        n_resamples = min(N_RESAMPLES, max(_FEWEST_RESAMPLES, most))
        days = generator(self.seed, "campaign", "days")
        return counted_interval(resampled, self.days.n, days, n_resamples=n_resamples)


def ranking(
    prepared: Prepared, comparison: Comparison, place: int, fits: Sequence[Learned], seed: int
) -> Ranking:
    """Judge one architecture's fits of one seed.

    Args:
        prepared: the market.
        comparison: of that seed.
        place: the architecture's among the study's models.
        fits: of the folds, in order.
        seed: for the record.
    """
    where, folds = comparison.segment, prepared.folds.folds
    taken = np.zeros(where.rows.size, np.bool_)
    thresholds = []
    for fold, fit in zip(folds, fits, strict=True):
        # Each fold's threshold from its own validation rows, on raw scores, as everywhere.
        hit = prepared.labels.outcome[fold.validate] == 1
        thresholds.append(best_f1_threshold(fit.validate[:, -1], hit))
        at, inside = where.place(fold.test)
        taken[at[inside]] = fit.test[inside, -1] >= thresholds[-1]
    rows = judged(prepared, where, comparison.views[place].probability, taken)
    known = where.rows[rows.at]
    found = tuple(
        _fit_found(prepared, fold, fit, (seed, i + 1), (threshold, known))
        for i, (fold, fit, threshold) in enumerate(zip(folds, fits, thresholds, strict=True))
    )
    return Ranking(rows, found)


def _fit_found(
    prepared: Prepared, fold: Fold, fit: Learned, noun: tuple[int, int], by: tuple[float, Int64]
) -> FitFound:
    """One fit on its fold; test rows are those whose outcome lies before the seal."""
    outcome, (threshold, known) = prepared.labels.outcome, by
    inside = np.isin(fold.test, known)
    return FitFound(
        seed=noun[0],
        fold=noun[1],
        best_epoch=fit.best_epoch,
        rows_used=fit.rows_used,
        on_validation=_figures(fit.validate[:, -1], outcome[fold.validate] == 1, threshold),
        on_test=_figures(fit.test[inside, -1], outcome[fold.test[inside]] == 1, threshold),
    )


def _figures(p: Float64, hit: Bool, threshold: float) -> dict[str, float | None]:
    return {
        "pr_auc": c.pr_auc(p, hit),
        "roc_auc": c.roc_auc(p, hit),
        "log_loss": c.log_loss(p, hit),
        "f1": c.f1(p, hit, threshold),
        "precision": c.precision(p, hit, threshold),
        "recall": c.recall(p, hit, threshold),
    }


def common_of(rows: Judged, seed: int) -> Common:
    """Days of the test rows, which are the same for all."""
    return Common(days_of(rows.stretch), seed)


def spreads(common: Common, of_seed: Sequence[Judged]) -> dict[str, Spread]:
    """Every measure of one architecture, its seeds given in order."""
    n = of_seed[0].p.size
    ranks = {
        "pr_auc": [pr_auc_of(common, rows) for rows in of_seed],
        "roc_auc": [_roc_of(common, rows.p, rows.hit) for rows in of_seed],
        "direction_auc": [_direction_of(common, rows) for rows in of_seed],
    }
    sums = {
        "precision": [_ratio_of(common, rows, ("hit_taken",), ("taken",)) for rows in of_seed],
        "recall": [_ratio_of(common, rows, ("hit_taken",), ("hit",)) for rows in of_seed],
        "f1": [
            _ratio_of(common, rows, ("hit_taken", "hit_taken"), ("taken", "hit"))
            for rows in of_seed
        ],
        "log_loss": [_ratio_of(common, rows, ("loss",), ("one",)) for rows in of_seed],
        "ece": [_ece_of(common, rows) for rows in of_seed],
    }
    found = {name: common.spread(measures, n) for name, measures in ranks.items()}
    return found | {name: common.spread(measures) for name, measures in sums.items()}


def pr_auc_of(common: Common, rows: Judged) -> OfDays:
    """Average precision of the target's probability."""
    order = ranked(rows.p, rows.hit, common.days.at)
    return lambda counts: ranked_pr_auc(order, counts)


def _roc_of(common: Common, p: Float64, hit: Bool, keep: Bool | None = None) -> OfDays:
    chosen = slice(None) if keep is None else keep
    order = ranked(p[chosen], hit[chosen], common.days.at[chosen])
    return lambda counts: ranked_roc_auc(order, counts)


def _direction_of(common: Common, rows: Judged) -> OfDays:
    side = c.side_score(rows.probability)
    return _roc_of(common, side, rows.symmetric > 0, rows.symmetric != 0)


def _ratio_of(
    common: Common, rows: Judged, above: tuple[str, ...], below: tuple[str, ...]
) -> OfDays:
    """Sum of some columns over the sum of others, from their sums a day."""
    said = np.where(rows.hit, rows.p, 1 - rows.p)
    columns = {
        "one": np.ones(rows.p.size),
        "hit": rows.hit.astype(np.float64),
        "taken": rows.selected.astype(np.float64),
        "hit_taken": (rows.hit & rows.selected).astype(np.float64),
        "loss": -np.log(np.clip(said, 1e-15, 1 - 1e-15)),
    }
    top, bottom = (
        np.bincount(common.days.at, sum(columns[n] for n in names), common.days.n)
        for names in (above, below)
    )

    def ratio(counts: Float64) -> float | None:
        whole = float(counts @ bottom)
        return float(counts @ top) / whole if whole > 0 else None

    return ratio


def _ece_of(common: Common, rows: Judged) -> OfDays:
    """`classification.ece`, the bins kept as the whole sample makes them."""
    order = np.argsort(rows.p, kind="stable")
    sizes = c.calibration_curve(rows.p, rows.hit).weight.astype(np.int64)
    n_bins, n_days = sizes.size, common.days.n
    cell = common.days.at[order] * n_bins + np.repeat(np.arange(n_bins), sizes)
    off = (rows.p - rows.hit)[order]
    gap = np.bincount(cell, off, n_days * n_bins).reshape(n_days, n_bins)
    size = np.bincount(common.days.at, minlength=n_days).astype(np.float64)

    def ece(counts: Float64) -> float | None:
        whole = float(counts @ size)
        return float(np.abs(counts @ gap).sum()) / whole if whole > 0 else None

    return ece


def yardsticks_of(
    config: StudyConfig, prepared: Prepared, comparison: Comparison, rows: Judged, common: Common,
    names: Sequence[str],
) -> dict[str, tuple[Yardstick, OfDays]]:  # fmt: skip
    """What is known without a model, on the rows that the architectures are judged on.

    Gives each with the measure that differences to it are made from.
    """
    if not names:
        return {}
    found = dict[str, tuple[Yardstick, OfDays]]()
    for one in yardsticks(config, prepared, prepared.folds.folds, comparison.segment):
        if one.name not in names:
            continue
        theirs = rows._replace(probability=one.probability[rows.at])
        measure, n = pr_auc_of(common, theirs), theirs.p.size
        told = Yardstick(
            name=one.name,
            pr_auc=common.spread([measure], n),
            roc_auc=common.spread([_roc_of(common, theirs.p, theirs.hit)], n),
            direction_auc=common.spread([_direction_of(common, theirs)], n),
        )
        found[one.name] = (told, measure)
    return found


def less(of_seed: Sequence[OfDays], others: Sequence[OfDays]) -> list[OfDays]:
    """Differences, seed by seed; one that has a single fit stands against every seed."""
    again = others if len(others) == len(of_seed) else [others[0]] * len(of_seed)

    def difference(ours: OfDays, theirs: OfDays) -> OfDays:
        def measure(counts: Float64) -> float | None:
            a, b = ours(counts), theirs(counts)
            return None if a is None or b is None else a - b

        return measure

    return [difference(a, b) for a, b in zip(of_seed, again, strict=True)]


def net_found(comparisons: Sequence[Comparison], place: int, seed: int) -> NetFound | None:
    """Money of one architecture: the setting with the best mean Sharpe over the seeds."""
    accounts = [[s for s in one.scored if s.place == place] for one in comparisons]
    if not accounts[0]:
        return None
    points = list(zip(*accounts, strict=True))
    best = max(points, key=_mean_sharpe)
    panel = comparisons[0].segment.panel
    per_year = panel.calendar.days_per_year
    ratios = [s.record.daily_sharpe for s in best]
    annual = [None if r is None else r * per_year**0.5 for r in ratios]
    ends = [
        sharpe_interval(s.returns, per_year, generator(seed, "campaign", "sharpe")) for s in best
    ]
    whole = [e for e in ends if e is not None]
    falls = [t.max_drawdown(np.r_[s.run.initial_cash, s.run.equity]) for s in best]
    return NetFound(
        setting=candidate_label(best[0]),
        n_settings=len(points),
        net_return=_mean([s.run.total_return for s in best]),
        sharpe=_mean(annual),
        sharpe_interval=(
            (float(np.mean([e[0] for e in whole])), float(np.mean([e[1] for e in whole])))
            if len(whole) == len(ends)
            else None
        ),
        sharpe_by_seed=tuple(annual),
        max_drawdown=_mean(falls),
        n_trades=float(np.mean([s.record.n_trades for s in best])),
    )


def _mean_sharpe(point: Sequence[Scored]) -> tuple[bool, float]:
    """Settings that traded enough first; of them by the mean Sharpe."""
    enough = all(s.record.n_trades >= N_TRADES_TO_JUDGE for s in point)
    return enough, _mean([s.record.daily_sharpe for s in point]) or 0.0


def gap(fits: Sequence[FitFound], names: Sequence[str]) -> dict[str, float | None]:
    """Measure -> validation less test, mean over seeds and folds."""
    found = dict[str, float | None]()
    for name in names:
        pairs = [(f.on_validation[name], f.on_test[name]) for f in fits]
        known = [a - b for a, b in pairs if a is not None and b is not None]
        found[name] = float(np.mean(known)) if known else None
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
