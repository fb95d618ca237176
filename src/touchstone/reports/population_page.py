"""The page of a search by populations: did taking over help, and which course did settings take?"""

from collections.abc import Sequence
from typing import Any, Final

from touchstone.reports.campaign_sections import shown
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.figures import (
    NONE,
    count,
    day,
    interval,
    plain_number,
    plural,
    sentence,
    signed,
)
from touchstone.reports.measurement import Band, Page, Section, render
from touchstone.reports.population import Life, PopulationFound, PopulationResult
from touchstone.reports.population_charts import beside, lives, schedule

_CANNOT: Final = (
    "What this cannot show: that any of them earns money. Validation rows chose both the winner "
    "and the best fixed settings, so their figures there flatter; the difference on test rows is "
    "between two that were chosen on other rows. It is one population beside one random search: "
    "the interval knows of other days, not of other seeds, which may turn out otherwise. The "
    "sealed rows were not looked at."
)
_NO_RECIPE: Final = (
    "A schedule is no recipe: the winner\u2019s weights came of several settings one after the "
    "other, and of copies, which no study can write down. The study beside this page holds the "
    "winner\u2019s last settings; touchstone run trains a network from the beginning with them, "
    "and so gives what \u201canew\u201d stands for, not what the population gave. Its "
    "own weights, a network a fold, lie beside this page in winners/."
)


def page(result: PopulationResult, command: str) -> str:
    """The page as HTML text."""
    lead = in_order(result)[0]
    return render(
        Page(
            name=result.name,
            seed=result.seed,
            kicker="Do networks that take over from each other beat fixed settings?",
            headline=_headline(lead),
            deck=_deck(result, lead),
            figure=signed(lead.difference),
            unit=f"PR-AUC on test rows, the population\u2019s best {shown(lead.name)} less the "
            f"best fixed settings (95 %: {interval(lead.interval)})",
            under=_under(lead),
            facts=_facts(result),
            cannot=_CANNOT,
            bands=_bands(result),
            sections=(
                *(_section(result, one, i) for i, one in enumerate(in_order(result))),
                _how(result),
            ),
            command=command,
        )
    )


def told(result: PopulationResult) -> list[str]:
    """What a terminal shows."""
    lines = [
        f"{shown(one.name)}: {shown(result.objective)} {plain_number(one.winner.value)} on "
        f"validation rows, best fixed settings {plain_number(one.fixed.value)}; on test rows "
        f"{_verdict(one)} ({signed(one.difference)}, 95 %: {interval(one.interval)}); its last "
        f"settings trained anew {_range([a.mean for a in one.again])}: {one.file}"
        for one in in_order(result)
    ]
    lines += [f"left out: {why}" for why in result.refused.values()]
    return lines


def in_order(result: PopulationResult) -> list[PopulationFound]:
    """Populations, the best on validation rows first."""
    sign = -1.0 if result.direction == "higher" else 1.0
    return sorted(result.populations, key=lambda one: sign * (one.winner.value or 0.0))


def _verdict(one: PopulationFound) -> str:
    if one.winner == one.fixed or one.difference == 0:
        return "the same"
    if one.interval is None or one.interval[0] <= 0 <= one.interval[1]:
        return "not told apart"
    return "better" if one.interval[0] > 0 else "worse"


def _headline(lead: PopulationFound) -> str:
    name = sentence(shown(lead.name))
    said = {
        "the same": f"{name}: taking over changed nothing, the best was never a copy",
        "not told apart": f"{name}: the population is not told apart from the best fixed settings",
        "better": f"{name}: in this run the population beats the best fixed settings",
        "worse": f"{name}: in this run the best fixed settings beat the population",
    }
    return said[_verdict(lead)]


def _deck(result: PopulationResult, lead: PopulationFound) -> str:
    return (
        f"{shown(result.objective)} on validation rows: {plain_number(lead.winner.value)} for the "
        f"population\u2019s best (generation {lead.winner.generation}, member "
        f"{lead.winner.member}), {plain_number(lead.fixed.value)} for the best of the same members "
        f"left alone, {_range([one.mean for one in lead.again])} for the winner\u2019s last "
        "settings trained from the beginning."
    )


def _under(lead: PopulationFound) -> str:
    n = sum(_copied(life) for life in lead.lives)
    own = sum(_copied(life) for life in lead.ancestors)
    line = "It never took over from another"
    if own:
        line = f"It took over {_times(own)} on its way"
    return f"{line}; in the whole population {count(n)} {'copy' if n == 1 else 'copies'}."


def _facts(result: PopulationResult) -> tuple[str, ...]:
    data = result.data
    rows = data.get("n_validate")
    return (
        f"{plural(len(result.populations), 'architecture')}, "
        f"{plural(result.members, 'member')} each",
        f"{plural(result.generations, 'generation')} of {plural(result.epochs, 'epoch')}",
        f"{plural(int(data.get('n_folds') or 0), 'fold')}, {count(rows)} validation rows",
        f"{plural(int(data.get('n_instruments') or 0), 'instrument')}, "
        f"{day(data.get('first'))} to {day(data.get('last'))}",
        f"{plural(result.n_candidates, 'candidate')} on these rows in the ledger",
    )


def _bands(result: PopulationResult) -> tuple[Band, ...]:
    bands = [
        Band("warning", "A schedule, no recipe",
             "touchstone run trains with the winner\u2019s last settings, from the beginning: "
             "another network than the one that won here."),
        Band("warning", "A comparison, no verdict",
             f"Nothing from {day(result.data.get('sealed_from'))} on was scored."),
    ]  # fmt: skip
    if result.refused:
        bands.append(Band("warning", "Left out", " ".join(f"{why}." for why in
                                                          result.refused.values())))  # fmt: skip
    return tuple(bands)


def _section(result: PopulationResult, one: PopulationFound, place: int) -> Section:
    name = shown(one.name)
    n_failed = sum(1 for life in one.lives if life.value is None)
    still = ", ".join(one.still)
    say = [f"Still in all members: {still}."] if still else []
    if n_failed:
        say.append(f"Training failed {_times(n_failed)}; who fails takes over from the best.")
    charts = [
        Chart(f"lives-{place}", f"{sentence(name)}, every member over the generations",
              f"{shown(result.objective)} on validation rows after each generation, mean over the "
              "folds. A generation\u2019s copies begin at their sources.",
              lives(result, one), None, "full"),
        Chart(f"beside-{place}", _beside_title(one),
              "The winner with the weights it has, the best of the same members without taking "
              "over, and the winner\u2019s last settings trained from the beginning.",
              beside(result, one), None),
    ]  # fmt: skip
    charts += [
        Chart(f"schedule-{place}-{i}", f"{key.key}: {_course(one, key.key)}",
              "Line: what the winner\u2019s ancestors learned with. Dots: all members.",
              schedule(result, one, key), None)
        for i, key in enumerate(one.space)
    ]  # fmt: skip
    tables = (_measured(result, one), _line_table(one), _all(result, one))
    return Section(f"population-{place}", name, sentence(name), tuple(say), tuple(charts), tables)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{count(n)} times")


def _beside_title(one: PopulationFound) -> str:
    """What the chart shows, and what test rows say of it."""
    if _verdict(one) == "the same":
        return "The winner is the best fixed member"
    ours, theirs = plain_number(one.winner.value), plain_number(one.fixed.value)
    said = {
        "not told apart": "not told apart", "better": "better there too",
        "worse": "worse there",
    }[_verdict(one)]  # fmt: skip
    return f"{ours} beside {theirs} on the rows that chose; on test rows {said}"


def _course(one: PopulationFound, key: str) -> str:
    values = [_value(life.settings.get(key)) for life in one.ancestors]
    if len(set(values)) == 1:
        return f"{values[0]} throughout"
    if values[0] == values[-1]:
        other = next(v for v in values if v != values[0])
        return f"{values[0]}, then {other}, {values[0]} in the end"
    return f"{values[0]} to {values[-1]}"


def _measured(result: PopulationResult, one: PopulationFound) -> Table:
    n_folds = max(len(one.winner.by_fold), 1)
    head = (
        Column("what", number=False), Column(f"{shown(result.objective)}, validation"),
        *(Column(f"fold {i + 1}") for i in range(n_folds)), Column("PR-AUC, test"),
    )  # fmt: skip
    rows = [
        ("population\u2019s best", plain_number(one.winner.value), *_each(one.winner.by_fold),
         plain_number(one.winner.test)),
        ("best fixed settings", plain_number(one.fixed.value), *_each(one.fixed.by_fold),
         plain_number(one.fixed.test)),
    ]  # fmt: skip
    rows += [
        (f"last settings anew, seed {a.seed}", plain_number(a.mean), *_each(a.by_fold), NONE)
        for a in one.again
    ]
    note = (
        f"Difference of the first two on test rows: {signed(one.difference)}, 95 %: "
        f"{interval(one.interval)}, whole days drawn anew, the same for both; where it holds 0, "
        "they are not told apart. Those trained anew stop by the study\u2019s patience."
    )
    return Table("The winner beside the others", head, tuple(rows), note)


def _line_table(one: PopulationFound) -> Table:
    keys = [key.key for key in one.space]
    head = (
        Column("generation"), Column("member"), Column("from member"), Column("value"),
        *(Column(key) for key in keys),
    )  # fmt: skip
    rows = tuple(
        (str(life.generation), str(life.member), _source(life), plain_number(life.value),
         *(_value(life.settings.get(key)) for key in keys))
        for life in one.ancestors
    )  # fmt: skip
    return Table("The winner\u2019s schedule", head, rows)


def _all(result: PopulationResult, one: PopulationFound) -> Table:
    sign = -1.0 if result.direction == "higher" else 1.0
    rows = []
    for g in range(result.generations):
        ours, alone = (
            sorted(sign * o.value for o in group if o.generation == g and o.value is not None)
            for group in (one.lives, one.alone)
        )
        n = sum(_copied(life) for life in one.lives if life.generation == g)
        shares = (*(_at(ours, s, sign) for s in (0.0, 0.5, 1.0)), str(n))
        rows.append((str(g), *shares, *(_at(alone, s, sign) for s in (0.0, 0.5))))
    head = (
        Column("generation"), Column("best"), Column("median"), Column("worst"), Column("copies"),
        Column("best fixed"), Column("median fixed"),
    )  # fmt: skip
    return Table(f"{sentence(shown(one.name))} by generation", head, tuple(rows),
                 "Every member of every generation stands in result.json.")  # fmt: skip


def _at(values: Sequence[float], share: float, sign: float) -> str:
    return plain_number(sign * values[round(share * (len(values) - 1))]) if values else NONE


def _how(result: PopulationResult) -> Section:
    say = (
        f"{plural(result.members, 'network')} a fold learn side by side. After every generation "
        "of epochs the worst take the weights, the optimiser\u2019s moments and the settings of "
        "one of the best, and each setting is multiplied by 0.8 or 1.25, goes a step along its "
        "grid, or is drawn anew.",
        "The same members were trained beside them without taking over from each other: a random "
        "search with the same budget, beginning from the same settings and weights.",
        _NO_RECIPE,
    )
    return Section("how", "How", "How it was done, and what goes on from here", say)


def _copied(life: Life) -> bool:
    return life.source is not None and life.source != life.member


def _source(life: Life) -> str:
    return str(life.source) if _copied(life) else NONE


def _each(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(plain_number(v) for v in values)


def _range(values: Sequence[float | None]) -> str:
    known = [v for v in values if v is not None]
    if not known:
        return NONE
    low, high = plain_number(min(known)), plain_number(max(known))
    return low if low == high else f"{low} to {high}"


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return count(value) if isinstance(value, int) else plain_number(value)
