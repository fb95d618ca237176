"""Section 6: all candidates, the folds, what the ledger counts, and the diagnostics."""

from typing import NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import rows, timeline
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.scales import covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    count,
    day,
    p_value,
    percent,
    plain_number,
    plural,
    short,
    words,
)
from touchstone.reports.result import (
    CandidateResult,
    Diagnostic,
    FoldResult,
    MarketResult,
    SurrogateSearch,
)

_MOST_ROWS = 30


class DiagnosticRow(NamedTuple):
    """One diagnostic as the table shows it."""

    key: str
    value: str
    gloss: str


class View(NamedTuple):
    """What the template of section 6 needs."""

    candidates: Chart | None
    folds: Chart | None
    ledger: str
    corrected: str
    """How the search was corrected for its luck, and by what."""
    diagnostics: tuple[DiagnosticRow, ...]


_ORDER = (
    "deflated_sharpe",
    "expected_max",
    "pbo",
    "superior_ability_p",
    "min_backtest_years",
    "min_track_record_days",
    "smallest_detectable_sharpe",
    "better_than_buy_and_hold",
    "control_rank",
    "expectancy_lower",
)
_SHARES = ("control_rank", "expectancy_lower", "pbo")
"""Diagnostics told in percent."""
_P_VALUES = ("superior_ability_p",)


def view(market: MarketResult) -> View:
    """Candidates, folds, counts and diagnostics."""
    keys = [k for k in _ORDER if k in market.diagnostics]
    keys += [k for k in market.diagnostics if k not in _ORDER]
    return View(
        candidates=_candidates(market.candidates) if market.candidates else None,
        folds=_folds(market) if market.folds else None,
        ledger=_ledger(market),
        corrected=_corrected(market),
        diagnostics=tuple(_diagnostic(k, market.diagnostics[k]) for k in keys),
    )


def _diagnostic(key: str, found: Diagnostic) -> DiagnosticRow:
    value = found.value
    told = short(value)
    if value is not None and key in _SHARES:
        told = percent(value)
    if value is not None and key in _P_VALUES:
        told = p_value(value)
    why = "" if found.reason is None else f"not defined here: {found.reason}"
    return DiagnosticRow(key, told, "; ".join(text for text in (found.gloss, why) if text))


def _corrected(market: MarketResult) -> str:
    found = market.surrogates
    if found is None:
        return (
            "No surrogate markets were asked for, so the second condition of the word is the "
            "deflated Sharpe."
        )
    if found.n_garch is None:
        return (
            f"The second condition of the word is the search-corrected p-value, out of "
            f"{plural(found.budget, 'surrogate market')}. None had to be searched: the search "
            "itself earned nothing, and any surrogate does as well."
        )
    many = f"{count(found.n_exceedances) if found.n_exceedances else 'none'} of them"
    ended = f", which ended the search among {count(found.budget)}"
    return (
        f"The whole search before the seal was run again on "
        f"{plural(found.n_searched, 'surrogate market')}: the study's own bars drawn anew, "
        f"without an edge. It did as well on {many}"
        + (ended if found.n_searched < found.budget else "")
        + f", so the search-corrected p-value is {p_value(found.p)}. The study's own search scored "
        f"{plain_number(found.score)} (mean over standard error of the chosen candidate's daily "
        f"returns), the best of the surrogates {plain_number(max(found.scores))}. {_fits(found)}"
    )


def _fits(found: SurrogateSearch) -> str:
    """By what the surrogates' volatility was fitted."""
    n, garch = found.n_instruments, found.n_garch or 0
    if garch == n:
        return f"Volatility paths: GARCH(1,1), fitted on {_all(n)}."
    if not garch:
        return f"Volatility paths: exponential means on {_all(n)}; no GARCH(1,1) could be fitted."
    return (
        f"Volatility paths: GARCH(1,1) on {count(garch)} of {plural(n, 'instrument')}, exponential "
        "means on the others, where it could not be fitted."
    )


def _all(n: int) -> str:
    return "the one instrument" if n == 1 else f"all {count(n)} instruments"


def _ledger(market: MarketResult) -> str:
    counts = market.ledger
    looks = counts.n_looks_studies
    looked = {0: "no study has", 1: "this study alone has"}.get(
        looks, f"{words(looks)} studies have"
    )
    return (
        f"The trial ledger counts {plural(counts.n_candidates, 'candidate')} on overlapping data; "
        f"{looked} looked at these sealed rows."
    )


def _candidates(candidates: tuple[CandidateResult, ...]) -> Chart:
    ordered = sorted(
        candidates, key=lambda c: (c.sharpe is None, -(c.sharpe or 0.0), c.model, c.label)
    )
    shown = [c for c in ordered if c.sharpe is not None][:_MOST_ROWS]
    scale = covering([c.sharpe for c in shown], include=(0.0,))
    grid = rows.Grid(
        scale,
        ticks(scale, 5, thin=True),
        0.0,
        "annual Sharpe, net, tests before the seal",
        "Sharpe · trades",
    )
    drawn = [
        rows.Row(
            ("★ " if c.chosen else "") + f"{c.model}: {c.label}",
            c.sharpe,
            f"{plain_number(c.sharpe)} · {count(c.n_trades)}",
            kind="ours" if c.chosen else "base",
        )
        for c in shown
    ]
    left_out = len(candidates) - len(shown)
    note = "Pooled tests before the seal, net of costs."
    if left_out:
        more = "more (no trade, or lower)" if drawn else "without a trade"
        note += f" {count(left_out)} {more} {'stands' if left_out == 1 else 'stand'} in the table."
    body = rows.dots(drawn, grid, "wide-name") if drawn else Markup("")
    return Chart(
        "candidates", _candidates_title(candidates), note, body, _candidate_table(ordered), "full"
    )


def _candidates_title(candidates: tuple[CandidateResult, ...]) -> str:
    n = len(candidates)
    told = f"{words(n).capitalize()} candidate{'s were' if n != 1 else ' was'} compared"
    chosen = next((c for c in candidates if c.chosen), None)
    if chosen is None:
        none = "none" if n != 1 else "it did not"
        ending = "earned" if n != 1 else "earn"
        return f"{told}; {none} {ending} more than cash in enough trades, so no look was taken"
    return f"{told}; {chosen.model} with {chosen.label} was opened on the sealed segment"


def _candidate_table(ordered: list[CandidateResult]) -> Table:
    head = (
        Column("Model", number=False),
        Column("Strategy", number=False),
        Column("Sharpe"),
        Column("Net return, %"),
        Column("Trades"),
        Column("", number=False),
    )
    cells = tuple(
        (
            c.model,
            c.label,
            plain_number(c.sharpe),
            bare_percent(c.net_return, sign=True),
            count(c.n_trades),
            "chosen" if c.chosen else "",
        )
        for c in ordered
    )
    return Table("all candidates", head, cells)


def _seal(since: str, n_looks: int) -> str:
    """What has seen the sealed rows, as the end of a title."""
    if n_looks == 0:
        return f"; no study has looked at the rows from {since} on"
    if n_looks == 1:
        return f"; nothing saw the rows from {since} on before the one look"
    return f"; no choice of this study saw the rows from {since} on, though other studies did"


def _folds(market: MarketResult) -> Chart:
    tests = [f for f in market.folds if f.name != "final"]
    around = any(len(timeline.stretches(f, "train")) > 1 or _is_before(f) for f in tests)
    n, one = words(len(tests)).capitalize(), len(tests) == 1
    whose = "fold around its test" if one else "folds around their tests"
    title = f"{n} {whose}" if around else f"{n} {'fold' if one else 'folds'} forward in time"
    if market.sealed_span is not None:
        title += _seal(day(market.sealed_span[0]), market.ledger.n_looks_studies)
    note = "Each fold trains, chooses and tests on later rows; labels that overlap are purged."
    if around:
        note = (
            "Each fold also trains on rows after its test, so no fold could have been traded. Rows "
            "whose window or label meets a test are purged, those soon after it embargoed."
        )
    shown = market.folds
    if len(tests) > _MOST_ROWS:
        shown = (*tests[:_MOST_ROWS], *(f for f in market.folds if f.name == "final"))
        note += f" The first {_MOST_ROWS} are drawn; all stand in the table."
    body = timeline.timeline(shown, market.sealed_span)
    return Chart("folds", title, note, body, _fold_table(market.folds), "full")


def _is_before(fold: FoldResult) -> bool:
    """Whether a test lies before rows that the fold trains on."""
    return timeline.stretches(fold, "test")[0][0] < timeline.stretches(fold, "train")[-1][1]


def _fold_table(folds: tuple[FoldResult, ...]) -> Table:
    head = (
        Column("Fold", number=False),
        *(Column(name, number=False) for name in ("Train", "Validate", "Test")),
        *(Column(name) for name in ("Train rows", "Validate", "Test", "Purged", "Embargoed")),
        *(Column(name) for name in ("Unusable", "Outside", "Sealed")),
        Column("Instruments", number=False),
        Column("Rows used by model", number=False),
        Column("Best epoch or tree", number=False),
    )
    more = [column for column in (_paths(folds), _selected(folds), _regimes(folds)) if column]
    added = tuple(Column(name, number=False) for name, _ in more)
    cells = tuple(
        (
            "refit" if f.name == "final" else f.name,
            *(_lies(timeline.stretches(f, part)) for part in ("train", "validate", "test")),
            *(count(n) for n in (f.n_train, f.n_validate, f.n_test)),
            count(f.purged_train + f.purged_validate),
            *(count(n) for n in (f.embargoed, f.unusable, f.outside, f.n_sealed)),
            _held(f),
            ", ".join(f"{k} {count(v)}" for k, v in f.rows_used.items())
            + (f" of {count(f.rows_available)}" if f.rows_available else ""),
            ", ".join(f"{k} {count(v)}" for k, v in f.best_epoch.items()),
            *(told[i] for _, told in more),
        )
        for i, f in enumerate(folds)
    )
    note = (
        "The rows of a fold add up to all rows. Unusable: no whole window, or no known outcome; "
        "outside: before the seal, in none of the fold's ranges."
    )
    return Table("the folds", (*head, *added), cells, note)


def _lies(pieces: tuple[tuple[str, str], ...]) -> str:
    return "; ".join(f"{day(a)} to {day(b)}" for a, b in pieces)


def _held(fold: FoldResult) -> str:
    """Instruments of each part, and those that the model meets as strangers."""
    told = " · ".join(count(n) for n in fold.n_symbols.values())
    if not fold.unseen:
        return told
    return f"{told}; not trained on: {', '.join(fold.unseen)}"


def _paths(folds: tuple[FoldResult, ...]) -> tuple[str, list[str]] | None:
    """The combinatorial paths that each fold's tests join; None where there is one path."""
    if not any(f.paths for f in folds):
        return None
    return "Joins paths", [", ".join(map(str, f.paths)) for f in folds]


def _selected(folds: tuple[FoldResult, ...]) -> tuple[str, list[str]] | None:
    """The columns that each fold kept, those of the highest score first; None without selection."""
    if all(f.selected is None for f in folds):
        return None
    told = []
    for f in folds:
        ordered = sorted((f.selected or {}).items(), key=lambda pair: -pair[1])
        told.append(", ".join(name for name, _ in ordered))
    return "Columns kept, best first", told


def _regimes(folds: tuple[FoldResult, ...]) -> tuple[str, list[str]] | None:
    """The share of each regime in each fold's train rows, calmest first; None without a filter."""
    if all(f.regimes is None for f in folds):
        return None
    shares = [" · ".join(bare_percent(x) for x in (f.regimes or {}).values()) for f in folds]
    return "Regimes, calmest first, % of train rows", shares
