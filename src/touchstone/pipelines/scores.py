"""Backtest scores that were made elsewhere: bars, scores and a strategy in, money out."""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import polars as pl
from pydantic import Field

from touchstone.arrays import Bool, Float64
from touchstone.backtest import Run, daily, run
from touchstone.backtest.again import again_of
from touchstone.backtest.capacity import CapacityConfig
from touchstone.config import Config
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError, DataError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.files import read_yaml
from touchstone.labels import LABELS, Labels
from touchstone.ledger import Ledger, Span
from touchstone.market import Panel
from touchstone.models.calibrators import expected_return
from touchstone.pipelines import exports
from touchstone.pipelines.decide import Segment, intend, segment
from touchstone.pipelines.money import Traded, performance
from touchstone.pipelines.prepare import column
from touchstone.registration import PartOf
from touchstone.reports.result import Performance
from touchstone.strategies import STRATEGIES, Outlook
from touchstone.validation.candidates import candidate

COLUMNS = ("timestamp", "symbol", "score")


class BacktestConfig(Config):
    """A strategy with what it needs around it; a file may also hold the strategy alone."""

    strategy: Annotated[Config, PartOf(STRATEGIES)] = Field(
        default_factory=lambda: STRATEGIES.parse({"kind": "threshold", "entry_threshold": 0.5})
    )
    """From a score to positions."""
    label: Annotated[Config, PartOf(LABELS)] = Field(
        default_factory=lambda: LABELS.parse({"kind": "triple_barrier"})
    )
    """Its barriers are the brackets, its horizon the longest holding."""
    costs: CostsConfig = CostsConfig()
    """What a fill costs."""
    account: AccountConfig = AccountConfig()
    """The account that trades."""
    capacity: CapacityConfig = Field(default=CapacityConfig(), exclude_if=CapacityConfig().__eq__)
    """How the capacity curve is made."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """Of the intervals and the random controls."""


class Backtested(NamedTuple):
    """What the scores earned."""

    performance: Performance
    run: Run
    where: Segment
    n_scores: int
    fingerprint: str


def read_strategy(path: Path) -> BacktestConfig:
    """A YAML file with `strategy:`, `label:`, `costs:`, `account:`, or a strategy alone."""
    settings = read_yaml(path)
    if "kind" in settings:
        settings = {"strategy": settings}
    try:
        return BacktestConfig.parse({k: _frozen(v) for k, v in settings.items()})
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", error.problems) from None


def read_scores(
    path: Path, panel: Panel, wanted: Collection[str] | None, left_out: Collection[str]
) -> Float64:
    """A table of scores as a column of the panel, NaN where there is none, (n_rows,).

    Columns timestamp (the bar's start, UTC), symbol, score; Parquet or CSV. A score is known at
    its bar's close and can be acted on from the next bar. Scores of instruments that nobody wants,
    or whose bars were left out, are passed over.

    Raises:
        DataError: columns missing, a naive time, an unknown symbol, a time without a bar, a
            score that is not finite, or a row twice; by file, row and value.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file of scores")
    try:
        table = (
            pl.read_csv(path, try_parse_dates=True)
            if path.suffix == ".csv"
            else pl.read_parquet(path)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; needs {', '.join(COLUMNS)}, has "
            f"{', '.join(table.columns)}"
        )
    table = table.with_columns(pl.col("symbol").cast(pl.String))
    table = table.filter(~pl.col("symbol").is_in(list(left_out)))
    if wanted is not None:
        table = table.filter(pl.col("symbol").is_in(list(wanted)))
    time = _times(path, table["timestamp"])
    symbols = table["symbol"].to_numpy()
    score = table["score"].cast(pl.Float64, strict=False).to_numpy()
    return _placed(path, panel, time, symbols, np.asarray(score, np.float64))


def backtest_scores(
    config: BacktestConfig,
    loaded: tuple[Loaded, str],
    score: Float64,
    ledger: Ledger,
    calibrate_until: int | None,
) -> Backtested:
    """Backtest a column of scores, counted in the ledger as one candidate.

    Args:
        config: strategy, label, costs, account.
        loaded: the bars and their hash.
        score: (n_rows,), NaN where there is none.
        ledger: where the trial is counted.
        calibrate_until: ns UTC; rows whose label has ended by then fit E[return | score], and
            only rows after it are traded. Needed by `cost_aware`.
    """
    (bars, data), label = loaded, config.label
    panel = bars.panel
    width = getattr(label, "width", None)
    labels = LABELS.part_of(label)(panel, label, None if width is None else column(width, panel))
    expected = None
    begin = int(panel.available_at.min()) - 1
    if calibrate_until is not None:
        expected = _expected(panel, labels, score, calibrate_until)
        begin = calibrate_until
    where = segment(panel, begin, int(panel.available_at.max()))
    view = Outlook(
        probability=score[where.rows, None],
        up=labels.up[where.rows],
        down=labels.down[where.rows],
        rest=np.zeros(where.rows.size),
        round_trip=config.costs.round_trip,
        expected=None if expected is None else expected[where.rows],
    )
    known: Bool = ~np.isnan(score[where.rows])
    if not known.any():
        raise DataError("no score lies on the bars that are to be traded")
    intent = intend(label, config.strategy, view)
    done = run(where.panel, intent, config.account, config.costs, ledger, data)
    traded = Traded(where, done, known, again_of(where.panel, intent))
    name = _fingerprint(config, score, calibrate_until)
    found = performance(config, traded, "scores")
    span = Span(bars.namespace, panel.symbols, begin, int(panel.available_at.max()) + 1)
    one = candidate(name, daily(where.panel, done)[1], found.n_trades)
    ledger.sweep(data, name, span, (one,))
    return Backtested(found, done, where, int(known.sum()), name)


def told(found: Backtested) -> dict[str, Any]:
    """The JSON of a backtest: `performance` has the keys of `market.sealed` in result.json."""
    return {
        "schema_version": 1,
        "fingerprint": found.fingerprint,
        "n_scores": found.n_scores,
        "performance": json.loads(found.performance.model_dump_json()),
    }


def money_lines(backtested: Backtested) -> list[str]:
    """The figures of a backtest for the terminal."""
    found = backtested.performance

    def of(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    low, high = found.sharpe_interval or (None, None)
    lines = [
        f"net return      {of(found.net_return, '+.2%')} over the whole segment",
        f"Sharpe, annual  {of(found.sharpe, '.2f')}  (95 % {of(low, '.2f')} to {of(high, '.2f')})",
        f"max drawdown    {of(found.max_drawdown, '.1%')}",
        f"trades          {found.n_trades:,}, win rate {of(found.win_rate, '.1%')}",
        f"cost paid       {of(found.cost_paid, ',.0f')}, break-even at "
        f"{of(found.break_even_cost_bp, '.1f')} bp a side",
    ]
    rungs = ", ".join(f"{r.multiple:g}x {of(r.net_return, '+.1%')}" for r in found.ladder)
    others = ", ".join(f"{b.name} {of(b.net_return, '+.1%')}" for b in found.baselines)
    lines += [f"at costs of     {rungs}", f"beside it       {others}"]
    if found.n_trades:
        lines.append(f"beats           {of(found.controls_rank, '.0%')} of 200 random strategies")
    return lines


def trades_table(found: Backtested, score: Float64) -> pl.DataFrame:
    """The trades of a backtest of scores, (n_rows,) as they were read."""
    part = exports.Part("scores", found.where, found.run, score[found.where.rows, None])
    return exports.trades([part])


def _expected(panel: Panel, labels: Labels, score: Float64, until: int) -> Float64:
    ended = (labels.exit >= 0) & (panel.available_at[np.maximum(labels.exit, 0)] <= until)
    fit = ended & ~np.isnan(score)
    if fit.sum() < 200:
        raise DataError(
            f"--calibrate-until leaves {int(fit.sum())} scored rows with a known outcome before "
            "it, 200 are needed: choose a later date"
        )
    curve = expected_return(score[fit], labels.realised[fit])
    out = np.full(score.shape, np.nan)
    known = ~np.isnan(score)
    out[known] = curve.apply(score[known])
    return out


def _times(path: Path, stamps: Any) -> Any:
    kind = stamps.dtype
    if not isinstance(kind, pl.Datetime):
        raise DataError(f"{path}: timestamp must hold times with a zone, got {kind}")
    if kind.time_zone is None:
        raise DataError(f"{path}: timestamps are naive; write them with their zone, as UTC")
    return stamps.cast(pl.Datetime("ns", "UTC")).to_physical().to_numpy()


def _placed(path: Path, panel: Panel, time: Any, symbols: Any, score: Float64) -> Float64:
    place = {s: i for i, s in enumerate(panel.symbols)}
    instrument = np.array([place.get(s, -1) for s in symbols], np.int64)
    _refuse(path, instrument < 0, lambda r: f"symbol {symbols[r]!r} is not among the bars")
    rows = np.full(time.size, -1, np.int64)
    for i in np.unique(instrument):
        of, (a, b) = instrument == i, panel.offsets[i : i + 2]
        at = np.minimum(np.searchsorted(panel.time[a:b], time[of]), b - a - 1)
        rows[of] = np.where(panel.time[a:b][at] == time[of], at + a, -1)
    when = time.astype("datetime64[ns]").astype("datetime64[s]")
    _refuse(path, rows < 0, lambda r: f"{symbols[r]} has no bar that starts at {when[r]} UTC")
    _refuse(path, ~np.isfinite(score), lambda r: f"score {score[r]} is not finite")
    order = np.argsort(rows, kind="stable")
    twice = np.zeros(rows.size, np.bool_)
    twice[order[1:]] = rows[order[1:]] == rows[order[:-1]]
    _refuse(path, twice, lambda r: f"{symbols[r]} at {when[r]} UTC stands twice")
    out = np.full(len(panel), np.nan)
    out[rows] = score
    return out


def _refuse(path: Path, broken: Bool, said: Any) -> None:
    if broken.any():
        row = int(broken.argmax())
        raise DataError(f"{path}: row {row}: {said(row)} ({int(broken.sum())} rows in all)")


def _fingerprint(config: BacktestConfig, score: Float64, until: int | None) -> str:
    """Names the candidate; the seed of intervals and controls makes no other one."""
    told = config.model_copy(update={"seed": 0}).canonical()
    return hashlib.sha256(f"{told} {until}".encode() + score.tobytes()).hexdigest()[:16]


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
