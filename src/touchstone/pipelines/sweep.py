"""Sweep a strategy's settings over scores that were made elsewhere: all combinations, one pass."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from touchstone.arrays import Float64
from touchstone.backtest import daily, sweep
from touchstone.backtest.grids import grids_of
from touchstone.backtest.neighbourhood import neighbourhood
from touchstone.backtest.sweep import Swept, joined, sweep_blocks, swept_of
from touchstone.data.sources import Loaded
from touchstone.files import write_bytes, write_text
from touchstone.ledger import Candidate, Ledger
from touchstone.pipelines.axes import Axis, Combinations, is_ordered
from touchstone.pipelines.backtested import BacktestConfig
from touchstone.pipelines.decide import intend, placed
from touchstone.pipelines.prepare import refuse_short
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.seen import Seen, see
from touchstone.pipelines.trial_names import candidate_name, digest
from touchstone.reports.contents import iso_moment
from touchstone.reports.sweep import Around, AxisResult, SweepResult, SweptAccount
from touchstone.reports.sweep_page import image, page, picture
from touchstone.strategies import Decision, Intent, Outlook, columns_of
from touchstone.validation.candidates import choose
from touchstone.validation.deflated import (
    N_TRADES_TO_JUDGE,
    Deflated,
    deflated_sharpe,
)
from touchstone.validation.overfitting import overfitting

_MOST_DAILY: Final = 5_000_000
"""Daily returns kept at most, for the probability of overfitting."""
_HALVES: Final = ((16, 64), (8, 32))
"""Blocks of that diagnostic, and the days that they need."""
_MANY: Final = 1_000
"""Combinations above which it takes the fewer blocks."""


class Asked(NamedTuple):
    """A sweep, ready to run."""

    grid: Combinations
    loaded: tuple[Loaded, str]
    """The bars and their hash."""
    score: Float64
    """(n_rows,), NaN where there is none."""
    until: int | None
    """As `seen.see` takes it."""


class Found(NamedTuple):
    """What a sweep found."""

    result: SweepResult
    seed: int


def sweep_scores(asked: Asked, ledger: Ledger, progress: Progress) -> Found:
    """Trade every combination, each in an account of its own, and count them all in the ledger.

    One row of the ledger holds them all with their scores. Whatever ends the sweep, the row is
    written: combinations that were not reached count as trials without a score.

    Raises:
        ConfigError: a combination that these scores cannot be traded with.
        DataError: no score on the bars that are traded.
    """
    points, data = asked.grid.points, asked.loaded[1]
    scores = digest(asked.score)
    names = [candidate_name(p.config, scores, asked.until) for p in points]
    study = hashlib.sha256(" ".join(names).encode()).hexdigest()[:16]
    runner = _Runner(asked, progress)
    seen = runner.seen(points[0].config)
    try:
        runner.run()
    except BaseException:
        ledger.sweep(data, study, seen.span, _candidates(names, runner.done))
        raise
    records = _candidates(names, runner.done)
    ledger.sweep(data, study, seen.span, records)
    swept = joined([(np.array([k]), one) for k, one in sorted(runner.done.items())])
    ever = ledger.candidates(seen.span)
    best = _best(records)
    # Without a best there is luck all the same, on as many days.
    shown = np.zeros(swept.n_days) if best is None else runner.daily(points[best].config)
    deflated = deflated_sharpe(shown, ever)
    result = _result(asked, seen, (study, names, swept, records), (best, deflated))
    return Found(result, points[0].config.seed)


class _Runner:
    """Takes combinations through the kernel and keeps what each did."""

    def __init__(self, asked: Asked, progress: Progress) -> None:
        self.done: dict[int, Swept] = {}
        self._asked = asked
        self._progress = progress
        self._seen: dict[str, Seen] = {}
        self._views: dict[tuple[str, tuple[str, ...]], Outlook] = {}

    def seen(self, config: BacktestConfig) -> Seen:
        """What is seen under a config's label, made once a label."""
        key = config.label.canonical()
        if key not in self._seen:
            self._seen[key] = see(config, self._asked.loaded[0], self._asked.score,
                                  self._asked.until)  # fmt: skip
        return self._seen[key]

    def decision(self, config: BacktestConfig) -> Decision:
        """What a combination wishes at each row."""
        refuse_short(config.strategy, config.account)
        seen = self.seen(config)
        key = (config.label.canonical(), columns_of(config.strategy))
        if key not in self._views:
            rows, panel = seen.where.rows, self._asked.loaded[0].panel
            self._views[key] = placed(seen.view, config.strategy, panel, rows)
        view = self._views[key]._replace(round_trip=config.costs.round_trip)
        return intend(config.label, config.strategy, view)

    def daily(self, config: BacktestConfig) -> Float64:
        """Daily returns of one combination, (n_days,)."""
        panel = self.seen(config).where.panel
        (run,) = sweep(panel, [self.decision(config)], config.account, config.costs)
        return daily(panel, run)[1]

    def run(self) -> None:
        """All combinations; `done` fills on the way."""
        points = self._asked.grid.points
        panel = self.seen(points[0].config).where.panel
        n_days = np.unique(panel.calendar.day(panel.blocks().time)).size
        keep = len(points) * n_days <= _MOST_DAILY
        wished: list[int] = []
        with self._progress.stage("decisions", len(points)) as step:
            grids = grids_of(self._intents(wished, keep, step))
            step.say(f"{len(points)} combinations, rankings: {len(grids)}")
        with self._progress.stage("accounts", len(wished)) as step:
            for grid, places in grids:
                mine = [wished[i] for i in places.tolist()]
                whose = [points[i].config.account for i in mine]
                costs = [points[i].config.costs for i in mine]
                for at, swept in sweep_blocks(panel, grid, whose, costs, keep):
                    for k, place in enumerate(at.tolist()):
                        self.done[mine[place]] = _one(swept, k)
                        step.advance()
            n_trades = sum(int(s.account["n_trades"][0]) for s in self.done.values())
            step.say(f"{len(points)} accounts, {n_trades:,} trades")

    def _intents(self, wished: list[int], keep: bool, step: Any) -> Iterator[Intent]:
        """The wishes of each combination; those that name weights are run on the way."""
        for place, point in enumerate(self._asked.grid.points):
            config, decision = point.config, self.decision(point.config)
            if isinstance(decision, Intent):
                wished.append(place)
                yield decision
            else:
                panel = self.seen(config).where.panel
                (run,) = sweep(panel, [decision], config.account, config.costs)
                self.done[place] = swept_of(panel, run, keep)
            step.advance()


def _one(swept: Swept, k: int) -> Swept:
    columns = {
        name: getattr(swept, name)[k : k + 1].copy() for name in Swept._fields if name != "n_days"
    }
    return Swept(**columns, n_days=swept.n_days)


def _candidates(names: list[str], done: dict[int, Swept]) -> tuple[Candidate, ...]:
    """Every combination as the ledger keeps it; without a score where it was not reached."""
    found = []
    for place, name in enumerate(names):
        swept = done.get(place)
        ratio = None if swept is None else _number(swept.daily_sharpe[0])
        found.append(Candidate(name, ratio, 0 if swept is None else
                               int(swept.account["n_trades"][0])))  # fmt: skip
    return tuple(found)


def _best(records: tuple[Candidate, ...]) -> int | None:
    """The one that a study would choose, or else the highest of those with enough trades."""
    chosen = choose(records)
    if chosen is not None:
        return records.index(chosen)
    able = [
        (-c.daily_sharpe, k)
        for k, c in enumerate(records)
        if c.daily_sharpe is not None and c.n_trades >= N_TRADES_TO_JUDGE
    ]
    return min(able)[1] if able else None


def _result(
    asked: Asked,
    seen: Seen,
    tried: tuple[str, list[str], Swept, tuple[Candidate, ...]],
    judged: tuple[int | None, Deflated],
) -> SweepResult:
    (study, names, swept, records), (best, deflated) = tried, judged
    panel = seen.where.panel
    per_year = panel.calendar.days_per_year
    refused: dict[str, int] = {}
    for _, why in asked.grid.refused:
        refused[why] = refused.get(why, 0) + 1
    chosen = choose(records)
    return SweepResult(
        fingerprint=study,
        axes=tuple(AxisResult(key=a.key, values=a.values, ordered=is_ordered(a))
                   for a in asked.grid.axes),
        n_trials=len(names),
        n_candidates=deflated.n,
        refused=refused,
        n_instruments=panel.n_instruments,
        n_bars=len(panel),
        n_days=swept.n_days,
        first=iso_moment(int(panel.time.min())),
        last=iso_moment(int(panel.available_at.max())),
        days_per_year=per_year,
        best=best,
        best_is_chosen=chosen is not None,
        deflated_sharpe=None if best is None else deflated.value,
        luck=deflated.threshold * per_year**0.5,
        pbo=_overfitting(swept),
        around=_around(asked.grid, swept, best, per_year),
        accounts=_accounts(asked.grid, names, swept, per_year),
    )  # fmt: skip


def _accounts(
    grid: Combinations, names: list[str], swept: Swept, per_year: float
) -> tuple[SweptAccount, ...]:
    columns = {
        "sharpe": swept.daily_sharpe * per_year**0.5,
        "net_return": swept.total_return,
        "max_drawdown": swept.max_drawdown,
        "n_trades": swept.account["n_trades"],
        "win_rate": swept.win_rate,
        "profit_factor": swept.profit_factor,
        "exposure": swept.exposure,
        "cost_paid": swept.paid,
        "break_even_cost_bp": swept.break_even_bp,
    }
    return tuple(
        SweptAccount(fingerprint=name, place=point.place, **{n: c[k] for n, c in columns.items()})
        for k, (name, point) in enumerate(zip(names, grid.points, strict=True))
    )


def _around(grid: Combinations, swept: Swept, best: int | None, per_year: float) -> Around | None:
    if best is None:
        return None
    at = {point.place: k for k, point in enumerate(grid.points)}
    values = np.full([len(axis.values) for axis in grid.axes], np.nan)
    for place, k in at.items():
        # Without a trade it earns what cash does: a Sharpe of 0 beside a best that has one.
        ratio = swept.daily_sharpe[k]
        values[place] = 0.0 if np.isnan(ratio) else ratio * per_year**0.5
    # Of two values neither is between others: that step is the whole axis, no small change.
    ordered = tuple(is_ordered(axis) and len(axis.values) > 2 for axis in grid.axes)
    found = neighbourhood(values, ordered, grid.points[best].place)
    return Around(
        word=found.word,
        n=len(found.places),
        median=found.median,
        lowest=found.lowest,
        above_zero=found.above_zero,
        accounts=tuple(at[place] for place in found.places),
    )


def _overfitting(swept: Swept) -> float | None:
    if swept.daily.shape[1] == 0 or swept.daily.shape[0] < 2:
        return None
    for n_blocks, n_days in _HALVES[swept.daily.shape[0] > _MANY :]:
        if swept.n_days >= n_days:
            found = overfitting(swept.daily.T, n_blocks)
            return None if found is None else found.probability
    return None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def write_sweep(found: Found, root: Path, command: str) -> Path:
    """Write `result.json`, the page and the map as SVG and PNG; the folder they lie in."""
    folder = root / "sweeps" / found.result.fingerprint
    write_text(folder / "result.json", found.result.model_dump_json(indent=1) + "\n")
    write_text(folder / "report.html", page(found.result, found.seed, command))
    write_text(folder / "map.svg", picture(found.result))
    write_bytes(folder / "map.png", image(found.result))
    return folder


def table(result: SweepResult) -> pl.DataFrame:
    """One row a combination: its settings by key, then what it did."""
    settings = {
        axis.key: _column([axis.values[a.place[k]] for a in result.accounts], axis)
        for k, axis in enumerate(result.axes)
    }
    names = [n for n in SweptAccount.model_fields if n not in ("place", "fingerprint")]
    figures = {n: [getattr(a, n) for a in result.accounts] for n in names}
    return pl.DataFrame({
        **settings, **figures, "fingerprint": [a.fingerprint for a in result.accounts],
    })  # fmt: skip


def _column(values: list[Any], axis: AxisResult | Axis) -> list[Any]:
    """Values of one axis as a column of one type: text where they are of several."""
    kinds = {type(v) for v in axis.values if v is not None}
    if kinds <= {int, float}:
        return [v if v is None or kinds == {int} else float(v) for v in values]
    return values if len(kinds) == 1 else [None if v is None else str(v) for v in values]
