"""Folds on a time axis: train, validate, test where they lie, and the segment that stays sealed."""

from collections.abc import Sequence

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.rows import Grid, Row, lay_out
from touchstone.reports.charts.scales import Scale, day_number, day_ticks
from touchstone.reports.figures import count, day
from touchstone.reports.result import FoldResult

_PARTS = ("train", "validate", "test")
_THINNEST = 0.004
"""Share of the axis below which rows that were kept away could not be seen."""


def stretches(fold: FoldResult, part: str) -> tuple[tuple[str, str], ...]:
    """Where a part of a fold lies: its pieces, or its one span."""
    return getattr(fold, f"{part}_stretches") or (getattr(fold, f"{part}_span"),)


def timeline(folds: Sequence[FoldResult], sealed: tuple[str, str] | None) -> Markup:
    """One row a fold; the rows that were kept away are too few hours to see in their true width."""
    ends = [
        day_number(at)
        for f in folds
        for part in _PARTS
        for piece in stretches(f, part)
        for at in piece
    ]
    scale = Scale(min(ends), max(ends))
    grid = Grid(scale, day_ticks(scale), x_title="day, UTC", value_title="rows away")
    rows = [_row(fold) for fold in folds]
    marks = [_boxes(fold, scale, sealed) for fold in folds]
    legend = Markup(
        '<ul class="parts"><li><i class="train"></i>train</li><li><i class="validate"></i>validate'
        '</li><li><i class="test"></i>test: candidates compared</li>'
        '<li><i class="sealed"></i>sealed: one look</li>'
        '<li><i class="away"></i>rows kept away: purged or embargoed, not to scale</li></ul>'
    )
    return frame.join([legend, lay_out(rows, grid, marks, "timeline")])


def _row(fold: FoldResult) -> Row:
    name = "refit" if fold.name == "final" else f"fold {fold.name}"
    return Row(name, None, count(fold.purged_train + fold.purged_validate + fold.embargoed))


def _boxes(fold: FoldResult, scale: Scale, sealed: tuple[str, str] | None) -> list[Markup]:
    shapes = []
    for name in _PARTS:
        for first, last in stretches(fold, name):
            is_sealed = name == "test" and sealed is not None and first >= sealed[0]
            x = scale.place(day_number(first)), scale.place(day_number(last))
            words = f"{'sealed' if is_sealed else name}: {day(first)} to {day(last)}"
            shapes.append(frame.box(x, (0.14, 0.86), "sealed" if is_sealed else name, words))
    for first, last in fold.kept_away:
        x = scale.place(day_number(first)), scale.place(day_number(last))
        words = f"purged or embargoed: {day(first)} to {day(last)}"
        shapes.append(frame.box(_seen(x), (0.14, 0.86), "away", words))
    return shapes


def _seen(x: tuple[float, float]) -> tuple[float, float]:
    """The same place, at least so wide that it can be seen."""
    middle, half = (x[0] + x[1]) / 2, max(x[1] - x[0], _THINNEST) / 2
    return max(middle - half, 0.0), min(middle + half, 1.0)
