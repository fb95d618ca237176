"""The measured parts of `result.json`: money, skill, slices, and the bars of single rows."""

from typing import Literal

from pydantic import Field

from touchstone.reports.analysis import Analysis
from touchstone.reports.contents import (
    Annual,
    AnnualRatio,
    BasisPoints,
    Contents,
    Count,
    Day,
    Fraction,
    Growth,
    Interval,
    Moment,
    Money,
    Nats,
    Price,
    Probability,
    Ratio,
)
from touchstone.validation.calibrated import Word

Rows = Literal["sealed", "walk_forward"]
"""Which rows a part was measured on: the sealed segment, or the pooled tests before it."""


class LadderRung(Contents):
    """The same orders, their fills costed anew at a multiple of the study's costs."""

    multiple: Ratio
    """Of the study's costs; 0 is before costs."""
    net_return: Fraction | None = None
    """Of the whole segment; -1 where other costs than the study's would have spent the whole
    account."""
    sharpe: AnnualRatio | None = None
    """Null without variance."""


class Baseline(Contents):
    """What one gets without a model, on the same days."""

    name: str
    """`cash`, `buy_and_hold`, `equal_weight`."""
    net_return: Fraction | None = None
    """Of the whole segment, after costs."""
    sharpe: AnnualRatio | None = None
    """Null without variance."""
    max_drawdown: Fraction | None = None
    """Largest loss from a peak."""


class Curve(Contents):
    """Equity by day, thinned for the page; never read a measure off it."""

    day: tuple[Day, ...] = ()
    """(n_days,) session closes."""
    equity: tuple[Growth, ...] = ()
    """(n_days,) net of costs."""
    drawdown: tuple[Fraction, ...] = ()
    """(n_days,) loss from the peak so far, 0 to 1."""
    baselines: dict[str, tuple[Growth, ...]] = {}
    """Name -> (n_days,)."""
    band_low: tuple[Growth, ...] = ()
    """(n_days,) 5th percentile of the 200 turnover-matched random strategies."""
    band_high: tuple[Growth, ...] = ()
    """(n_days,) 95th percentile of the same."""


class Performance(Contents):
    """What a strategy earned on one segment of time, after costs."""

    net_return: Fraction | None = None
    """Last equity over first, less 1."""
    annual_return: Annual | None = None
    """Compound (CAGR)."""
    annual_return_interval: Interval = None
    """95 % stationary bootstrap, of `annual_return`."""
    sharpe: AnnualRatio | None = None
    """Arithmetic annual mean over annual volatility of daily returns; null without variance."""
    sharpe_interval: Interval = None
    """95 % studentised stationary bootstrap."""
    sortino: AnnualRatio | None = None
    """Annual mean over annual downside deviation."""
    volatility: Annual | None = None
    """Standard deviation of daily returns, annualised."""
    max_drawdown: Fraction | None = None
    """Largest loss from a peak, of bar-level equity, 0 to 1."""
    drawdown_peak: Day | None = None
    """Day of the peak before the largest drawdown."""
    drawdown_trough: Day | None = None
    """Day of its lowest equity."""
    drawdown_recovery: Day | None = None
    """Day the peak was reached again; null where it was not."""
    calmar: AnnualRatio | None = None
    """`annual_return` over `max_drawdown`."""
    var95: Fraction | None = None
    """Historical value at risk of a day at 95 %, a loss as a positive number."""
    es95: Fraction | None = None
    """Mean loss of the days beyond `var95`."""
    var99: Fraction | None = None
    """Historical value at risk of a day at 99 %."""
    es99: Fraction | None = None
    """Mean loss of the days beyond `var99`."""
    profit_factor: Ratio | None = None
    """Money won over money lost, closed trades after costs."""
    win_rate: Fraction | None = None
    """Share of closed trades that made money after costs."""
    expectancy: Fraction | None = None
    """Mean return of a closed trade after costs."""
    exposure: Fraction | None = None
    """Mean share of equity that was held, shorts below zero."""
    turnover: Annual | None = None
    """Traded value a year over mean equity."""
    n_trades: Count = 0
    """Closed round trips."""
    starting_equity: Money | None = None
    """At the segment's start."""
    cost_paid: Money | None = None
    """All costs of all fills."""
    costs_by_kind: dict[str, Money] = {}
    """`commission`, `spread`, `slippage`, `impact` -> paid; they add up to `cost_paid`."""
    break_even_cost_bp: BasisPoints | None = None
    """Cost a side at which these orders would have earned nothing."""
    ladder: tuple[LadderRung, ...] = ()
    """At 0, 1, 2 and 3 times the study's costs, orders fixed."""
    baselines: tuple[Baseline, ...] = ()
    """Cash, buy-and-hold, equal weight."""
    controls_rank: Fraction | None = None
    """Share of the 200 turnover-matched random strategies with a lower net return."""
    exits: dict[str, Count] = {}
    """Why trades ended -> how many: `time`, `probability`, `stop`, `target`."""
    stranded: tuple[str, ...] = Field(default=(), exclude_if=lambda symbols: not symbols)
    """Instruments held at the end though their bars ended more than a week before: valued at a
    close that may be nobody's price any more. Left out where there are none."""
    curve: Curve = Curve()
    """By day, for the page."""
    analysis: Analysis | None = None
    """When and where it earned, beside what, and how much money it bears; null in results of
    before."""


class CalibrationPoint(Contents):
    """One bin of rows with like probabilities."""

    probability: Probability
    """Mean forecast of the bin."""
    frequency: Probability
    """Share of its rows that ended at the target."""
    count: Count
    """Rows."""


class PrPoint(Contents):
    """One point of the precision-recall curve."""

    recall: Fraction
    """Share of the positive rows that were selected."""
    precision: Fraction
    """Share of the selected rows that are positive."""


class ThresholdPoint(Contents):
    """What selecting the rows at or above a threshold gives."""

    threshold: Probability
    """Least probability selected."""
    precision: Fraction | None = None
    """Share of the selected rows that ended at the target; null where none was."""
    break_even: Fraction | None = None
    """Precision at which these rows would have paid their costs."""
    count: Count
    """Rows selected."""


class SkillBaseline(Contents):
    """What a score is worth on the same rows that was fitted on the same train rows, on less.

    No candidate: nobody would trade it, and no choice sees it.
    """

    name: Literal["volatility", "symbol_and_hour"]
    """`volatility`: how much the instrument moved of late, and nothing of where to;
    `symbol_and_hour`: how often such rows of the train range ended up or down."""
    direction_auc: Ratio | None = None
    """As the model's, below."""
    direction_auc_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""
    touch_auc: Ratio | None = None
    """As the model's, below."""
    touch_auc_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""
    pr_auc: Ratio | None = None
    """As the model's, below."""
    pr_auc_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""


Shown = Literal["direction", "volatility", "against", "nothing"]
"""What the two AUCs show together, see `Skill.shows`."""


class Skill(Contents):
    """What the probabilities know, and whether it is direction or only volatility."""

    rows: Rows = "sealed"
    """Where it was measured."""
    n_rows: Count | None = None
    """Rows with a probability and a known outcome."""
    direction_auc: Ratio | None = None
    """Against the first touch of a symmetric barrier; 0.5 is no skill."""
    direction_auc_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""
    touch_auc: Ratio | None = None
    """Given a touch of the study's own barriers; above 0.5 without any edge."""
    touch_auc_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""
    shows: Shown | None = None
    """`direction`: the direction AUC's interval lies above 0.5; `volatility`: it does not, though
    the touch AUC's does, which is no edge; `against`: it lies below 0.5; `nothing`: none of these;
    null without an interval."""
    baselines: tuple[SkillBaseline, ...] = ()
    """Fitted and judged on the same rows, on volatility alone, on symbol and hour alone."""
    volatility_only_auc: Ratio | None = None
    """ROC-AUC of the label for a score that knows volatility alone."""
    base_rate: Fraction | None = None
    """Share of rows that ended at the target."""
    precision: Fraction | None = None
    """Share of the rows the strategy selected that ended at the target."""
    n_selected: Count | None = None
    """Rows the strategy selected."""
    break_even_precision: Fraction | None = None
    """Precision at which the selected rows pay their costs, from the real exit mix."""
    classic_break_even: Fraction | None = None
    """The same for bets that end on a barrier: (stop + round trip) / (target + stop), at the median
    widths of the rows."""
    pr_auc: Ratio | None = None
    """Average precision; a score without skill has the base rate."""
    pr_auc_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""
    roc_auc: Ratio | None = None
    """0.5 is no skill; volatility alone scores high."""
    brier: Ratio | None = None
    """Mean squared error of the probability; lower is better."""
    brier_skill: Ratio | None = None
    """1 - Brier over the Brier of the base rate; 0 is no skill."""
    ece: Probability | None = None
    """Expected calibration error over ten bins of equal mass."""
    ece_interval: Interval = None
    """95 %, bootstrap as above; it leans upward, since resampling adds to the noise of a bin."""
    calibration_slope: Ratio | None = None
    """Of outcomes on the logit of the probability; 1 is calibrated, below 1 over-confident."""
    calibration_slope_interval: Interval = None
    """95 %, bootstrap as above."""
    n_positives: Count | None = None
    """Rows that ended at the target."""
    largest_ece: Probability | None = None
    """The error that is allowed: 0.02, or a fifth of the base rate where that is less."""
    is_calibrated: Word | None = None
    """`met`: `ece` is at most `largest_ece` and the slope lies in 0.8 to 1.25; `missed`: one of
    them does not; `not decidable`: fewer than 200 positives, or no slope. Null in results of
    before."""
    calibration: tuple[CalibrationPoint, ...] = ()
    """Bins of equal mass, rising."""
    pr_curve: tuple[PrPoint, ...] = ()
    """Recall rising, thinned."""
    thresholds: tuple[ThresholdPoint, ...] = ()
    """Threshold rising."""


class ClassicFigures(Contents):
    """Classification measures of one model on the classic label."""

    name: str
    """Whose."""
    base_rate: Fraction | None = None
    """Share of positive rows; null where it was not reported."""
    precision: Fraction | None = None
    """At the model's own threshold."""
    recall: Fraction | None = None
    """At the model's own threshold."""
    f1: Ratio | None = None
    """Harmonic mean of the two."""
    roc_auc: Ratio | None = None
    """0.5 is no skill; volatility alone scores high."""
    pr_auc: Ratio | None = None
    """Average precision."""
    log_loss: Nats | None = None
    """Lower is better."""


class ClassicLabel(Contents):
    """Our figures beside the predecessor's, on the label it used."""

    label: str
    """The label in words."""
    ours: tuple[ClassicFigures, ...] = ()
    """Models of this study."""
    predecessor: tuple[ClassicFigures, ...] = ()
    """As it reported them; its base rate is not known."""
    note: str = "For orientation, not comparable: other instruments, other years, other base rate."
    """Why the two are not a race."""


class Slice(Contents):
    """Closed trades, and judged rows, of one part of the market or of the calendar."""

    group: Literal["symbol", "group", "year", "month", "hour", "weekday", "regime", "trend"]
    """What was divided by; times are of the decision, UTC."""
    name: str
    """Which part: a symbol, a group of the universe, 2023, 2023-04, 14, Mon, a regime of
    volatility (calm, normal, wild), of trend (falling, sideways, rising)."""
    n_trades: Count
    """Closed trades."""
    n_days: Count | None = None
    """Days on which they were decided."""
    net_return_bp_per_trade: BasisPoints | None = None
    """Mean, after costs; null without trades."""
    interval: Interval = None
    """95 %, bootstrap over days or stretches of days, of the mean; null below ten of them, or where
    all trades earned the same."""
    precision: Fraction | None = None
    """Share that ended at the target."""
    precision_interval: Interval = None
    """As `interval`; null where all trades hit or all missed."""
    p_value: Probability | None = None
    """Two-sided, of a mean net return like that of the other trades; days, or stretches of
    days, are the clusters."""
    adjusted_p: Probability | None = None
    """The same after Benjamini-Hochberg over all parts that could be tested."""
    n_rows: Count | None = None
    """Rows with a probability and a known outcome, traded or not."""
    base_rate: Fraction | None = None
    """Share of these rows that ended at the target."""
    brier: Ratio | None = None
    """Mean squared error of the probability of the target on these rows; lower is better."""
    brier_interval: Interval = None
    """95 %, bootstrap over days, or over stretches of days where outcomes reach into later ones."""


class SliceTests(Contents):
    """How many parts were looked at, and how many are unlike the rest beyond luck."""

    n_slices: Count
    """Parts with a trade."""
    n_tested: Count
    """Of these, with trades on ten days (or stretches of days) inside and outside of the part."""
    n_nominal: Count
    """Of these, with a p of at most 0.05 before any correction."""
    expected_by_luck: Ratio
    """How many of those to expect where all parts are alike: a twentieth of the tested."""
    survivors: tuple[str, ...] = ()
    """`group name` of those whose p after Benjamini-Hochberg is at most 0.05."""


class FalsePositive(Contents):
    """A confident entry that lost, with the bars around it."""

    symbol: str
    """Instrument."""
    time: Moment
    """When the decision was taken (the close of its bar)."""
    probability: Probability | None = None
    """Of the target, calibrated."""
    realised: Fraction | None = None
    """Exit price over entry price, less 1, before costs."""
    first: Moment | None = None
    """Start of the first bar below."""
    timeframe: str = "1h"
    """Length of a bar."""
    open: tuple[Price, ...] = ()
    """(n_bars,)"""
    high: tuple[Price, ...] = ()
    """(n_bars,)"""
    low: tuple[Price, ...] = ()
    """(n_bars,)"""
    close: tuple[Price, ...] = ()
    """(n_bars,)"""
    entry_bar: Count | None = None
    """Position in the lists of the bar at whose open the trade began."""
    exit_bar: Count | None = None
    """Position of the bar in which it ended."""
    upper: Price | None = None
    """The target; null without one."""
    lower: Price | None = None
    """The stop; null without one."""


class FalseNegative(FalsePositive):
    """A row that reached its target and was not entered, with the bars around it."""

    predicted_rank: Fraction | None = None
    """Share of the judged rows with a lower probability of the target."""
