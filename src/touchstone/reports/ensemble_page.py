"""The page of an ensemble: is any better than the best member, and what does a student keep?"""

from typing import Final

from touchstone.reports.campaign_sections import listed
from touchstone.reports.ensemble import TARGET, Combined, EnsembleResult
from touchstone.reports.ensemble_sections import sections, shown
from touchstone.reports.figures import (
    NONE,
    count,
    day,
    interval,
    p_value,
    percent,
    plural,
    sentence,
    signed,
    words,
)
from touchstone.reports.measurement import Band, Page, render

_CANNOT: Final = (
    "What this cannot show: that any of them earns money. All were compared on the rows they are "
    "shown on, and the sealed rows were not looked at."
)


def page(result: EnsembleResult, command: str) -> str:
    """The page as HTML text."""
    first = closest(result)
    return render(
        Page(
            name=result.name,
            seed=result.seed,
            kicker="Do many foresee better than the best of them?",
            headline=headline(result),
            deck=_deck(result, first),
            figure=signed(first.versus.difference),
            unit=f"Sharpe of {shown(first.figures.name)} less that of {shown(result.best)} "
            f"(95 %: {interval(first.versus.interval)})",
            under=_target(result),
            facts=_facts(result),
            cannot=_CANNOT,
            bands=_bands(result),
            sections=sections(result),
            command=command,
        )
    )


def headline(result: EnsembleResult) -> str:
    """The answer in one sentence."""
    best, n = shown(result.best), len(result.ensembles)
    better = [shown(name) for name in result.better]
    if not better:
        none = "The ensemble" if n == 1 else f"None of {words(n)} ensembles"
        is_not = "is not better" if n == 1 else "is better"
        return f"{none} {is_not} than {best}, the best member"
    if len(better) > 3:
        return f"{sentence(words(len(better)))} of {words(n)} ensembles are better than {best}"
    verb = "is" if len(better) == 1 else "are"
    return f"{sentence(listed(better))} {verb} better than {best}, the best member"


def closest(result: EnsembleResult) -> Combined:
    """The ensemble that the top of the page shows: the best on validation rows."""
    return result.ensembles[0]


def _deck(result: EnsembleResult, first: Combined) -> str:
    v = first.versus
    return (
        f"\u201cBetter\u201d is a two-sided Ledoit-Wolf p below 0.05 after Holm over "
        f"{plural(len(result.ensembles), 'ensemble')}, and a positive difference. Of the ensembles "
        f"{shown(first.figures.name)} was best on validation rows: p {p_value(v.p)}, corrected "
        f"{p_value(v.adjusted)}; its PR-AUC differs by {signed(v.pr_auc)}"
        f"{f' ({interval(v.pr_auc_interval)})' * (v.pr_auc_interval is not None)}."
    )


def _target(result: EnsembleResult) -> str:
    known = [(e.versus.gain, e.figures.name) for e in result.ensembles if e.versus.gain is not None]
    aim = f"Target: {percent(TARGET, sign=True)} of the best member\u2019s Sharpe."
    if not known:
        return f"{aim} Not measurable: the best member\u2019s Sharpe is not positive."
    gain, name = max(known)
    n = sum(e.versus.reaches_target for e in result.ensembles)
    reached = "no ensemble reaches it" if n == 0 else f"{plural(n, 'ensemble')} on or above it"
    return f"{aim} {sentence(reached)}; most: {shown(name)}, {percent(gain, sign=True)}."


def _bands(result: EnsembleResult) -> tuple[Band, ...]:
    text = (
        f"Nothing from {day(result.sealed_from)} on was scored. Ensembles were fitted, members and "
        "settings chosen, on validation rows; figures come from test rows before the seal."
    )
    bands = [Band("warning", "A comparison, no verdict", text)]
    worse = [
        shown(e.figures.name)
        for e in result.ensembles
        if e.versus.better and (e.hindsight.difference is None or e.hindsight.difference <= 0)
    ]
    if worse:
        text = (
            f"{sentence(listed(worse))}: better than {shown(result.best)}, which validation rows "
            f"chose, but no better on these test rows than {shown(result.best_on_test)}, which "
            "nobody could know beforehand."
        )
        bands.insert(0, Band("warning", "Not better than the best in hindsight", text))
    return tuple(bands)


def _facts(result: EnsembleResult) -> tuple[str, ...]:
    student = result.student
    kept = NONE if student is None else percent(student.kept)
    return (
        f"{plural(len(result.members), 'member')}, {plural(len(result.ensembles), 'ensemble')}, "
        f"{plural(result.n_folds, 'fold')}",
        f"fitted on {plural(result.n_validate, 'validation row')}",
        f"{plural(result.n_test, 'test row')} on {plural(result.n_days, 'day')}, base rate "
        f"{percent(result.base_rate)}",
        f"{plural(result.n_instruments, 'instrument')}, {day(result.first)} to {day(result.last)}",
        *([] if result.student is None else [f"student keeps {kept} of its teacher\u2019s PR-AUC"]),
        f"{count(result.n_candidates)} candidates on these rows in the ledger",
    )
