"""One line in plain words for every term that a page uses; the same word for the same thing."""

from typing import Final, NamedTuple

from touchstone.reports.figures import sentence


class Gloss(NamedTuple):
    """A term as printed, and what it means."""

    term: str
    meaning: str


GLOSSES: Final[dict[str, Gloss]] = {
    "net_return": Gloss("Net return", "Last equity over first, less 1, after every cost."),
    "annual_return": Gloss(
        "Net return a year",
        "Compound growth a year (CAGR), after costs; not told of a segment well below a year.",
    ),
    "interval": Gloss(
        "95 % interval",
        "Where the true value lies, if 95 of 100 such intervals hold it: stationary bootstrap.",
    ),
    "sharpe": Gloss(
        "Sharpe",
        "Annual mean of daily returns over their annual volatility; 1 is good, 3 is rare.",
    ),
    "sortino": Gloss("Sortino", "Like Sharpe, counting only the volatility of losses."),
    "volatility": Gloss("Volatility", "Standard deviation of daily returns, annualised."),
    "max_drawdown": Gloss("Largest drawdown", "Largest loss from a peak of equity."),
    "calmar": Gloss("Calmar", "Net return a year over the largest drawdown; told where that is."),
    "var": Gloss("Value at risk", "The loss that 95 (99) of 100 days stayed under."),
    "es": Gloss("Expected shortfall", "Mean loss of the days beyond the value at risk."),
    "profit_factor": Gloss("Profit factor", "Money won over money lost; above 1 earns."),
    "win_rate": Gloss("Win rate", "Share of closed trades that made money after costs."),
    "expectancy": Gloss("Net return a trade", "Mean return of a closed trade after its costs."),
    "exposure": Gloss("Exposure", "Mean share of equity that was held, shorts below zero."),
    "turnover": Gloss("Turnover", "Value traded a year as a multiple of equity."),
    "cost_paid": Gloss("Cost paid", "Commission, spread, slippage and impact of all fills."),
    "alpha": Gloss("Alpha", "Annual mean return that the benchmark's moves do not explain."),
    "beta": Gloss("Beta", "How much ours moves when the benchmark moves by one."),
    "capture": Gloss(
        "Capture", "Our mean return over the benchmark's, on the days when it rose, or fell."
    ),
    "break_even_cost": Gloss(
        "Break-even cost", "Cost a side, in basis points, at which these trades earn nothing."
    ),
    "controls": Gloss(
        "Random controls",
        "200 strategies that trade as often as ours, at random. Beating them is the least to ask.",
    ),
    "direction_auc": Gloss(
        "Direction AUC",
        "How often the score ranks an up-move above a down-move of equal size; 0.5 is a coin.",
    ),
    "touch_auc": Gloss(
        "Touch AUC",
        "The same on the study's own barriers, given a touch. Uneven barriers lift it above 0.5 "
        "without any edge.",
    ),
    "volatility_auc": Gloss(
        "Volatility-only AUC",
        "ROC-AUC of a score that knows only how much prices move, and nothing of where to.",
    ),
    "base_rate": Gloss("Base rate", "Share of all rows that ended at the target."),
    "precision": Gloss("Precision", "Share of the selected rows that ended at the target."),
    "break_even_precision": Gloss(
        "Break-even precision",
        "Precision at which the selected rows pay their costs, from the real mix of exits.",
    ),
    "classic_break_even": Gloss(
        "Classic break-even",
        "The same for bets that end on a barrier: (stop + round trip) over (target + stop).",
    ),
    "pr_auc": Gloss("PR-AUC", "Average precision over recall; without skill it is the base rate."),
    "roc_auc": Gloss("ROC-AUC", "Rank of positives over negatives. Volatility alone lifts it."),
    "brier_skill": Gloss("Brier skill", "Gain in squared error over always saying the base rate."),
    "brier": Gloss("Brier", "Mean squared error of the probability; lower is better."),
    "ece": Gloss("Calibration error", "Mean gap of said and come, over ten bins of equal mass."),
    "calibration_slope": Gloss(
        "Calibration slope", "1 is calibrated; below 1 the probabilities are too extreme."
    ),
    "is_calibrated": Gloss(
        "Calibration bar",
        "Error at most 2 % and at most a fifth of the base rate, slope 0.8 to 1.25; asked from 200 "
        "positives on.",
    ),
    "candidate": Gloss(
        "Candidate",
        "A model with its strategy and threshold or margin; each is one try at being lucky.",
    ),
    "sealed": Gloss("Sealed segment", "The last part of time, opened once, after every choice."),
    "purged": Gloss("Purged", "Rows dropped because their label reaches into the next segment."),
    "primary_p": Gloss(
        "Primary p",
        "Chance of so large a mean daily return on the sealed days, if there were no edge.",
    ),
    "deflated_sharpe": Gloss(
        "Deflated Sharpe",
        "Probability that the winner's Sharpe beats the best expected of as many tries by luck.",
    ),
    "expected_max": Gloss(
        "Best Sharpe by luck", "Expected annual Sharpe of the best of as many zero-skill tries."
    ),
    "min_backtest_years": Gloss(
        "Minimum backtest, years", "Years of test needed before such a Sharpe is not just luck."
    ),
    "min_track_record_days": Gloss(
        "Minimum track record, days", "Days needed to tell this Sharpe from 0 at 95 %."
    ),
    "smallest_detectable_sharpe": Gloss(
        "Smallest detectable Sharpe", "True annual Sharpe that the sealed days find 8 times in 10."
    ),
    "pbo": Gloss(
        "Overfitting of the search (PBO)",
        "How often the best of one half of the days ranks in the lower half on the other days.",
    ),
    "superior_ability_p": Gloss(
        "Search p before the seal (SPA)",
        "Chance that the best of so many looks so much better than cash, if none is.",
    ),
    "better_than_buy_and_hold": Gloss(
        "Sharpe above buy-and-hold, at least",
        "Lower end of the 95 % interval of the difference, sealed days (Ledoit and Wolf).",
    ),
    "control_rank": Gloss(
        "Random controls beaten",
        "Share of 200 strategies that trade as often as ours, at random, and earned less.",
    ),
    "expectancy_lower": Gloss(
        "Net return a trade, at least",
        "Lower end of the 95 % interval of the mean sealed trade, stretches of days resampled.",
    ),
    "null_twin": Gloss(
        "Null twin", "The same study on the same random numbers with the edge taken out."
    ),
    "realised": Gloss("Realised return", "Exit price over entry price, less 1, before costs."),
}

HEADLINES: Final[dict[str, str]] = {
    "evidence": "Evidence of an edge",
    "weak": "Weak evidence of an edge",
    "none": "No evidence of an edge",
    "exploratory": "Exploratory: no verdict",
}
"""The verdict's word as a headline."""


_TOO_LITTLE = ("too_few", "no_variance")


def headline(word: str, reason: str | None) -> str:
    """The verdict's word as a headline; too little to judge is told as what it is."""
    if reason is not None and reason.startswith(_TOO_LITTLE):
        return "Too little to judge"
    return HEADLINES[word]


def term(key: str) -> str:
    """The printed term of a key; the key in words where it has no gloss."""
    return GLOSSES[key].term if key in GLOSSES else sentence(key.replace("_", " "))
