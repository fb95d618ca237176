"""The model card: one self-contained page about one model, from its card's contents and its run."""

from typing import Any, NamedTuple

from touchstone.reports.card_contents import Card, CardCondition, CardModel
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.figures import (
    NONE,
    THIN,
    bp,
    count,
    day,
    interval,
    moment,
    p_value,
    percent,
    plain_number,
    plural,
    short,
)
from touchstone.reports.findings import net_figure
from touchstone.reports.result import MarketResult, Performance, StudyResult
from touchstone.reports.sections import chosen, costs, money, verdict
from touchstone.reports.study import template

_PERCENTS = ("net return above cash", "net expectancy", "precision above break-even", "drawdown",
             "survives dearer trading", "better than chance at its turnover")  # fmt: skip
_NOBODY_LIVED_THROUGH = 10.0
_STANDING = {
    "champion": "Champion",
    "previous": "Champion before",
    "challenger": "Challenger",
    "refused": "Refused",
}


class Row(NamedTuple):
    """A condition as the table shows it."""

    name: str
    status: str
    found: str
    needed: str
    sentence: str


class View(NamedTuple):
    """What the template needs beside the card and the sections of the study's page."""

    title: str
    tone: str
    """A class of the first screen: `evidence`, `exploratory` (red) or `none`."""
    standing: str
    bands: tuple[verdict.Band, ...]
    first: verdict.View
    pills: tuple[str, ...]
    chart: Chart | None
    rows: tuple[Row, ...]
    money: tuple[tuple[str, str], ...]
    baselines: Table | None
    ladder: Chart | None
    shares: Chart | None
    candidates: Chart | None
    folds: Chart | None
    counted: str
    made_of: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...]
    golden: str
    audit: str
    written: str
    history: Table | None


def render_card(card: Card, result: StudyResult) -> str:
    """The page as HTML text, which needs no network and no script to be read.

    Every string of the card and of the result is escaped; nothing of them is taken as HTML.
    """
    return template("card.html.jinja").render(card=card, view=view(card, result))


def view(card: Card, result: StudyResult) -> View:
    """Everything the page says, in words."""
    market = result.market
    first, paid, search = verdict.view(result), costs.view(market), chosen.view(market)
    title, tone = _title(card)
    return View(
        title=title,
        tone=tone,
        standing=_standing(card),
        bands=(
            *_override(card),
            *_looked(card, market),
            *_simulated(market),
            *verdict.bands(market),
        ),
        written=_when(card.at),
        first=first,
        pills=_pills(card, market),
        chart=first.cards[0].chart,
        rows=tuple(_row(c) for c in card.conditions),
        money=_money(market.sealed),
        baselines=money.view(market).baselines,
        ladder=paid.ladder,
        shares=paid.shares,
        candidates=search.candidates,
        folds=search.folds,
        counted=_counted(card),
        made_of=_made_of(card),
        settings=() if card.model is None else _settings(card.model),
        data=_data(market),
        golden=_golden(card),
        audit=_audit(card),
        history=_history(card),
    )


def _title(card: Card) -> tuple[str, str]:
    if card.standing == "refused":
        n, of = card.n_unmet, len(card.conditions)
        return f"May not trade: {n} of {of} conditions {'is' if n == 1 else 'are'} not met", "none"
    if card.override is not None:
        return "May trade, against its verdict", "exploratory"
    return "May trade: every condition is met", "evidence"


def _standing(card: Card) -> str:
    told = _STANDING[card.standing]
    return told if card.version is None else f"{told}, version {card.version}"


def _override(card: Card) -> tuple[verdict.Band, ...]:
    if card.override is None:
        return ()
    said = (
        f"The verdict is “{card.verdict}”, and only “evidence” may trade. {card.override.who} set "
        f"this aside on {_when(card.override.at)}: “{card.override.reason}”"
    )
    return (verdict.Band("broken", "Override", said),)


def _looked(card: Card, market: MarketResult) -> tuple[verdict.Band, ...]:
    """Others who looked at the sealed rows since the run was made, whose own page knows of none."""
    if card.verdict != "exploratory" or market.verdict.word == "exploratory" or card.n_looks < 2:
        return ()
    said = (
        f"{count(card.n_looks)} different studies have looked at these sealed rows by now. What "
        "was found on them can be luck found by looking twice."
    )
    return (verdict.Band("broken", "Exploratory", said),)


def _simulated(market: MarketResult) -> tuple[verdict.Band, ...]:
    if not market.data.simulated_truth:
        return ()
    said = (
        "This model learnt a market that was made: what it found there says nothing of real ones."
    )
    return (verdict.Band("warning", "Simulated market", said),)


def _when(iso: str) -> str:
    try:
        return moment(iso)
    except (ValueError, IndexError):
        return iso


def _pills(card: Card, market: MarketResult) -> tuple[str, ...]:
    told = [f"verdict {card.verdict}"]
    if market.verdict.primary_p is not None:
        told.append(f"p = {p_value(market.verdict.primary_p)}")
    if market.sealed is not None and market.sealed.sharpe is not None:
        ends = interval(market.sealed.sharpe_interval)
        sharpe = f"Sharpe {plain_number(market.sealed.sharpe)}"
        told.append(sharpe + (f" ({ends})" if ends != NONE else ""))
    told.append(plural(market.verdict.sealed_days, "sealed day"))
    told.append(plural(market.verdict.n_trades, "trade"))
    told.append(f"best of {plural(card.n_candidates, 'candidate')} tried")
    return tuple(told)


def _row(condition: CardCondition) -> Row:
    found = condition.found
    if isinstance(found, float):
        found = _figure(found, condition.name)
    elif found in ("true", "false"):
        found = "yes" if found == "true" else "no"
    said = condition.sentence[:1].upper() + condition.sentence[1:] + "."
    said = said.replace(" %", f"{THIN}%")
    return Row(
        condition.name[:1].upper() + condition.name[1:],
        condition.status,
        found or "not known",
        _needed(condition),
        said,
    )


def _needed(condition: CardCondition) -> str:
    if condition.needed == "true":
        return "yes"
    words, _, number = condition.needed.rpartition(" ")
    try:
        value = float(number)
    except ValueError:
        return condition.needed
    if value < 0 and condition.name == "precision above break-even":
        return "any"
    return f"{words} {_figure(value, condition.name)}"


def _figure(value: float, name: str) -> str:
    if name not in _PERCENTS:
        return short(value)
    if value > _NOBODY_LIVED_THROUGH:  # a short, strong segment compounded to a year
        return f"over {percent(_NOBODY_LIVED_THROUGH)}"
    return f"{short(100 * value)}{THIN}%"


def _money(part: Performance | None) -> tuple[tuple[str, str], ...]:
    if part is None or part.n_trades == 0:
        return ()
    net = net_figure(part)
    span = "a year" if net.yearly else "on the sealed days"
    expectancy = None if part.expectancy is None else 1e4 * part.expectancy
    return (
        (f"Net of costs, {span}", net.size),
        ("95 % interval", net.interval),
        ("Sharpe, annual", plain_number(part.sharpe)),
        ("95 % interval of the Sharpe", interval(part.sharpe_interval)),
        ("Largest drawdown", percent(part.max_drawdown)),
        ("Worst 5 days of 100 lose, on average", percent(part.es95)),
        ("Net return a trade", bp(expectancy, sign=True)),
        ("Trades won", percent(part.win_rate)),
        ("Trades", count(part.n_trades)),
        ("Turnover a year", f"{plain_number(part.turnover)}×"),
        ("Exposure", percent(part.exposure)),
        ("Break-even cost a side", bp(part.break_even_cost_bp)),
    )


def _counted(card: Card) -> str:
    if card.model is None and card.hashes.get("artifact") == "none":
        tried = plural(card.n_candidates, "candidate")
        return (
            f"The trial ledger counts {tried} on overlapping data. None was good enough before the "
            "seal to be opened on it, so there is no model to promote."
        )
    alone = "no other study has" if card.n_looks <= 1 else f"{count(card.n_looks)} studies have"
    return (
        f"It is the best, before the seal, of {plural(card.n_candidates, 'candidate')} that the "
        f"trial ledger counts on overlapping data. Its sealed rows were opened once, for it; "
        f"{alone} looked at them."
    )


def _made_of(card: Card) -> tuple[tuple[str, str], ...]:
    made = card.model
    if made is None:
        return (("Artifact", "none"), ("Study", card.study), ("Run", card.run))
    return (
        ("Model", _kind(made.model)),
        ("Foresees", _kind(made.label)),
        ("Decides by", _kind(made.strategy)),
        ("Bars", f"{made.timeframe}, {made.calendar}"),
        ("Instruments", count(len(made.symbols))),
        ("Sees", f"{plural(len(made.features), 'feature')} over {plural(made.lookback, 'bar')}"),
        ("Holds at most", plural(made.hold_bars, "bar")),
        ("Learnt from", f"{day(made.trained[0])} to {day(made.trained[1])}"),
    )


def _settings(made: CardModel) -> tuple[tuple[str, str], ...]:
    """Every setting of its parts, as name = value."""
    parts = {
        "Model": made.model, "Label": made.label, "Strategy": made.strategy, "Costs": made.costs,
    }  # fmt: skip
    return tuple((name, _listed(settings)) for name, settings in parts.items())


def _listed(settings: dict[str, Any]) -> str:
    return ", ".join(f"{k} {_value(v)}" for k, v in settings.items() if k != "kind" and v != {})


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_value(v) for v in value)
    if isinstance(value, dict):
        return f"({_listed(value) or value.get('kind', '')})"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(settings: dict[str, Any]) -> str:
    return str(settings.get("kind", "a part of your own")).replace("_", " ")


def _data(market: MarketResult) -> tuple[tuple[str, str], ...]:
    card = market.data
    found: list[tuple[str, str]] = [
        ("Source", card.source),
        ("Bars", f"{count(card.n_rows)} of {card.timeframe}"),
        ("Instruments", count(card.n_instruments)),
        ("Span", f"{day(card.first)} to {day(card.last)}"),
    ]
    if market.sealed_span is not None:
        found.append(("Sealed from", day(market.sealed_span[0])))
    if market.label is not None and "+1" in market.label.base_rates:
        found.append(("Rows that end at the target", percent(market.label.base_rates["+1"])))
    return tuple(found)


def _golden(card: Card) -> str:
    if not card.golden.reproduced:
        return f"Not reproduced: {card.golden.problem}."
    size = card.golden.difference or 0.0
    told = "to the last bit" if size == 0 else f"to {size:.0e}"
    return (
        f"{plural(card.golden.n_rows, 'golden row')} were decided again when this card was "
        f"written: every decision the same, every score {told}."
    )


def _audit(card: Card) -> str:
    """What a clean audit knows, and of how much."""
    if card.audit is None:
        return ""
    part, told = card.audit.slice, "Another future changed nothing that came before it"
    bars, symbols = part.get("bars"), part.get("symbols")
    if isinstance(bars, int) and isinstance(symbols, list | tuple):
        told += f", on {plural(bars, 'bar')} of {plural(len(symbols), 'instrument')}"
    return f"{told}: {card.audit.result}."


def _history(card: Card) -> Table | None:
    if not card.history:
        return None
    head = (
        Column("What", number=False), Column("Version"), Column("When", number=False),
        Column("Who", number=False), Column("Run", number=False), Column("Verdict", number=False),
        Column("Override", number=False),
    )  # fmt: skip
    rows = tuple(
        (e.act, str(e.version), _when(e.at), e.who, e.run, e.verdict, e.override or NONE)
        for e in reversed(card.history)
    )
    return Table(f"history of {card.name}", head, rows)
