"""The sections of a search's page: an architecture each, and where it goes from here."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from markupsafe import Markup

from touchstone.reports.campaign_sections import listed, shown
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.figures import (
    NONE,
    count,
    percent,
    plain_number,
    plural,
    sentence,
    signed,
)
from touchstone.reports.measurement import Section
from touchstone.reports.tune import (
    SearchFound,
    SpaceKey,
    TrialFound,
    TuneResult,
    Version,
    WinnerFound,
)
from touchstone.reports.tune_charts import (
    best_value,
    coordinates,
    front,
    history,
    importance,
    leaders,
    slices,
    versions,
)
from touchstone.reports.tune_words import (
    agreed,
    agreed_text,
    count_of,
    ended,
    first_value,
    key_text,
    last_seen,
    objective,
    ranked,
    records,
    setting_text,
    settings_text,
    top,
    value,
)

_STALE: Final = 1 / 3
"""Share of the trials without a better one from which the title says so."""
_FEW_VALUES: Final = 2
_KEPT: Final = (
    "A version trained anew has the same settings and, on each fold, as many epochs as the "
    "checkpoint\u2019s best one; only its seed is another. It takes the checkpoint\u2019s place if "
    "it is no worse on validation rows. Test rows choose nothing here."
)


def sections(result: TuneResult) -> tuple[Section, ...]:
    """Everything below the answer, in order."""
    order = in_order(result)
    board = (_board(result, order),) if len(order) > 1 else ()
    own = tuple(
        _architecture(result, search, f"s{i}-") for i, search in enumerate(order)
    )  # fmt: skip
    return (*board, *own, _onwards(result))


def in_order(result: TuneResult) -> list[SearchFound]:
    """The searches, the one whose best trial is best first; those without one last."""
    sign = -1 if result.directions[0] == "higher" else 1

    def rank(search: SearchFound) -> tuple[bool, float, str]:
        best = best_value(search)
        return best is None, 0.0 if best is None else sign * best, search.name

    return sorted(result.searches, key=rank)


def named(search: SearchFound) -> str:
    """An architecture as a sentence begins."""
    return sentence(shown(search.name))


def _board(result: TuneResult, order: Sequence[SearchFound]) -> Section:
    pairs = [(shown(s.name), s) for s in order]
    lead = order[0]
    reached = plain_number(best_value(lead))
    title = f"{named(lead)} comes furthest on validation rows: {objective(result)} {reached}"
    note = (
        f"Large dot: the best trial\u2019s {objective(result)}, mean over the folds\u2019 "
        "validation rows; small ones: all others that ended. The more trials, the more the best "
        "one flatters."
    )
    head = (
        Column("architecture", number=False), Column("trials"), Column("ended"), Column("pruned"),
        Column("failed"), Column(f"best {objective(result)}"), Column("kept", number=False),
        Column("settings of the best", number=False),
    )  # fmt: skip
    rows = tuple(
        (
            shown(s.name), count(len(s.trials)), count(len(ended(s))),
            count(count_of(s, "pruned")), count(count_of(s, "failed")),
            plain_number(best_value(s)), s.winner.kept if s.winner is not None else NONE,
            settings_text(best.params) if (best := _best(s)) is not None else NONE,
        )
        for s in order
    )  # fmt: skip
    table = Table("every architecture with its best trial", head, rows)
    chart = Chart("leaders", title, note, leaders(result, pairs), table, "full")
    return Section("leaders-all", "All", "Which architecture?", (), (chart,))


def _best(search: SearchFound) -> TrialFound | None:
    number = search.winner.number if search.winner is not None else None
    if number is None and search.best:
        number = search.best[0]
    return next((t for t in search.trials if t.number == number), None)


def _architecture(result: TuneResult, search: SearchFound, key: str) -> Section:
    charts = [_history(result, search, key)]
    if len(result.objectives) > 1 and search.best:
        charts += _fronts(result, search, key)
    if search.importance:
        charts.append(_importance(result, search, key))
    if search.winner is not None:
        charts.append(_winner(result, search.winner, key))
    if len(ended(search)) > 1 and search.space:
        charts.append(_coordinates(result, search, key))
        varied = [k for k in _by_importance(search) if _varies(search, k)]
        charts += [_slices(result, search, varied, key)] if varied else []
    return Section(
        f"{key}all", shown(search.name), f"{named(search)}: {_finding(result, search)}",
        _say(search), tuple(charts),
    )  # fmt: skip


def _finding(result: TuneResult, search: SearchFound) -> str:
    best = _best(search)
    if best is None:
        return "no trial ended within the constraints" if result.limits else "no trial ended"
    return f"{objective(result)} {first_value(best)} at best"


def _say(search: SearchFound) -> tuple[str, ...]:
    best, n = _best(search), len(search.trials)
    parts = [f"{count_of(search, 'complete')} ended"]
    words = (("pruned", "pruned"), ("infeasible", "broke a constraint"), ("failed", "failed"))
    parts += [f"{count_of(search, s)} {w}" for s, w in words if count_of(search, s)]
    told = [f"{plural(n, 'trial')}: {listed(parts)}."]
    if best is not None:
        told.append(f"The best, trial {best.number}: {settings_text(best.params)}.")
    if search.importance is None and search.space:
        told.append(
            "Too few trials ended to say which setting matters, or none does more than by chance."
        )
    return tuple(told)


def _history(result: TuneResult, search: SearchFound, key: str) -> Chart:
    found, n = records(search, result.directions[0]), len(search.trials)
    if len(result.objectives) > 1 and search.best:
        title = f"{plural(len(search.best), 'trial')} of {n} beaten by none in all objectives"
    elif not found:
        title = f"Of {plural(n, 'trial')} none ended"
    else:
        last, after = found[-1], n - 1 - found[-1].number
        title = f"The best came at trial {last.number} of {n}: {first_value(last)}"
        if after >= _STALE * n and n >= 10:
            title += f"; the {after} after it found nothing better"
    note = (
        f"{sentence(objective(result))}, mean over the folds\u2019 validation rows, "
        f"{result.directions[0]} is better, in the order in which trials began. Those without any "
        "value, and those far off, stand on the edge; a pruned one had not seen every "
        "fold."
    )
    return Chart(f"{key}history", title, note, history(result, search),
                 _trials(result, search), "full")  # fmt: skip


def _trials(result: TuneResult, search: SearchFound) -> Table:
    """Every trial, for who wants to look one up."""
    limits = list(result.limits)
    head = (
        Column("trial"), Column("how it ended", number=False),
        *(Column(objective(result, i)) for i in range(len(result.objectives))),
        *(Column(f"{name.replace('_', ' ')}, limit {plain_number(bound)}")
          for name, bound in result.limits.items()),
        Column("last look"), Column("looks"),
        *(Column(key_text(k.key), number=not k.choices) for k in search.space),
        Column("why", number=False),
    )  # fmt: skip
    rows = tuple(
        (
            str(t.number), t.state,
            *(plain_number(value(t, i)) for i in range(len(result.objectives))),
            *(plain_number(t.constraints.get(name)) for name in limits),
            plain_number(last_seen(result, t)), count(len(t.steps)),
            *(setting_text(t.params[k.key]) if k.key in t.params else NONE for k in search.space),
            t.reason,
        )
        for t in search.trials
    )  # fmt: skip
    return Table(f"all {plural(len(rows), 'trial')} of {shown(search.name)}", head, rows)


def _fronts(result: TuneResult, search: SearchFound, key: str) -> list[Chart]:
    charts = []
    for a, b in combinations(range(len(result.objectives)), 2):
        names = f"{objective(result, a)} and {objective(result, b)}"
        n = len(search.best)
        title = (
            f"One trial is best in {names} at once" if n == 1 and len(result.objectives) == 2
            else f"{plural(n, 'trial')} trade {names} against each other"
        )  # fmt: skip
        note = (
            f"{result.directions[a]} is better across, {result.directions[b]} upwards; means over "
            "the folds\u2019 validation rows."
        )
        charts.append(
            Chart(f"{key}front{a}{b}", title, note, front(result, search, (a, b)), None)
        )  # fmt: skip
    return charts


def _importance(result: TuneResult, search: SearchFound, key: str) -> Chart:
    found = dict(search.importance or {})
    (first, share), *_ = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    title = f"{sentence(key_text(first))} matters most: {100 * share:.0f}\u202f% of what each does"
    note = (
        f"How much of the variance of {objective(result)} over the trials that ended each setting "
        "explains by itself (fANOVA), as a share of what all of them do: what they do together, "
        "and what no setting explains, is left out."
    )
    head = (Column("setting", number=False), Column("share"))
    rows = tuple(
        (k, percent(v)) for k, v in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    )
    return Chart(f"{key}importance", title, note, importance(found), Table("shares", head, rows))


def _winner(result: TuneResult, winner: WinnerFound, key: str) -> Chart:
    note = (
        f"{sentence(objective(result))} on validation rows, {result.directions[0]} is better. "
        f"Large dot: mean of the folds; small ones: the folds; dashed: the checkpoint. {_KEPT}"
    )
    n = max(len(v.by_fold) for v in winner.versions)
    head = (
        Column("version", number=False), *(Column(f"fold {i + 1}") for i in range(n)),
        Column("mean"), Column("against the checkpoint"), Column("", number=False),
    )  # fmt: skip
    first = winner.versions[0].mean
    rows = tuple(
        (
            v.name, *(plain_number(x) for x in v.by_fold), plain_number(v.mean),
            NONE if i == 0 else signed(_less(v, first), 2), "kept" if v.name == winner.kept else "",
        )
        for i, v in enumerate(winner.versions)
    )  # fmt: skip
    return Chart(
        f"{key}winner", winner_words(result, winner), note, versions(result, winner),
        Table("the winner\u2019s versions", head, rows),
    )  # fmt: skip


def winner_words(result: TuneResult, winner: WinnerFound) -> str:
    """Which version goes on, and by how much."""
    first, anew = winner.versions[0], winner.versions[1:]
    known = [v for v in anew if v.mean is not None]
    if not known:
        return "The checkpoint goes on: nothing was trained anew"
    sign = 1 if result.directions[0] == "higher" else -1
    best = max(known, key=lambda v: sign * (v.mean or 0.0))
    gap = signed(_less(best, first.mean), 2)
    if winner.kept == first.name:
        return f"The checkpoint goes on: the best of {len(anew)} trained anew is {gap} from it"
    return f"Trained anew it is no worse ({gap}): {winner.kept.partition(', ')[2]} goes on"


def _less(version: Version, first: float | None) -> float | None:
    return None if version.mean is None or first is None else version.mean - first


def _coordinates(result: TuneResult, search: SearchFound, key: str) -> Chart:
    found = agreed(search, result.directions[0])
    n = len(top(search, result.directions[0]))
    if found:
        title = f"The best {n} agree on {listed([agreed_text(f) for f in found[:3]])}"
    elif len(ranked(search, result.directions[0])) < n + 5:
        title = "Too few trials to say where the good ones lie"
    else:
        title = f"The best {n} agree on no setting more than chance would have it"
    note = (
        "A line is a trial that ended; it crosses each row at the value that it had there. They "
        "agree where they span no more than a third of what was searched, or one choice, and as "
        "many drawn from all that ended seldom would (p of 0.05, shared by the settings)."
    )
    return Chart(f"{key}parallel", title, note, coordinates(result, search),
                 _space(search), "full")  # fmt: skip


def _by_importance(search: SearchFound) -> list[SpaceKey]:
    found = search.importance or {}
    return sorted(search.space, key=lambda k: -(found.get(k.key) or 0.0))


def _varies(search: SearchFound, key: SpaceKey) -> bool:
    """Whether there is anything to see: a setting that is one value has no slice."""
    seen = {setting_text(t.params[key.key]) for t in ended(search) if key.key in t.params}
    return len(seen) >= _FEW_VALUES


def _slices(
    result: TuneResult, search: SearchFound, keys: Sequence[SpaceKey], name: str
) -> Chart:  # fmt: skip
    told, n = [(k, _where(result, search, k)) for k in keys], len(top(search, result.directions[0]))
    note = (
        f"{sentence(objective(result))} of the trials that ended over one setting each"
        f"{', the one that matters most first' * bool(search.importance)}. Blue: the best {n}; "
        "grey: the others."
    )
    title = "The settings one by one"
    if search.importance:
        title = f"{sentence(key_text(keys[0].key))} matters most, one by one"
    return Chart(f"{name}slices", title, note, slices(result, search, told), None, "full")


def _where(result: TuneResult, search: SearchFound, key: SpaceKey) -> str:
    best = top(search, result.directions[0])
    values = [t.params[key.key] for t in best if key.key in t.params]
    word = sentence(key_text(key.key))
    if not values:
        return f"{word}: nothing ended within the constraints"
    if key.choices:
        texts = sorted({setting_text(v) for v in values})
        return f"{word}: the best {len(best)} have {listed(texts)}"
    low, high = setting_text(min(values)), setting_text(max(values))
    return f"{word}: the best {len(best)} lie at {low if low == high else f'{low} to {high}'}"


def _space(search: SearchFound) -> Table:
    head = (
        Column("setting", number=False), Column("lowest"), Column("highest"), Column("step"),
        Column("scale", number=False), Column("choices", number=False), Column("best"),
    )  # fmt: skip
    best = _best(search)
    rows = tuple(
        (
            k.key, setting_text(k.low) if k.low is not None else NONE,
            setting_text(k.high) if k.high is not None else NONE,
            setting_text(k.step) if k.step is not None else NONE,
            NONE if k.choices else "logarithmic" if k.log else "linear",
            "; ".join(setting_text(c) for c in k.choices) or NONE,
            setting_text(best.params[k.key]) if best is not None and k.key in best.params else NONE,
        )
        for k in search.space
    )  # fmt: skip
    return Table("what was searched", head, rows)


def _onwards(result: TuneResult) -> Section:
    place = f"tunes/{result.name}-{result.fingerprint}"
    found = [s for s in in_order(result) if s.winner is not None]
    say = [
        f"The ledger now counts {plural(result.n_candidates, 'candidate')} on these rows, every "
        "trial, pruned or failed or not: a later deflated Sharpe is measured against all of them.",
    ]
    if found and found[0].winner is not None:
        file, name = found[0].winner.file, shown(found[0].name)
        say.append(
            f"One study, one look: touchstone run {place}/{file} takes {name} to the sealed rows "
            "and to a verdict, with the version that is kept here, from the cache. Take one there: "
            "whoever looks with several has looked several times."
        )
    else:
        say.append("No trial has won, so there is no study to take to a verdict.")
    head = (
        Column("architecture", number=False), Column("kept", number=False),
        Column("its study", number=False),
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [
        (shown(s.name), s.winner.kept, _link(s.winner.file)) for s in found if s.winner is not None
    ]
    rows += [(name, "", _link(file)) for name, file in
             (("this page as data", "result.json"), ("the run", "run.json"))]  # fmt: skip
    return Section("onwards", "Onwards", "To a verdict", tuple(say), (),
                   (Table("Files", head, tuple(rows)),))  # fmt: skip


def _link(file: str) -> Markup:
    return Markup('<a href="{0}">{0}</a>').format(file)
