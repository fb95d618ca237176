"""Finished runs side by side: what was asked, what was found, and whether on the same data."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from touchstone.reports.aligned import aligned
from touchstone.reports.contents import (
    BasisPoints,
    Contents,
    Count,
    Fraction,
    Interval,
    Money,
    Probability,
    Ratio,
    Span,
)
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    count,
    interval,
    money,
    p_value,
    plain_number,
    signed,
)
from touchstone.reports.findings import net_figure
from touchstone.reports.measured import Performance, Skill
from touchstone.reports.result import StudyResult
from touchstone.reports.settings import differing

Where = Literal["sealed", "walk_forward", "nowhere"]


class ComparedRun(Contents):
    """One run's figures: of the sealed segment, or of the tests before it where none was chosen."""

    name: str
    fingerprint: str
    """Of the study."""
    seed: int
    data: str
    """Hash of the bars."""
    n_instruments: Count
    n_bars: Count
    first: str
    last: str
    sealed_span: Span | None
    verdict: str
    sentence: str
    p: Probability | None
    """Of the sealed segment."""
    null_twin: str | None
    """The verdict on it."""
    judged_on: Where
    """Which rows the figures below are of."""
    net_return: Fraction | None
    net_interval: Interval
    """95 %, over the same span as `net_return`."""
    net_yearly: bool
    """Whether both are of a year; of the segment otherwise."""
    sharpe: Ratio | None
    sharpe_interval: Interval
    max_drawdown: Fraction | None
    turnover: Ratio | None
    n_trades: Count | None
    win_rate: Fraction | None
    cost_paid: Money | None
    break_even_cost_bp: BasisPoints | None
    direction_auc: Ratio | None
    direction_auc_interval: Interval
    touch_auc: Ratio | None
    touch_auc_interval: Interval
    roc_auc: Ratio | None
    pr_auc: Ratio | None
    base_rate: Fraction | None
    precision: Fraction | None
    break_even_precision: Fraction | None
    models: tuple[str, ...]
    """Kinds that were compared."""
    chosen: str | None
    """The candidate; null where none was."""


class Comparison(Contents):
    """All of `touchstone compare --json`."""

    runs: tuple[ComparedRun, ...]
    same_data: bool
    """All on the same bars."""
    same_days: bool
    """All judged on the same sealed segment."""
    differing: dict[str, tuple[str, ...]]
    """Dotted key of the config -> its value in each run, `-` where it has none."""


def comparison(runs: Sequence[tuple[str, StudyResult]]) -> Comparison:
    """Put runs side by side, in their order; each as (name, result)."""
    told = tuple(_compared(name, result) for name, result in runs)
    return Comparison(
        runs=told,
        same_data=len({run.data for run in told}) == 1,
        same_days=len({(run.sealed_span, run.judged_on) for run in told}) == 1,
        differing=differing([result.config for _, result in runs]),
    )


def judged(result: StudyResult) -> tuple[Where, Performance | None]:
    """The segment that a run is compared by."""
    market = result.market
    if market.sealed is not None:
        return "sealed", market.sealed
    return ("nowhere" if market.walk_forward is None else "walk_forward"), market.walk_forward


def _compared(name: str, result: StudyResult) -> ComparedRun:
    market = result.market
    where, found = judged(result)
    part, skill = found or Performance(), market.skill or Skill()
    net = net_figure(part)
    chosen = next((c for c in market.candidates if c.chosen), None)
    return ComparedRun(
        name=name,
        fingerprint=result.fingerprint,
        seed=result.seed,
        data=market.data.hash,
        n_instruments=market.data.n_instruments,
        n_bars=market.data.n_rows,
        first=market.data.first,
        last=market.data.last,
        sealed_span=market.sealed_span,
        verdict=market.verdict.word,
        sentence=market.verdict.sentence,
        p=market.verdict.primary_p,
        null_twin=None if result.null_twin is None else result.null_twin.verdict.word,
        judged_on=where,
        net_return=net.value,
        net_interval=net.ends,
        net_yearly=net.yearly,
        sharpe=part.sharpe,
        sharpe_interval=part.sharpe_interval,
        max_drawdown=part.max_drawdown,
        turnover=part.turnover,
        n_trades=None if found is None else part.n_trades,
        win_rate=part.win_rate,
        cost_paid=part.cost_paid,
        break_even_cost_bp=part.break_even_cost_bp,
        direction_auc=skill.direction_auc,
        direction_auc_interval=skill.direction_auc_interval,
        touch_auc=skill.touch_auc,
        touch_auc_interval=skill.touch_auc_interval,
        roc_auc=skill.roc_auc,
        pr_auc=skill.pr_auc,
        base_rate=skill.base_rate,
        precision=skill.precision,
        break_even_precision=skill.break_even_precision,
        models=tuple(dict.fromkeys(c.model for c in market.candidates)),
        chosen=None if chosen is None else f"{chosen.model} {chosen.label}",
    )


class Warned(NamedTuple):
    """What makes a comparison unfair."""

    title: str
    text: str
    broken: bool = False
    """Nothing can be compared."""


def warnings(told: Comparison) -> list[Warned]:
    """Everything that makes the comparison unfair, the worst first."""
    found = []
    if not told.same_data:
        text = "These runs stand on different bars: no figure of one can be held against another's."
        found.append(Warned("Not the same data", text, broken=True))
    elif not told.same_days:
        text = "The same bars, but judged on other days: returns and Sharpe ratios are of "
        found.append(Warned("Other days", text + "different times."))
    losers = ", ".join(r.name for r in told.runs if r.judged_on == "walk_forward")
    if losers:
        text = f"In {losers} nothing was chosen: the figures are those of the best of the losers "
        found.append(Warned("Before the seal", text + "before the seal."))
    late = ", ".join(r.name for r in told.runs if r.verdict == "exploratory")
    if late:
        text = f"Others had looked at the sealed rows of {late} before: they prove nothing there."
        found.append(Warned("Looked at before", text))
    return found


class Figure(NamedTuple):
    """A row of the tables: what it is called, and what it says of each run."""

    name: str
    cells: tuple[str, ...]


_SEGMENT: Final = {"sealed": "sealed", "walk_forward": "before the seal", "nowhere": NONE}


def figures(told: Comparison) -> dict[str, list[Figure]]:
    """Group -> rows, as the page and the terminal show them."""
    runs = told.runs

    def row(name: str, cells: Sequence[str]) -> Figure:
        return Figure(name, tuple(cells))

    return {
        "verdict": [
            row("verdict", [r.verdict for r in runs]),
            row("null twin", [r.null_twin or NONE for r in runs]),
            row("p, sealed", [p_value(r.p) for r in runs]),
            row("chosen", [r.chosen or "none" for r in runs]),
        ],
        "money": [
            row("figures are of", [_SEGMENT[r.judged_on] for r in runs]),
            row("net return, %", [bare_percent(r.net_return, sign=True) for r in runs]),
            row("  95 % interval", [interval(r.net_interval, 100) for r in runs]),
            row("  over", [_over(r) for r in runs]),
            row("Sharpe, annual", [signed(r.sharpe) for r in runs]),
            row("  95 % interval", [interval(r.sharpe_interval) for r in runs]),
            row("drawdown, %", [bare_percent(r.max_drawdown) for r in runs]),
            row("trades", [count(r.n_trades) for r in runs]),
            row("wins, %", [bare_percent(r.win_rate) for r in runs]),
            row("turnover a year", [plain_number(r.turnover) for r in runs]),
            row("costs paid", [money(r.cost_paid) for r in runs]),
            row("break-even cost, bp", [plain_number(r.break_even_cost_bp) for r in runs]),
        ],
        "skill": [
            row("direction AUC", [plain_number(r.direction_auc) for r in runs]),
            row("  95 % interval", [interval(r.direction_auc_interval, sign=False) for r in runs]),
            row("touch AUC", [plain_number(r.touch_auc) for r in runs]),
            row("ROC-AUC", [plain_number(r.roc_auc) for r in runs]),
            row("PR-AUC", [plain_number(r.pr_auc) for r in runs]),
            row("base rate, %", [bare_percent(r.base_rate) for r in runs]),
            row("precision, %", [bare_percent(r.precision) for r in runs]),
            row("break-even prec., %", [_paid(r.break_even_precision) for r in runs]),
        ],
        "data": [
            row("instruments", [count(r.n_instruments) for r in runs]),
            row("bars", [count(r.n_bars) for r in runs]),
            row("from", [r.first for r in runs]),
            row("to", [r.last for r in runs]),
            row("sealed from", [r.sealed_span[0][:10] if r.sealed_span else NONE for r in runs]),
            row("data hash", [r.data[:12] for r in runs]),
            row("study", [r.fingerprint for r in runs]),
            row("seed", [str(r.seed) for r in runs]),
        ],
    }  # fmt: skip


def table_lines(told: Comparison, widest: int = 30) -> list[str]:
    """The comparison for a terminal: a column a run, a row a figure, warnings first."""
    rows = [("run", *(run.name for run in told.runs))]
    rows += [(f.name, *f.cells) for group in figures(told).values() for f in group]
    lines = [f"Warning: {w.title.lower()}. {w.text}" for w in warnings(told)]
    lines += aligned(rows)
    if not told.differing:
        return [*lines, "", "The same config in every key."]
    keys = [(key, *(_cut(v, widest) for v in row)) for key, row in told.differing.items()]
    return [
        *lines,
        "",
        "Keys of the config that differ:",
        *aligned(keys, range(len(told.runs) + 1)),
    ]


def _cut(text: str, widest: int) -> str:
    return text if len(text) <= widest else text[: widest - 1] + "…"


def _over(run: ComparedRun) -> str:
    """What its net return is of."""
    if run.net_return is None:
        return NONE
    return "a year" if run.net_yearly else "the segment"


def _paid(value: float | None) -> str:
    return "any" if value is not None and value <= 0 else bare_percent(value)
