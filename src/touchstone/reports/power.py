"""What the power curve found, as its `result.json`, as lines for a terminal, and as a page."""

import math
from collections.abc import Sequence
from typing import Final, Literal

from touchstone.reports.charts import power_curve
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.power_curve import Curve, Mark
from touchstone.reports.contents import AnnualRatio, Contents, Count, Fraction, Interval, Ratio
from touchstone.reports.figures import NONE, count, interval, percent, plain_number, plural
from touchstone.reports.measurement import Band, Page, Section, render
from touchstone.validation.power import NEAR, Point, Trial, exact_interval, words

GOAL: Final = (3.5, 0.8)
"""True Sharpe, and how often it must be found."""


class KnownMarket(Contents):
    """One market with a known edge."""

    number: Count
    word: str
    p: float
    deflated: float | None
    n_trades: Count
    true_sharpe: AnnualRatio | None
    true_return: float | None
    oracle_return: float | None


class PointResult(Contents):
    """One point of the power curve."""

    target: AnnualRatio
    """True Sharpe that was wanted."""
    ic: Ratio
    """Strength of the planted edge that a pilot found for it."""
    n: Count
    evidence: Fraction | None
    evidence_interval: Interval
    """Exact, 95 %."""
    weak_or_better: Fraction | None
    weak_interval: Interval
    chosen: Count
    """Markets on which the search chose a candidate."""
    true_mean: AnnualRatio | None
    """Mean true Sharpe of the chosen candidates, measured on fresh years."""
    true_interval: Interval
    true_sd: AnnualRatio | None
    near: Count
    """Markets whose own true Sharpe lay within a quarter of the target."""
    near_evidence: Fraction | None
    near_interval: Interval
    oracle_share: Fraction | None
    """Of the net return that the truth earns through the same strategies on the same years."""
    markets: tuple[KnownMarket, ...]


class Decoy(Contents):
    """Markets whose edge dies."""

    name: str
    edge_until: str
    n: Count
    words: dict[str, int]
    none: Fraction | None
    evidence: Fraction | None
    evidence_interval: Interval


class PowerResult(Contents):
    """Everything `touchstone power` found."""

    schema_version: Literal[1] = 1
    seed: int
    n_instruments: Count
    n_bars: Count
    timeframe: str
    years_fresh: float
    n_candidates: Count
    n_pilot: Count
    points: tuple[PointResult, ...]
    decoys: tuple[Decoy, ...]
    seconds: float | None
    """Of one core, mean a market of the curve."""

    @property
    def at_goal(self) -> PointResult | None:
        """The point that the goal is about; None where it was not asked."""
        return next((p for p in self.points if p.target == GOAL[0]), None)


def point_result(found: Point, trials: Sequence[Trial]) -> PointResult:
    """One point with its markets."""
    told = found._asdict()
    hits, some, near_hits = (told.pop(k) for k in ("evidence", "weak_or_better", "near_evidence"))
    own = tuple(KnownMarket.model_fields)
    return PointResult(
        **told,
        evidence=hits / found.n if found.n else None,
        weak_or_better=some / found.n if found.n else None,
        near_evidence=near_hits / found.near if found.near else None,
        markets=tuple(KnownMarket(**{k: getattr(t, k) for k in own}) for t in trials),
    )


def decoy_result(name: str, edge_until: str, trials: Sequence[Trial]) -> Decoy:
    """What a decoy's markets ended in."""
    n, said = len(trials), words(trials)
    found = said.get("evidence", 0)
    return Decoy(
        name=name,
        edge_until=edge_until,
        n=n,
        words=dict(said),
        none=said.get("none", 0) / n if n else None,
        evidence=found / n if n else None,
        evidence_interval=exact_interval(found, n),
    )


def told(result: PowerResult) -> list[str]:
    """What a person reads in the terminal."""
    lines = []
    for p in result.points:
        lines += [
            f"true Sharpe {p.target:g} wanted, {_mean(p)} measured on {result.years_fresh:g} fresh "
            f"years: {plural(p.n, 'market')}",
            f"  evidence {percent(p.evidence)} ({_ends(p.evidence_interval)}), weak or better "
            f"{percent(p.weak_or_better)} ({_ends(p.weak_interval)})",
            f"  of the {p.near} whose own truth is within {NEAR:g} of it, evidence "
            f"{percent(p.near_evidence)} ({_ends(p.near_interval)})",
            f"  a candidate was chosen on {p.chosen}; they earn {percent(p.oracle_share)} of what "
            "the truth earns through the same strategies",
        ]
    lines += [f"decoy, the edge {d.name}: {_decoy(d)}" for d in result.decoys]
    return lines


def _mean(point: PointResult) -> str:
    ends = interval(point.true_interval, sign=False)
    return f"{plain_number(point.true_mean)} ({ends})"


def _ends(ends: tuple[float, float] | None) -> str:
    return interval(ends, 100, sign=False, unit="%")


def _decoy(decoy: Decoy) -> str:
    said = ", ".join(f"{word} {n}" for word, n in decoy.words.items())
    return (
        f"none in {percent(decoy.none)}, evidence in {percent(decoy.evidence)} "
        f"({_ends(decoy.evidence_interval)}) of {plural(decoy.n, 'market')}: {said}"
    )


_DECOYS: Final = (
    "An edge that dies before the candidates are compared must end in “none”. One that dies only "
    "at the seal has earned its second condition, the search before the seal, honestly: by the "
    "fixed words it may end in “weak”, and what must not happen is “evidence”."
)


_FEW: Final = 40
"""Markets below which the headline says how few they are; their interval is wide."""


def page(result: PowerResult, command: str) -> str:
    """The page: the curve, the table behind it, the decoys."""
    goal = result.at_goal
    shown = goal or result.points[-1]
    missed = goal is not None and (goal.evidence or 0) < GOAL[1]
    bands = []
    if missed and goal is not None:
        text = f"At a true Sharpe of {GOAL[0]:g} the goal is {percent(GOAL[1])}."
        bands.append(Band("broken", "Below the goal", text))
    of = "markets" if shown.n >= _FEW else plural(shown.n, "market")
    sections = [_curve(result)]
    if result.decoys:
        sections.append(_decoys(result))
    return render(
        Page(
            name="power",
            seed=result.seed,
            kicker="How often is a true edge found?",
            headline=f"A true Sharpe of {plain_number(shown.true_mean, 2)} is found in "
            f"{percent(shown.evidence)} of {of}",
            deck=f"Four years of data, {result.n_candidates} candidates, default costs, one look "
            "at the last fifth. The truth of every chosen candidate is measured on "
            f"{result.years_fresh:g} fresh years of its own market.",
            figure=percent(shown.evidence),
            unit=f"end in “evidence”; {shown.target:g} was wanted, {_mean(shown)} is the truth",
            under=f"95 % interval {_ends(shown.evidence_interval)}, exact.",
            facts=(
                f"{plural(shown.n, 'market')} at this point",
                f"weak or better {percent(shown.weak_or_better)}",
                f"{percent(shown.oracle_share)} of what the truth earns",
                f"{plural(result.n_instruments, 'instrument')} × {plural(result.n_bars, 'bar')} "
                f"of {result.timeframe}",
            ),
            cannot="What this cannot show: that an edge of another kind, or one that fades, is "
            "found as often. Truth differs from market to market, since what a search "
            "learns and chooses does; the table says by how much.",
            bands=tuple(bands),
            sections=tuple(sections),
            command=command,
        )
    )


def _curve(result: PowerResult) -> Section:
    points = [p for p in result.points if p.true_mean is not None]
    curves = [
        Curve(
            name,
            kind,
            [
                Mark(p.true_mean or 0.0, p.true_interval, rate, ends)
                for p in points
                if (rate := getattr(p, field)) is not None
                and (ends := getattr(p, ends_field)) is not None
            ],
        )
        for name, kind, field, ends_field in (
            ("weak or better", "base", "weak_or_better", "weak_interval"),
            ("evidence", "ours", "evidence", "evidence_interval"),
        )
    ]
    note = (
        "Blue: “evidence”; grey: “weak” or better. Upright whiskers: exact 95 % intervals of the "
        "rate; level ones: of the mean truth of the chosen candidates."
    )
    first, last = (points[0], points[-1]) if points else (result.points[0], result.points[-1])
    title = (
        f"From {percent(first.evidence)} at {plain_number(first.true_mean)} to "
        f"{percent(last.evidence)} at {plain_number(last.true_mean)}"
    )
    charts = (
        (Chart("curve-chart", title, note, power_curve.power(curves, GOAL), None),)
        if points
        else ()
    )
    say = ("The more a candidate truly earns, the more often the verdict says so.",)
    return Section("curve", "Curve", "The power curve", say, charts, (_points(result),))


def _points(result: PowerResult) -> Table:
    head = (
        "markets", "chosen", "true mean", "95 %", "sd", "evidence, %", "95 %", "weak or better, %",
        "95 %", "own truth near", "evidence of those, %", "of the truth’s net",
    )  # fmt: skip

    def hundred(ends: tuple[float, float] | None) -> str:
        return interval(ends, 100, sign=False)

    def share(value: float | None) -> str:
        return NONE if value is None else plain_number(100 * value)

    rows = tuple(
        (
            f"Sharpe {p.target:g}", count(p.n), count(p.chosen), plain_number(p.true_mean),
            interval(p.true_interval, sign=False), plain_number(p.true_sd), share(p.evidence),
            hundred(p.evidence_interval), share(p.weak_or_better), hundred(p.weak_interval),
            count(p.near), share(p.near_evidence), percent(p.oracle_share),
        )
        for p in result.points
    )  # fmt: skip
    columns = (Column("wanted", number=False), *(Column(h) for h in head))
    error = 1 / math.sqrt(result.years_fresh)
    note = (
        f"Each market’s own truth is measured with a standard error of {plain_number(error, 2)}, "
        "which sd holds too. "
        f"Near: within {NEAR:g} of the wanted Sharpe. Of the truth’s net: what the chosen "
        "candidates earn net over what the true odds earn through the same strategies and years."
    )
    return Table(
        "Every point, with what the chosen candidates are truly worth", columns, rows, note
    )


def _decoys(result: PowerResult) -> Section:
    kinds = ("none", "weak", "evidence")
    rows = tuple(
        (
            f"The edge {d.name}", count(d.n), *(count(d.words.get(k, 0)) for k in kinds),
            percent(d.none), percent(d.evidence), _ends(d.evidence_interval),
        )
        for d in result.decoys
    )  # fmt: skip
    head = ("markets", *kinds, "none", "evidence", "95 %")
    columns = (Column("", number=False), *(Column(h) for h in head))
    table = Table("Decoys", columns, rows)
    return Section("decoys", "Decoys", "Edges that die", (_DECOYS,), (), (table,))


def proof_lines(result: PowerResult) -> list[str]:
    """The same for a record in Markdown."""
    lines = [
        "| wanted | markets | true Sharpe (95 %) | sd | evidence (95 %) | weak or better (95 %) | "
        "own truth near | evidence of those (95 %) | of the truth's net |",
        "|---:|---:|---|---:|---|---|---:|---|---:|",
    ]
    lines += [
        f"| {p.target:g} | {p.n} | {_mean(p)} | {plain_number(p.true_sd)} | "
        f"{percent(p.evidence)} ({_ends(p.evidence_interval)}) | {percent(p.weak_or_better)} "
        f"({_ends(p.weak_interval)}) | {p.near} | {percent(p.near_evidence)} "
        f"({_ends(p.near_interval)}) | {percent(p.oracle_share)} |"
        for p in result.points
    ]
    decoys = [f"Decoy, the edge {d.name}: {_decoy(d)}." for d in result.decoys]
    return [*lines, "", *decoys, "", _DECOYS]
