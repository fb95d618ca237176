"""What the probabilities know, as PNG files: calibration, precision-recall, ROC, confusion."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from touchstone.reports.figures import count, percent, plain_number, plural
from touchstone.reports.images import (
    BASE,
    INK,
    LETTERS,
    OURS,
    PAPER,
    QUIET,
    plain,
    png,
    titled,
)
from touchstone.reports.result import PrPoint, Skill

if TYPE_CHECKING:  # slow to import, and wanted at the end of a run only
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SEGMENTS = {"sealed": "the sealed rows", "walk_forward": "the pooled tests before the seal"}
_SQUARE = (6.4, 6.6)


class Confusion(NamedTuple):
    """Rows by what was selected and what came."""

    hit: int
    """Selected, and ended at the target."""
    false: int
    """Selected, and did not."""
    missed: int
    """Not selected, and ended at the target."""
    left: int
    """Neither."""


def skill_images(skill: Skill | None) -> Mapping[str, bytes]:
    """Name -> PNG, for each figure that has something to show."""
    if skill is None:
        return {}
    found = {
        "calibration": _calibration(skill),
        "precision_recall": _precision_recall(skill),
        "roc": _roc(skill),
        "confusion": _confusion(skill),
    }
    return {name: png(figure) for name, figure in found.items() if figure is not None}


def confusion(skill: Skill) -> Confusion | None:
    """The four counts that precision, base rate and the number of rows come from."""
    n, selected, base = skill.n_rows, skill.n_selected, skill.base_rate
    if not n or selected is None or base is None:
        return None
    hit = round((skill.precision or 0.0) * selected)
    positive = round(base * n)
    return Confusion(hit, selected - hit, positive - hit, n - selected - positive + hit)


def roc_points(curve: Sequence[PrPoint], base_rate: float | None) -> list[tuple[float, float]]:
    """(false positive rate, recall), rising, ends included.

    A selection of recall r and precision p at a base rate b holds b r (1 - p) / p of all rows
    wrongly, out of 1 - b.
    """
    if base_rate is None or not 0 < base_rate < 1:
        return []
    odds = base_rate / (1 - base_rate)
    known = [p for p in curve if p.precision > 0]
    points = [(min(1.0, odds * p.recall * (1 / p.precision - 1)), p.recall) for p in known]
    return sorted({(0.0, 0.0), *points, (1.0, 1.0)})


def _calibration(skill: Skill) -> "Figure | None":
    points = skill.calibration
    if len(points) < 2:
        return None
    ece = plain_number(skill.ece, 2)
    figure, axes = _square(f"Off by {ece} on average: what was said, what came", skill, "ten bins")
    most = 1.08 * max(max(p.probability, p.frequency) for p in points)
    axes.plot((0, most), (0, most), color=BASE, lw=1.1)
    axes.text(0.56 * most, 0.52 * most, "calibrated", color=QUIET, va="top")
    x, y = [p.probability for p in points], [p.frequency for p in points]
    axes.plot(x, y, "o-", color=OURS, lw=2)
    axes.set(xlabel="probability said", ylabel="share that came", xlim=(0, most), ylim=(0, most))
    return figure


def _precision_recall(skill: Skill) -> "Figure | None":
    points = skill.pr_curve
    if len(points) < 2:
        return None
    title = f"Average precision {plain_number(skill.pr_auc)}, base rate {percent(skill.base_rate)}"
    figure, axes = _square(title, skill, "precision over recall")
    axes.plot([p.recall for p in points], [p.precision for p in points], color=OURS, lw=2)
    if skill.base_rate is not None:
        axes.axhline(skill.base_rate, color=BASE, lw=1.1)
        axes.text(0.99, skill.base_rate, "no skill", color=QUIET, ha="right", va="bottom")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, None))
    return figure


def _roc(skill: Skill) -> "Figure | None":
    points = roc_points(skill.pr_curve, skill.base_rate)
    if len(points) < 4:
        return None
    title = f"ROC-AUC {plain_number(skill.roc_auc)}; volatility alone "
    title += plain_number(skill.volatility_only_auc)
    figure, axes = _square(title, skill, "from the thinned precision-recall curve")
    axes.plot((0, 1), (0, 1), color=BASE, lw=1.1)
    axes.plot(*zip(*points, strict=True), color=OURS, lw=2)
    axes.set(xlabel="false positive rate", ylabel="recall", xlim=(0, 1), ylim=(0, 1))
    return figure


def _confusion(skill: Skill) -> "Figure | None":
    found = confusion(skill)
    if found is None:
        return None
    title = f"{plural(found.hit, 'hit')} in {plural(found.hit + found.false, 'selected row')}"
    figure, axes = _square(title, skill, "rows by what was selected and what came")
    cells = (
        (0, 1, found.hit, "selected, reached the target"),
        (1, 1, found.false, "selected, did not"),
        (0, 0, found.missed, "not selected, reached it"),
        (1, 0, found.left, "neither"),
    )
    n = max(sum(found), 1)
    for across, up, rows, words in cells:
        right = (across == 0) == (up == 1)
        axes.fill_between(
            (across + 0.02, across + 0.98), up + 0.02, up + 0.98, lw=0,
            color=OURS if right else BASE, alpha=0.15 + 0.6 * rows / n,
        )  # fmt: skip
        told = f"{count(rows)}\n{percent(rows / n)}\n{words}".translate(LETTERS)
        axes.text(across + 0.5, up + 0.5, told, ha="center", va="center", color=INK)
    axes.grid(visible=False)
    axes.set(xlim=(0, 2), ylim=(0, 2), xticks=(), yticks=())
    return figure


def _square(title: str, skill: Skill, note: str) -> tuple["Figure", "Axes"]:
    words = f"{_SEGMENTS[skill.rows]}, {plural(skill.n_rows or 0, 'row')}; {note}"
    figure: Any = titled(_SQUARE, title, words[:1].upper() + words[1:])
    axes = figure.add_axes((0.13, 0.11, 0.83, 0.76))
    plain(axes)
    axes.set_facecolor(PAPER)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(QUIET)
    return figure, axes
