"""The charts of a leaderboard: a row an architecture, dots and whiskers, baselines run through."""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from markupsafe import Markup

from touchstone.reports.campaign import Architecture, CampaignResult, Spread
from touchstone.reports.charts import frame
from touchstone.reports.charts.rows import Grid, Row, bars, dots, lay_out
from touchstone.reports.charts.scales import Scale, covering, ticks
from touchstone.reports.figures import interval, plain_number, signed

Shown: TypeAlias = Callable[[str], str]
"""A name as people write it."""
Of: TypeAlias = Callable[[Architecture], Spread]


def board(result: CampaignResult, shown: Shown) -> Markup:
    """PR-AUC on test rows, validation's as a small dot where it orders the rows."""
    small = {
        a.name: a.validation for a in result.architectures if result.rank_by == "pr_auc"
    }  # fmt: skip
    yards = {y.name: y.pr_auc for y in result.yardsticks}
    return _spreads(result, shown, (_pr_auc, yards), (result.base_rate, small))


def spread_dots(
    result: CampaignResult, shown: Shown, of: Of, yards: Mapping[str, Spread], zero: float
) -> Markup:
    """Any measure on test rows, its reference as a line."""
    return _spreads(result, shown, (of, yards), (zero, {}))


def _pr_auc(row: Architecture) -> Spread:
    return row.pr_auc


def _spreads(
    result: CampaignResult, shown: Shown, of: tuple[Of, Mapping[str, Spread]],
    beside: tuple[float | None, Mapping[str, float | None]],
) -> Markup:  # fmt: skip
    (measure, yards), (zero, small) = of, beside
    found = [(a.name, measure(a), a.baseline) for a in result.architectures]
    found += [(name, spread, True) for name, spread in yards.items()]
    values = [v for _, s, _ in found for v in (s.mean, *(s.interval or ()))]
    scale = covering([*values, *small.values(), zero])
    lines = [s.mean for _, s, is_baseline in found if is_baseline and s.mean is not None]
    through = [frame.rule_x(scale.clipped(v), "reference") for v in lines]
    rows, marks = [], []
    for name, spread, is_baseline in found:
        kind = "base" if is_baseline else "ours"
        said = interval(spread.interval, sign=False)
        row = Row(shown(name), spread.mean, plain_number(spread.mean), spread.interval, kind)
        hint = f"{shown(name)}: {plain_number(spread.mean)}, {said}"
        shapes = [*through, *_dot(row, scale, hint)]
        value = small.get(name)
        if value is not None:
            hint = f"{shown(name)} on validation rows: {plain_number(value)}"
            shapes.append(frame.dot(scale.clipped(value), 0.5, "small base", hint))
        rows.append(row)
        marks.append(shapes)
    grid = Grid(scale, ticks(scale, 5, thin=True), zero, "", "mean")
    return lay_out(rows, grid, marks, "")


def _dot(row: Row, scale: Scale, hint: str) -> list[Markup]:
    shapes = []
    if row.interval is not None:
        low, high = (scale.clipped(v) for v in row.interval)
        shapes.append(frame.segment((low, 0.5), (high, 0.5), f"whisker {row.kind}"))
    if row.value is not None:
        shapes.append(frame.dot(scale.clipped(row.value), 0.5, row.kind, hint))
    return shapes


def precision_marks(result: CampaignResult, shown: Shown) -> Markup:
    """Precision with its interval, and an upright mark where the picked rows break even."""
    found = result.architectures
    values = [v for a in found for v in (a.precision.mean, *(a.precision.interval or ()))]
    asked = [a.break_even_precision for a in found]
    low = [v for v in asked if v is not None and 0 <= v <= 1]
    scale = covering([*values, *low, result.base_rate])
    rows, marks = [], []
    for a in found:
        kind = "base" if a.baseline else "ours"
        need = a.break_even_precision
        text = f"{plain_number(a.precision.mean)} of {_needed(need)}"
        row = Row(shown(a.name), a.precision.mean, text, a.precision.interval, kind)
        shapes = _dot(row, scale, f"{shown(a.name)}: {plain_number(a.precision.mean)}")
        if need is not None and 0 <= need <= 1:
            at = scale.clipped(need)
            shapes.append(frame.segment((at, 0.1), (at, 0.9), "seal"))
        rows.append(row)
        marks.append(shapes)
    grid = Grid(scale, ticks(scale, 5, thin=True), result.base_rate, "solid line: base rate",
                "precision, needed")  # fmt: skip
    return lay_out(rows, grid, marks, "wide-value")


def sharpe_dots(result: CampaignResult, shown: Shown) -> Markup:
    """Sharpe net of costs."""
    rows = []
    for a in result.architectures:
        net = a.net
        if net is None:
            continue
        text = f"{signed(net.sharpe)}"
        kind = "base" if a.baseline else "ours"
        rows.append(Row(shown(a.name), net.sharpe, text, net.sharpe_interval, kind,
                        f"{shown(a.name)}: {signed(net.sharpe)}"))  # fmt: skip
    values = [v for r in rows for v in (r.value, *(r.interval or ()))]
    scale = covering(values, include=(0.0,))
    grid = Grid(scale, ticks(scale, 5, thin=True), 0.0, "annual Sharpe", "Sharpe")
    return dots(rows, grid)


def gaps(result: CampaignResult, shown: Shown) -> Markup:
    """How much better each looked on validation rows."""
    rows = [
        Row(shown(a.name), a.gap.get("pr_auc"), signed(a.gap.get("pr_auc")), None,
            "base" if a.baseline else "ours")
        for a in result.architectures
    ]  # fmt: skip
    scale = covering([r.value for r in rows], include=(0.0,))
    grid = Grid(scale, ticks(scale, 5, thin=True), 0.0, "fall of PR-AUC")
    return dots(rows, grid)


def seconds_bars(result: CampaignResult, shown: Shown) -> Markup:
    """Seconds of a fit, on a logarithmic axis."""
    known = [a.machine.train_seconds or 0.01 for a in result.architectures]
    low = 10.0 ** math.floor(math.log10(max(min(known), 1e-3)))
    scale = Scale(low, max(*known, low * 10) * 1.1, log=True)
    rows = [
        Row(shown(a.name), max(v, low), plain_number(a.machine.train_seconds, 2), None,
            "base" if a.baseline else "ours")
        for a, v in zip(result.architectures, known, strict=True)
    ]  # fmt: skip
    return bars(rows, Grid(scale, ticks(scale, 4), low, "seconds"))


def _needed(value: float | None) -> str:
    if value is None:
        return "\u2013"
    return "any" if value <= 0 else plain_number(value)
