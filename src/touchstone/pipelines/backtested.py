"""What a backtest of somebody's scores or orders is asked, and what it answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field

from touchstone.backtest import Run
from touchstone.backtest.capacity import CapacityConfig
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.files import read_yaml
from touchstone.labels import LABELS
from touchstone.pipelines import booked
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.study import set_key
from touchstone.registration import PartOf
from touchstone.reports.backtested import BacktestResult
from touchstone.reports.findings import stranded_text
from touchstone.reports.measured import Performance
from touchstone.strategies import STRATEGIES

TABLES: Final = {
    "trades": booked.trades, "fills": booked.fills, "equity": booked.equity,
}  # fmt: skip
"""Tables that are written on demand, by their option."""


class BacktestConfig(Config):
    """A strategy with what it needs around it; a file may also hold the strategy alone."""

    strategy: Annotated[Config, PartOf(STRATEGIES)] = Field(
        default_factory=lambda: STRATEGIES.parse({"kind": "threshold", "entry_threshold": 0.5})
    )
    """From a score to positions; orders need none."""
    tune: Literal["f1"] | None = Field(default=None, exclude_if=lambda how: how is None)
    """How the entry_threshold of `threshold` is found on the rows known before
    --calibrate-until: f1, the one that finds the label's target best, as classifiers are tuned. It
    knows no costs. Null: as the strategy says."""
    label: Annotated[Config, PartOf(LABELS)] = Field(
        default_factory=lambda: LABELS.parse({"kind": "triple_barrier"})
    )
    """Its barriers are the brackets, its horizon the longest holding; orders need none."""
    costs: CostsConfig = CostsConfig()
    """What a fill costs."""
    account: AccountConfig = AccountConfig()
    """The account that trades."""
    capacity: CapacityConfig = Field(default=CapacityConfig(), exclude_if=CapacityConfig().__eq__)
    """How the capacity curve is made."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """Of the intervals and the random controls."""


class Backtested(NamedTuple):
    """What scores or orders earned."""

    performance: Performance
    run: Run
    where: Segment
    config: BacktestConfig
    fingerprint: str
    n_scores: int | None = None
    """None where orders were given."""
    n_orders: int | None = None
    entry_threshold: float | None = None
    """As `tune` found it."""


def read_strategy(path: Path | None, changes: Mapping[str, Any] | None = None) -> BacktestConfig:
    """A YAML file with `strategy:`, `label:`, `costs:`, `account:`, or a strategy alone.

    Args:
        path: the file; None: every key has its default.
        changes: dotted keys that differ, as in {"costs.commission_bp": 2}.

    Raises:
        ConfigError: a key that is not known, or a value that cannot be; by file and key.
    """
    settings = {} if path is None else read_yaml(path)
    if "kind" in settings:
        settings = {"strategy": settings}
    for key, value in (changes or {}).items():
        set_key(settings, key, value)
    try:
        return BacktestConfig.parse({k: _frozen(v) for k, v in settings.items()})
    except ConfigError as error:
        where = "the settings" if path is None else str(path)
        raise ConfigError(f"{where}: {error}", error.problems) from None


def told(found: Backtested) -> BacktestResult:
    """The document that `--json` prints: figures, terms, every trade, fill and open position."""
    run, panel = found.run, found.where.panel
    tables = {"trades": booked.trades, "fills": booked.fills, "holdings": booked.holdings}
    return BacktestResult(
        fingerprint=found.fingerprint,
        decided_by="orders" if found.n_scores is None else "scores",
        n_scores=found.n_scores,
        n_orders=found.n_orders,
        entry_threshold=found.entry_threshold,
        performance=found.performance,
        n_cut=run.n_cut,
        n_partial=run.n_partial,
        n_rejected=run.n_rejected,
        n_ambiguous=run.n_ambiguous,
        ambiguous=run.ambiguous,
        dividends=run.dividends,
        financed=run.financed,
        final_cash=float(run.cash[-1]),
        final_equity=float(run.equity[-1]),
        config=_terms(found),
        **{name: booked.rows(table(panel, run)) for name, table in tables.items()},
    )


def _terms(found: Backtested) -> dict[str, Any]:
    """The config; of a backtest of orders without what decides nothing there."""
    idle = {"strategy", "tune", "label"} if found.n_scores is None else set()
    return found.config.model_dump(mode="json", serialize_as_any=True, exclude=idle)


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
    stranded = stranded_text(found)
    if stranded:
        lines.append(f"warning         {stranded}")
    return lines


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
