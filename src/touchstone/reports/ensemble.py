"""What an ensemble found: members, combinations, who beat whom, the student; as JSON and lines."""

import json
from collections.abc import Mapping
from typing import Any, Final

from touchstone.reports.aligned import aligned
from touchstone.reports.contents import (
    AnnualRatio,
    Contents,
    Count,
    Day,
    Fraction,
    Interval,
    Nats,
    Probability,
    Ratio,
)

TARGET: Final = 0.30
"""The gain in Sharpe over the best member that was aimed at, fraction of the member's."""
MACHINE: Final = "machine"
"""Key of everything that another machine, or another hour, measures otherwise."""


class Figures(Contents):
    """One candidate: a member or an ensemble."""

    name: str
    """A member's own, or the kind of the combination."""
    config: Mapping[str, Any]
    """Its settings."""
    validation_pr_auc: Ratio | None
    """Mean over the folds, on rows that none of it was fitted to."""
    validation_log_loss: Nats | None
    """Mean over the folds, of the calibrated probability of the target."""
    validation_sharpe: AnnualRatio | None
    """Net of costs, of the strategy's setting that is best there."""
    setting: str
    """That setting, with which it is shown and compared."""
    pr_auc: Ratio | None
    """On the pooled test rows, calibrated."""
    pr_auc_interval: Interval
    """Days drawn whole."""
    log_loss: Nats | None
    """There, of the calibrated probability of the target."""
    roc_auc: Ratio | None
    """There."""
    sharpe: AnnualRatio | None
    """Net of costs on the folds' tests."""
    sharpe_interval: Interval
    """Stationary bootstrap of days."""
    net_return: Fraction | None
    """Over all test rows."""
    max_drawdown: Fraction | None
    """There."""
    n_trades: Count
    """Closed round trips there."""


class Weights(Contents):
    """What the members counted for in one ensemble, on test rows."""

    shares: bool
    """Whether they sum to one; else they are coefficients of log-odds."""
    mean: tuple[Ratio | None, ...]
    """Of each member, in their order."""
    day: tuple[Day, ...]
    """Ends of the stretches of time that follow."""
    over_time: tuple[tuple[Ratio | None, ...], ...]
    """Of each member at each of these days."""
    by_volatility: tuple[tuple[Ratio | None, ...], ...]
    """Of each member in calm, middling and wild rows: thirds of each fold's test rows by
    volatility, the mean over the folds."""


class Versus(Contents):
    """An ensemble less the best member, on the same days."""

    member: str
    """The best member on validation rows."""
    difference: AnnualRatio | None
    """Of the Sharpe ratios; null where either had no variance."""
    interval: Interval
    """Symmetric, studentised bootstrap, 95 %, not corrected for several ensembles."""
    p: Probability
    """Two-sided, Ledoit and Wolf's test."""
    adjusted: Probability
    """The same by Holm over the ensembles."""
    better: bool
    """Adjusted p below 0.05 and a positive difference: what the word means here."""
    gain: Ratio | None
    """Difference over the member's Sharpe; null where that is not positive."""
    reaches_target: bool
    """Whether the gain is 0.30 at least."""
    pr_auc: Ratio | None
    """Difference of the PR-AUC on the pooled test rows."""
    pr_auc_interval: Interval
    """Days drawn whole, the same for both."""


class Hindsight(Contents):
    """An ensemble less the member that turned out best on the test rows themselves."""

    member: str
    """Chosen by the rows it is shown on, so the comparison is harder than a fair one."""
    difference: AnnualRatio | None
    """Of the Sharpe ratios."""
    interval: Interval
    """As of `Versus`."""
    p: Probability
    """Two-sided, not corrected."""


class Onward(Contents):
    """Whether `touchstone run` can take an ensemble to a verdict on the sealed rows."""

    study: str | None
    """The study that does, beside this result; null: a study's models cannot be it."""
    note: str
    """Why not; or what is otherwise there than in this comparison; empty: nothing."""


class Combined(Contents):
    """One ensemble."""

    figures: Figures
    """As of a member."""
    versus: Versus
    """Against the best member on validation rows."""
    hindsight: Hindsight
    """Against the best on test rows."""
    weights: Weights
    """What the members counted for."""
    kept: tuple[tuple[str, ...], ...]
    """Members that count, fold by fold."""
    onward: Onward
    """Its way to a verdict."""


class Alike(Contents):
    """How alike the members err, on validation rows: means over the folds."""

    members: tuple[str, ...]
    """Rows and columns of what follows."""
    error_correlation: tuple[tuple[Ratio | None, ...], ...]
    """Of the errors of every two; 1 on the diagonal."""
    disagreement: tuple[tuple[Fraction | None, ...], ...]
    """Share of rows in which one of two is right and the other wrong."""
    q: tuple[tuple[Ratio | None, ...], ...]
    """Yule's Q: 0 where errors are independent, 1 where they come together."""
    double_fault: tuple[tuple[Fraction | None, ...], ...]
    """Share of rows in which both are wrong."""
    accuracy: tuple[Fraction | None, ...]
    """Share of rows in which each is right, an outcome counted by how rare it is."""


class Step(Contents):
    """One step of the selection."""

    member: str
    """Who was added; may come again, then it counts double."""
    log_loss: Nats | None
    """Of the mean of those selected so far, on the rows that select."""


class Path(Contents):
    """Greedy forward selection on the validation rows of one fold."""

    fold: Count
    """From 1."""
    steps: tuple[Step, ...]
    """In order."""
    n_best: Count
    """Steps after which the loss was least: those count."""
    kept: tuple[str, ...]
    """Where the selection ends."""


class Speed(Contents):
    """Time to score, on one thread of this machine, through the one scoring path."""

    ensemble_us: Ratio
    """Microseconds a row: all members that count, and their combination."""
    student_us: Ratio
    """Microseconds a row."""
    share: Ratio
    """Student's over the ensemble's, the median over alternating rounds."""
    rounds: Count
    """How many."""


class Student(Contents):
    """One small network that learned what the ensemble says."""

    config: Mapping[str, Any]
    """Its settings."""
    teacher: str
    """The ensemble."""
    folds: tuple[Count, ...]
    """On which it was measured, from 1."""
    n_rows: Count
    """Test rows there, with a known outcome."""
    ensemble_pr_auc: Ratio | None
    """The teacher's, on these rows, raw scores."""
    pr_auc: Ratio | None
    """The student's, on the same rows."""
    kept: Ratio | None
    """Student's over the teacher's."""
    kept_interval: Interval
    """Days drawn whole, the same for both."""
    untaught_pr_auc: Ratio | None
    """The same network's from outcomes alone."""
    taught: Ratio | None
    """PR-AUC that the teacher added: student less the same network from outcomes alone."""
    taught_interval: Interval
    """As of `kept`."""
    parameters: Count | None
    """Numbers that were fitted."""
    ensemble_parameters: Count | None
    """Those of the members that count; null where a kind does not say."""
    file: str
    """The study of the same network, beside this result."""
    artifacts: tuple[str, ...]
    """Folders of the student itself, one a fold."""
    machine: Speed
    """Time to score."""


class EnsembleResult(Contents):
    """`result.json` of an ensemble."""

    name: str
    """The ensemble's."""
    study: str
    """The study's name."""
    fingerprint: str
    """Of the ensemble on its data."""
    data: str
    """Hash of the bars."""
    seed: Count
    """Of combinations and resamples."""
    choose_by: str
    """The measure on validation rows that chose the best member and the teacher."""
    label: str
    """What was foreseen, in words."""
    n_instruments: Count
    """In the bars."""
    n_bars: Count
    """In the bars."""
    first: Day
    """First day of the bars."""
    last: Day
    """Last day of the bars."""
    sealed_from: Day
    """From here on nothing was scored."""
    n_folds: Count
    """Walk-forward folds."""
    n_validate: Count
    """Validation rows of all folds together, on which ensembles are fitted."""
    n_test: Count
    """Test rows, pooled, with a known outcome."""
    n_days: Count
    """Days of the compared accounts."""
    base_rate: Fraction | None
    """Share of test rows that reached the target."""
    round_trip: Fraction
    """What buying and selling costs."""
    members: tuple[Figures, ...]
    """In the order in which they were named."""
    best: str
    """The best member on validation rows, with which ensembles are compared."""
    best_on_test: str
    """The member with the best Sharpe on test rows, known only afterwards."""
    ensembles: tuple[Combined, ...]
    """Best first on validation rows."""
    alike: Alike
    """Diversity."""
    pruning: tuple[Path, ...]
    """Selection of members, a fold each; empty where nothing was pruned."""
    student: Student | None
    """Distillation; null where none was asked."""
    n_candidates: Count
    """Candidates that the ledger now holds of these rows."""

    @property
    def better(self) -> tuple[str, ...]:
        """Ensembles that are better than the best member, as `Versus.better` means it."""
        return tuple(e.figures.name for e in self.ensembles if e.versus.better)

    @property
    def place(self) -> str:
        """Its folder, as the workspace has it."""
        return f"ensembles/{self.name}-{self.fingerprint}"

    @property
    def ways(self) -> tuple[str, ...]:
        """What takes ensembles to a verdict, the best first, and why others stay; by notes."""
        groups = dict[tuple[bool, str], list[Combined]]()
        for one in sorted(self.ensembles, key=lambda e: e.onward.study is None):
            groups.setdefault((one.onward.study is not None, one.onward.note), []).append(one)
        say = []
        for (is_ready, note), some in groups.items():
            first, *others = (one.figures.name for one in some)
            if is_ready:
                like = f", and so with {', '.join(others)}" if others else ""
                here = f"; otherwise than here {note}" if note else ""
                command = f"touchstone run {self.place}/{some[0].onward.study}"
                say.append(f"{command} takes {first} to a verdict{like}{here}.")
            else:
                say.append(f"No study takes {', '.join((first, *others))} on: {note}.")
        return tuple(say)


def without_machine(result: EnsembleResult) -> dict[str, Any]:
    """The result as JSON holds it, without what depends on the machine: equal for equal asks."""
    told: dict[str, Any] = json.loads(result.model_dump_json())
    if told["student"] is not None:
        del told["student"][MACHINE]
    return told


def told(result: EnsembleResult) -> list[str]:
    """The comparison for a terminal."""
    head = ("", "val. PR-AUC", "val. Sharpe", "PR-AUC", "Sharpe", "less the best member", "95 %",
            "p", "Holm", "")  # fmt: skip
    rows: list[tuple[str, ...]] = [head]
    for member in result.members:
        mark = " (best on validation)" if member.name == result.best else ""
        rows.append((member.name + mark, *_cells(member), "", "", "", "", ""))
    for one in result.ensembles:
        v = one.versus
        ends = "-" if v.interval is None else f"{v.interval[0]:+.2f}..{v.interval[1]:+.2f}"
        rows.append(
            (f"= {one.figures.name}", *_cells(one.figures), _of(v.difference, "+.2f"), ends,
             f"{v.p:.3f}", f"{v.adjusted:.3f}", "better" if v.better else "")
        )  # fmt: skip
    return [*aligned(rows), *_closing(result)]


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        _of(figures.validation_pr_auc),
        _of(figures.validation_sharpe, "+.2f"),
        _of(figures.pr_auc),
        _of(figures.sharpe, "+.2f"),
    )


def _closing(result: EnsembleResult) -> list[str]:
    names = ", ".join(result.better) or "none"
    gains = [(e.versus.gain, e.figures.name) for e in result.ensembles if e.versus.gain is not None]
    gain, name = max(gains, default=(None, ""))
    reached = "not known" if gain is None else f"{gain:+.0%} at most ({name})"
    lines = [
        f"Better than the best member, {result.best} (Sharpe, two-sided Ledoit-Wolf p below 0.05 "
        f"after Holm over {len(result.ensembles)}): {names}.",
        f"Target +{TARGET:.0%} of the best member's Sharpe: {reached}. Best member on the test "
        f"rows themselves: {result.best_on_test}.",
    ]
    student = result.student
    if student is not None:
        lines.append(
            f"Student of {student.teacher}: keeps {_of(student.kept, '.1%')} of its PR-AUC at "
            f"{student.machine.share:.1%} of its time to score."
        )
    lines.append(f"Nothing after {result.sealed_from} was scored.")
    return [*lines, *result.ways[:1]]


def _of(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)
