"""The section that says where the model errs: parts of the rows, and the worst single ones."""

from collections.abc import Callable
from typing import Final

from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.rows import Grid, Row, dots
from touchstone.reports.charts.scales import covering, ticks
from touchstone.reports.explain import ExplainResult
from touchstone.reports.explain_contents import ErrorsFound, SliceFound
from touchstone.reports.figures import (
    bare_percent,
    count,
    interval,
    p_value,
    percent,
    plain_number,
    plural,
    signed,
    words,
)
from touchstone.reports.measurement import Section
from touchstone.reports.sections.where import mistakes

_MOST: Final = 16
"""Parts drawn; the table has all."""
_ALPHA: Final = 0.05
_SURVIVES: Final = " \u2731"


def errors(result: ExplainResult) -> Section | None:
    """Error slices and the worst mistakes."""
    found = result.errors
    if found is None:
        return None
    charts = [
        _whiskers(found, "net", found.net_bp, "bp an accepted row, net"),
        _whiskers(found, "gap", 100 * found.gap, "probability less hits, points"),
        *mistakes("positive", found.false_positives[:2], ""),
        *mistakes("negative", found.false_negatives[:2], ""),
    ]
    return Section(
        "errors", "Errors", "Where does it err?", (_luck(found), _WORST), tuple(charts),
    )  # fmt: skip


_WORST: Final = (
    "Below the parts: the surest acceptances that lost, and the surest refusals that reached the "
    "target, each with its bars."
)


def _luck(found: ErrorsFound) -> str:
    n = found.n_nominal
    told = (
        f"{plural(len(found.slices), 'part')} of {plural(found.n_rows, 'test row')}, sorted by "
        f"what is most unlike the other rows. Of {plural(found.n_tested, 'test')} (two a part: "
        f"promise and gain) {words(n) if n else 'none'} {'has' if n == 1 else 'have'} "
        f"p \u2264 0.05, where luck alone gives {plain_number(found.expected_by_luck, 2)}; "
    )
    if not found.survivors:
        return f"{told}after Benjamini-Hochberg none remains. Filter nothing by these."
    return (
        f"{told}after Benjamini-Hochberg {words(found.survivors)} "
        f"{'remains' if found.survivors == 1 else 'remain'} (\u2731)."
    )


def _whiskers(found: ErrorsFound, key: str, whole: float | None, unit: str) -> Chart:
    of, ends, p, adjusted = _MEASURES[key]
    known = [s for s in found.slices if of(s) is not None]
    known.sort(key=lambda s: (1.0 if p(s) is None else p(s), s.group, s.name))
    top = known[:_MOST]
    values = [v for s in top for v in (of(s), *(ends(s) or ()))]
    scale = covering(values, include=(0.0,) if whole is None else (0.0, whole))
    rows = [
        Row(
            _named(s) + _SURVIVES * _survives(adjusted(s)), of(s), signed(of(s), 2), ends(s),
            "ours" if _survives(adjusted(s)) else "base",
            f"{_named(s)}: {signed(of(s))}, 95 % {interval(ends(s))}",
        )
        for s in top
    ]  # fmt: skip
    short = unit.split(maxsplit=1)[0] if key == "net" else "points"
    line = 0.0 if whole is None else whole
    grid = Grid(scale, ticks(scale, 4, thin=True), line, unit, short)
    n = sum(_survives(adjusted(s)) for s in known)
    of_all = f"{words(n) if n else 'none'} of {words(len(known))} parts"
    if key == "net":
        title = f"What accepted rows earn differs beyond luck in {of_all}"
        note = "Mean return of accepted rows after costs; whisker: 95 % over days. Line: all rows."
    else:
        title = f"What it promises differs beyond luck in {of_all}"
        note = (
            "Mean calibrated probability less the share of hits: right of 0 it promises too much. "
            "Line: all rows."
        )
    if len(known) > len(top):
        note += f" The {words(len(top))} most unlike the rest of {len(known)}; all in the table."
    table = _table(found) if key == "net" else None
    return Chart(f"slices-{key}", title, note, dots(rows, grid, "long-names"), table, "slice")


def _survives(p: float | None) -> bool:
    return p is not None and p <= _ALPHA


def _named(s: SliceFound) -> str:
    return s.name if s.group in ("symbol", "weekday", "year") else f"{s.group} {s.name}"


_Ends = tuple[float, float] | None
_MEASURES: Final[
    dict[
        str,
        tuple[
            Callable[[SliceFound], float | None], Callable[[SliceFound], _Ends],
            Callable[[SliceFound], float | None], Callable[[SliceFound], float | None],
        ],
    ]
] = {
    "net": (
        lambda s: s.net_bp, lambda s: s.net_interval, lambda s: s.net_p, lambda s: s.net_adjusted,
    ),
    "gap": (
        lambda s: 100 * s.gap, lambda s: _points(s.gap_interval), lambda s: s.gap_p,
        lambda s: s.gap_adjusted,
    ),
}  # fmt: skip


def _points(ends: _Ends) -> _Ends:
    return None if ends is None else (100 * ends[0], 100 * ends[1])


def _table(found: ErrorsFound) -> Table:
    head = (
        Column("part", number=False), Column("rows"), Column("hits, %"), Column("accepted"),
        Column("precision, %"), Column("95 %"), Column("recall, %"), Column("95 %"),
        Column("PR-AUC"), Column("95 %"), Column("promise less hits, points"), Column("95 %"),
        Column("p, adjusted"), Column("net, bp a row"), Column("95 %"), Column("p, adjusted"),
    )  # fmt: skip
    note = (
        f"All rows: {percent(found.base_rate)} hits. PR-AUC without skill is the part\u2019s share "
        "of hits. p: of no difference from all other rows, days as clusters, corrected for all "
        "tests (Benjamini-Hochberg)."
    )
    return Table("every part", head, tuple(_cells(s) for s in found.slices), note)


def _cells(s: SliceFound) -> tuple[str, ...]:
    return (
        f"{s.group} {s.name}", count(s.n_rows), bare_percent(s.n_hits / s.n_rows),
        count(s.n_accepted), bare_percent(s.precision),
        interval(s.precision_interval, scale=100, sign=False), bare_percent(s.recall),
        interval(s.recall_interval, scale=100, sign=False), plain_number(s.pr_auc),
        interval(s.pr_auc_interval, sign=False), signed(100 * s.gap),
        interval(s.gap_interval, scale=100), p_value(s.gap_adjusted), signed(s.net_bp),
        interval(s.net_interval), p_value(s.net_adjusted),
    )  # fmt: skip
