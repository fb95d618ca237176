"""The page of an explanation: what the model goes by, what would turn it, where it errs."""

import re
from typing import Final

from touchstone.reports.campaign_sections import shown
from touchstone.reports.explain import ExplainResult, goes_by, ranking
from touchstone.reports.explain_contents import Attention
from touchstone.reports.explain_sections import sections
from touchstone.reports.figures import (
    THIN,
    count,
    interval,
    moment,
    percent,
    plain_number,
    plural,
    sentence,
    short,
    signed,
)
from touchstone.reports.measurement import Band, Page, render

_CANNOT: Final = (
    "What this cannot show: that what the model goes by moves the market. It shows what this model "
    "does with these rows; a feature can be needed and the model worthless. Choose nothing by it "
    "that a new run on new data does not confirm."
)


def page(result: ExplainResult, command: str) -> str:
    """The page as HTML text, which needs no network and no script."""
    figure, unit = _figure(result)
    return render(
        Page(
            name=result.run,
            seed=result.seed,
            kicker=f"What does {shown(result.model)} go by when it foresees "
            f"\u201c{result.label}\u201d?",
            headline=goes_by(result),
            deck=_deck(result),
            figure=figure,
            unit=unit,
            under="",
            facts=_facts(result),
            cannot=_CANNOT,
            bands=_bands(result),
            sections=sections(result),
            command=command,
        )
    )


def _figure(result: ExplainResult) -> tuple[str, str]:
    """The drop of the feature that is needed most."""
    found = result.permutation
    if found is None or not found.features:
        names = ranking(result)
        return (names[0], "has the largest share of the score") if names else ("\u2013", "")
    first = next((need for need in found.features if need.is_told), found.features[0])
    metric = shown(found.metric)
    return (
        signed(first.drop),
        f"fall of {metric} when {first.name} is lost (95 %: {interval(first.interval)}); "
        f"{plain_number(found.base)} with it",
    )


def _deck(result: ExplainResult) -> str:
    told = [] if result.attention is None else _looks(result.attention)
    found = result.counterfactuals
    if found is not None and found.median_distance is not None:
        told.append(
            f"To turn a decision takes a change of {plain_number(found.median_distance, 2)} "
            "standard deviations, all values together (median)."
        )
    if result.robustness is not None:
        told.append(_robust(result))
    n, of = _drawn(result)
    needs = () if result.permutation is None else result.permutation.features
    if needs and n < of and not any(need.is_told for need in needs):
        told.append(
            f"{count(n)} of {plural(of, 'test row')} were drawn: more of them (--rows) narrow the "
            "intervals."
        )
    return " ".join(told)


def _drawn(result: ExplainResult) -> tuple[int, int]:
    return sum(f.n_rows for f in result.folds), sum(f.n_test for f in result.folds)


def _looks(found: Attention) -> list[str]:
    """How much of its attention over bars the newest quarter of the window gets.

    Of several layers that of the rollout, which follows all blocks; else the first. Scales and
    branches are no bars.
    """
    bars = {one.name: one for one in found.layers if re.search(r"(^| )0$", one.over[-1])}
    if not bars:
        return []
    layer = bars.get("rollout", next(iter(bars.values())))
    n = max(1, len(layer.over) // 4)
    share, alike = sum(layer.mean[-n:]), n / len(layer.over)
    return [
        f"The newest quarter of the window gets {percent(share)} of its attention "
        f"({percent(alike)} if all bars were alike)."
    ]


def _robust(result: ExplainResult) -> str:
    assert result.robustness is not None
    points = result.robustness.points
    last = max(p.share for p in points)
    ends: dict[str, float | None] = {p.attack: p.pr_auc.value for p in points if p.share == last}
    worst = next((w for w in ("pgd", "greedy") if w in ends), "random")
    return (
        f"Moved by {short(100 * last)}{THIN}% of each feature\u2019s noise, PR-AUC goes from "
        f"{plain_number(points[0].pr_auc.value)} to {plain_number(ends['random'])} by chance and "
        f"to {plain_number(ends[worst])} under attack."
    )


def _bands(result: ExplainResult) -> tuple[Band, ...]:
    text = (
        "Each fold\u2019s model is asked about its own purged test rows before the seal. Nothing "
        f"known after {moment(result.sealed_from)} was scored."
    )
    bands = [Band("warning", "Test rows, not sealed ones", text)]
    if not result.is_chosen:
        other = (
            f"{sentence(shown(result.model))} is not the model of the run\u2019s chosen candidate, "
            "nor of the one that came closest."
        )
        bands.insert(0, Band("warning", "Another model", other))
    return tuple(bands + [Band("warning", "Left out", f"{note}.") for note in result.notes])


def _facts(result: ExplainResult) -> tuple[str, ...]:
    n, of = _drawn(result)
    return (
        f"{plural(n, 'row')} drawn of {plural(of, 'test row')}, "
        f"{plural(len(result.folds), 'fold')}",
        f"{plural(len(result.features), 'feature')} over {plural(result.lookback, 'bar')} of "
        f"{result.timeframe}",
        plural(result.n_instruments, "instrument"),
        f"accepted from a score on: {result.threshold_by}",
    )
