"""What a campaign found: every architecture with its figures, as JSON and for a terminal."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from touchstone.reports.aligned import aligned
from touchstone.reports.contents import (
    AnnualRatio,
    Contents,
    Count,
    Day,
    Fraction,
    Interval,
    Ratio,
    Span,
)

Measure: TypeAlias = Literal["pr_auc", "f1", "precision", "recall", "roc_auc", "log_loss"]
"""What is measured on validation rows and on test rows alike."""
MACHINE: Final = "machine"
"""Key of everything that another machine, or another hour, measures otherwise."""


class Spread(Contents):
    """One measure on the pooled test rows: its mean over the seeds."""

    mean: Ratio | None
    """Mean over the seeds."""
    interval: Interval
    """95 %: days drawn whole within, seeds drawn between; null where days are too few."""
    by_seed: tuple[Ratio | None, ...]
    """In the order of the seeds."""


class FitFound(Contents):
    """One fit: an architecture on a fold with a seed, on raw scores."""

    seed: Count
    """Of the fit."""
    fold: Count
    """From 1."""
    best_epoch: Count
    """Epochs (trees: rounds) behind the weights."""
    rows_used: Count
    """Train rows that it saw."""
    on_validation: Mapping[str, Ratio | None]
    """Measure -> value on validation rows, which chose epoch and threshold."""
    on_test: Mapping[str, Ratio | None]
    """Measure -> value on the fold's test rows."""


class NetFound(Contents):
    """What the study's strategy earned on the folds' tests, net of costs: means over the seeds."""

    setting: str
    """The strategy's setting: of all the one with the best mean Sharpe, so it flatters a little."""
    n_settings: Count
    """How many were tried."""
    net_return: Fraction | None
    """Over all test rows."""
    sharpe: AnnualRatio | None
    """Mean over the seeds."""
    sharpe_interval: Interval
    """95 %: means over the seeds of both ends of their stationary bootstraps of days."""
    sharpe_by_seed: tuple[AnnualRatio | None, ...]
    """In the order of the seeds."""
    max_drawdown: Fraction | None
    """Mean over the seeds."""
    n_trades: Ratio
    """Closed round trips, mean over the seeds."""


class Machine(Contents):
    """What it costs on this machine; nothing else in the result depends on the machine."""

    train_seconds: Ratio | None
    """Of a fit with its scoring, mean over seeds and folds."""
    inference_us: Ratio | None
    """Microseconds a row through the one scoring path, in bulk."""
    peak_mb: Ratio | None
    """Memory that a short fit took beyond what was there before it, MB."""


class Architecture(Contents):
    """One row of the leaderboard."""

    name: str
    """Its kind, numbered where a kind comes again."""
    baseline: bool
    """Whether the others are compared with it."""
    config: Mapping[str, Any]
    """Its settings."""
    file: str
    """The study that takes it to its verdict, beside this result."""
    validation: Ratio | None
    """The measure that ranks, on validation rows: mean over seeds and folds."""
    validation_by_seed: tuple[Ratio | None, ...]
    """Means over the folds."""
    pr_auc: Spread
    """Average precision of the calibrated probability of the target."""
    f1: Spread
    """At the threshold that is best on each fold's validation rows."""
    precision: Spread
    """At that threshold."""
    recall: Spread
    """At that threshold."""
    break_even_precision: Fraction | None
    """Precision at which the rows so selected pay their costs; mean over the seeds."""
    roc_auc: Spread
    """Mostly skill at volatility."""
    direction_auc: Spread
    """Against the first touch of a symmetric barrier: skill at direction."""
    log_loss: Spread
    """Of the calibrated probability of the target."""
    ece: Spread
    """Expected calibration error of the calibrated probability."""
    gap: Mapping[str, Ratio | None]
    """Measure -> validation less test, mean over seeds and folds, raw scores."""
    net: NetFound | None
    """Null where nothing could be traded."""
    parameters: Count | None
    """Numbers that are fitted; null where the kind does not say."""
    file_bytes: Count
    """Size of the fitted model's own files, bytes."""
    fits: tuple[FitFound, ...]
    """Every seed and fold."""
    machine: Machine
    """Time and memory."""


class Yardstick(Contents):
    """What is known without a model, on the same rows."""

    name: str
    """`volatility` or `symbol_and_hour`."""
    pr_auc: Spread
    """As of an architecture; one fit."""
    roc_auc: Spread
    """As of an architecture."""
    direction_auc: Spread
    """As of an architecture."""


class Against(Contents):
    """The leader's PR-AUC less that of another, on the same rows and days."""

    name: str
    """The other: an architecture or a yardstick."""
    baseline: bool
    """Whether it is one of those that all are compared with."""
    difference: Ratio | None
    """Mean over the seeds."""
    interval: Interval
    """95 %, as of a `Spread`."""


class FoldFound(Contents):
    """One fold: the same for all."""

    train: Span
    """Bounds."""
    test: Span
    """Bounds."""
    n_train: Count
    """Rows."""
    n_validate: Count
    """Rows."""
    n_test: Count
    """Rows."""
    validate_base_rate: Fraction | None
    """Share of validation rows that reached the target."""
    test_base_rate: Fraction | None
    """Share of test rows that reached the target."""


class Check(Contents):
    """One prerequisite, looked at before anything was trained."""

    name: str
    """What was looked at."""
    ok: bool
    """Whether the campaign may go on."""
    sentence: str
    """What was found, and the way out where it is not enough."""


class Reported(Contents):
    """Test figures of the predecessor's best model, as it reported them."""

    f1: Fraction
    """Of the positive class."""
    precision: Fraction
    """Of the positive class."""
    recall: Fraction
    """Of the positive class."""
    pr_auc: tuple[float, float]
    """Range over its models."""


PREDECESSOR: Final = Reported(f1=0.306, precision=0.242, recall=0.415, pr_auc=(0.20, 0.24))
ORIENTATION: Final = "its base rate and data are not known: for orientation, not comparable"


class CampaignResult(Contents):
    """`result.json` of a campaign."""

    name: str
    """The campaign's."""
    study: str
    """The study's name."""
    fingerprint: str
    """Of the campaign on its data."""
    data: str
    """Hash of the bars."""
    seeds: tuple[Count, ...]
    """Of the fits; the first is the study's own."""
    rank_by: Measure
    """The measure on validation rows that ranks."""
    label: str
    """What was foreseen, in words."""
    classic: bool
    """Whether that is the predecessor's label."""
    n_instruments: Count
    """In the bars."""
    n_bars: Count
    """In the bars."""
    first: Day
    """First day of the bars."""
    last: Day
    """Last day of the bars."""
    sealed_from: Day
    """From here on nothing was scored."""
    n_test_rows: Count
    """Pooled, with a known outcome."""
    base_rate: Fraction | None
    """Share of them that reached the target."""
    round_trip: Fraction
    """What buying and selling costs."""
    budget: Mapping[str, float | None]
    """The same for all: train rows a fold, epochs, patience."""
    folds: tuple[FoldFound, ...]
    """The same for all."""
    architectures: tuple[Architecture, ...]
    """Best first by the measure on validation rows."""
    yardsticks: tuple[Yardstick, ...]
    """Known without a model."""
    against: tuple[Against, ...]
    """The leader and each of the others, in their order."""
    n_candidates: Count
    """Candidates that the ledger now holds of these rows."""
    checks: tuple[Check, ...]
    """Prerequisites as they were found."""

    @property
    def leader(self) -> Architecture:
        """The best on validation rows."""
        return self.architectures[0]


def without_machine(result: CampaignResult) -> dict[str, Any]:
    """The result as JSON holds it, without what depends on the machine: equal for equal asks."""
    told: dict[str, Any] = json.loads(result.model_dump_json())
    for row in told["architectures"]:
        del row[MACHINE]
    told["checks"] = [c["name"] for c in told["checks"]]
    return told


def told(result: CampaignResult) -> list[str]:
    """The leaderboard for a terminal."""
    measure = result.rank_by.replace("_", "-").upper()
    head = ("", f"val. {measure}", "PR-AUC", "95 %", "F1+", "precision", "pays at", "recall",
            "direction", "net", "Sharpe", "s a fit")  # fmt: skip
    rows = [head, *(_cells(row) for row in result.architectures)]
    rows += [
        (y.name.replace("_", " "), "", _of(y.pr_auc.mean), _ends(y.pr_auc.interval),
         *[""] * 4, _of(y.direction_auc.mean), *[""] * 3)
        for y in result.yardsticks
    ]  # fmt: skip
    return [*aligned(rows), *_closing(result)]


def _cells(row: Architecture) -> tuple[str, ...]:
    net = row.net
    return (
        row.name + (" (baseline)" if row.baseline else ""),
        _of(row.validation),
        _of(row.pr_auc.mean),
        _ends(row.pr_auc.interval),
        _of(row.f1.mean),
        _of(row.precision.mean),
        _paid(row.break_even_precision),
        _of(row.recall.mean),
        _of(row.direction_auc.mean),
        "-" if net is None or net.net_return is None else f"{net.net_return:+.1%}",
        "-" if net is None else _of(net.sharpe, "+.2f"),
        _of(row.machine.train_seconds, ".1f"),
    )


def _closing(result: CampaignResult) -> list[str]:
    lines = [
        f"Test rows of {len(result.folds)} folds, {len(result.seeds)} seeds; base rate "
        f"{_of(result.base_rate)}. Nothing after {result.sealed_from} was scored."
    ]
    if result.classic:
        best, was = result.leader, PREDECESSOR
        lines.append(
            f"Leader {best.name}: F1+ {_of(best.f1.mean)}, precision {_of(best.precision.mean)}, "
            f"recall {_of(best.recall.mean)}, PR-AUC {_of(best.pr_auc.mean)}; the predecessor's "
            f"best: {was.f1:.3f}, {was.precision:.3f}, {was.recall:.3f}, {was.pr_auc[0]:.2f}-"
            f"{was.pr_auc[1]:.2f} ({ORIENTATION})."
        )
    return lines


def _of(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)


def _paid(precision: float | None) -> str:
    return "any" if precision is not None and precision <= 0 else _of(precision)


def _ends(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f}..{interval[1]:.3f}"
