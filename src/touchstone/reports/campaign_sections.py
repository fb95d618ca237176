"""The sections of a campaign's page, and how its architectures are called."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.campaign import (
    ORIENTATION,
    PREDECESSOR,
    Architecture,
    CampaignResult,
    Spread,
)
from touchstone.reports.campaign_charts import (
    board,
    gaps,
    precision_marks,
    seconds_bars,
    sharpe_dots,
    spread_dots,
)
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    count,
    day,
    interval,
    needed,
    percent,
    plain_number,
    sentence,
    signed,
)
from touchstone.reports.measurement import Section

_NAMES: Final = {
    "pr_auc": "PR-AUC", "f1": "F1", "precision": "precision", "recall": "recall",
    "roc_auc": "ROC-AUC", "log_loss": "log-loss", "lightgbm": "LightGBM", "mlp": "MLP",
    "lstm": "LSTM", "gru": "GRU", "cnn_lstm": "CNN-LSTM", "multiscale_cnn": "multiscale CNN",
    "volume_profile_cnn": "volume-profile CNN", "volatility": "volatility alone", "darts": "DARTS",
    "symbol_and_hour": "symbol and hour",
}  # fmt: skip


def shown(name: str) -> str:
    """A kind, a measure or a yardstick as people write it.

    >>> shown("gru 2"), shown("hybrid")
    ('GRU 2', 'hybrid')
    """
    kind, _, number = name.partition(" ")
    return _NAMES.get(kind, kind.replace("_", " ")) + (f" {number}" if number else "")


def sections(result: CampaignResult) -> tuple[Section, ...]:
    """Everything below the answer, in order."""
    return (
        _board(result), _direction(result), _precision(result), _money(result),
        _stability(result), _cost(result), _how(result), _onwards(result),
    )  # fmt: skip


def _board(result: CampaignResult) -> Section:
    lead = result.leader
    title = f"{sentence(shown(lead.name))} first on validation, PR-AUC {_mean(lead.pr_auc)} on test"
    note = (
        "Dot: mean over the seeds of the PR-AUC on pooled test rows; whisker: 95 %. Small dot: "
        "the same on validation rows, which orders the rows. Grey: baselines, their dashed lines "
        "run through; solid line: the base rate."
    )
    chart = Chart("board", title, note, board(result, shown), None, "full")
    head = (
        Column("architecture", number=False), Column(f"validation {shown(result.rank_by)}"),
        Column("PR-AUC"), Column("95 %"), Column("leader\u2019s lead, 95 %"), Column("F1+"),
        Column("precision, %"),
        Column("breaks even at, %"), Column("recall, %"), Column("ROC-AUC"),
        Column("direction AUC"), Column("log-loss"), Column("ECE"),
    )  # fmt: skip
    rows: tuple[tuple[str, ...], ...] = tuple(
        (
            _link(a, shown(a.name)), plain_number(a.validation), _mean(a.pr_auc), _ends(a.pr_auc),
            _behind(result, a.name), _mean(a.f1), bare_percent(a.precision.mean),
            needed(a.break_even_precision).removesuffix("\u202f%"), bare_percent(a.recall.mean),
            _mean(a.roc_auc), _mean(a.direction_auc), _mean(a.log_loss), _mean(a.ece),
        )
        for a in result.architectures
    )  # fmt: skip
    rows += tuple(
        (shown(y.name), NONE, _mean(y.pr_auc), _ends(y.pr_auc), _behind(result, y.name),
         *[NONE] * 4, _mean(y.roc_auc), _mean(y.direction_auc), NONE, NONE)
        for y in result.yardsticks
    )  # fmt: skip
    table = Table("Leaderboard, test rows before the seal", head, rows, _INTERVAL)
    return Section("board-all", "Leaderboard", "The leaderboard", (), (chart,), (table,))


def _behind(result: CampaignResult, name: str) -> str:
    """The leader's PR-AUC less another's, its interval; of equal days and seeds."""
    ends = [a.interval for a in result.against if a.name == name]
    return interval(ends[0]) if ends else NONE


_INTERVAL: Final = (
    "Intervals at 95 %. Within: whole days of the test rows are drawn again, the same days for all "
    "architectures and seeds. Between: the seeds are drawn again in every resample, their "
    "deviations stretched for being few. The leader\u2019s lead: its PR-AUC less the row\u2019s, "
    "resample by resample; where it holds 0, the two are not told apart. Precision, recall and F1+ "
    "at the threshold with the best F1 on each fold\u2019s validation rows; log-loss and ECE of "
    "calibrated probabilities."
)


def _direction(result: CampaignResult) -> Section:
    say = (
        "ROC-AUC on a far target is mostly skill at volatility. Direction is what a trade needs: "
        "which of two equally far barriers is met first. 0.5 is a coin.",
    )
    yards = {y.name: (y.direction_auc, y.roc_auc) for y in result.yardsticks}
    best = max(result.architectures, key=lambda a: a.direction_auc.mean or 0)
    charts = tuple(
        Chart(
            key, title, "Mean over the seeds on pooled test rows, 95 %. Grey: baselines.",
            spread_dots(result, shown, of, {n: v[i] for n, v in yards.items()}, 0.5), None,
        )
        for i, (key, title, of) in enumerate((
            ("direction", f"Direction AUC: {_mean(best.direction_auc)} at best, "
             f"{shown(best.name)}", _direction_of),
            ("roc", f"ROC-AUC: {_mean(result.leader.roc_auc)} for {shown(result.leader.name)}",
             _roc_of),
        ))
    )  # fmt: skip
    return Section("skill", "Direction", "Direction, or only volatility?", say, charts)


def _direction_of(row: Architecture) -> Spread:
    return row.direction_auc


def _roc_of(row: Architecture) -> Spread:
    return row.roc_auc


def _precision(result: CampaignResult) -> Section:
    paying = [
        shown(a.name)
        for a in result.architectures
        if a.precision.mean is not None and a.break_even_precision is not None
        and a.precision.mean >= a.break_even_precision
    ]  # fmt: skip
    title = (
        f"Precision lies above break-even for {listed(paying)}"
        if paying
        else "No architecture is right often enough to pay the costs"
    )
    note = (
        "Dot: precision on test rows at the F1 threshold, 95 %; upright mark: the precision at "
        f"which these rows break even after {plain_number(1e4 * result.round_trip)}\u202fbp a "
        "round trip."
    )
    chart = Chart("precision", title, note, precision_marks(result, shown), None, "full")
    say = (
        "Break-even precision comes from how the picked rows really ended; below 0 the rows that "
        "miss the target pay the costs alone.",
    )
    tables = (_beside(result),) if result.classic else ()
    return Section("precision-all", "Precision", "Often enough right?", say, (chart,), tables)


def _beside(result: CampaignResult) -> Table:
    lead, was = result.leader, PREDECESSOR
    head = (
        Column("", number=False), Column("F1+"), Column("precision"), Column("recall"),
        Column("PR-AUC"), Column("base rate"),
    )  # fmt: skip
    ours = (
        shown(lead.name), _mean(lead.f1), _mean(lead.precision), _mean(lead.recall),
        _mean(lead.pr_auc), plain_number(result.base_rate),
    )  # fmt: skip
    theirs = (
        "predecessor\u2019s best", f"{was.f1:.3f}", f"{was.precision:.3f}", f"{was.recall:.3f}",
        f"{was.pr_auc[0]:.2f} to {was.pr_auc[1]:.2f}", "not known",
    )  # fmt: skip
    note = f"The predecessor\u2019s figures: {ORIENTATION}."
    return Table("Test figures beside the predecessor\u2019s", head, (ours, theirs), note)


def _money(result: CampaignResult) -> Section:
    known = [
        (a.net.sharpe, a.name)
        for a in result.architectures
        if a.net is not None and a.net.sharpe is not None
    ]
    title = "Nothing was traded"
    if known:
        sharpe, name = max(known)
        title = f"{sentence(shown(name))} shows the best Sharpe, {signed(sharpe)}"
    note = (
        "Annual Sharpe net of costs on the folds\u2019 tests, mean over the seeds; whisker: mean "
        "of the ends of their 95 % intervals (stationary bootstrap of days)."
    )
    chart = Chart("sharpe", title, note, sharpe_dots(result, shown), None, "full")
    head = (
        Column("architecture", number=False), Column("net, %"), Column("Sharpe"), Column("95 %"),
        Column("Sharpe by seed"), Column("drawdown, %"), Column("trades"),
        Column("setting", number=False),
    )  # fmt: skip
    rows = tuple(
        (
            shown(a.name), bare_percent(n.net_return, sign=True), signed(n.sharpe),
            _span(n.sharpe_interval), ", ".join(signed(s) for s in n.sharpe_by_seed),
            bare_percent(n.max_drawdown), count(round(n.n_trades)),
            f"{n.setting or 'as it is'}, of {n.n_settings}",
        )
        for a in result.architectures
        if (n := a.net) is not None
    )  # fmt: skip
    say = (
        "The study\u2019s strategy on every architecture\u2019s probabilities, an account for each "
        "seed. Of the strategy\u2019s settings the one with the best mean Sharpe is shown, so the "
        "figures flatter a little; the ledger holds them all.",
    )
    table = Table("Net of costs, means over the seeds", head, rows)
    return Section("money", "Money", "What would it have earned?", say, (chart,), (table,))


def _stability(result: CampaignResult) -> Section:
    worst = max(result.architectures, key=lambda a: a.gap.get("pr_auc") or 0.0)
    title = f"Largest fall of PR-AUC: {plain_number(worst.gap.get('pr_auc'))}, {shown(worst.name)}"
    note = (
        "Validation less test, mean over seeds and folds, raw scores; right of 0: it looked better "
        "on validation rows than it was."
    )
    chart = Chart("gap", title, note, gaps(result, shown), None)
    head = (
        Column("architecture", number=False), *(Column(f"fall of {n}") for n in
        ("PR-AUC", "F1+", "recall")), Column("PR-AUC by seed"), Column("validation by seed"),
    )  # fmt: skip
    rows = tuple(
        (
            shown(a.name),
            *(signed(a.gap.get(n)) for n in ("pr_auc", "f1", "recall")),
            ", ".join(plain_number(v) for v in a.pr_auc.by_seed),
            ", ".join(plain_number(v) for v in a.validation_by_seed),
        )
        for a in result.architectures
    )
    rates = "; ".join(
        f"{percent(f.validate_base_rate)} and {percent(f.test_base_rate)}" for f in result.folds
    )
    say = (
        f"Base rates of validation and test rows, fold by fold: {rates}. PR-AUC moves with them.",
    )
    table = Table("Validation, test and seeds", head, rows)
    return Section("stability", "Stability", "Does it hold?", say, (chart,), (table,))


def _cost(result: CampaignResult) -> Section:
    slow = max(result.architectures, key=lambda a: a.machine.train_seconds or 0.0)
    longest = _seconds(slow.machine.train_seconds)
    title = f"{sentence(shown(slow.name))} takes longest: {longest} s a fit"
    note = "Mean seconds of a fit with its scoring, on one core of this machine; logarithmic."
    chart = Chart("seconds", title, note, seconds_bars(result, shown), None)
    head = (
        Column("architecture", number=False), Column("train rows of a fit"), Column("parameters"),
        Column("files, kB"),
        Column("s a fit"), Column("inference, \u00b5s a row"), Column("memory of a fit, MB"),
    )  # fmt: skip
    rows = tuple(
        (
            shown(a.name), count(round(sum(f.rows_used for f in a.fits) / len(a.fits))),
            count(a.parameters), count(round(a.file_bytes / 1000)),
            _seconds(a.machine.train_seconds), plain_number(a.machine.inference_us),
            plain_number(a.machine.peak_mb),
        )
        for a in result.architectures
    )  # fmt: skip
    note = (
        "Inference in bulk through the one scoring path, batches of 64 on one thread. Memory: what "
        "a short fit took beyond what was there. These depend on the machine; nothing else does."
    )
    table = Table("Time and memory", head, rows, note)
    return Section("cost", "Cost", "What does it cost?", (), (chart,), (table,))


def _how(result: CampaignResult) -> Section:
    head = (
        Column("fold", number=False), Column("train", number=False), Column("test", number=False),
        Column("train rows"), Column("validation rows"), Column("test rows"),
        Column("base rate, %"),
    )  # fmt: skip
    rows = tuple(
        (
            str(i), _days(f.train), _days(f.test),
            count(f.n_train), count(f.n_validate), count(f.n_test), bare_percent(f.test_base_rate),
        )
        for i, f in enumerate(result.folds, start=1)
    )  # fmt: skip
    folds = Table("Folds, the same for all", head, rows)
    found = tuple((c.name, c.sentence) for c in result.checks)
    about = (Column("looked at", number=False), Column("found", number=False))
    checks = Table("Prerequisites, before anything was trained", about, found)
    say = (
        "Every architecture had the same features, scaling and labels, and was judged on the same "
        "rows. The budget\u2019s train rows and epochs bind networks; "
        f"{_unbound(result)}only the seed of what is fitted differs between the seeds "
        f"({', '.join(str(s) for s in result.seeds)}).",
    )
    return Section("how", "How", "How was it compared?", say, (), (folds, checks))


def _unbound(result: CampaignResult) -> str:
    """Who saw more train rows than the budget says, in words that a sentence goes on from."""
    most = result.budget.get("rows")
    more = [
        shown(a.name)
        for a in result.architectures
        if most is not None and any(f.rows_used > most for f in a.fits)
    ]
    return f"{listed(more)} saw all of a fold; " if more else ""


def _onwards(result: CampaignResult) -> Section:
    lead, place = result.leader, f"campaigns/{result.name}-{result.fingerprint}"
    say = (
        f"One study, one look: touchstone run {place}/{lead.file} takes {shown(lead.name)} to the "
        "sealed rows and to a verdict. It is fitted on the folds from the cache, and only the "
        "refit before the seal is new. Take one architecture there, chosen by this page: whoever "
        "looks with several has looked several times, and the ledger says so.",
    )
    head = (Column("architecture", number=False), Column("its study", number=False))
    rows: list[tuple[str, ...]] = [(shown(a.name), _link(a)) for a in result.architectures]
    also = (("this page as data", "result.json"), ("the run", "run.json"))
    for name, file in also:
        rows.append((name, Markup('<a href="{0}">{0}</a>').format(file)))
    files = Table("Files", head, tuple(rows))
    return Section("onwards", "Onwards", "To a verdict", say, (), (files,))


def _link(row: Architecture, text: str = "") -> Markup:
    return Markup('<a href="{}">{}</a>').format(row.file, text or row.file)


def _mean(spread: Spread) -> str:
    return plain_number(spread.mean)


def _ends(spread: Spread) -> str:
    return interval(spread.interval, sign=False)


def _span(ends: tuple[float, float] | None) -> str:
    return interval(ends)


def _days(span: tuple[str, str]) -> str:
    return f"{day(span[0])} to {day(span[1])}"


def _seconds(value: float | None) -> str:
    return plain_number(value, 2)


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
