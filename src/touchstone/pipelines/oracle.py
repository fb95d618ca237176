"""What the truth of a simulated market earns, and what a rule truly earns on fresh years of it."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest import daily, sweep
from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.execution.account import AccountConfig
from touchstone.execution.costs import CostsConfig
from touchstone.labels import LABELS, Labels
from touchstone.market import Panel
from touchstone.metrics.trading import sharpe
from touchstone.pipelines.decide import intend, placed
from touchstone.pipelines.prepare import column
from touchstone.seeding import derive
from touchstone.simulation import MarketConfig, Truth, simulate
from touchstone.simulation.chains import Chain
from touchstone.simulation.fresh import fresh_paths
from touchstone.simulation.oracles.odds import Odds, Seen, estimate, tell
from touchstone.strategies import Decision, Outlook

_BLOCK = 28
"""Days: longer than trades and states last."""

Rule = Callable[[Panel, Truth], Decision]
"""What a rule wishes at each row of a panel. An honest rule leaves the truth unread."""


class Earned(NamedTuple):
    """What a rule earned on fresh paths, net of all costs."""

    sharpe: float | None
    """Of daily returns, annual; None where nothing varied."""
    error: float
    """Its standard error, annual."""
    net_return: float
    """Mean return of a day x days in a year, fraction."""
    n_days: int
    n_trades: int
    cost_share: float | None = None
    """What trading cost over what was earned before that; None where nothing was earned."""


class Share(NamedTuple):
    """What a rule earned beside the oracle on the same fresh paths."""

    share: float
    """Its net return over the oracle's."""
    error: float
    """Standard error of the share, from blocks of four weeks."""
    rule: Earned
    oracle: Earned


def rows_of(label: Config, panel: Panel) -> Labels:
    """Labels of every row, their width evaluated."""
    width = getattr(label, "width", None)
    return LABELS.part_of(label)(panel, label, None if width is None else column(width, panel))


def oracle_odds(label: Config, market: MarketConfig, seed: int, n_paths: int = 8) -> Odds:
    """The odds of the label given the truth, from independent paths of the living market.

    Args:
        label: what is foreseen.
        market: which market; a decoy is taken while its edge lives.
        seed: of the paths; none of them is the market of that seed.
        n_paths: how many, each as long as the market.
    """
    alive = market.model_copy(update={"edge_until": None})
    seen = []
    for path in range(n_paths):
        panel, truth = simulate(alive, derive(seed, "oracle", path))
        labels = rows_of(label, panel)
        scale = _scale(labels, truth)
        at = np.flatnonzero(labels.known & np.isfinite(scale))
        outcome = labels.outcome[at].astype(np.int64)
        seen.append(
            Seen(truth.hidden[at], scale[at], truth.sigma[at], outcome, labels.realised[at])
        )
    return estimate(seen, _values(market))


Knows = Literal["return", "outcomes"]
"""What the oracle tells a strategy: the mean return given the truth; or, as a model with three
outcomes does, their probabilities alone, a horizon exit being worth the same on every row."""


def oracle_outlook(
    odds: Odds, label: Config, costs: CostsConfig, market: tuple[Panel, Truth],
    knows: Knows = "return",
) -> Outlook:  # fmt: skip
    """What the truth lets a strategy know at every row of a panel, calibrated.

    It holds the state and the volatility, which no feature tells so well; no bar of the future.

    Args:
        odds: of this label on this market.
        label, costs: of the study.
        market: bars and their truth.
        knows: what it tells.
    """
    panel, truth = market
    labels = rows_of(label, panel)
    told = tell(odds, truth.hidden, _scale(labels, truth), truth.sigma)
    is_whole = knows == "return"
    return Outlook(
        probability=told.probability,
        up=labels.up,
        down=labels.down,
        rest=told.rest if is_whole else odds.mean_rest,
        round_trip=costs.round_trip,
        expected=told.expected if is_whole else None,
    )


def oracle_rule(
    odds: Odds, label: Config, strategy: Config, costs: CostsConfig, knows: Knows = "return"
) -> Rule:
    """The strategy led by the truth: what its learners are measured by.

    Args:
        odds: of this label on this market.
        label, costs: of the study.
        strategy: one candidate of the study's strategy.
        knows: what the truth tells it.
    """

    def rule(panel: Panel, truth: Truth) -> Decision:
        told = oracle_outlook(odds, label, costs, (panel, truth), knows)
        return intend(label, strategy, placed(told, strategy, panel, np.arange(len(panel))))

    return rule


def true_earnings(
    rule: Rule,
    market: MarketConfig,
    seed: int,
    terms: tuple[AccountConfig, CostsConfig],
    years: float = 20.0,
) -> Earned:
    """What a rule earns on fresh years of the market as it ends: the truth that tests look for.

    Args:
        rule: it is asked once a path.
        market: the one that was studied; a decoy is taken after its edge died.
        seed: of the path that was studied: none of the fresh ones is it.
        terms: the account, which begins each path anew, and its costs.
        years: how long the fresh paths are together, at least.
    """
    return _traded((rule,), market, seed, terms, years)[0].earned


def earnings(
    rules: Sequence[Rule],
    market: MarketConfig,
    seed: int,
    terms: tuple[AccountConfig, CostsConfig],
    years: float = 20.0,
    idle_bars: int = 0,
) -> list[Earned]:
    """What several rules earn, each in an account of its own, on the same fresh paths.

    Args:
        rules: each is asked once a path.
        market, seed, terms, years: as of `true_earnings`.
        idle_bars: bars at the beginning of a path in which no rule trades, since features warm
            up: their days are left out.
    """
    found = _traded(rules, market, seed, terms, years, idle_bars)
    return [traded.earned for traded in found]


def share_of_oracle(
    rules: tuple[Rule, Rule],
    market: MarketConfig,
    seed: int,
    terms: tuple[AccountConfig, CostsConfig],
    years: float = 20.0,
) -> Share:
    """The share of the oracle's net return that a rule earns, on the same fresh paths.

    Args:
        rules: the one that is measured, and the oracle.
        market, seed, terms, years: as of `true_earnings`.

    Raises:
        DataError: an oracle that earns nothing: of nothing there is no share.
    """
    ours, oracle = _traded(rules, market, seed, terms, years)
    if oracle.earned.net_return <= 0:
        raise DataError(
            f"the oracle earns {oracle.earned.net_return:+.2%} a year net of costs: no share of it "
            "can be told; raise `ic`, lower the costs or choose a higher margin"
        )
    share = ours.earned.net_return / oracle.earned.net_return
    apart = ours.returns - share * oracle.returns
    blocks = apart[: apart.size // _BLOCK * _BLOCK].reshape(-1, _BLOCK).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(blocks.size) / oracle.returns.mean()
    return Share(share, float(error), ours.earned, oracle.earned)


class _Traded(NamedTuple):
    returns: Float64
    """Daily, path after path, (n_days,)."""
    earned: Earned


def _traded(
    rules: Sequence[Rule],
    market: MarketConfig,
    seed: int,
    terms: tuple[AccountConfig, CostsConfig],
    years: float,
    idle_bars: int = 0,
) -> list[_Traded]:
    """Each rule in an account of its own on the same fresh paths."""
    returns: list[list[Float64]] = [[] for _ in rules]
    n_trades, per_year = [0] * len(rules), 365
    won, paid = [0.0] * len(rules), [0.0] * len(rules)
    for panel, truth in fresh_paths(market, seed, years):
        per_year = panel.calendar.days_per_year
        for k, run in enumerate(sweep(panel, [rule(panel, truth) for rule in rules], *terms)):
            day, earned = daily(panel, run)
            first = panel.calendar.day(panel.time[idle_bars : idle_bars + 1])
            returns[k].append(earned[day >= first])
            n_trades[k] += int(run.trades.pnl.size)
            won[k] += run.initial_cash * run.total_return
            paid[k] += run.paid.total
    whole = [np.concatenate(days) for days in returns]
    share = [p / (w + p) if w + p > 0 else None for w, p in zip(won, paid, strict=True)]
    return [
        _Traded(days, _earned(days, n, per_year)._replace(cost_share=cost))
        for days, n, cost in zip(whole, n_trades, share, strict=True)
    ]


def _earned(returns: Float64, n_trades: int, per_year: int) -> Earned:
    found = sharpe(returns, per_year)
    daily_sharpe = 0.0 if found is None else found / np.sqrt(per_year)
    error = float(np.sqrt((1 + daily_sharpe**2 / 2) / returns.size * per_year))  # Lo (2002)
    return Earned(found, error, float(returns.mean() * per_year), returns.size, n_trades)


def _scale(labels: Labels, truth: Truth) -> Float64:
    """Log of the barrier's width over the next bar's sd; where there is none, log of that sd."""
    with np.errstate(invalid="ignore"):
        width = np.log(labels.up / truth.sigma)
    return np.where(np.isposinf(labels.up), np.log(truth.sigma), width)


def _values(market: MarketConfig) -> Float64:
    """The values of a planted state that has a few; empty where it is a number."""
    chain: Chain | None = getattr(market.planted, "chain", None)
    return np.arange(0.0 if chain is None else chain.paying.size)
