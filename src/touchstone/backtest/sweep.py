"""Many accounts over one history: thresholds, exits and sizes in one pass; or a run for each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest.grids import Grid, check, grids_of
from touchstone.backtest.replay import follow, run_of, wishes_of
from touchstone.backtest.result import Run, daily
from touchstone.backtest.world import world_line
from touchstone.errors import ConfigError
from touchstone.execution.account import AccountConfig, accounts, terms_of
from touchstone.execution.columns import Wishes
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Path, Timeline, replay
from touchstone.execution.records import PURSE, Accounts, Records, Tape, tape
from touchstone.execution.sweeping import SWEPT, sweeping
from touchstone.market import Panel
from touchstone.metrics.trading import max_drawdown, sharpe
from touchstone.strategies import Decision, Intent

Whose = AccountConfig | Sequence[AccountConfig]
Costs = CostsConfig | Sequence[CostsConfig]


class Swept(NamedTuple):
    """What accounts did, without their paths; all (n_accounts,) but the last two."""

    initial_cash: Float64
    account: Records
    """`execution.sweeping.SWEPT`."""
    purse: Records
    """`execution.records.PURSE` at the end: counts of what was cut, rejected, ambiguous."""
    daily_sharpe: Float64
    """Of the daily returns, per day; nan without variance."""
    mean: Float64
    """Of the daily returns."""
    deviation: Float64
    """Standard deviation (n - 1) of the daily returns; nan with fewer than two days."""
    n_days: int
    daily: Float64
    """Daily returns, (n_accounts, n_days), where they were asked for; else (n_accounts, 0)."""

    @property
    def total_return(self) -> Float64:
        """Last equity / initial cash - 1."""
        return np.asarray(self.account["equity"] / self.initial_cash - 1.0)

    @property
    def max_drawdown(self) -> Float64:
        """Of the equity at every bar's close, in [0, 1]."""
        return np.minimum(np.asarray(self.account["drawdown"], np.float64), 1.0)

    @property
    def win_rate(self) -> Float64:
        """Share of closed trades that earned money after costs; nan without one."""
        return _share(self.account["n_wins"], self.account["n_trades"])

    @property
    def profit_factor(self) -> Float64:
        """Money of the winning trades over that of the losing ones; nan without a loss."""
        return _share(self.account["gained"], self.account["lost"])

    @property
    def exposure(self) -> Float64:
        """Mean share of equity invested."""
        return _share(self.account["exposure"], self.account["n_times"])

    @property
    def paid(self) -> Float64:
        """Money that trading cost, all kinds."""
        kinds = ("commission", "slippage", "spread", "impact")
        return np.asarray(sum(self.account[kind] for kind in kinds), np.float64)

    @property
    def break_even_bp(self) -> Float64:
        """Cost of a side at which nothing is left, basis points; nan without a fill."""
        earned = self.account["equity"] - self.initial_cash + self.paid
        return _share(earned, self.account["value"]) * 1e4


def sweep(
    panel: Panel, decisions: Sequence[Decision], account: AccountConfig, costs: CostsConfig
) -> tuple[Run, ...]:
    """One run per decision, each in an account of its own; equal to `run` of each, to the bit.

    Intents that differ by thresholds and sizes alone are ranked once. Where no paths are needed,
    `sweep_grid` is the one for many accounts.

    Nothing is written here: the caller, who knows what the candidates are, writes one
    `ledger.sweep` row that holds them all.

    Raises:
        ConfigError: a decision that does not fit the panel, or that this account cannot trade.
    """
    line = world_line(panel, costs, account)
    wished = [i for i, one in enumerate(decisions) if isinstance(one, Intent)]
    runs = {
        i: follow(panel, line, one, account, costs)
        for i, one in enumerate(decisions)
        if not isinstance(one, Intent)
    }
    for grid, places in grids_of(_whole(panel, line, decisions[i], account.short) for i in wished):
        wishes = _ranked(panel, line, grid, account.short)
        _, terms = _terms(grid, [account] * grid.n_accounts, [costs] * grid.n_accounts)
        for k, place in enumerate(places.tolist()):
            own = wishes._replace(hold=grid.hold_bars[k : k + 1])
            runs[wished[place]] = _alone(panel, line, (account, terms[k]), own)
    return tuple(runs[i] for i in range(len(decisions)))


def _whole(panel: Panel, line: Timeline, decision: Any, short: bool) -> Intent:
    """An intent with a value for every row of the panel."""
    intent: Intent = decision
    if any(column.shape != (len(panel),) for column in (intent.enter, intent.leave, intent.weight)):
        wishes_of(panel, line, intent, short)  # says which
    return intent


def _alone(
    panel: Panel, line: Timeline, whose: tuple[AccountConfig, Records], wishes: Wishes
) -> Run:
    """One account of a grid with its whole path."""
    account, terms = whose

    def once(capacity: int) -> tuple[Accounts, Path, Tape]:
        state = accounts(1, panel.n_instruments, account, CostsConfig(), 1)
        state.terms[0] = terms
        filled = tape(capacity)
        return state, replay(state, line, wishes, filled), filled

    slots = int(terms["max_positions"]) * line.time.size
    done = once(2 * min(wishes.row.size, slots) + 1)
    needed = int(done[2].n[0])
    if needed > done[2].fills.size:  # fills in parts, for want of volume
        done = once(needed)
    return run_of(panel, line, account, done)


def sweep_grid(
    panel: Panel, grid: Grid, account: Whose, costs: Costs, keep_daily: bool = False
) -> Swept:
    """Every account of a grid over a panel; each equal to `run` of its intent alone, to the bit.

    (Sums over fills and bars, as the cost paid, agree to rounding: they are added in turn.)

    Nothing is written here: the caller, who knows what the candidates are, writes one
    `ledger.sweep` row that holds them all.

    Args:
        panel: the bars.
        grid: the intent, and each account's levels.
        account: the deposit and limits of all, or one for each.
        costs: likewise.
        keep_daily: keep every account's daily returns; memory then grows with accounts x days.

    Raises:
        ConfigError: a grid that does not fit the panel, or cannot be traded.
    """
    return joined(sweep_blocks(panel, grid, account, costs, keep_daily))


def sweep_blocks(
    panel: Panel, grid: Grid, account: Whose, costs: Costs, keep_daily: bool = False
) -> Iterator[tuple[Int64, Swept]]:
    """`sweep_grid` a few accounts at a time, each with their places: to show progress, or stop."""
    whose, paid = (
        _each(name, given, grid.n_accounts)
        for name, given in (("account", account), ("costs", costs))
    )
    deposit, terms = _terms(grid, whose, paid)
    wishes = None
    for mine, line in _worlds(panel, whose, paid):
        if wishes is None:  # one ranking, whatever else they meet
            wishes = _ranked(panel, line, grid, bool(terms["margin"].all()))
        hold, began = grid.hold_bars[mine], deposit[mine]
        for block in sweeping(terms[mine], hold, began, (line, wishes)):
            before = np.column_stack([began[block.place], block.day_equity[:, :-1]])
            daily = block.day_equity / before[:, : block.day_equity.shape[1]] - 1.0
            records = block.swept, block.purse
            yield mine[block.place], _swept(began[block.place], records, daily, keep_daily)


def _worlds(
    panel: Panel, whose: Sequence[AccountConfig], paid: Sequence[CostsConfig]
) -> Iterator[tuple[Int64, Timeline]]:
    """Places of accounts that meet the same world beside the bars, and that world."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for k, (account, costs) in enumerate(zip(whose, paid, strict=True)):
        spread = None if costs.spread is None else (costs.spread, costs.half_spread_bp)
        asks = costs.impact > 0, costs.volume_cap is None, account.max_group is None
        alike.setdefault((spread, *asks, account.ambiguity == "finer"), []).append(k)
    for places in alike.values():
        yield np.array(places), world_line(panel, paid[places[0]], whose[places[0]])


def swept_of(panel: Panel, run: Run, keep_daily: bool = False) -> Swept:
    """A run as an account of a sweep: for decisions that name weights, which no grid holds."""
    swept, purse = np.zeros(1, SWEPT), np.zeros(1, PURSE)
    value = run.fills.quantity * run.fills.reference
    pnl = run.trades.pnl
    for name, number in {
        "cash": run.cash[-1], "invested": run.invested[-1], "equity": run.equity[-1],
        "peak": run.equity.max(), "drawdown": max_drawdown(run.equity),
        "exposure": run.exposure.sum(), "wealth": run.equity.sum(), "n_times": run.time.size,
        "n_fills": run.fills.row.size, "n_trades": pnl.size, "n_wins": (pnl > 0).sum(),
        "gained": pnl[pnl > 0].sum(), "lost": -pnl[pnl < 0].sum(), "traded": run.traded_value,
        "value": value.sum(), **run.paid._asdict(),
    }.items():  # fmt: skip
        swept[name] = number
    for name in ("n_cut", "n_rejected", "n_partial", "n_ambiguous", "ambiguous", "dividends",
                 "financed"):  # fmt: skip
        purse[name] = getattr(run, name)
    for name in ("cash", "invested", "equity"):
        purse[name] = swept[name]
    began, returns = np.array([run.initial_cash]), daily(panel, run)[1][None, :]
    return _swept(began, (swept, purse), returns, keep_daily)


def joined(parts: Iterable[tuple[Int64, Swept]]) -> Swept:
    """Accounts of several blocks, or grids over one panel, by their places.

    Raises:
        ConfigError: not one account.
    """
    found = list(parts)
    if not found:
        raise ConfigError("sweep: no account to sweep; a grid needs one at least")
    order = np.argsort(np.concatenate([place for place, _ in found]), kind="stable")
    columns = {
        name: np.concatenate([getattr(part, name) for _, part in found])[order]
        for name in Swept._fields
        if name != "n_days"
    }
    return Swept(**columns, n_days=found[0][1].n_days)


def _ranked(panel: Panel, line: Timeline, grid: Grid, short: bool) -> Wishes:
    """The grid's wishes, ranked once for all of its accounts."""
    intent = grid.intent
    if grid.stay is not None:
        if grid.stay.shape != (len(panel),):
            raise ConfigError(
                f"grid.stay: needs one value per row of the panel ({len(panel)},), "
                f"got {grid.stay.shape}"
            )
        intent = intent._replace(leave=np.zeros(len(panel), bool))
    wishes = wishes_of(panel, line, intent, short)
    check(grid)
    too_large = grid.scale * wishes.weight.max(initial=0.0) > 1.0
    if too_large.any():
        k = int(too_large.argmax())
        raise ConfigError(
            f"grid.scale: account {k} would hold {grid.scale[k] * wishes.weight.max():g} of its "
            "equity in one position; weight x scale must be at most 1"
        )
    wishes = _compact(wishes)
    if grid.stay is not None:
        wishes = wishes._replace(stay=np.ascontiguousarray(grid.stay, np.float64))
    return wishes


def _terms(
    grid: Grid, whose: Sequence[AccountConfig], paid: Sequence[CostsConfig]
) -> tuple[Float64, Records]:
    made = {
        (id(a), id(c)): terms_of(1, a, c, 1)[0] for a, c in zip(whose, paid, strict=True)
    }  # few differ
    terms = np.array([made[id(a), id(c)] for a, c in zip(whose, paid, strict=True)])
    for name in ("entry_level", "exit_level", "scale", "max_positions"):
        terms[name] = getattr(grid, name)
    return np.array([one.cash for one in whose]), terms


def _compact(wishes: Wishes) -> Wishes:
    """Columns of one value as that value: the kernel then has less to read."""
    names = ("up", "down", "weight")
    columns = {name: getattr(wishes, name) for name in names}
    return wishes._replace(
        **{n: c[:1].copy() for n, c in columns.items() if c.size and (c == c[0]).all()}
    )


def _each(name: str, given: Any, n: int) -> Sequence[Any]:
    if not isinstance(given, Sequence):
        return [given] * n
    if len(given) != n:
        raise ConfigError(f"sweep: {name} needs one for all or one for each of {n} accounts, "
                          f"got {len(given)}")  # fmt: skip
    return given


def _swept(
    began: Float64, records: tuple[Records, Records], daily: Float64, keep_daily: bool
) -> Swept:
    n, n_days = daily.shape
    ratios = [sharpe(own, 1.0) for own in daily]
    return Swept(
        initial_cash=began,
        account=records[0],
        purse=records[1],
        daily_sharpe=np.array([np.nan if r is None else r for r in ratios], np.float64),
        mean=daily.mean(axis=1) if n_days else np.full(n, np.nan),
        deviation=daily.std(axis=1, ddof=1) if n_days > 1 else np.full(n, np.nan),
        n_days=n_days,
        daily=daily if keep_daily else daily[:, :0],
    )


def _share(part: Float64, whole: Float64) -> Float64:
    out = np.full(np.shape(part), np.nan)
    return np.asarray(np.divide(part, whole, out=out, where=np.asarray(whole) > 0))
