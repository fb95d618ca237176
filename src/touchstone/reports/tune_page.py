"""The page of a search: what it found, what the winner is worth when it is trained again."""

from typing import Any, Final

from touchstone.reports.campaign_sections import shown
from touchstone.reports.figures import count, day, plain_number, plural
from touchstone.reports.measurement import Band, Page, render
from touchstone.reports.tune import SearchFound, TuneResult
from touchstone.reports.tune_charts import best_value
from touchstone.reports.tune_sections import in_order, named, sections, winner_words
from touchstone.reports.tune_words import count_of, objective, settings_text

_CANNOT: Final = (
    "What this cannot show: that any of these settings earns money, or that the best would be best "
    "again. Validation rows chose it among all trials, so its figure flatters; test and sealed "
    "rows chose nothing. touchstone run takes one of them to a verdict."
)

_PARTS: Final = {
    "tpe": "TPE", "gp": "a Gaussian process", "nsga2": "NSGA-II", "random": "chance",
    "grid": "a grid", "median": "the median", "hyperband": "Hyperband",
}  # fmt: skip


def page(result: TuneResult, command: str) -> str:
    """The page as HTML text."""
    lead = in_order(result)[0]
    best = best_value(lead)
    return render(
        Page(
            name=result.name,
            seed=result.seed,
            kicker=f"Which settings foresee best on validation rows? {_how(result)}",
            headline=_headline(result, lead),
            deck=_deck(lead),
            figure=plain_number(best),
            unit=f"{objective(result)} of the best trial of {shown(lead.name)}, mean over the "
            "folds\u2019 validation rows",
            under=f"{winner_words(result, lead.winner)}." if lead.winner is not None else "",
            facts=_facts(result),
            cannot=_CANNOT,
            bands=_bands(result),
            sections=sections(result),
            command=command,
        )
    )


def _how(result: TuneResult) -> str:
    pruned = "" if result.pruner == "none" else f", pruned by {_part(result.pruner)}"
    return f"Drawn by {_part(result.sampler)}{pruned}."


def _part(kind: str) -> str:
    return _PARTS.get(kind, kind.replace("_", " "))


def _headline(result: TuneResult, lead: SearchFound) -> str:
    n = sum(len(s.trials) for s in result.searches)
    if best_value(lead) is None:
        return (
            f"Of {plural(n, 'trial')} none ended{' within the constraints' * bool(result.limits)}"
        )
    if len(result.searches) > 1:
        return (
            f"{named(lead)} comes furthest of {len(result.searches)} architectures in "
            f"{plural(n, 'trial')}"
        )
    return f"The best of {plural(n, 'trial')} of {shown(lead.name)}"


def _deck(lead: SearchFound) -> str:
    number = lead.winner.number if lead.winner is not None else next(iter(lead.best), None)
    found = [t for t in lead.trials if t.number == number]
    if not found:
        return "The table of the trials says why, one by one."
    return f"Trial {number}: {settings_text(found[0].params) or 'the settings as they were'}."


def _facts(result: TuneResult) -> tuple[str, ...]:
    trials = [t for s in result.searches for t in s.trials]
    data: dict[str, Any] = dict(result.data)
    facts = [
        f"{plural(len(trials), 'trial')}, "
        f"{sum(count_of(s, 'pruned') for s in result.searches)} pruned, "
        f"{sum(count_of(s, 'failed') for s in result.searches)} failed",
        f"{' and '.join(_goal(result, i) for i in range(len(result.objectives)))}",
    ]
    if result.limits:
        bounds = (f"{k.replace('_', ' ')} {plain_number(v)}" for k, v in result.limits.items())
        facts.append(f"limits: {', '.join(bounds)}")
    if "n_folds" in data:
        rows = f", {plural(data['n_validate'], 'validation row')}" if "n_validate" in data else ""
        facts.append(f"{plural(data['n_folds'], 'fold')}{rows}")
    if "n_instruments" in data and "first" in data and "last" in data:
        facts.append(
            f"{plural(data['n_instruments'], 'instrument')}, {day(data['first'])} to "
            f"{day(data['last'])}"
        )
    if "sealed_from" in data:
        facts.append(f"sealed from {day(data['sealed_from'])}")
    facts.append(f"{count(result.n_candidates)} candidates on these rows in the ledger")
    return tuple(facts)


def _goal(result: TuneResult, i: int) -> str:
    return f"{objective(result, i)}: {result.directions[i]} is better"


def _bands(result: TuneResult) -> tuple[Band, ...]:
    n, failed = (
        sum(len(s.trials) for s in result.searches),
        sum(count_of(s, "failed") for s in result.searches),
    )
    bands = []
    if failed:
        text = f"{failed} of {n} failed; the table of the trials says why."
        bands.append(Band("broken" if 2 * failed >= n else "warning", "Failed trials", text))
    text = "The best of many on the rows that chose it. It is no estimate of what it will do."
    bands.append(Band("warning", "A search, no verdict", text))
    bands += [Band("warning", "Note", note) for note in result.notes]
    return tuple(bands)
