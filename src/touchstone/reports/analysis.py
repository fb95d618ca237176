"""The analysis of a run in `result.json`: when, where, beside what it earned, and what it bears."""

from typing import Literal

from pydantic import Field

from touchstone.reports.contents import (
    Annual,
    AnnualRatio,
    BasisPoints,
    Contents,
    Count,
    Day,
    Days,
    Fraction,
    Interval,
    Money,
    Ratio,
)

AttributedBy = Literal["instrument", "side", "hour", "regime", "exit", "cost"]


class DrawdownResult(Contents):
    """One fall of bar-level equity below its high."""

    peak: Day
    """Day of the high before the fall."""
    trough: Day
    """Day of the lowest equity."""
    recovery: Day | None = None
    """Day the high was reached again; null where it was not."""
    depth: Fraction
    """Fall from peak to trough, 0 to 1."""
    days: Days
    """From the peak to the recovery, or to the last bar."""


class MonthResult(Contents):
    """One calendar month, or the part of it that lies in the segment."""

    year: Count
    """Calendar year."""
    month: Count
    """1 to 12."""
    net_return: Fraction
    """Daily returns compounded; the months compound to `net_return` of the segment."""
    n_days: Count
    """Days with a return."""


class Attributed(Contents):
    """Money of one part; the parts of a division add up to `profit`."""

    by: AttributedBy
    """What was divided by. `hour` is that of the entry's decision, UTC; `regime` the instrument's
    tercile of volatility then; `exit` why the position was left; `cost` what was earned before
    costs, less each kind of cost."""
    name: str
    """Which part; `dividends` and `borrowing` belong to the account and to no fill."""
    n: Count
    """Positions, those still open among them; 0 where the row is of the account."""
    gross: Money
    """Before costs."""
    costs: Money
    """Commission, spread, slippage and impact of its fills."""
    net: Money
    """`gross` less `costs`; open positions are marked at the last close."""


class ExposureResult(Contents):
    """How much of the account was at work, over bars."""

    mean: Fraction
    """Net value held over equity, shorts below zero."""
    highest: Fraction
    """Largest at any close."""
    lowest: Fraction
    """Smallest at any close."""
    gross: Fraction
    """Mean of longs and shorts together, over equity; `mean` for an account that is only long."""
    highest_gross: Fraction
    """Largest at any close."""
    time_in_market: Fraction
    """Share of bars at whose close anything was held."""
    mean_positions: Ratio
    """Positions held at a close, on average."""
    most_positions: Count
    """Most positions held at a close."""


class RelativeResult(Contents):
    """Beside a benchmark, on the same days, both after costs."""

    benchmark: str
    """`buy_and_hold`, `equal_weight`."""
    alpha: Annual | None = None
    """Annual mean return that the benchmark does not explain; null where it has no variance."""
    alpha_interval: Interval = None
    """95 %, HAC standard error (Newey and West)."""
    beta: Ratio | None = None
    """Return for each unit of the benchmark's."""
    beta_interval: Interval = None
    """95 %, HAC standard error (Newey and West)."""
    information_ratio: AnnualRatio | None = None
    """Annual mean of the daily difference over its volatility."""
    information_ratio_interval: Interval = None
    """95 % studentised stationary bootstrap."""
    up_capture: Ratio | None = None
    """Our mean return over the benchmark's on days when it rose; null where it never did."""
    down_capture: Ratio | None = None
    """The same on days when it fell; lower is better, below 0 we gained."""


class RegimeResult(Contents):
    """Days by the regime of volatility in which most instruments stood on the day before."""

    name: str
    """`calm`, `normal`, `wild`: terciles of the segment's bars; `not known` before there is one."""
    n_days: Count
    """Days with a return."""
    net_return: Fraction
    """Compounded over these days; the regimes compound to `net_return` of the segment."""
    annual_mean: Annual | None = None
    """Arithmetic."""
    volatility: Annual | None = None
    """Null below two days."""
    sharpe: AnnualRatio | None = None
    """Null without variance."""
    worst_day: Fraction | None = None
    """Smallest return of a day."""


class CostsInSharpeResult(Contents):
    """What costs take from the Sharpe ratio, orders and quantities fixed."""

    gross: AnnualRatio | None = None
    """Before costs; null without variance."""
    net: AnnualRatio | None = None
    """After all of them."""
    taken: dict[str, AnnualRatio] = {}
    """`commission`, `spread`, `slippage`, `impact` -> what each takes; they add up to `gross` less
    `net` (Shapley values). Empty where either is null."""


class CapacityPoint(Contents):
    """The same decisions on another deposit."""

    deposit: Money
    """Assets under management."""
    sharpe: AnnualRatio | None = None
    """Net of all costs, impact among them; null without variance."""
    net_return: Fraction
    """Of the whole segment."""
    profit: Money
    """Of the whole segment."""
    impact_bp: BasisPoints | None = None
    """Impact paid, of the value traded; null where nothing was."""
    filled: Fraction | None = None
    """Value traded for each unit of mean equity, as a share of that at the smallest deposit: about
    how much of the orders is filled."""


class CapacityResult(Contents):
    """The same decisions replayed at rising deposits with square-root impact."""

    points: tuple[CapacityPoint, ...]
    """Deposit rising."""
    half_sharpe: Money | None = None
    """Deposit at which half the Sharpe of the smallest one is left; null where that is never, or
    where there was none to lose."""
    zero_sharpe: Money | None = None
    """Deposit at which the Sharpe reaches zero; null likewise."""
    most_profit: Money | None = None
    """Deposit of those tried that earned the most money; null where none earned any."""
    impact: Ratio
    """Y of `Y sigma (quantity / volume) ^ power`, sigma of a bar known before it."""
    impact_power: Ratio
    """Its exponent."""
    volume_cap: Fraction
    """Largest share of a bar's volume that was filled."""


class AmbiguityResult(Contents):
    """Bars that span stop and target of a position: which came first is not known."""

    n_bars: Count
    """Such bars of open positions."""
    share: Fraction | None = None
    """Of all closed trades; null without one."""
    between: Money
    """Final equity if the target had always come first, less that if the stop had."""


class Analysis(Contents):
    """When and where a run earned, beside what, and how much money its decisions bear."""

    profit: Money
    """Last equity less first."""
    drawdowns: tuple[DrawdownResult, ...] = ()
    """The ten deepest, the deepest first; they do not overlap."""
    months: tuple[MonthResult, ...] = ()
    """In time order."""
    attribution: tuple[Attributed, ...] = ()
    """Division after division; each adds up to `profit`."""
    exposure: ExposureResult
    """How much was held."""
    relative: tuple[RelativeResult, ...] = ()
    """Beside buy-and-hold and the equally weighted universe."""
    regimes: tuple[RegimeResult, ...] = ()
    """By volatility."""
    costs_in_sharpe: CostsInSharpeResult
    """What trading takes from the ratio."""
    capacity: CapacityResult | None = Field(default=None)
    """Null where the decisions could not be replayed, nothing was traded, or no volume is known."""
    ambiguity: AmbiguityResult | None = None
    """Null where the decisions could not be replayed."""
