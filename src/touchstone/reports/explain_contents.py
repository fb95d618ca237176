"""What each way of explaining a model found, as `explain.json` holds it."""

from typing import Literal, TypeAlias

from touchstone.reports.contents import (
    BasisPoints,
    Contents,
    Count,
    Fraction,
    Interval,
    Moment,
    Price,
    Probability,
    Ratio,
)
from touchstone.reports.measured import FalseNegative, FalsePositive

Case: TypeAlias = Literal["hit accepted", "miss accepted", "hit refused", "miss refused"]


class Need(Contents):
    """What losing one feature, or a group, costs the model."""

    name: str
    """Feature, or several joined by +."""
    drop: Ratio | None
    """How much worse the metric is without it; null where the metric has no value."""
    interval: Interval
    """Of the drop, over days."""
    spread: Ratio
    """Standard deviation of the drop from permutation to permutation."""

    @property
    def is_told(self) -> bool:
        """Whether the interval keeps clear of nothing."""
        return self.interval is not None and self.interval[0] > 0


class Permutation(Contents):
    """Permutation importance over the purged tests."""

    metric: str
    """Of p(+1) against the outcome +1, as the model scores it."""
    base: Ratio | None
    """The metric of the untouched rows."""
    features: tuple[Need, ...]
    """Largest drop first."""
    groups: tuple[Need, ...]
    """Of features that say much the same, taken together."""
    bars: tuple[Need, ...]
    """Stretches of bars of the window, oldest first, all features together."""
    n_rows: Count
    """Rows judged."""
    n_permutations: Count
    """Of which each drop is the mean."""
    kept: Count
    """Rows that had no other day to borrow from."""
    untested: tuple[str, ...] = ()
    """Features that say the same on other days at the same hour, so that nothing is lost."""


class Weight(Contents):
    """One feature's share of the score."""

    name: str
    """The feature."""
    size: Ratio
    """Mean absolute share, in units of the margin of +1."""
    interval: Interval
    """Of the size, over days."""
    mean: Ratio
    """Mean signed share."""
    rising: Ratio | None
    """Rank correlation of the share with the feature's newest value: +1, more of it raises the
    score; -1, lowers it; null where either does not vary."""


class Attributed(Contents):
    """How the score of each row adds up, over all rows."""

    method: str
    """`tree`, `linear`, `expected gradients`, `integrated gradients`."""
    features: tuple[Weight, ...]
    """Largest first."""
    parts: tuple[str, ...]
    """Bars of the window, oldest first, 0 the row's own; or last, recent, mean."""
    by_part: tuple[tuple[Ratio, ...], ...]
    """Mean absolute share of each part, (n_features, n_parts), in the order of `features`."""
    gap_share: Ratio
    """What the shares leave unsaid, as a share of what they say (root mean squares)."""
    n_rows: Count
    """Rows explained."""


class Attended(Contents):
    """Where one layer of attention looks."""

    name: str
    """Of the layer in the network; `rollout` for what all blocks come to; `gate` for branches."""
    over: tuple[str, ...]
    """What is weighed, oldest first: bars back, 0 the row's own; or scales, or branches."""
    mean: tuple[Ratio, ...]
    """Mean weight, over rows and heads."""
    low: tuple[Ratio, ...]
    """5 % of the rows lie below."""
    high: tuple[Ratio, ...]
    """5 % of the rows lie above."""
    heads: tuple[tuple[Ratio, ...], ...]
    """Mean weight of each head."""
    between: tuple[tuple[Ratio, ...], ...] | None
    """Who looks at whom, mean over rows and heads; null where the newest step alone asks."""


class Attention(Contents):
    """Weights of attention over the window."""

    layers: tuple[Attended, ...]
    """Empty where the model has none."""
    note: str
    """Why there is nothing to see; empty where there is."""
    n_rows: Count
    """Rows looked at."""


class Move(Contents):
    """One feature that a counterfactual changes."""

    name: str
    """The feature."""
    change: tuple[Ratio, ...]
    """In standard deviations of the feature, (lookback,), oldest first."""
    bar: Count
    """Bars back of the largest change."""
    before: Ratio
    """The feature's value there, in its own unit."""
    after: Ratio
    """The value that it would have to have."""


class Counterfactual(Contents):
    """One row, and what would have had to be different."""

    case: Case
    """What the model did, and what came."""
    symbol: str
    """Instrument."""
    time: Moment
    """When the decision was taken (the close of its bar)."""
    score: Probability
    """Raw p(+1)."""
    threshold: Probability
    """From which on it counts as accepted."""
    realised: Fraction
    """Exit price over entry price, less 1, before costs."""
    close: tuple[Price, ...]
    """Closes of the window, oldest first."""
    open: tuple[Price, ...]
    """Its opens."""
    high: tuple[Price, ...]
    """Its highs."""
    low: tuple[Price, ...]
    """Its lows."""
    moves: tuple[Move, ...]
    """The smallest change found, largest feature first; empty where none was found."""
    n_values: Count
    """Values of the window that it changes."""
    distance: Ratio | None
    """Sum of absolute changes, standard deviations."""
    changed_score: Probability | None
    """Raw p(+1) of the changed window."""
    nearest_symbol: str | None
    """Instrument of the nearest train window that is decided otherwise; null without one."""
    nearest_time: Moment | None
    """When that one was."""
    nearest_score: Probability | None
    """Its raw p(+1)."""
    nearest_distance: Ratio | None
    """Root mean square difference of both windows, standard deviations."""
    nearest_differs: tuple[str, ...]
    """Features in which it differs most."""


class Turned(Contents):
    """One feature among the changes that turn decisions."""

    name: str
    """The feature."""
    share: Fraction
    """Of all change that was needed."""
    n: Count
    """Rows whose change moves it."""


class Counterfactuals(Contents):
    """Counterfactual windows."""

    how: Literal["gradient descent", "search"]
    """How the smallest change was looked for."""
    examples: tuple[Counterfactual, ...]
    """Typical rows of the newest fold, one of each case that there is."""
    n_asked: Count
    """Rows asked about for the figures below, over all folds."""
    n_found: Count
    """Of them with a change that turns the decision."""
    median_distance: Ratio | None
    """Of those found, sum of absolute changes, standard deviations."""
    median_values: Ratio | None
    """Values of the window that they change."""
    n_nearest: Count
    """Rows with a train window that is decided otherwise."""
    median_nearest: Ratio | None
    """Root mean square distance to it, standard deviations."""
    n_looked: Count
    """Train rows of a fold among which it was looked for."""
    turned: tuple[Turned, ...]
    """By share, largest first."""
    held: tuple[str, ...]
    """Features that were left as they are: the calendar."""


class Estimate(Contents):
    """A number with its interval."""

    value: Ratio | None
    """What was measured."""
    interval: Interval
    """Over days."""


class RobustnessPoint(Contents):
    """What the model is worth under one attack of one size."""

    attack: Literal["random", "fgsm", "pgd", "greedy"]
    """`random` is the control."""
    share: Fraction
    """Of each feature's noise."""
    accuracy: Estimate
    """Share of right decisions."""
    pr_auc: Estimate
    """Of the attacked scores."""
    net: Estimate
    """Mean return of accepted rows after costs, fraction."""
    n_accepted: Count
    """Rows accepted."""
    n_flipped: Count
    """Decisions that are others than without the attack."""
    moved: Probability
    """Mean absolute change of the score."""


class RobustnessFound(Contents):
    """The model under random noise and under attack."""

    points: tuple[RobustnessPoint, ...]
    """By attack, sizes rising from 0."""
    n_rows: Count
    """Rows scored under each."""
    base_rate: Fraction
    """Share of hits among them."""
    has_gradients: bool
    """Whether the attackers follow the gradient; else they search."""


class SliceFound(Contents):
    """One part of the test rows."""

    group: str
    """What divides: symbol, hour, ..."""
    name: str
    """The part."""
    n_rows: Count
    """Test rows."""
    n_hits: Count
    """At the target."""
    n_accepted: Count
    """Score at or above the threshold."""
    precision: Fraction | None
    """Hits among the accepted."""
    precision_interval: Interval
    """Of it."""
    recall: Fraction | None
    """Accepted among the hits."""
    recall_interval: Interval
    """Of it."""
    pr_auc: Ratio | None
    """Of the calibrated probability."""
    pr_auc_interval: Interval
    """Of it."""
    gap: Probability
    """Mean calibrated probability less the share of hits."""
    gap_interval: Interval
    """Of it."""
    net_bp: BasisPoints | None
    """Mean of the accepted rows after costs."""
    net_interval: Interval
    """Of it, basis points."""
    gap_p: Probability | None
    """Of no difference of the gap from the other rows."""
    gap_adjusted: Probability | None
    """Corrected for the number of tests (Benjamini-Hochberg)."""
    net_p: Probability | None
    """The same of the net return."""
    net_adjusted: Probability | None
    """Corrected."""


class ErrorsFound(Contents):
    """Where the model errs."""

    n_rows: Count
    """All test rows with a known outcome before the seal."""
    base_rate: Fraction
    """Share of hits."""
    gap: Probability
    """Of all rows."""
    net_bp: BasisPoints | None
    """Of all accepted rows."""
    slices: tuple[SliceFound, ...]
    """Most unlike the rest first."""
    n_tested: Count
    """p-values that were looked at: two a part."""
    n_nominal: Count
    """At most 0.05 before the correction."""
    expected_by_luck: Ratio
    """So many would be, if no part were unlike the rest."""
    survivors: Count
    """After the correction."""
    false_positives: tuple[FalsePositive, ...]
    """Accepted rows that lost, the surest first."""
    false_negatives: tuple[FalseNegative, ...]
    """Refused rows that reached the target, the surest first."""
