"""What calibration found, as its `result.json`, as lines for a terminal, and as a page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import numpy as np

from touchstone.reports.charts import quantiles as qq
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.contents import Contents, Count, Fraction, Probability
from touchstone.reports.figures import NONE, count, p_value, percent, plain_number, plural
from touchstone.reports.measurement import Band, Page, Section, render
from touchstone.validation.calibration import (
    ALPHA,
    Rate,
    Trial,
    Uniformity,
    product,
    quantile_band,
    quantiles,
    size,
)

_SHARES: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75)
_TITLES: Final = {
    "size": "Size run: nothing costs, and it always trades",
    "product": "Product run: a study as users run it",
}
_MEANT: Final = {
    "size": "Every cost is zero and the strategy always trades, so a correct p-value is uniform: "
    "5 % of the markets, give or take luck, have one of at most 0.05.",
    "product": "Default costs. They make a strategy without an edge lose, and most candidates "
    "are never looked at, so rejections may be rarer than 5 %, never more frequent.",
}


class RateResult(Contents):
    """How often something was rejected at 5 %."""

    name: str
    """What, and on which sort of market."""
    n: Count
    """Markets."""
    rejected: Count
    share: Fraction | None
    """Null without a market."""
    low: Count
    """Fewest inside the exact band of 99.9 %."""
    high: Count
    """Most inside it."""
    inside: bool


class UniformityResult(Contents):
    """Whether p-values are smaller than uniform ones, one-sided."""

    distance: Fraction
    p: Probability
    """Kolmogorov-Smirnov."""


class MarketFound(Contents):
    """One market without an edge."""

    kind: str
    number: Count
    p: Probability
    """Of the sealed days."""
    search_p: Probability
    """Of the search before the seal, SPA."""
    word: str
    n_trades: Count
    n_candidates: Count


class RunResult(Contents):
    """One of the two runs."""

    run: Literal["size", "product"]
    n: Count
    kept: bool
    """size: both pooled rates inside their bands; product: `evidence` in at most 5 %."""
    pooled: tuple[RateResult, ...]
    by_kind: tuple[RateResult, ...]
    uniform: UniformityResult
    """Of the primary p-values."""
    search_uniform: UniformityResult
    """Of the search's p-values."""
    words: dict[str, int]
    """Verdict -> markets."""
    evidence: Fraction
    """Share of markets on which the verdict was `evidence`: each is false."""
    evidence_upper: Fraction
    """Upper end of the exact one-sided 95 % interval."""
    without_trades: Fraction
    """Share of markets on which nothing was traded after the seal: the ideal outcome."""
    seconds: float | None
    """Of one core, mean a market."""
    markets: tuple[MarketFound, ...]


class CalibrationResult(Contents):
    """Everything `touchstone calibrate` found."""

    schema_version: Literal[1] = 1
    seed: int
    n_instruments: Count
    n_bars: Count
    bars: str | None
    """Where the real bars of the `residual` markets came from; null without them."""
    runs: tuple[RunResult, ...]

    @property
    def kept(self) -> bool:
        """Whether every run kept to what it must."""
        return bool(self.runs) and all(run.kept for run in self.runs)


def run_result(
    run: Literal["size", "product"], trials: Sequence[Trial], seconds: Sequence[float]
) -> RunResult:
    """Count what one run found."""
    sizes, products = size(trials), product(trials)
    found = sizes if run == "size" else products
    by_kind = (*found.by_kind, *found.search_by_kind)
    if run == "product":
        by_kind += products.evidence_by_kind
    n = max(len(trials), 1)
    words: dict[str, int] = {}
    for trial in trials:
        words[trial.word] = words.get(trial.word, 0) + 1
    return RunResult(
        run=run,
        n=len(trials),
        kept=found.kept,
        pooled=tuple(_rate(r) for r in (found.primary, found.search)),
        by_kind=tuple(_rate(r) for r in by_kind),
        uniform=_uniform(sizes.uniform),
        search_uniform=_uniform(sizes.search_uniform),
        words=words,
        evidence=products.evidence / n,
        evidence_upper=products.upper,
        without_trades=products.without_trades / n,
        seconds=float(np.mean(seconds)) if len(seconds) else None,
        markets=tuple(MarketFound(**t._asdict()) for t in trials),
    )


def _rate(rate: Rate) -> RateResult:
    share = rate.share if rate.n else None
    return RateResult(**rate._asdict(), share=share, inside=rate.inside)


def _uniform(found: Uniformity) -> UniformityResult:
    return UniformityResult(distance=found.distance, p=found.p)


def told(result: CalibrationResult) -> list[str]:
    """What a person reads in the terminal."""
    lines = []
    for run in result.runs:
        lines.append(f"{_TITLES[run.run]}: {run.n} markets")
        lines += [f"  {_line(r, run.run)}" for r in (*run.pooled, *run.by_kind)]
        for name, u in (("primary p", run.uniform), ("search p", run.search_uniform)):
            lines.append(f"  {name} smaller than uniform: D+ = {u.distance:.3f}, KS p = {u.p:.3f}")
        lines.append(
            f"  evidence {run.evidence:.2%} (true rate at most {run.evidence_upper:.1%}), "
            f"without a sealed trade {run.without_trades:.1%}"
        )
        lines.append(f"  {_kept(run)}")
    if result.bars is None:
        lines.append(_LEFT_OUT)
    return lines


_LEFT_OUT: Final = (
    "Markets of redrawn real bars are left out: no --bars were given, and only real returns can "
    "say how real returns behave."
)


def _line(rate: RateResult, run: str) -> str:
    share = "" if rate.share is None else f" = {rate.share:.2%}"
    where = "inside" if rate.inside else "OUTSIDE"
    band = f"at most {rate.high}" if run == "product" else f"{rate.low} .. {rate.high}"
    return f"{rate.name}: {rate.rejected} of {rate.n}{share}, {where} the 99.9 % band ({band})"


def _kept(run: RunResult) -> str:
    if run.run == "size":
        return "size kept" if run.kept else "SIZE MISSED: a pooled rate left its band"
    return "evidence in at most 5 %" if run.kept else "TOO MUCH EVIDENCE: more than 5 % are false"


def page(result: CalibrationResult, command: str) -> str:
    """The page: QQ plots of every run, and every rate with its band."""
    first = next((r for r in result.runs if r.run == "product"), None) or result.runs[0]
    n = sum(run.n for run in result.runs)
    whole = result.kept
    if first.run == "product":
        figure, unit = percent(first.evidence), "of markets without an edge end in “evidence”"
    else:
        rate = first.pooled[0]
        figure, unit = percent(rate.share), "of the size run’s p-values reject at 5 %"
    bands = [
        Band("broken", "Missed", f"{_TITLES[run.run]}: {_kept(run).lower()}.")
        for run in result.runs
        if not run.kept
    ]
    if result.bars is None:
        bands.append(Band("warning", "No real bars", _LEFT_OUT))
    return render(
        Page(
            name="calibration",
            seed=result.seed,
            kicker="How often is the pipeline fooled?",
            headline="Luck is called luck" if whole else "The pipeline missed its band",
            deck=f"The whole pipeline judged {plural(n, 'market')} that hold no edge: "
            "whatever it finds there is luck.",
            figure=figure,
            unit=unit,
            under=f"Upper 95 % end of the true rate: {percent(first.evidence_upper)}."
            if first.run == "product"
            else "",
            facts=_facts(result),
            cannot="What this cannot show: that markets of other kinds fool it no more often, or "
            "that an edge is found where there is one (touchstone power asks that).",
            bands=tuple(bands),
            sections=tuple(_section(run) for run in result.runs),
            command=command,
        )
    )


def _facts(result: CalibrationResult) -> tuple[str, ...]:
    facts = [
        f"{plural(result.n_instruments, 'instrument')} × {plural(result.n_bars, 'bar')} a market"
    ]
    for run in result.runs:
        rates = ", ".join(f"{r.name} {percent(r.share)}" for r in run.pooled)
        facts.append(f"{run.run} run: {rates}")
    known = [run.seconds for run in result.runs if run.seconds is not None]
    if known:
        facts.append(f"{plain_number(float(np.mean(known)), 2)} s of one core a market")
    return tuple(facts)


def _section(run: RunResult) -> Section:
    values = {"p": "primary p", "search_p": "search p (SPA)"}
    charts = tuple(
        _chart(run, name, np.array([getattr(m, field) for m in run.markets]), rate)
        for (field, name), rate in zip(values.items(), run.pooled, strict=True)
    )
    say = (
        _MEANT[run.run],
        f"Without a trade on the sealed rows: {percent(run.without_trades)}. Verdicts: "
        + ", ".join(f"{word} {count(n)}" for word, n in run.words.items())
        + ".",
    )
    tables = (_rates((*run.pooled, *run.by_kind), run.run),)
    return Section(run.run, f"{run.run} run".capitalize(), _TITLES[run.run], say, charts, tables)


def _chart(run: RunResult, name: str, p: np.ndarray, rate: RateResult) -> Chart:
    expected, seen = quantiles(p)
    low, high = quantile_band(p.size)
    body = qq.uniform(qq.Quantiles(*(c.tolist() for c in (expected, seen, low, high))))
    where = "inside" if rate.inside else "outside"
    title = f"{name}: {percent(rate.share)} rejected at 5 %, {where} the band"
    uniform = run.uniform if name == "primary p" else run.search_uniform
    note = (
        f"Sorted p-values of {plural(run.n, 'market')} over those of a correct test; grey: where "
        f"each lies in 95 of 100 such runs. Smaller than uniform? Kolmogorov-Smirnov p = "
        f"{p_value(uniform.p)}."
    )
    rows = tuple(
        (percent(share), percent(float((p <= share).mean()) if p.size else None))
        for share in _SHARES
    )
    table = Table("shares", (Column("p at most"), Column("share of markets")), rows)
    return Chart(f"{run.run}-{name.split(maxsplit=1)[0]}", title, note, body, table)


def _rates(rates: Iterable[RateResult], run: str) -> Table:
    head = ("markets", "rejected", "share", "band", "inside?")
    rows = tuple(
        (
            r.name,
            count(r.n),
            count(r.rejected),
            NONE if r.share is None else percent(r.share),
            f"at most {r.high}" if run == "product" else f"{r.low} to {r.high}",
            "inside" if r.inside else "OUTSIDE",
        )
        for r in rates
    )
    note = f"Band: exact binomial, 99.9 % of the runs of a test that rejects {ALPHA:.0%}."
    columns = (Column("", number=False), *(Column(h) for h in head))
    return Table("Rejections at 5 %, pooled and by sort of market", columns, rows, note)


def proof_lines(result: CalibrationResult) -> list[str]:
    """The same for a record in Markdown."""
    lines = []
    for run in result.runs:
        lines += [f"## {_TITLES[run.run]}", "", "| | markets | rejected | share | band | |"]
        lines.append("|---|---:|---:|---:|---|---|")
        for r in (*run.pooled, *run.by_kind):
            band = f"at most {r.high}" if run.run == "product" else f"{r.low} .. {r.high}"
            share = "" if r.share is None else f"{r.share:.2%}"
            inside = "inside" if r.inside else "**outside**"
            lines.append(f"| {r.name} | {r.n} | {r.rejected} | {share} | {band} | {inside} |")
        lines += ["", *_prose(run), ""]
    return lines


def _prose(run: RunResult) -> list[str]:
    words: Mapping[str, int] = run.words
    return [
        f"Smaller than uniform? primary p: D+ = {run.uniform.distance:.3f}, KS p = "
        f"{run.uniform.p:.3f}; search p: D+ = {run.search_uniform.distance:.3f}, KS p = "
        f"{run.search_uniform.p:.3f}.",
        f"Evidence {run.evidence:.2%} (true rate at most {run.evidence_upper:.2%}, exact, 95 %); "
        f"verdicts {', '.join(f'{w} {n}' for w, n in words.items())}; without a trade on the "
        f"sealed rows {run.without_trades:.1%}.",
        f"{_kept(run).capitalize()}. {run.seconds or 0:.1f} seconds of one core a market.",
    ]
