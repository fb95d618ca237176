"""Section 1: the word, the net figure with its interval, the reason, the null twin beside it."""

from typing import NamedTuple

from touchstone.reports.charts import lines
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.scales import Scale, growth_scale
from touchstone.reports.figures import (
    NONE,
    count,
    interval,
    p_value,
    percent,
    plain_number,
    plural,
    sentence,
    short,
)
from touchstone.reports.findings import net_figure, stranded_text
from touchstone.reports.glosses import headline, term
from touchstone.reports.result import Condition, MarketResult, StudyResult

_SHORT_DAYS = 60
_NOBODY_LIVED_THROUGH = 10.0
"""A return a year, as a fraction, beyond which a shorter segment is not compounded."""


class Band(NamedTuple):
    """A broken condition (red) or a warning (amber), above everything."""

    kind: str
    title: str
    text: str


class ConditionRow(NamedTuple):
    """A condition as the table shows it."""

    key: str
    value: str
    threshold: str
    met: str
    gloss: str


class Card(NamedTuple):
    """One market on the first screen: its word and a small chart."""

    word: str
    market: str
    chart: Chart | None


class View(NamedTuple):
    """What the template of section 1 needs."""

    word: str
    headline: str
    sentence: str
    figure: str
    figure_unit: str
    figure_note: str
    facts: tuple[str, ...]
    cannot_prove: str | None
    bands: tuple[Band, ...]
    conditions: tuple[ConditionRow, ...]
    cards: tuple[Card, ...]
    pair: Table | None


def view(result: StudyResult) -> View:
    """The first screen."""
    market = result.market
    verdict = market.verdict
    figure, unit, note = _figure(market)
    title = headline(verdict.word, verdict.reason)
    return View(
        word=verdict.word,
        headline=title,
        sentence=_deck(title, verdict.sentence),
        figure=figure,
        figure_unit=unit,
        figure_note=note,
        facts=_facts(market),
        cannot_prove=verdict.cannot_prove,
        bands=bands(market),
        conditions=tuple(_condition(c) for c in verdict.conditions),
        cards=_cards(result),
        pair=_pair(result),
    )


def bands(market: MarketResult) -> tuple[Band, ...]:
    """What the reader must know before the word."""
    found = []
    if market.verdict.word == "exploratory" or market.ledger.exploratory:
        n = market.ledger.n_looks_studies
        text = (
            f"{count(n)} different studies have looked at these sealed rows. What is found on them "
            "now can be luck found by looking twice. Fresh data, or a later seal, gives a verdict."
        )
        found.append(Band("broken", "Exploratory", text))
    if market.data.survivorship:
        text = sentence(market.data.survivorship.removeprefix("Survivorship: "))
        found.append(Band("warning", "Survivorship", text))
    stranded = stranded_text(market.sealed)
    if stranded:
        found.append(Band("warning", "Stranded positions", stranded))
    days = market.verdict.sealed_days
    if 0 < days < _SHORT_DAYS:
        text = f"{plural(days, 'day')} are sealed; {_SHORT_DAYS} are the least to judge by."
        found.append(Band("warning", "Short sealed segment", text))
    return tuple(found)


def _deck(title: str, sentence: str) -> str:
    """The sentence without the words of the headline that it begins with."""
    first, _, rest = sentence.partition(": ")
    said = first.lower()
    if rest and (
        title.lower().startswith(said.split(" only")[0]) or said.startswith(title.lower())
    ):
        return rest[0].upper() + rest[1:]
    return sentence


def _figure(market: MarketResult) -> tuple[str, str, str]:
    sealed = market.sealed
    if sealed is None:
        return "0", "trades", "No look was taken at the sealed segment."
    if sealed.n_trades == 0:
        return "0", "trades on the sealed segment", "Equity stayed flat: nothing won, nothing paid."
    days = plural(market.verdict.sealed_days, "sealed day")
    net = net_figure(sealed)
    note = f"95 % interval {net.interval}. " if net.known else ""
    if net.yearly:
        note += f"On the {days} themselves: {percent(sealed.net_return, sign=True)}."
        return net.size, "a year, net of costs", note
    if (sealed.annual_return or 0.0) > _NOBODY_LIVED_THROUGH:
        note += "Not compounded to a year: nobody lived through that number."
    elif sealed.annual_return is not None:
        note += f"Compounded to a year: {percent(sealed.annual_return, sign=True)}."
    return net.size, f"net of costs on {days}", note


def _facts(market: MarketResult) -> tuple[str, ...]:
    verdict = market.verdict
    found = [f"p = {p_value(verdict.primary_p)}"] if verdict.primary_p is not None else []
    found += [plural(verdict.sealed_days, "sealed day")] if verdict.sealed_days else []
    found.append(plural(verdict.n_trades, "trade"))
    if market.sealed is not None and market.sealed.sharpe is not None:
        ends = interval(market.sealed.sharpe_interval)
        text = f"Sharpe {plain_number(market.sealed.sharpe)}"
        found.append(text + (f" ({ends})" if ends != NONE else ""))
    n = market.ledger.n_candidates
    return (*found, f"best of {plural(n, 'candidate')} tried") if n else tuple(found)


def _condition(condition: Condition) -> ConditionRow:
    met = {True: "met", False: "not met", None: "does not apply"}[condition.met]
    found, needed = short(condition.value), short(condition.threshold)
    return ConditionRow(condition.name, found, needed, met, condition.gloss)


def _cards(result: StudyResult) -> tuple[Card, ...]:
    markets = [m for m in (result.market, result.null_twin) if m is not None]
    parts = [lines.segments(None, m.sealed.curve) if m.sealed is not None else [] for m in markets]
    drawn = next((part for part in parts if part), None)
    if drawn is None:
        return tuple(Card(m.verdict.word, m.title, None) for m in markets)
    parts = [part or lines.flat(drawn[0]) for part in parts]
    scale = growth_scale(v for part in parts for p in part for v in lines.drawn_values(p))
    cards = []
    for i, (market, part) in enumerate(zip(markets, parts, strict=True)):
        body, table = lines.small(part[0], scale), lines.equity_table(part)
        chart = Chart(
            f"first-{i}", _card_title(market), _card_note(part[0], scale), body, table, "card"
        )
        cards.append(Card(market.verdict.word, market.title, chart))
    return tuple(cards)


def _card_note(part: lines.Segment, scale: Scale) -> str:
    told = "Sealed segment, net of costs" + (", log scale" if scale.log else "")
    grey = ["grey: equal weight"] if "equal_weight" in part.curve.baselines else []
    grey += ["band: random controls"] if part.curve.band_low else []
    return "; ".join([told, *grey]) + "."


def _card_title(market: MarketResult) -> str:
    sealed = market.sealed
    if sealed is None or sealed.n_trades == 0:
        return "No trade, flat equity"
    gained = "Gained" if (sealed.net_return or 0) >= 0 else "Lost"
    size = percent(abs(sealed.net_return or 0))
    return f"{gained} {size} in {plural(sealed.n_trades, 'trade')}"


def _pair(result: StudyResult) -> Table | None:
    if result.null_twin is None:
        return None
    markets = (result.market, result.null_twin)
    rows = [("Verdict", *(m.verdict.word for m in markets))]
    rows.append((term("primary_p"), *(p_value(m.verdict.primary_p) for m in markets)))
    searched = [m.surrogates for m in markets]
    if any(s is not None for s in searched):
        rows.append(
            ("Search-corrected p", *(p_value(None if s is None else s.p) for s in searched))
        )
    rows.append(("Trades, sealed", *(count(m.verdict.n_trades) for m in markets)))
    rows.append(
        (
            term("net_return"),
            *(percent(m.sealed.net_return, sign=True) if m.sealed else NONE for m in markets),
        )
    )
    rows.append(
        (term("sharpe"), *(plain_number(m.sealed.sharpe) if m.sealed else NONE for m in markets))
    )
    rows.append(
        (
            term("direction_auc"),
            *(plain_number(m.skill.direction_auc) if m.skill else NONE for m in markets),
        )
    )
    head = (Column("", number=False), *(Column(sentence(m.title)) for m in markets))
    return Table("the pair in numbers", head, tuple(rows))
