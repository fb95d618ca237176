"""The page of a campaign: who leads, how sure that is, what it earns, what it costs."""

from typing import Final

from touchstone.reports.campaign import ORIENTATION, PREDECESSOR, CampaignResult
from touchstone.reports.campaign_sections import listed, sections, shown
from touchstone.reports.figures import (
    count,
    day,
    interval,
    percent,
    plain_number,
    plural,
    sentence,
    signed,
)
from touchstone.reports.measurement import Band, Page, render

_CANNOT: Final = (
    "What this cannot show: that any of them earns money. All were compared on the rows they are "
    "shown on, and the sealed rows were not looked at; touchstone run takes one of them there."
)


def page(result: CampaignResult, command: str) -> str:
    """The page as HTML text."""
    lead = result.leader
    return render(
        Page(
            name=result.name,
            seed=result.seeds[0],
            kicker=f"Who foresees \u201c{result.label}\u201d best, with equal means?",
            headline=_headline(result),
            deck=_deck(result),
            figure=plain_number(lead.pr_auc.mean),
            unit=f"PR-AUC of {shown(lead.name)} on test rows (95 %: "
            f"{interval(lead.pr_auc.interval, sign=False)}); knowing nothing gives "
            f"{plain_number(result.base_rate)}",
            under=_predecessor(result),
            facts=_facts(result),
            cannot=_CANNOT,
            bands=_bands(result),
            sections=sections(result),
            command=command,
        )
    )  # fmt: skip


def _headline(result: CampaignResult) -> str:
    lead = sentence(shown(result.leader.name))
    beside = [a for a in result.against if a.baseline]
    better = [shown(a.name) for a in beside if a.interval is not None and a.interval[1] < 0]
    level = [shown(a.name) for a in beside if not _is_apart(a.interval)]
    if result.leader.baseline:
        lead += ", a baseline,"
    if better:
        return f"{lead} leads on validation rows, but {listed(better)} did better on test rows"
    if not beside:
        return f"{lead} leads"
    if not level:
        return f"{lead} leads, ahead of every {'other ' * result.leader.baseline}baseline"
    return f"{lead} leads, but is not told apart from {listed(level)}"


def _deck(result: CampaignResult) -> str:
    told = [
        f"{signed(a.difference)} over {shown(a.name)} ({interval(a.interval)})"
        for a in result.against
        if a.baseline and a.difference is not None
    ]
    ranked = f"Ranked by {shown(result.rank_by)} on validation rows."
    return f"{ranked} Its PR-AUC on test rows: {listed(told)}." if told else ranked


def _predecessor(result: CampaignResult) -> str:
    if not result.classic:
        return ""
    lead, was = result.leader, PREDECESSOR
    return (
        f"F1+ {plain_number(lead.f1.mean)}, precision {plain_number(lead.precision.mean)}, recall "
        f"{plain_number(lead.recall.mean)} at a base rate of {percent(result.base_rate)}. The "
        f"predecessor reported F1+ {was.f1:.3f}, precision {was.precision:.3f}, recall "
        f"{was.recall:.3f}, PR-AUC {was.pr_auc[0]:.2f} to {was.pr_auc[1]:.2f}; {ORIENTATION}."
    )


def _bands(result: CampaignResult) -> tuple[Band, ...]:
    lead = result.leader
    got, asked = lead.precision.mean, lead.break_even_precision
    bands = []
    if got is not None and asked is not None and got < asked:
        text = (
            f"At its F1 threshold {shown(lead.name)} is right in {percent(got)} of the rows it "
            f"picks; after costs {percent(asked)} would break even."
        )
        bands.append(Band("broken", "Precision below break-even", text))
    text = (
        f"Nothing from {day(result.sealed_from)} on was scored. The order comes from validation "
        "rows, the figures from test rows before the seal."
    )
    return (*bands, Band("warning", "A comparison, no verdict", text))


def _facts(result: CampaignResult) -> tuple[str, ...]:
    budget, n_fits = result.budget, sum(len(a.fits) for a in result.architectures)
    rows = budget.get("rows")
    return (
        f"{plural(len(result.architectures), 'architecture')}, "
        f"{plural(len(result.seeds), 'seed')}, {plural(len(result.folds), 'fold')}: "
        f"{plural(n_fits, 'fit')}",
        f"budget: {'all' if rows is None else count(int(rows))} train rows a fold for a network, "
        f"{plural(int(budget.get('epochs') or 0), 'epoch')} at most",
        f"{plural(result.n_test_rows, 'test row')}, base rate {percent(result.base_rate)}",
        f"{plural(result.n_instruments, 'instrument')}, {day(result.first)} to {day(result.last)}",
        f"{plural(result.n_candidates, 'candidate')} on these rows in the ledger",
    )


def _is_apart(ends: tuple[float, float] | None) -> bool:
    return ends is not None and ends[0] > 0
