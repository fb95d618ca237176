"""The sections of an ensemble's page, in their order."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports import ensemble_charts as charts
from touchstone.reports.campaign_sections import listed
from touchstone.reports.campaign_sections import shown as of_campaign
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.ensemble import EnsembleResult, Figures, Student
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    count,
    interval,
    p_value,
    percent,
    plain_number,
    sentence,
    signed,
)
from touchstone.reports.measurement import Section

_NAMES: Final = {"bma": "Bayesian averaging", "moe": "mixture of experts", "vote": "the vote",
                 "mean": "the mean", "weighted": "the weighted mean", "blend": "the blend",
                 "stack": "the stack", "regime": "weights by regime", "online": "online weights",
                 "hierarchy": "the hierarchy", "pruned": "the pruned mean"}  # fmt: skip
_CELLS: Final = ("calm", "middling", "wild")


def shown(name: str) -> str:
    """A member or an ensemble as people write it.

    >>> shown("moe"), shown("gru 2")
    ('mixture of experts', 'GRU 2')
    """
    kind, _, number = name.partition(" ")
    told = _NAMES.get(kind)
    return of_campaign(name) if told is None else f"{told} {number}".strip()


def sections(result: EnsembleResult) -> tuple[Section, ...]:
    """Everything below the answer, in order."""
    found = [_better(result), _figures(result), _weights(result), _alike(result)]
    if result.pruning:
        found.append(_pruning(result))
    if result.student is not None:
        found.append(_student(result.student))
    return (*found, _how(result))


def _better(result: EnsembleResult) -> Section:
    n = len(result.better)
    title = f"{n} of {len(result.ensembles)} better than {shown(result.best)}"
    note = (
        f"Annual Sharpe on the same {count(result.n_days)} test days less that of "
        f"{shown(result.best)}, the best member on validation rows; whisker: 95 %, studentised "
        "bootstrap (Ledoit and Wolf 2008), not corrected. Blue: better by the corrected test."
    )
    chart = Chart("forest", title, note, charts.forest(result, shown), None, "full")
    skill = Chart(
        "forest-pr", _skill_title(result),
        f"PR-AUC on pooled test rows less that of {shown(result.best)}; 95 %, whole days drawn. "
        "Blue: the interval lies above 0.",
        charts.skill_forest(result, shown), None, "full",
    )  # fmt: skip
    head = (
        Column("ensemble", number=False), Column("Sharpe less"), Column("95 %"), Column("p"),
        Column("p, Holm"), Column("better?", number=False), Column("gain, %"),
        Column("PR-AUC less"), Column("95 %"),
        Column(f"less {shown(result.best_on_test)}, hindsight"), Column("95 %"), Column("p"),
    )  # fmt: skip
    rows = tuple(
        (
            shown(e.figures.name), signed(v.difference), interval(v.interval), p_value(v.p),
            p_value(v.adjusted), "better" if v.better else "no", bare_percent(v.gain, sign=True),
            signed(v.pr_auc), interval(v.pr_auc_interval), signed(e.hindsight.difference),
            interval(e.hindsight.interval), p_value(e.hindsight.p),
        )
        for e in result.ensembles
        if (v := e.versus)
    )  # fmt: skip
    say = (
        "p-values are two-sided. An ensemble is called better where p, by Holm over all ensembles, "
        "lies below 0.05 and the difference is positive; nothing else earns the word.",
        f"The last columns compare with {shown(result.best_on_test)}, the member with the best "
        "Sharpe on these very test rows: harder than fair, since nobody could have chosen it.",
    )
    table = Table("Every ensemble against the best member", head, rows)
    return Section("better", "Better?", "Better than the best member?", say, (chart, skill),
                   (table,))  # fmt: skip


def _skill_title(result: EnsembleResult) -> str:
    above = [
        e for e in result.ensembles
        if (ends := e.versus.pr_auc_interval) is not None and ends[0] > 0
    ]  # fmt: skip
    verb = "has" if len(above) == 1 else "have"
    return f"{len(above)} of {len(result.ensembles)} {verb} a PR-AUC interval above 0, uncorrected"


def _figures(result: EnsembleResult) -> Section:
    head = (
        Column("", number=False), Column("validation PR-AUC"), Column("validation log-loss"),
        Column("validation Sharpe"), Column("PR-AUC"), Column("95 %"), Column("log-loss"),
        Column("ROC-AUC"), Column("Sharpe"), Column("95 %"), Column("net, %"),
        Column("drawdown, %"), Column("trades"), Column("setting", number=False),
    )  # fmt: skip
    members = tuple(_row(f, "member: ") for f in result.members)
    rows = (*members, *(_row(e.figures, "") for e in result.ensembles))
    say = (
        f"The best member is {shown(result.best)}, by {of_campaign(result.choose_by)} on "
        "validation rows; there, too, every one\u2019s setting of the strategy was chosen. An "
        "ensemble\u2019s validation scores are made in two halves of the time, each combined by "
        "what was fitted to the other.",
    )
    table = Table("Members and ensembles", head, rows)
    body = charts.sharpes(result, shown)
    note = (
        "Annual Sharpe net of costs on the folds\u2019 tests, 95 % by the stationary bootstrap of "
        "days. Grey: members."
    )
    found = [*result.members, *(e.figures for e in result.ensembles)]
    known = [(f.sharpe, f.name) for f in found if f.sharpe is not None]
    title = "Nothing was traded"
    if known:
        sharpe, name = max(known)
        title = f"{sentence(shown(name))} shows the highest Sharpe, {signed(sharpe)}"
    chart = Chart("sharpes", title, note, body, None, "full")
    return Section("figures", "Figures", "Each by itself", say, (chart,), (table,))


def _row(f: Figures, before: str) -> tuple[str, ...]:
    return (
        before + shown(f.name), plain_number(f.validation_pr_auc),
        plain_number(f.validation_log_loss), signed(f.validation_sharpe), plain_number(f.pr_auc),
        interval(f.pr_auc_interval, sign=False), plain_number(f.log_loss),
        plain_number(f.roc_auc), signed(f.sharpe), interval(f.sharpe_interval),
        bare_percent(f.net_return, sign=True), bare_percent(f.max_drawdown), count(f.n_trades),
        f.setting or "as it is",
    )  # fmt: skip


def _weights(result: EnsembleResult) -> Section:
    moving = charts.moving(result)
    found = [
        Chart(
            "weights", "What each member counted for, in the mean of the test rows",
            "Shares of the score. Ensembles that correct their members (stack, blend) have "
            "coefficients instead and stand in the table.",
            charts.mean_weights(result, shown), None, "full",
        )
    ]  # fmt: skip
    if moving is not None:
        found.append(
            Chart(
                "weights-time", f"{sentence(shown(moving.figures.name))}: weights over time",
                "Test rows in stretches of about as many rows; of all ensembles the one whose "
                "weights move most.",
                charts.over_time(result, moving, shown), None, "full",
            )
        )  # fmt: skip
    names = [m.name for m in result.members]
    head = (
        Column("ensemble", number=False), Column("weights in", number=False),
        *(Column(shown(name)) for name in names),
    )  # fmt: skip
    rows = []
    for e in result.ensembles:
        w = e.weights
        kind = "all rows" if w.shares else "all rows, coefficients"
        mean = map(plain_number, charts.rounded(w.mean))
        rows.append((shown(e.figures.name), kind, *mean))
        cells = list(zip(*w.by_volatility, strict=True))
        if len(cells) == len(_CELLS) and _differ(cells):
            rows += [
                ("", f"{name} rows", *map(plain_number, charts.rounded(cell)))
                for name, cell in zip(_CELLS, cells, strict=True)
            ]
    say = (
        "Calm, middling and wild: thirds of each fold\u2019s test rows by their volatility over 48 "
        "bars, the mean over the folds; told where they differ by more than a thousandth.",
    )
    table = Table("Weights, in all test rows and by volatility", head, tuple(rows))
    return Section("weights-all", "Weights", "Who counted, and when?", say, tuple(found), (table,))


def _differ(cells: Sequence[Sequence[float | None]]) -> bool:
    """Whether a member counts for more in some rows than in others, beyond a thousandth."""
    each = zip(*cells, strict=True)
    return any(max(v or 0.0 for v in one) - min(v or 0.0 for v in one) > 1e-3 for one in each)


def _alike(result: EnsembleResult) -> Section:
    alike, names = result.alike, result.alike.members
    pairs = [
        (v, names[i], names[j])
        for i, row in enumerate(alike.error_correlation)
        for j, v in enumerate(row)
        if j > i and v is not None
    ]
    title = "How alike the members err"
    if pairs:
        least = min(pairs)
        title = (
            f"{sentence(shown(least[1]))} and {shown(least[2])} err least alike: correlation "
            f"{plain_number(least[0])}"
        )
    note = (
        "Correlation of the members\u2019 errors on validation rows, mean over the folds. An "
        "ensemble of members that err alike gains nothing."
    )
    chart = Chart("alike", title, note, charts.alike(result, shown), None, "full")
    head = (
        Column("two members", number=False), Column("error correlation"),
        Column("one right, one wrong, %"), Column("Yule\u2019s Q"), Column("both wrong, %"),
    )  # fmt: skip
    rows = tuple(
        (
            f"{shown(names[i])}, {shown(names[j])}", plain_number(alike.error_correlation[i][j]),
            bare_percent(alike.disagreement[i][j]), plain_number(alike.q[i][j]),
            bare_percent(alike.double_fault[i][j]),
        )
        for i in range(len(names))
        for j in range(i + 1, len(names))
    )  # fmt: skip
    right = ", ".join(
        f"{shown(n)} {percent(a)}" for n, a in zip(names, alike.accuracy, strict=True)
    )
    say = (
        f"Right in (an outcome counts as said where it is likeliest for how often it comes): "
        f"{right}.",
    )
    table = Table("Every two members", head, rows,
                  "Kuncheva and Whitaker (2003), sections 2 and 3.")  # fmt: skip
    return Section("diversity", "Diversity", "Do they err differently?", say, (chart,), (table,))


def _pruning(result: EnsembleResult) -> Section:
    head = (
        Column("fold"), Column("steps that count"), Column("kept", number=False),
        Column("added, in order", number=False), Column("log-loss of the best alone"),
        Column("log-loss of the selection"),
    )  # fmt: skip
    rows = tuple(
        (
            str(p.fold), str(p.n_best), listed([shown(k) for k in p.kept]),
            ", ".join(shown(s.member) for s in p.steps[: min(p.n_best, 12)])
            + (", \u2026" if p.n_best > 12 else ""),
            plain_number(p.steps[0].log_loss, 4), plain_number(p.steps[p.n_best - 1].log_loss, 4),
        )
        for p in result.pruning
    )  # fmt: skip
    note = (
        "Log-loss of the mean of the members selected so far, on the validation rows that select; "
        "one line a fold."
    )
    sizes = sorted({len(p.kept) for p in result.pruning})
    span = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    title = f"{span} of {len(result.members)} members are kept"
    chart = Chart("path", title, note, charts.paths(result), None, "full")
    say = (
        "Greedy forward selection with replacement (Caruana and others, 2004): each step adds the "
        "member that lowers the log-loss of the mean most, and one may come again.",
    )
    table = Table("The selection, fold by fold", head, rows)
    return Section("pruning", "Pruning", "Who can be left out?", say, (chart,), (table,))


def _student(student: Student) -> Section:
    kept = f"keeps {percent(student.kept)} of its teacher\u2019s PR-AUC"
    share = percent(student.machine.share)
    title = f"The student {kept} in {share} of its time"
    note = (
        "PR-AUC on the same test rows, raw scores: the teacher, the student, and the same network "
        "from outcomes alone."
    )
    skill = Chart("student", title, note, charts.student_skill(student, shown), None)
    note = "Microseconds a row through the one scoring path, one thread; median of the rounds."
    title = (
        f"{plain_number(student.machine.student_us)} \u00b5s a row instead of "
        f"{plain_number(student.machine.ensemble_us)}"
    )
    speed = Chart("student-time", title, note, charts.student_time(student, shown), None)
    head = (
        Column("", number=False), Column("PR-AUC"), Column("\u00b5s a row"), Column("parameters"),
    )  # fmt: skip
    rows = (
        (f"teacher: {shown(student.teacher)}", plain_number(student.ensemble_pr_auc),
         plain_number(student.machine.ensemble_us), count(student.ensemble_parameters)),
        ("student", plain_number(student.pr_auc), plain_number(student.machine.student_us),
         count(student.parameters)),
        ("the same network, untaught", plain_number(student.untaught_pr_auc), NONE,
         count(student.parameters)),
    )  # fmt: skip
    folds = listed([str(k) for k in student.folds])
    say = (
        f"Measured on {count(student.n_rows)} test rows of fold {folds}: kept "
        f"{percent(student.kept)} (95 %: {interval(student.kept_interval, sign=False)} of 1); the "
        f"teacher added {signed(student.taught)} to the PR-AUC of the network alone "
        f"({interval(student.taught_interval)}).",
        "The teacher spoke of train rows through members that were fitted to other stretches of "
        "them. A parameter count is missing where a member\u2019s kind does not say.",
    )
    table = Table("Teacher and student", head, rows)
    return Section("student-all", "Student", "What does one small network keep?", say,
                   (skill, speed), (table,))  # fmt: skip


def _how(result: EnsembleResult) -> Section:
    say = [
        "Members were fitted on train rows. Ensembles were fitted, fold by fold, on the validation "
        "rows, which none of the members was fitted to (they chose when a fit ends). On test rows "
        "an ensemble that goes on learning reads an outcome only when it is known.",
        "Members and ensembles stand in the trial ledger as candidates of one sweep, with every "
        "setting of the strategy.",
    ]
    say += result.ways
    files = [("this page as data", "result.json"), ("the run", "run.json"),
             ("what was asked", "ensemble.json")]  # fmt: skip
    files += [
        (f"{shown(e.figures.name)} as a study", e.onward.study)
        for e in result.ensembles
        if e.onward.study is not None
    ]
    if result.student is not None:
        files.append(("the student\u2019s network as a study", result.student.file))
        files += [("the student itself", name) for name in result.student.artifacts]
        say.append(
            f"touchstone run {result.place}/{result.student.file} takes the student\u2019s "
            "network, taught by outcomes alone, to a verdict."
        )
    rows = tuple((n, Markup('<a href="{0}">{0}</a>').format(file)) for n, file in files)
    table = Table("Files", (Column("what", number=False), Column("file", number=False)), rows)
    return Section("how", "How", "How was it compared?", tuple(say), (), (table,))
