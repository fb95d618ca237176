"""The sections that say what would turn the model's decisions: counterfactuals, noise, attacks."""

from typing import Final

from markupsafe import Markup

from touchstone.reports.charts.attack_curve import NAMES, attack_curve
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.rows import Grid, Row, bars
from touchstone.reports.charts.scales import Scale, ticks
from touchstone.reports.charts.window import back, changed_bars
from touchstone.reports.explain import ExplainResult
from touchstone.reports.explain_contents import (
    Case,
    Counterfactual,
    Counterfactuals,
    Estimate,
    RobustnessFound,
    RobustnessPoint,
)
from touchstone.reports.figures import (
    THIN,
    bare_percent,
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
from touchstone.reports.measurement import Section

_MOST_STRIPS: Final = 3
_MOST_TURNED: Final = 12
_CASES: Final[dict[Case, str]] = {
    "hit accepted": "rightly accepted", "miss accepted": "wrongly accepted",
    "hit refused": "wrongly refused", "miss refused": "rightly refused",
}  # fmt: skip


def decisions(result: ExplainResult) -> tuple[Section | None, ...]:
    """Counterfactuals and robustness."""
    found = (result.counterfactuals, result.robustness)
    return (
        None if found[0] is None else _turned(found[0]),
        None if found[1] is None else _robust(found[1]),
    )


def _turned(found: Counterfactuals) -> Section:
    charts = [_example(one, i) for i, one in enumerate(found.examples)]
    charts += [_shares(found)] if found.turned else []
    say = [
        f"The smallest change of a window that turns its decision, found by {found.how}"
        + (f"; {', '.join(found.held)} stay as they are" if found.held else "")
        + ", and no value leaves the range that its feature had on the instrument\u2019s train "
        "rows. " + _summary(found),
        "Below, typical rows of the newest fold: as far from the threshold as half of their kind. "
        "Blue behind a bar: values of it are changed, the darker the more; the rows under it say "
        "of which features, blue up and grey down.",
    ]
    return Section(
        "changes", "Changes", "What would have to be different?", tuple(say), tuple(charts),
        () if found.turned else (_examples(found),),
    )  # fmt: skip


def _summary(found: Counterfactuals) -> str:
    told = f"{found.n_found} of {plural(found.n_asked, 'decision')} could be turned"
    if found.median_distance is None:
        told += ". "
    else:
        told += (
            f", the median by {plain_number(found.median_distance, 2)} standard deviations in "
            f"{plural(round(found.median_values or 0), 'value')}. "
        )
    missing = found.n_asked - found.n_found
    if missing:
        told += (
            f"For {count(missing)} none was found inside those ranges, which does not prove that "
            "there is none. "
        )
    if found.n_nearest:
        told += (
            f"The nearest train window that is decided otherwise is {_sd(found.median_nearest)} "
            "away in the mean of each value: real windows differ in everything."
        )
    else:
        told += f"All {count(found.n_looked)} train rows looked at are decided alike."
    return told


def _sd(value: float | None) -> str:
    return f"{plain_number(value, 2)}\u202fsd"


def _example(one: Counterfactual, i: int) -> Chart:
    title = f"{one.symbol}, {_CASES[one.case]}: {_change(one)}"
    at = "or more accepts it"
    note = Markup(
        'Decided <time datetime="{}">{}</time>; score {}, {} {}; {} came.'
    ).format(
        one.time, moment(one.time), plain_number(one.score), plain_number(one.threshold), at,
        percent(one.realised, sign=True),
    )  # fmt: skip
    head = (
        Column("Feature", number=False), Column("Bar"), Column("From"), Column("To"),
        Column("sd, all bars"),
    )  # fmt: skip
    cells = tuple(
        (m.name, back(m.bar + 1)[0], plain_number(m.before), plain_number(m.after),
         plain_number(sum(abs(v) for v in m.change)))
        for m in one.moves
    )  # fmt: skip
    table = Table("what changes", head, cells) if cells else None
    body = changed_bars(one, _MOST_STRIPS)
    return Chart(f"change-{i}", title, note, body, table, "trade slice")


def _change(one: Counterfactual) -> str:
    if not one.moves:
        return "no change found that turns it"
    first = one.moves[0]
    bar = "newest bar" if first.bar == 0 else f"{plural(first.bar, 'bar')} back"
    way = "higher" if first.after > first.before else "lower"
    rest = len(one.moves) - 1
    more = f" and {plural(rest, 'other')}" if rest else ""
    return f"{first.name} {way} at the {bar}{more}" if first.bar == 0 else (
        f"{first.name} {way}, {bar}{more}"
    )  # fmt: skip


def _shares(found: Counterfactuals) -> Chart:
    top = found.turned[:_MOST_TURNED]
    scale = Scale(0.0, max(t.share for t in top) * 1.05)
    rows = [
        Row(t.name, t.share, f"{percent(t.share)} \u00b7 {count(t.n)}", None, "ours") for t in top
    ]
    grid = Grid(scale, ticks(scale, 4, " %", 100, thin=True), 0.0, "share of all change",
                "share \u00b7 rows")  # fmt: skip
    title = f"{top[0].name} turns most: {percent(top[0].share)} of all change"
    note = (
        f"Change that turned {plural(found.n_found, 'decision')}, by feature; and in how many of "
        "them it is changed."
    )
    body = bars(rows, grid, "long-names")
    return Chart("turned", title, note, body, _examples(found), "full slice")


def _examples(found: Counterfactuals) -> Table:
    head = (
        Column("row", number=False), Column("score"), Column("accepted from"),
        Column("changed to"), Column("change, sd"), Column("values"),
        Column("nearest train window", number=False), Column("its score"), Column("away, sd"),
        Column("differs most in", number=False),
    )  # fmt: skip
    rows = tuple(
        (
            f"{one.symbol}, {_CASES[one.case]}", plain_number(one.score),
            plain_number(one.threshold), plain_number(one.changed_score),
            plain_number(one.distance), count(one.n_values) if one.moves else "none found",
            "none" if one.nearest_time is None
            else f"{one.nearest_symbol}, {moment(one.nearest_time)}",
            plain_number(one.nearest_score), plain_number(one.nearest_distance),
            ", ".join(one.nearest_differs),
        )
        for one in found.examples
    )  # fmt: skip
    note = (
        f"Nearest among at most {count(found.n_looked)} train rows, evenly spaced; away: root mean "
        "square over all values of the window. Change: sum of absolute changes."
    )
    return Table("the examples, and the nearest window that happened", head, rows, note)


def _robust(found: RobustnessFound) -> Section:
    base = (found.base_rate, f"base rate {percent(found.base_rate)}")
    last = max(p.share for p in found.points)
    ends: dict[str, RobustnessPoint] = {p.attack: p for p in found.points if p.share == last}
    pr = attack_curve(found.points, lambda p: p.pr_auc, ("PR-AUC", "", 1.0), base)
    net = attack_curve(
        found.points, lambda p: p.net, ("bp a row, net", "", 1e4), (0.0, "no gain")
    )  # fmt: skip
    acc = attack_curve(found.points, lambda p: p.accuracy, ("right, %", " %", 100))
    note = f"{plural(found.n_rows, 'test row')}; whiskers: 95 % over days."
    worst = max(ends.values(), key=lambda p: p.n_flipped)
    charts = (
        Chart("robust-pr", _fall(found), note, pr, _points(found), "full"),
        Chart("robust-net", _net_title(found, ends), "Mean return of accepted rows after costs; "
              "outcomes are those of the true bars. " + note, net, None),
        Chart("robust-accuracy", f"{sentence(NAMES[worst.attack])} turns "
              f"{percent(worst.n_flipped / found.n_rows)} of the decisions at {_share(last)}",
              "Share of right decisions: accepted and at the target, or refused and not. " + note,
              acc, None),
    )  # fmt: skip
    how = (
        "FGSM takes one step along the gradient, PGD ten and the worst of all that it passed."
        if found.has_gradients
        else "This model has no gradients, so the attacker searches: feature by feature, the whole "
        "window up or down. A better attacker may find more."
    )
    say = (
        "Every value is moved by the same share of its feature\u2019s noise, the standard "
        "deviation of its change from bar to bar: at random, or by an attacker who knows the "
        f"model and what came. {how} Calendar features stay.",
    )
    return Section(
        "robustness", "Robustness", "How much rests on fine detail?", say, charts
    )  # fmt: skip


def _fall(found: RobustnessFound) -> str:
    """How much of the ranking survives chance and attack."""
    small = sorted({p.share for p in found.points})
    at = small[min(2, len(small) - 1)]
    here = {p.attack: p.pr_auc.value for p in found.points if p.share == at}
    worst = min(here, key=lambda way: here[way] or 0.0)
    return (
        f"At {_share(at)} of the noise PR-AUC is {plain_number(here['random'])} by chance, "
        f"{plain_number(here[worst])} under {NAMES[worst]}"
    )


def _net_title(found: RobustnessFound, ends: dict[str, RobustnessPoint]) -> str:
    now, then = found.points[0].net.value, ends["random"].net.value
    if now is None:
        return "No row is accepted"
    return f"{_bp(now)}\u202fbp an accepted row, {_bp(then)}\u202fbp under the largest random noise"


def _points(found: RobustnessFound) -> Table:
    head = (
        Column("moved by", number=False), Column("share of noise, %"), Column("PR-AUC"),
        Column("95 %"), Column("right, %"), Column("95 %"), Column("net, bp a row"),
        Column("95 %"), Column("accepted"), Column("turned"), Column("mean move of the score"),
    )  # fmt: skip
    rows = tuple(
        (
            NAMES[p.attack], bare_percent(p.share), plain_number(p.pr_auc.value), _ends(p.pr_auc),
            bare_percent(p.accuracy.value), _ends(p.accuracy, 100),
            _bp(p.net.value), _ends(p.net, 1e4, sign=True),
            count(p.n_accepted), count(p.n_flipped), plain_number(p.moved),
        )
        for p in found.points
    )  # fmt: skip
    return Table("every attack and size", head, rows)


def _share(value: float) -> str:
    return f"{short(100 * value)}{THIN}%"


def _bp(value: float | None) -> str:
    return signed(None if value is None else 1e4 * value)


def _ends(found: Estimate, scale: float = 1.0, *, sign: bool = False) -> str:
    return interval(found.interval, scale=scale, sign=sign)
