"""Part of section 4: the grid of thresholds on validation rows, and the chosen on test rows."""

from typing import Final, NamedTuple

from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.threshold_grid import threshold_grid
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    count,
    needed,
    percent,
    plain_number,
    plural,
)
from touchstone.reports.thresholds import (
    FEWEST_ROWS,
    By,
    ThresholdChoice,
    Thresholds,
    ThresholdScore,
)

_NAMES: Final[dict[By, str]] = {"f1": "by F1", "net": "by money"}
_STARTS: Final[dict[By, str]] = {"f1": "By F1", "net": "By money"}
_NOWHERE: Final[dict[By, str]] = {
    "f1": "no threshold of the grid found a row that ended at the target",
    "net": f"no threshold of the grid that selects {FEWEST_ROWS} rows beat cash",
}


class View(NamedTuple):
    """What the template needs."""

    said: str
    chart: Chart | None
    chosen: Table


def view(found: Thresholds) -> View:
    """Chart, sentences and table."""
    return View(" ".join(_said(c) for c in found.choices), _chart(found), _chosen(found))


def _said(choice: ThresholdChoice) -> str:
    """What one way of choosing chose, and what that gave on the test rows."""
    named = [t for t in choice.folds if t is not None]
    way, n = _STARTS[choice.by], len(choice.folds)
    if not named:
        return f"{way}: on the validation rows of {plural(n, 'fold')} {_NOWHERE[choice.by]}."
    levels = _levels(named)
    at = "" if len(named) == n else f" in {len(named)} of {plural(n, 'fold')}, nowhere in the rest"
    told = f"{way} the validation rows chose {levels}{at}"
    test = choice.test
    if test is None or not test.count:
        return f"{told}; no test row reached it."
    beside = "" if test.break_even is None else f" where {needed(test.break_even)} is needed"
    return (
        f"{told}. On the folds' test rows, before the seal, that selects "
        f"{plural(test.count, 'row')} with a precision of {percent(test.precision)}{beside}, and "
        f"{percent(test.net, sign=True)} a row after costs."
    )


def _levels(named: list[float]) -> str:
    low, high = min(named), max(named)
    return percent(low) if low == high else f"{percent(low)} to {percent(high)}"


def _chart(found: Thresholds) -> Chart | None:
    points = found.on_validation
    if sum(p.count > 0 for p in points) < 2:
        return None
    note = (
        f"Validation rows of all folds, {found.model}, calibrated by their own fold. Net: mean "
        "return of a selected row to the end of its label, less a round trip. Rows overlap and no "
        "account holds them all, so this is no backtest; nothing is traded by it."
    )
    if any(p.break_even is not None and p.break_even < 0 for p in points if p.count):
        note += (
            " Break-even is drawn at 0 % where rows that miss the target end in profit on the "
            "whole: any precision pays there."
        )
    head = ("At least, %", "Rows", "Precision, %", "Break-even, %", "Recall, %", "F1", "Net, %")
    table = Table(
        "validation rows by threshold", tuple(Column(h) for h in head), tuple(map(_row, points))
    )
    return Chart("grid", _title(found), note, threshold_grid(points), table, "full")


def _title(found: Thresholds) -> str:
    clear = [
        p for p in found.on_validation if p.net is not None and p.net > 0 and p.count >= FEWEST_ROWS
    ]
    if not clear:
        return "On validation rows no threshold pays its costs"
    best = max(clear, key=lambda p: p.net or 0.0)
    return (
        f"On validation rows a selected row earns most from {percent(best.threshold)} on: "
        f"{percent(best.net, sign=True)} after costs, {plural(best.count, 'row')}"
    )


def _row(point: ThresholdScore) -> tuple[str, ...]:
    return (
        bare_percent(point.threshold),
        count(point.count),
        bare_percent(point.precision),
        bare_percent(point.break_even),
        bare_percent(point.recall),
        plain_number(point.f1),
        bare_percent(point.net),
    )


def _chosen(found: Thresholds) -> Table:
    head = (
        Column("Chosen", number=False),
        *(Column(h) for h in ("At least, by fold, %", "Test rows", "Precision, %")),
        *(Column(h) for h in ("Break-even, %", "Recall, %", "F1", "Net, %")),
    )
    cells = []
    for choice in found.choices:
        levels = ", ".join(NONE if t is None else f"{100 * t:g}" for t in choice.folds)
        test = (NONE,) * 6 if choice.test is None else _row(choice.test)[1:]
        cells.append((_NAMES[choice.by], levels or NONE, *test))
    return Table("what the chosen thresholds give on the folds' test rows", head, tuple(cells))
