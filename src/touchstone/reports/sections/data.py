"""Section 7: the data card, the label, how to reproduce, and what this cannot show."""

from typing import NamedTuple

import yaml

from touchstone.reports.charts.frame import Column, Table
from touchstone.reports.figures import (
    bare_percent,
    count,
    day,
    percent,
    plain_number,
    sentence,
)
from touchstone.reports.result import LabelCard, MarketResult, StudyResult


class View(NamedTuple):
    """What the template of section 7 needs."""

    facts: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    rejects: Table | None
    survivorship: str
    truth: str
    label: tuple[tuple[str, str], ...]
    outcomes: Table | None
    features: tuple[str, ...]
    config: str
    limits: tuple[str, ...]


def view(result: StudyResult) -> View:
    """The cards."""
    market = result.market
    warning = market.data.survivorship or "No warning for these data."
    return View(
        facts=_facts(market),
        findings=market.data.findings,
        rejects=_rejects(market),
        survivorship=sentence(warning.removeprefix("Survivorship: ")),
        truth=sentence(market.data.simulated_truth or ""),
        label=_label(market.label) if market.label else (),
        outcomes=_outcomes(market.label) if market.label else None,
        features=market.features,
        config=yaml.safe_dump(_lists(result.config), sort_keys=False, allow_unicode=True)
        if result.config
        else "",
        limits=market.limits,
    )


def _facts(market: MarketResult) -> tuple[tuple[str, str], ...]:
    card = market.data
    return (
        ("Source", card.source),
        ("Content hash", card.hash[:16]),
        ("Bars", f"{count(card.n_rows)} of {card.timeframe}"),
        ("Instruments", count(card.n_instruments)),
        ("Span", f"{day(card.first)} to {day(card.last)}"),
        ("Calendar", card.calendar),
    )


def _rejects(market: MarketResult) -> Table | None:
    if not market.data.rejects:
        return None
    head = tuple(Column(c, number=False) for c in ("Instrument", "File", "Why it was left out"))
    cells = tuple((r.symbol, r.file, r.reason) for r in market.data.rejects)
    return Table(f"{count(len(cells))} left out", head, cells)


def _label(card: LabelCard) -> tuple[tuple[str, str], ...]:
    barriers = (
        ("Median target and stop", f"{percent(card.median_up)} and {percent(card.median_down)}"),
        ("Exit bar spans both, counted as stop", percent(card.ambiguous_share)),
    )
    return (
        ("Kind", card.kind.replace("_", " ")),
        *(barriers if _has_barriers(card) else ()),
        ("Not known yet, dropped", percent(card.unknown_share)),
    )


def _has_barriers(card: LabelCard) -> bool:
    return card.median_up is not None or card.median_down is not None


def _outcomes(card: LabelCard) -> Table | None:
    if not card.base_rates:
        return None
    names = {"+1": "up", "-1": "down", "0": "neither"}
    if _has_barriers(card):
        names = {"+1": "target", "-1": "stop", "0": "horizon"}
    head = (Column("Outcome", number=False), Column("Rows, %"), Column("Mean realised, %"))
    cells = tuple(
        (
            f"{key.replace('-', '−')} {names.get(key, '')}".strip(),
            bare_percent(card.base_rates[key]),
            bare_percent(card.mean_realised.get(key), sign=True),
        )
        for key in sorted(card.base_rates, key=lambda k: {"+1": 0, "0": 1, "-1": 2}.get(k, 3))
    )
    return Table("outcomes", head, cells)


def _lists(value: object) -> object:
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(v) for v in value]
    return value


def seconds(stages: tuple[tuple[str, float], ...]) -> Table | None:
    """How long each stage took."""
    if not stages:
        return None
    total = sum(s for _, s in stages)
    cells = (*((name, plain_number(s)) for name, s in stages), ("All", plain_number(total)))
    return Table("seconds a stage", (Column("Stage", number=False), Column("Seconds")), cells)
