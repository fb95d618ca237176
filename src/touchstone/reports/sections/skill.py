"""Section 4: direction or only volatility, calibration, precision against break-even."""

from typing import NamedTuple

from touchstone.reports.charts import curves, rows
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.scales import Scale, ticks
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    count,
    interval,
    needed,
    percent,
    plain_number,
)
from touchstone.reports.glosses import term
from touchstone.reports.result import ClassicFigures, ClassicLabel, MarketResult, Skill

_ENOUGH_ROWS = 20


class Figure(NamedTuple):
    """One number of the list beside the charts."""

    key: str
    value: str


class View(NamedTuple):
    """What the template of section 4 needs."""

    rows: str
    figures: tuple[Figure, ...]
    auc: Chart | None
    thresholds: Chart | None
    charts: tuple[Chart, ...]
    classic: Table | None
    classic_note: str


def view(market: MarketResult) -> View | None:
    """The charts that the scored rows allow; None where nothing was scored."""
    skill = market.skill
    if skill is None:
        return None
    charts = (_calibration(skill), _recall(skill))
    where = "the sealed segment" if skill.rows == "sealed" else "the tests before the seal"
    n = f"{count(skill.n_rows)} rows of {where}" if skill.n_rows else where
    return View(
        rows=n,
        figures=_figures(skill),
        auc=_auc(skill),
        thresholds=_thresholds(skill),
        charts=tuple(c for c in charts if c is not None),
        classic=_classic(market.classic) if market.classic else None,
        classic_note=market.classic.note if market.classic else "",
    )


def _figures(skill: Skill) -> tuple[Figure, ...]:
    return (
        Figure("precision", percent(skill.precision)),
        Figure("break_even_precision", needed(skill.break_even_precision)),
        Figure("classic_break_even", percent(skill.classic_break_even)),
        Figure("base_rate", percent(skill.base_rate)),
        Figure("pr_auc", plain_number(skill.pr_auc)),
        Figure("roc_auc", plain_number(skill.roc_auc)),
        Figure("brier", plain_number(skill.brier)),
        Figure("brier_skill", plain_number(skill.brier_skill)),
        Figure("ece", percent(skill.ece)),
        Figure("calibration_slope", plain_number(skill.calibration_slope)),
    )


def _auc(skill: Skill) -> Chart | None:
    values = (
        ("direction_auc", skill.direction_auc, skill.direction_auc_interval, "ours"),
        ("touch_auc", skill.touch_auc, None, "base"),
        ("volatility_auc", skill.volatility_only_auc, None, "base"),
    )
    known = [v for v in values if v[1] is not None]
    if not known:
        return None
    ends = [e for _, v, i, _ in known for e in (v, *(i or ())) if e is not None]
    scale = Scale(min(0.44, *ends) - 0.01, max(0.72, *ends) + 0.02)
    grid = rows.Grid(scale, ticks(scale, 5, thin=True), 0.5, "AUC; 0.5 is a coin", "AUC")
    drawn = [rows.Row(term(k), v, plain_number(v), i, kind) for k, v, i, kind in known]
    table = Table(
        "the three AUCs",
        (Column("Score against", number=False), Column("AUC"), Column("95 % interval")),
        tuple((term(k), plain_number(v), interval(i, sign=False)) for k, v, i, _ in known),
    )
    note = "Direction beside what volatility alone would score. Whisker: 95 %, bootstrap over days."
    return Chart("auc", _auc_title(skill), note, rows.dots(drawn, grid), table)


def _auc_title(skill: Skill) -> str:
    if skill.direction_auc is None:
        return "Direction could not be scored: no symmetric barrier was touched both ways"
    told = f"Direction AUC {plain_number(skill.direction_auc)}"
    ends = skill.direction_auc_interval
    if ends is None:
        return f"{told}; 0.5 is a coin"
    told += f", interval {interval(ends, sign=False)}"
    if ends[0] > 0.5:
        return f"{told}: it knows which way, not only how far"
    if ends[1] < 0.5:
        return f"{told}: worse than a coin at direction"
    return f"{told}: no skill at direction is shown"


def _calibration(skill: Skill) -> Chart | None:
    points = skill.calibration
    if not points:
        return None
    table = Table(
        "calibration by bin",
        (Column("Said, %"), Column("Came, %"), Column("Rows")),
        tuple(
            (bare_percent(p.probability), bare_percent(p.frequency), count(p.count)) for p in points
        ),
    )
    low, high = min(p.count for p in points), max(p.count for p in points)
    rows_a_dot = count(low) if low == high else f"{count(low)} to {count(high)}"
    note = f"Probability of the target against how often it came; {rows_a_dot} rows a dot."
    title = _calibration_title(skill)
    return Chart("calibration", title, note, curves.calibration(points), table)


def _calibration_title(skill: Skill) -> str:
    slope = skill.calibration_slope
    if slope is None:
        return "What was said against what came"
    told = f"slope {plain_number(slope)}"
    if slope < 0.9:
        return f"Probabilities are too extreme: {told}, 1 is calibrated"
    if slope > 1.1:
        return f"Probabilities are too timid: {told}, 1 is calibrated"
    return f"Probabilities mean what they say: {told}, 1 is calibrated"


def _thresholds(skill: Skill) -> Chart | None:
    points = skill.thresholds
    if not any(p.precision is not None for p in points):
        return None
    table = Table(
        "precision by threshold",
        (Column("At least, %"), Column("Precision, %"), Column("Break-even, %"), Column("Rows")),
        tuple(
            (
                bare_percent(p.threshold),
                bare_percent(p.precision),
                bare_percent(p.break_even),
                count(p.count),
            )
            for p in points
        ),
    )
    body = curves.precision_by_threshold(points)
    note = "Rows whose probability of the target is at least the threshold."
    return Chart("thresholds", _threshold_title(skill), note, body, table, "full")


def _threshold_title(skill: Skill) -> str:
    judged = [
        (p, p.precision > p.break_even)
        for p in skill.thresholds
        if p.precision is not None and p.break_even is not None and p.count >= _ENOUGH_ROWS
    ]
    n_clear = sum(clear for _, clear in judged)
    if n_clear == 0:
        return f"At no threshold with {_ENOUGH_ROWS} rows does precision reach its break-even"
    if not all(clear for _, clear in judged[-n_clear:]):
        return f"Precision clears its break-even at {n_clear} of {len(judged)} thresholds only"
    first = judged[-n_clear][0]
    return (
        f"Precision clears its break-even from {percent(first.threshold)} on: "
        f"{percent(first.precision)} where {needed(first.break_even)} is needed"
    )


def _recall(skill: Skill) -> Chart | None:
    if not skill.pr_curve:
        return None
    title = "Precision against recall"
    if skill.pr_auc is not None and skill.base_rate:
        ratio = plain_number(skill.pr_auc / skill.base_rate, 2)
        title = (
            f"Average precision {plain_number(skill.pr_auc)} is {ratio} times "
            f"the base rate {plain_number(skill.base_rate)}"
        )
    table = Table(
        "precision and recall",
        (Column("Recall, %"), Column("Precision, %")),
        tuple(
            (bare_percent(p.recall), bare_percent(p.precision))
            for p in skill.pr_curve[:: max(1, len(skill.pr_curve) // 40)]
        ),
    )
    note = "Without skill the line would lie on the base rate."
    body = curves.precision_recall(skill.pr_curve, skill.base_rate)
    return Chart("recall", title, note, body, table)


def _classic(classic: ClassicLabel) -> Table:
    head = (
        Column("Model", number=False),
        *(Column(c) for c in ("Base rate, %", "Precision, %", "Recall, %", "F1", "ROC-AUC")),
        *(Column(c) for c in ("PR-AUC", "Log-loss")),
    )
    rows_ = [_classic_row(f, "") for f in classic.ours]
    rows_ += [_classic_row(f, " (predecessor)") for f in classic.predecessor]
    return Table(f"on the classic label: {classic.label}", head, tuple(rows_))


def _classic_row(figures: ClassicFigures, whose: str) -> tuple[str, ...]:
    base = bare_percent(figures.base_rate)
    return (
        figures.name + whose,
        "not known" if base == NONE else base,
        bare_percent(figures.precision),
        bare_percent(figures.recall),
        plain_number(figures.f1),
        plain_number(figures.roc_auc),
        plain_number(figures.pr_auc),
        plain_number(figures.log_loss),
    )
