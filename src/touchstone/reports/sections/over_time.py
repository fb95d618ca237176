"""Of section 2: months, drawdowns, exposure, and ours beside the benchmarks."""

from typing import Final, NamedTuple

from touchstone.reports.analysis import Analysis, DrawdownResult, RelativeResult
from touchstone.reports.charts import lines, months
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    count,
    day,
    interval,
    percent,
    plain_number,
    words,
)


class View(NamedTuple):
    """What the template needs; None and empty where there is no analysis."""

    months: Chart | None
    drawdowns: Table | None
    relative: Table | None
    exposure: tuple[tuple[str, str], ...]


NOTHING = View(None, None, None, ())


def view(found: Analysis | None, before: Analysis | None, where: str) -> View:
    """Of the sealed segment, or of what stands for it; `where` names it.

    `before` adds its months, where the other is of the sealed segment.
    """
    if found is None:
        return NOTHING
    return View(
        _months(found, before, where),
        _drawdowns(found.drawdowns),
        _relative(found.relative, where),
        _exposure(found),
    )


def _months(found: Analysis, before: Analysis | None, where: str) -> Chart | None:
    if not found.months or not any(m.net_return for m in found.months):
        return None
    won = sum(m.net_return > 0 for m in found.months)
    best = max(found.months, key=lambda m: m.net_return)
    told = f"{months.NAMES[best.month - 1]} {best.year} ({percent(best.net_return, sign=True)})"
    share = f"{words(won) if won else 'none'} of {words(len(found.months))}"
    title = f"It gained in {share} months; the best was {told}"
    if len(found.months) == 1:
        title = f"One month only, {told}"
    parts = [(where, found.months)]
    if before is not None:
        parts = [("before", before.months), ("sealed", found.months)]
    table = Table(
        "months",
        (
            Column("Month", number=False),
            Column("Segment", number=False),
            Column("Net, %"),
            Column("Days"),
        ),
        tuple(
            (
                f"{months.NAMES[m.month - 1]} {m.year}",
                name,
                bare_percent(m.net_return, sign=True),
                count(m.n_days),
            )
            for name, rows in parts
            for m in rows
        ),
    )
    note = "Net return by month, percent; daily returns compounded. The title tells of the "
    note += f"{where}."
    return Chart("months", title, note, months.months(parts), table, "full")


def _drawdowns(found: tuple[DrawdownResult, ...]) -> Table | None:
    if not found:
        return None
    head = (
        Column("Peak, and trough", number=False),
        Column("Recovered", number=False),
        Column("Days"),
        Column("Depth, %"),
    )
    rows = tuple(
        (
            f"{day(d.peak)}, {day(d.trough)}",
            day(d.recovery) if d.recovery else "not yet",
            plain_number(d.days, 2 if d.days < 10 else 3),
            bare_percent(d.depth),
        )
        for d in found[:5]
    )
    return Table("the deepest drawdowns, at the bars' closes", head, rows)


def _relative(found: tuple[RelativeResult, ...], where: str) -> Table | None:
    if not any(r.beta is not None for r in found):
        return None
    names = tuple(lines.NAMES.get(r.benchmark, r.benchmark).capitalize() for r in found)
    cells = [_against(r) for r in found]
    head = (Column(where.capitalize(), number=False), *(Column(name) for name in names))
    rows = tuple((name, *values) for name, *values in zip(_AGAINST, *cells, strict=True))
    return Table("ours against the benchmarks", head, rows)


_AGAINST: Final = (
    "Alpha, % a year",
    "95 % interval",
    "Beta",
    "95 % interval",
    "Information ratio, annual",
    "95 % interval",
    "Up capture, %",
    "Down capture, %",
)


def _against(r: RelativeResult) -> tuple[str, ...]:
    return (
        bare_percent(r.alpha, sign=True),
        interval(r.alpha_interval, 100),
        plain_number(r.beta),
        interval(r.beta_interval),
        plain_number(r.information_ratio),
        interval(r.information_ratio_interval),
        bare_percent(r.up_capture),
        bare_percent(r.down_capture),
    )


def _exposure(found: Analysis) -> tuple[tuple[str, str], ...]:
    held = found.exposure
    if not held.most_positions:
        return ()
    around = f"{percent(held.lowest)} to {percent(held.highest)}"
    gross = f"{percent(held.gross)}, at most {percent(held.highest_gross)}"
    is_short = held.lowest < 0 or held.gross > held.mean * 1.0001
    return (
        ("Mean exposure", percent(held.mean)),
        ("Lowest to highest", around),
        *((("Longs and shorts", gross),) if is_short else ()),
        ("Time in the market", percent(held.time_in_market)),
        ("Positions, mean", plain_number(held.mean_positions)),
        ("Positions, most", count(held.most_positions)),
        ("Ambiguous bars", _ambiguous(found)),
    )


def _ambiguous(found: Analysis) -> str:
    if found.ambiguity is None:
        return NONE
    return f"{count(found.ambiguity.n_bars)}, {percent(found.ambiguity.share)} of trades"
