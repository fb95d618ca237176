"""Folds on a time axis: train, validate, test, and the segment that stays sealed."""

from collections.abc import Sequence

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.rows import Grid, Row, lay_out
from touchstone.reports.charts.scales import Scale, day_number, day_ticks
from touchstone.reports.figures import count, day
from touchstone.reports.result import FoldResult

_PARTS = (("train", "train_span"), ("validate", "validate_span"), ("test", "test_span"))


def timeline(folds: Sequence[FoldResult], sealed: tuple[str, str] | None) -> Markup:
    """One row a fold; the purged rows are too few hours to see and are counted at its right."""
    ends = [day_number(at) for f in folds for _, part in _PARTS for at in getattr(f, part)]
    scale = Scale(min(ends), max(ends))
    grid = Grid(scale, day_ticks(scale), x_title="day, UTC", value_title="rows purged")
    rows = [_row(fold) for fold in folds]
    marks = [_boxes(fold, scale, sealed) for fold in folds]
    legend = Markup(
        '<ul class="parts"><li><i class="train"></i>train</li><li><i class="validate"></i>validate'
        '</li><li><i class="test"></i>test: candidates compared</li>'
        '<li><i class="sealed"></i>sealed: one look</li></ul>'
    )
    return frame.join([legend, lay_out(rows, grid, marks, "timeline")])


def _row(fold: FoldResult) -> Row:
    name = "refit" if fold.name == "final" else f"fold {fold.name}"
    return Row(name, None, count(fold.purged_train + fold.purged_validate))


def _boxes(fold: FoldResult, scale: Scale, sealed: tuple[str, str] | None) -> list[Markup]:
    shapes = []
    for name, part in _PARTS:
        first, last = getattr(fold, part)
        is_sealed = name == "test" and sealed is not None and first >= sealed[0]
        x = scale.place(day_number(first)), scale.place(day_number(last))
        words = f"{'sealed' if is_sealed else name}: {day(first)} to {day(last)}"
        shapes.append(frame.box(x, (0.14, 0.86), "sealed" if is_sealed else name, words))
    return shapes
