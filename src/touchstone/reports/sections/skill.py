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
from touchstone.reports.result import (
    ClassicFigures,
    ClassicLabel,
    MarketResult,
    Skill,
    SkillBaseline,
)
from touchstone.reports.sections import thresholds
from touchstone.validation.calibrated import FEWEST_POSITIVES

_ENOUGH_ROWS = 20
_TITLES = {
    "direction": "Is it skill? It knows which way",
    "volatility": "Is it skill? At volatility, not at direction",
    "against": "Is it skill? Worse than a coin at direction",
    "nothing": "Is it skill? None at direction is shown",
}
_NAMES = {"volatility": "volatility only", "symbol_and_hour": "symbol and hour"}


class Figure(NamedTuple):
    """One number of the list beside the charts."""

    key: str
    value: str


class View(NamedTuple):
    """What the template of section 4 needs."""

    title: str
    """The section's: what the figures show."""
    rows: str
    finding: str
    """The same in a sentence or two; empty where nothing can be said."""
    figures: tuple[Figure, ...]
    auc: Chart | None
    thresholds: Chart | None
    charts: tuple[Chart, ...]
    grid: thresholds.View | None
    """What thresholds chosen on validation rows give."""
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
        title=_TITLES.get(skill.shows or "", "Is it skill?"),
        rows=n,
        finding=_finding(skill),
        figures=_figures(skill),
        auc=_auc(skill),
        thresholds=_thresholds(skill),
        charts=tuple(c for c in charts if c is not None),
        grid=None if market.thresholds is None else thresholds.view(market.thresholds),
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
        Figure(
            "ece",
            _with(percent(skill.ece), interval(skill.ece_interval, 100, sign=False, unit="%")),
        ),
        Figure(
            "calibration_slope",
            _with(
                plain_number(skill.calibration_slope),
                interval(skill.calibration_slope_interval, sign=False),
            ),
        ),
        *((Figure("is_calibrated", _bar(skill)),) if skill.is_calibrated else ()),
    )


def _with(value: str, ends: str) -> str:
    """A number with its interval, where it has one."""
    return value if NONE in (value, ends) else f"{value} ({ends})"


def _bar(skill: Skill) -> str:
    """Whether the bar for calibration is met, and what was asked."""
    n = skill.n_positives or 0
    if skill.is_calibrated == "not decidable":
        return f"not decidable: {count(n)} positives" + (
            "" if n >= FEWEST_POSITIVES else f", {FEWEST_POSITIVES} needed"
        )
    return f"{skill.is_calibrated}: error at most {percent(skill.largest_ece)} asked"


def _finding(skill: Skill) -> str:
    """What the areas under the curve show together, in plain words."""
    ends = interval(skill.direction_auc_interval, sign=False)
    if skill.shows == "direction":
        return (
            f"The interval of the direction AUC, {ends}, lies above 0.5: on these rows the score "
            "knows which way prices go first. Whether that pays, the verdict tells."
        )
    if skill.shows == "volatility":
        told = (
            f"This is no edge. The score knows how far prices move; that it knows which way is not "
            f"shown: at equal distances up and down its AUC is {plain_number(skill.direction_auc)},"
            f" and the interval {ends} holds 0.5, a coin. Its touch AUC of "
            f"{plain_number(skill.touch_auc)} proves nothing else: where target and stop lie "
            f"unequally far, whoever knows how far prices move has more than 0.5."
        )
        alone = next((b for b in skill.baselines if b.name == "volatility"), None)
        if alone is not None and alone.touch_auc is not None:
            told += f" A score fitted on volatility alone has {plain_number(alone.touch_auc)}."
        return told
    if skill.shows == "against":
        return (
            f"The interval of the direction AUC, {ends}, lies below 0.5: on these rows the score "
            "was wrong about which way more often than a coin."
        )
    if skill.shows == "nothing":
        return (
            f"The interval of the direction AUC, {ends}, holds 0.5, a coin: these rows show no "
            "skill at direction."
        )
    return ""


def _auc(skill: Skill) -> Chart | None:
    drawn = [r for r in (*_areas(skill, "direction"), *_areas(skill, "touch"))]
    drawn = [r for r in drawn if r.value is not None]
    if not skill.baselines and skill.volatility_only_auc is not None:
        value = skill.volatility_only_auc
        drawn.append(rows.Row(term("volatility_auc"), value, plain_number(value)))
    if not drawn:
        return None
    ends = [e for r in drawn for e in (r.value, *(r.interval or ())) if e is not None]
    scale = Scale(min(0.44, *ends) - 0.01, max(0.72, *ends) + 0.02)
    grid = rows.Grid(scale, ticks(scale, 5, thin=True), 0.5, "AUC; 0.5 is a coin", "AUC")
    note = (
        "Ours, then the same for scores fitted on volatility alone, and on symbol and hour alone, "
        "judged on the same rows. Whiskers: 95 %, bootstrap over days, "
        "or over stretches of days where outcomes overlap."
    )
    body = rows.dots(drawn, grid, "areas")
    return Chart("auc", _auc_title(skill), note, body, _area_table(skill))


def _scores(skill: Skill) -> list[tuple[str, Skill | SkillBaseline]]:
    """Ours and the yardsticks, each with its name."""
    return [("ours", skill), *((_NAMES[b.name], b) for b in skill.baselines)]


def _areas(skill: Skill, kind: str) -> list[rows.Row]:
    """Our area and those of the yardsticks, as rows of the chart."""
    found = []
    for named, whose in _scores(skill):
        value, ends = getattr(whose, f"{kind}_auc"), getattr(whose, f"{kind}_auc_interval")
        name = term(f"{kind}_auc") if whose is skill else f"– {named}"
        own = "ours" if whose is skill and kind == "direction" else "base"
        found.append(rows.Row(name, value, plain_number(value), ends, own))
    return found


def _area_table(skill: Skill) -> Table:
    head = [Column("Score", number=False)]
    for name in ("Direction AUC", "Touch AUC", "PR-AUC"):
        head += [Column(name), Column("95 % interval")]
    cells = []
    for named, whose in _scores(skill):
        row = [named]
        for kind in ("direction", "touch", "pr"):
            row.append(plain_number(getattr(whose, f"{kind}_auc")))
            row.append(interval(getattr(whose, f"{kind}_auc_interval"), sign=False))
        cells.append(tuple(row))
    return Table("ours beside the yardsticks", tuple(head), tuple(cells))


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
    if skill.calibration_slope is not None:
        note += " Slope below 1: high and low probabilities are too far apart; above 1: too close."
    title = _calibration_title(skill)
    return Chart("calibration", title, note, curves.calibration(points), table)


def _calibration_title(skill: Skill) -> str:
    n = sum(p.count for p in skill.calibration)
    said = sum(p.probability * p.count for p in skill.calibration) / n
    came = sum(p.frequency * p.count for p in skill.calibration) / n
    told = f"Said {percent(said)} on average, came {percent(came)}"
    slope = skill.calibration_slope
    return told if slope is None else f"{told}; slope {plain_number(slope)}, 1 is calibrated"


def _thresholds(skill: Skill) -> Chart | None:
    points = skill.thresholds
    if sum(p.precision is not None for p in points) < 2:
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
    note = (
        "Rows whose probability of the target is at least the threshold. Shares of these rows, "
        "without intervals: where few are left, a crossing may be luck."
    )
    return Chart("thresholds", _threshold_title(skill), note, body, table, "full")


def _threshold_title(skill: Skill) -> str:
    judged = [
        (p, p.precision > p.break_even)
        for p in skill.thresholds
        if p.precision is not None and p.break_even is not None and p.count >= _ENOUGH_ROWS
    ]
    n_clear = sum(clear for _, clear in judged)
    if not judged:
        return f"At no threshold with {_ENOUGH_ROWS} rows is a break-even known"
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
    if skill.pr_auc_interval is not None:
        note += f" 95 % interval of the area: {interval(skill.pr_auc_interval, sign=False)}."
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
