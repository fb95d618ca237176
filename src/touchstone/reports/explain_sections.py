"""The sections of an explanation's page that say what the score is made of."""

import re
from typing import Final

from touchstone.reports.campaign_sections import listed, shown
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.rows import Grid, Row, dots
from touchstone.reports.charts.scales import covering, ticks
from touchstone.reports.charts.strips import Strip, strips
from touchstone.reports.charts.window import attended, back
from touchstone.reports.explain import ExplainResult, ranking
from touchstone.reports.explain_contents import Attended, Attributed, Need, Permutation, Weight
from touchstone.reports.explain_decisions import decisions
from touchstone.reports.explain_errors import errors
from touchstone.reports.figures import (
    MINUS,
    NONE,
    bare_percent,
    count,
    day,
    interval,
    percent,
    plain_number,
    plural,
    sentence,
    signed,
    words,
)
from touchstone.reports.measurement import Section

_MOST: Final = 20
"""Features drawn; the table has all."""
_MOST_LAYERS: Final = 4
_HARDLY: Final = 1.25
"""Times the even share, below which the largest weight is hardly one."""
_FOLLOWED: Final = (
    " Weights followed through all blocks, half of each block\u2019s output being what came in "
    "(attention rollout, Abnar and Zuidema 2020): so the newest bar always keeps much of itself."
)
_METHODS: Final = {
    "tree": "TreeSHAP, exact", "linear": "linear SHAP, exact",
    "expected gradients": "expected gradients (SHAP for networks)",
    "integrated gradients": "integrated gradients",
}  # fmt: skip


def sections(result: ExplainResult) -> tuple[Section, ...]:
    """Everything below the answer, in order; what was not asked for is left out."""
    found = (
        _needs(result), _where(result), _attention(result), *decisions(result), errors(result),
        _limits(result), _how(result),
    )  # fmt: skip
    return tuple(section for section in found if section is not None)


def _needs(result: ExplainResult) -> Section | None:
    charts = []
    needed, shares = result.permutation, result.shap or result.gradients
    if needed is None and shares is None:
        return None
    order = list(ranking(result))
    if needed is not None:
        charts.append(_drops("need", _need_title(needed), needed.features[:_MOST], needed))
    if shares is not None:
        charts.append(_sizes(shares, order[:_MOST]))
    charts[0] = charts[0]._replace(table=_table(result))
    if needed is not None and needed.groups:
        title = f"{needed.groups[0].name}: what they say together"
        if len(needed.groups[0].name.split(" + ")) > 2:
            title = "Features that say much the same, lost together"
        charts.append(_drops("need-groups", title, needed.groups, needed))
    if needed is not None and needed.bars:
        charts.append(_drops("need-bars", _bars_title(needed), needed.bars, needed))
    say = (
        "First how much worse the model ranks rows when a feature tells of other days, then how "
        "much of each score a feature brings. The first asks what is needed, the second what is "
        "used; a feature with a double is used and not needed.",
    )
    return Section("importance", "Features", "What does it go by?", say, tuple(charts))


def _need_title(found: Permutation) -> str:
    told = [n.name for n in found.features if n.is_told]
    if not told:
        return "No feature can be told from nothing"
    if not found.features[0].is_told:
        return (
            f"{told[0]} can be told from nothing, the larger fall of {found.features[0].name} not"
        )
    untold = len(found.features) - len(told)
    beside = f"; {words(untold)} of {words(len(found.features))} not told from nothing"
    return f"{told[0]} is needed most" + beside * bool(untold)


def _bars_title(found: Permutation) -> str:
    most = max(found.bars, key=lambda n: n.drop or 0.0)
    if not most.is_told:
        return "No stretch of bars stands out from nothing"
    return f"Of the window, {_minus(most.name)} are needed most"


def _minus(name: str) -> str:
    """A stretch of bars as people read it; names of features have no hyphen."""
    return name.replace("-", MINUS)


def _drops(key: str, title: str, needs: tuple[Need, ...], found: Permutation) -> Chart:
    values = [v for n in needs for v in (n.drop, *(n.interval or ()))]
    scale = covering(values, include=(0.0,))
    rows = [
        Row(
            _minus(n.name), n.drop, signed(n.drop, 2), n.interval, "ours" if n.is_told else "base",
            f"{n.name}: {signed(n.drop)}, 95 % {interval(n.interval)}",
        )
        for n in needs
    ]  # fmt: skip
    metric, n = shown(found.metric), len(found.features) if key == "need" else len(needs)
    grid = Grid(scale, ticks(scale, 4, thin=True), 0.0, f"fall of {metric} when it is lost",
                "fall")  # fmt: skip
    note = (
        f"{metric} of {plain_number(found.base)} less that without it, mean of "
        f"{words(found.n_permutations)} permutations of whole days; whisker: 95 % over days. Grey: "
        f"cannot be told from nothing. {_by_luck(n, needs)}"
    )
    if found.kept:
        note += f" {plural(found.kept, 'row')} had no other day to borrow from and kept their own."
    if found.untested and key == "need":
        keep = "keeps its" if len(found.untested) == 1 else "keep their"
        note += (
            f" Not tested: {listed(found.untested)}, which {keep} values when days change places, "
            "since rows borrow at their own hour."
        )
    return Chart(key, title, note, dots(rows, grid, "long-names"), None, "slice")


def _by_luck(n: int, needs: tuple[Need, ...]) -> str:
    """How many of n worthless parts a 95 % interval tells from nothing, each tested alone."""
    if not any(need.interval for need in needs):
        return "Too few days for an interval: nothing can be."
    return f"Of {words(n)} worth nothing, luck would tell {plain_number(0.025 * n, 2)}."


def _sizes(found: Attributed, order: list[str]) -> Chart:
    by_name = {w.name: w for w in found.features}
    shown_first = [by_name[name] for name in order if name in by_name]
    scale = covering(
        [v for w in shown_first for v in (w.size, *(w.interval or ()))], include=(0.0,)
    )
    rows = [
        Row(w.name, w.size, f"{plain_number(w.size, 2)} {_arrow(w)}", w.interval, "base",
            f"{w.name}: {plain_number(w.size)}, 95 % {interval(w.interval, sign=False)}")
        for w in shown_first
    ]  # fmt: skip
    grid = Grid(
        scale, ticks(scale, 4, thin=True), 0.0, "mean absolute share of the margin", "share"
    )  # fmt: skip
    note = (
        f"{sentence(_METHODS.get(found.method, found.method))}, {plural(found.n_rows, 'row')}; "
        "whisker: 95 % over days. \u2191: more of the feature raises the score, \u2193: lowers it, "
        "\u2195: neither throughout."
    )
    title = f"{found.features[0].name} has the largest share of the score"
    return Chart("shares", title, note, dots(rows, grid, "long-names"), None, "slice")


def _arrow(weight: Weight) -> str:
    if weight.rising is None or abs(weight.rising) < 0.5:
        return "\u2195"
    return "\u2191" if weight.rising > 0 else "\u2193"


def _table(result: ExplainResult) -> Table:
    """Every feature by every method."""
    needs = {n.name: n for n in result.permutation.features} if result.permutation else {}
    shap = {w.name: w for w in result.shap.features} if result.shap else {}
    paths = {w.name: w for w in result.gradients.features} if result.gradients else {}
    head = (
        Column("feature", number=False), Column("fall when lost"), Column("95 %"),
        Column("sd of permutations"), Column("mean |SHAP|"), Column("95 %"), Column("rank corr."),
        *((Column("integrated gradients"),) if paths else ()),
    )  # fmt: skip
    rows = []
    for name in ranking(result):
        need, own, path = needs.get(name), shap.get(name), paths.get(name)
        cells = (
            name,
            NONE if need is None else signed(need.drop),
            NONE if need is None else interval(need.interval),
            NONE if need is None else plain_number(need.spread, 2),
            NONE if own is None else plain_number(own.size),
            NONE if own is None else interval(own.interval, sign=False),
            NONE if own is None or own.rising is None else signed(own.rising, 2),
        )
        rows.append((*cells, *((plain_number(path.size) if path else NONE,) if paths else ())))
    note = (
        "Rank corr.: of the SHAP share of a row with the feature\u2019s newest value. "
        + "".join(
            f"{sentence(found.method)} leave {percent(found.gap_share)} of the score\u2019s "
            "movement unsaid. "
            for found in (result.shap, result.gradients)
            if found is not None and found.gap_share > 1e-3
        )
    )
    return Table("every feature, by every method", head, tuple(rows), note.strip())


def _where(result: ExplainResult) -> Section | None:
    """Feature by bar."""
    found = result.gradients or result.shap
    if found is None or len(found.parts) < 2:
        return None
    rows = list(zip(found.features, found.by_part, strict=True))[:_MOST]
    is_bars = found.parts[-1] == "0"
    places = back(len(found.parts)) if is_bars else found.parts
    drawn = [Strip(w.name, cells, plain_number(w.size, 2)) for w, cells in rows]
    what = "bars back" if is_bars else "summary of the window"
    body = strips(drawn, places, (what, "share", "bar" if is_bars else ""), "long-names")
    total = [sum(cells[k] for cells in found.by_part) for k in range(len(found.parts))]
    most = max(range(len(total)), key=lambda k: total[k])
    if is_bars:
        n = max(1, len(total) // 4)
        share = sum(total[-n:]) / (sum(total) or 1.0)
        title = f"The newest {words(n)} bars bring {percent(share)} of the score\u2019s movement"
    else:
        title = f"Most of it comes from the {_summary(found.parts[most])}"
    note = (
        f"{sentence(_METHODS.get(found.method, found.method))}: mean absolute share of each "
        "feature at each bar; the darker, the larger."
        if is_bars
        else "A model of this kind reads three numbers of each feature: its last value (last), a "
        "mean that halves every quarter of the window (recent), and the plain mean (mean)."
    )
    head = (Column("feature", number=False), *(Column(p) for p in places))
    cells = tuple(
        (w.name, *(plain_number(v, 2) for v in row))
        for w, row in zip(found.features, found.by_part, strict=True)
    )
    table = Table("feature by bar", head, cells)
    chart = Chart("map", title, note, body, table, "full slice")
    return Section("window", "Window", "Where in the window?", (), (chart,))


def _summary(part: str) -> str:
    return {
        "last": "newest bar", "recent": "mean of recent bars", "mean": "mean of the window",
    }.get(part, part)  # fmt: skip


def _attention(result: ExplainResult) -> Section | None:
    found = result.attention
    if found is None:
        return None
    title = "Where does it look?"
    if not found.layers:
        note = found.note.replace(result.model, shown(result.model), 1)
        return Section("attention", "Attention", title, (f"{sentence(note)}.",))
    charts = []
    for i, layer in enumerate(found.layers[:_MOST_LAYERS]):
        head = f"{_layer(layer.name)}: {_most(layer)}"
        rows = tuple(
            (name, bare_percent(m), bare_percent(low), bare_percent(high))
            for name, m, low, high in zip(
                layer.over, layer.mean, layer.low, layer.high, strict=True
            )
        )
        table = Table(
            f"weights of {layer.name}",
            (Column("bar", number=False), Column("mean, %"), Column("5 % lie below"),
             Column("5 % lie above")), rows,
        )  # fmt: skip
        note = (
            f"Mean weight over {plural(found.n_rows, 'row')} and "
            f"{plural(len(layer.heads), 'head')}; band: 90 of 100 rows; dashed: all alike."
            + _FOLLOWED
            * (layer.name == "rollout")
        )
        charts.append(Chart(f"attention-{i}", head, note, attended(layer), table))
    say = (
        "A weight says how much of a bar\u2019s content flows on, not what it does there: what "
        "raises a score stands in the section above.",
    )
    return Section("attention", "Attention", title, say, tuple(charts))


def _layer(name: str) -> str:
    """A layer as people call it.

    >>> _layer("blocks.0.attention"), _layer("rollout"), _layer("pooling")
    ('Block 1', 'All blocks together', 'Pooling')
    """
    block = re.fullmatch(r"blocks\.(\d+)\.attention", name)
    if block:
        return f"Block {int(block[1]) + 1}"
    return "All blocks together" if name == "rollout" else sentence(name)


def _most(layer: Attended) -> str:
    """Where the most weight lies, if it is much more than if all were alike."""
    at = max(range(len(layer.mean)), key=lambda k: layer.mean[k])
    if layer.mean[at] * len(layer.mean) < _HARDLY:
        return "nearly all places alike"
    where = "the newest bar" if layer.over[at] == "0" else _minus(layer.over[at])
    return f"most weight on {where}, {percent(layer.mean[at])}"


def _limits(result: ExplainResult) -> Section:
    told = {
        "permutation": (
            "permutation importance", "What the model loses without a feature, not what the "
            "feature is worth to another model. Of two features that say the same neither is "
            "missed alone: read their group. Borrowed values can make rows that no market shows.",
        ),
        "shap": (
            "SHAP", "Adds up to the score, and says nothing of whether the score is right. Trees "
            "are taken apart along their own paths; networks by the way from usual windows, with "
            "an error that is told.",
        ),
        "gradients": (
            "integrated gradients", "Depends on where the way begins: here at the mean of the "
            "train rows, which no market ever showed.",
        ),
        "attention": (
            "attention", "Where a layer takes content from; other weights could give the same "
            "score (Jain & Wallace 2019).",
        ),
        "counterfactuals": (
            "counterfactuals", "The smallest change that a local search found: there may be a "
            "smaller one, and where none was found there may be one. It turns the model, not the "
            "market, and features that belong together are moved apart.",
        ),
        "robustness": (
            "robustness", "The worst that an attacker who knows model and outcome could do, and "
            "chance of the same size. Nobody moves a market\u2019s features at will: the distance "
            "of both lines is what counts.",
        ),
        "errors": (
            "error slices", "Parts were chosen before their figures were seen, and the p-values "
            "are corrected for their number; still, a part that survives is a question for new "
            "data, not a filter.",
        ),
    }  # fmt: skip
    rows = tuple(
        words_of
        for part, words_of in told.items()
        if getattr(result, part) is not None and not (part == "attention" and not _has(result))
    )
    head = (Column("method", number=False), Column("what it cannot say", number=False))
    return Section(
        "limits", "Limits", "What can none of this say?", (),
        tables=(Table("Limits, method by method", head, rows),),
    )  # fmt: skip


def _has(result: ExplainResult) -> bool:
    return result.attention is not None and bool(result.attention.layers)


def _how(result: ExplainResult) -> Section:
    head = (
        Column("fold", number=False), Column("test", number=False), Column("threshold"),
        Column("test rows"), Column("drawn"),
    )  # fmt: skip
    rows = tuple(
        (f.name, f"{day(f.test[0])} to {day(f.test[1])}", plain_number(f.threshold),
         count(f.n_test), count(f.n_rows))
        for f in result.folds
    )  # fmt: skip
    say = (
        "Models as the run fitted them, restored and checked to score their test rows to the bit. "
        "Permutations, attacks and counterfactuals are scored through the one scoring path; error "
        "slices take all test rows, calibrated on each fold\u2019s validation rows.",
        f"Raw score from which on a row counts as accepted: {result.threshold_by}. Costs of a "
        f"round trip: {plain_number(1e4 * result.round_trip)}\u202fbp.",
    )
    return Section("how", "How", "How was it asked?", say, (), (Table("Folds", head, rows),))
