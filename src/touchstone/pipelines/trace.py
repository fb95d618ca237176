"""What a study computes on given bars, as a trace, by the very functions that a run calls.

They are called through their modules, so that what is audited is what a run would do.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest import Run
from touchstone.config import Config
from touchstone.data.cache import AnyArray, StageCache
from touchstone.data.loading import Loaded, Request
from touchstone.dataset.splits import Fold
from touchstone.features import Bar, Stream
from touchstone.labels import UNKNOWN, Labels
from touchstone.market import Panel
from touchstone.market.bars import FIELDS
from touchstone.pipelines import decide, inputs, learn, market, prepare, seal
from touchstone.pipelines.identities import identities
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.trace_fits import Kept, Seen, WatchingLedger
from touchstone.strategies import Decision, Outlook, Targets
from touchstone.validation.audit.trace import Fact, Rows, Trace


def on_bars(study: Study, loaded: Loaded) -> Study:
    """The study, whose bars are those given; its side inputs and its universe are read as ever."""

    def given(_config: Any, _request: Request) -> Loaded:
        return loaded

    return study._replace(bars=given)


def loaded_trace(study: Study, loaded: Loaded, texts: StageCache | None = None) -> Trace:
    """Bars as a study gets to see them: fields, membership, side columns, ids."""
    found, _ = prepare.load(on_bars(study, loaded), Silent(), texts)
    return _loaded(found)


def rows_trace(
    study: Study, loaded: Loaded, texts: StageCache | None = None, cache: StageCache | None = None
) -> Trace:
    """Bars, side columns, features, labels: all that is computed row by row, nothing fitted."""
    found, data = prepare.load(on_bars(study, loaded), Silent(), texts)
    panel, config, cache = found.panel, study.config, cache or Kept()
    made_of = (data, study.source)
    plan = prepare.resolve(study, panel)
    features = prepare.feature_matrix(plan, panel, made_of, cache, Silent())
    labels = prepare.label_rows(config.label, panel, made_of, cache)
    beside = inputs.input_columns(inputs.input_plan(config, panel, plan.names), panel)
    return _loaded(found).and_also(
        _columns(panel, plan.names, np.asarray(features), beside, labels)
    )


def live_trace(study: Study, loaded: Loaded, texts: StageCache | None = None) -> Trace:
    """Features computed one bar at a time, as a live account would see them."""
    panel = prepare.load(on_bars(study, loaded), Silent(), texts)[0].panel
    plan = prepare.resolve(study, panel)
    stream = Stream(plan, panel.n_instruments, panel.calendar, panel.timeframe)
    out = np.full((len(panel), len(plan.names)), np.nan, np.float32)
    members = panel.members
    for now, row in zip(*(c.tolist() for c in panel.blocks()), strict=True):
        rows = np.array(row)
        at = np.maximum(rows, 0)
        side = {name: column[at] for name, column in panel.side.items()}
        prices = (panel.open[at], panel.high[at], panel.low[at], panel.close[at])
        bar = Bar(*prices, panel.volume[at], side)
        found = stream.push(rows >= 0, now, bar, members[at])
        out[rows[rows >= 0]] = found[rows >= 0]
    who = _names(panel), panel.time, panel.available_at
    return Trace((Rows("features", plan.names, *who, out),))


class Whole(NamedTuple):
    """Everything that one run made, and its trace."""

    trace: Trace
    searched: market.Searched
    final: seal.SealedRun
    ledger: WatchingLedger
    winner: decide.Scored


def whole_run(
    study: Study, loaded: Loaded, texts: StageCache | None = None, cache: StageCache | None = None
) -> Whole:
    """Run a study on given bars: search, choose, refit, and look at the sealed rows.

    Where no candidate earned anything the first one is refitted, so that the way is looked at.
    """
    ledger = WatchingLedger()
    resources = Resources(cache or Kept(), lambda: ledger, Silent(), 1)
    given = on_bars(study, loaded)
    bars = prepare.load(given, Silent(), texts)
    searched = market.search_market(given, bars, resources)
    comparison = searched.comparison
    chosen = comparison if comparison.winner else comparison._replace(chosen=0)
    looked = seal.look(given, searched.prepared, chosen, searched.learned, resources)
    winner = chosen.winner
    assert winner is not None
    trace = _trace(study, searched, looked.sealed, ledger, winner)
    return Whole(trace, searched, looked.sealed, ledger, winner)


def _trace(
    study: Study,
    searched: market.Searched,
    final: seal.SealedRun,
    ledger: WatchingLedger,
    winner: decide.Scored,
) -> Trace:
    prepared, comparison = searched.prepared, searched.comparison
    trace = _loaded(prepared.loaded).and_also(
        _columns(prepared.panel, prepared.plan.names, np.asarray(prepared.features),
                 prepared.inputs, prepared.labels)
    )  # fmt: skip
    panel, folds = prepared.panel, prepared.folds
    trace = trace.and_also(Trace(facts=(Fact("folds", "seal", folds.seal, str(folds.seal)),)))
    for i, fold in enumerate((*folds.folds, folds.final)):
        name = fold_name(i, len(folds.folds))
        trace = trace.and_also(_fold(panel, name, fold))
    for place, fits in enumerate(searched.learned):
        for i, (fold, fit) in enumerate(zip(folds.folds, fits, strict=True)):
            seen = ledger.watched(study.config, study.config.models[place], f"fold {i + 1}")
            trace = trace.and_also(
                _fit(study, prepared, (place, fold_name(i, len(folds.folds))), fold, fit, seen)
            )
    trace = trace.and_also(_compared(study, prepared, comparison))
    choice = "none" if comparison.winner is None else decide_name(study, winner)
    trace = trace.and_also(Trace(facts=(Fact("choice", "candidate", folds.seal, choice),)))
    seen = ledger.watched(study.config, winner.model, "final")
    # Which model is refitted, and for how long, the comparison says, and that ends at the seal.
    refit = _fit(study, prepared, (winner.place, "final"), folds.final, final.learned, seen)
    trace = trace.and_also(_not_before(refit, folds.seal))
    known = np.maximum(final.where.panel.available_at, max(bound_of(folds.final), folds.seal))
    own = (("probability", final.probability),)
    return trace.and_also(
        Trace((_probabilities("sealed", final.where.panel, known, own),)).and_also(
            _traded("sealed", final.where.panel, known, final.intent, final.run)
        )
    )


def _not_before(trace: Trace, time: int) -> Trace:
    """The same, known no earlier than `time`."""
    return Trace(
        tuple(r._replace(known=np.maximum(r.known, time)) for r in trace.rows),
        tuple(f._replace(known=max(f.known, time)) for f in trace.facts),
    )


def fold_name(i: int, n: int) -> str:
    """What a fold is called in a trace."""
    return "final" if i == n else f"fold {i + 1}"


def decide_name(study: Study, scored: decide.Scored) -> str:
    """A candidate by its model's place and its strategy."""
    return f"{decide.model_names(study.config)[scored.place]} {_text(scored.strategy)}"


def _text(strategy: Config) -> str:
    return json.dumps(strategy.changed() if hasattr(strategy, "changed") else strategy.canonical())


def bound_of(fold: Fold) -> int:
    """When everything that a fold fits and chooses is known."""
    return max(fold.spans.train_end, fold.spans.validate_end)


def _names(panel: Panel, rows: Int64 | None = None) -> Any:
    ids = panel.asset_id if rows is None else panel.asset_id[rows]
    return np.array(panel.symbols)[ids]


def _of_panel(panel: Panel, rows: Int64) -> tuple[Any, Int64]:
    """Symbols and times of rows; those that the panel does not have were made up: time 0."""
    there = rows < len(panel)
    at = np.where(there, rows, 0)
    return np.where(there, _names(panel, at), "made up"), np.where(there, panel.time[at], 0)


def _loaded(loaded: Loaded) -> Trace:
    panel = loaded.panel
    who = _names(panel), panel.time, panel.available_at
    columns = np.stack([getattr(panel, n) for n in FIELDS], axis=1)
    number = identities(loaded).asset_id.astype(np.float64)
    found = [
        Rows("bars", FIELDS, *who, columns),
        Rows("universe", ("member", "asset id"), *who,
             np.stack([panel.members.astype(np.float64), number], axis=1)),
    ]  # fmt: skip
    if panel.happened is not None:
        names: tuple[str, ...] = ("ratio", "dividend", "halted")
        beside = panel.happened
        found.append(
            Rows("actions", names, *who,
                 np.stack([getattr(beside, n).astype(np.float64) for n in names], axis=1))
        )  # fmt: skip
    if panel.side:
        names = tuple(panel.side)
        found.append(Rows("side", names, *who, np.stack([panel.side[n] for n in names], axis=1)))
    return Trace(tuple(found))


def _columns(
    panel: Panel, names: tuple[str, ...], features: AnyArray, beside: Float64 | None, labels: Labels
) -> Trace:
    who = _names(panel), panel.time, panel.available_at
    found = [Rows("features", names, *who, features)]
    if beside is not None:
        kinds = tuple(f"input {i + 1}" for i in range(beside.shape[1]))
        found.append(Rows("regime inputs", kinds, *who, beside))
    widths = np.stack([labels.up, labels.down], axis=1).astype(np.float64)
    found.append(Rows("barriers", ("up", "down"), *who, widths))
    rows = np.flatnonzero(labels.exit != UNKNOWN)
    left = labels.exit[rows]
    values = (labels.outcome[rows], panel.time[left] - panel.time[rows], labels.realised[rows])
    found.append(
        Rows("labels", ("outcome", "exit", "realised"), _names(panel, rows), panel.time[rows],
             np.maximum(panel.available_at[left], panel.available_at[rows]),
             np.stack([v.astype(np.float64) for v in values], axis=1))
    )  # fmt: skip
    return Trace(tuple(found))


def _fold(panel: Panel, name: str, fold: Fold) -> Trace:
    """Which rows a fold's parts hold, known when the part is over."""
    ends = fold.spans.train_end, bound_of(fold)
    found = []
    for part, end in zip(("train", "validate"), ends, strict=True):
        rows = getattr(fold, part)
        known = np.full(rows.size, max(end, bound_of(fold) if part == "validate" else end))
        found.append(
            Rows(f"{name} {part} rows", ("row",), _names(panel, rows), panel.time[rows], known,
                 np.ones((rows.size, 1)))
        )  # fmt: skip
    facts = (Fact("folds", f"{name} spans", bound_of(fold), str(tuple(fold.spans[:4]))),)
    return Trace(tuple(found), facts)


def _fit(
    study: Study,
    prepared: prepare.Prepared,
    which: tuple[int, str],
    fold: Fold,
    fit: learn.Learned,
    seen: Mapping[str, Seen],
) -> Trace:
    place, part = which
    stage = f"{decide.model_names(study.config)[place]}, {part}"
    train_end, end = fold.spans.train_end, bound_of(fold)
    panel, config = prepared.panel, study.config
    facts = [
        Fact(stage, "scaler", end if config.selection else train_end, fit.scaler),
        Fact(stage, "view", end if config.selection else train_end, fit.view),
        Fact(stage, "epoch chosen", end, str(fit.best_epoch)),
        *(Fact(stage, f"weights {name}", end, content) for name, content in fit.files.items()),
    ]
    rows = []
    for name, one in seen.items():
        fitted, of = _fitted(config, panel, (stage + name, train_end, end), one)
        rows.append(fitted)
        facts += of
    for kind, where, scores in (("validate", fold.validate, fit.validate),
                                ("test", fold.test, fit.test)):  # fmt: skip
        known = np.maximum(panel.available_at[where], end)
        columns = tuple(f"score {i + 1}" for i in range(scores.shape[1]))
        rows.append(
            Rows(f"{stage}: {kind}", columns, _names(panel, where), panel.time[where], known,
                 scores)
        )  # fmt: skip
    return Trace(tuple(rows), tuple(facts))


def _fitted(
    config: StudyConfig, panel: Panel, where: tuple[str, int, int], seen: Seen
) -> tuple[Rows, list[Fact]]:
    """The samples that one fit took, and its weights after each epoch.

    Args:
        config: the study.
        panel: its bars.
        where: what the fit is called, and when its train range and its fold end.
        seen: the fit.
    """
    stage, train_end, end = where
    follows = config.training.schedule == "plateau" or bool(config.selection)
    learnt, given = end if follows else train_end, end if config.selection else train_end
    taken, samples = seen.job.train.rows, seen.job.train
    values = (samples.outcome, samples.realised, samples.weight)
    rows = Rows(
        f"{stage}: samples", ("outcome", "realised", "weight"), *_of_panel(panel, taken),
        np.full(taken.size, train_end),
        np.stack([np.asarray(v, np.float64) for v in values], axis=1),
    )  # fmt: skip
    digest = hashlib.sha256(samples.windows.tabular(taken).tobytes()).digest()
    facts = [
        Fact(stage, "inputs", given, digest),
        Fact(stage, "instruments", train_end, str(seen.job.n_assets)),
    ]
    facts += [
        Fact(stage, f"weights after {epoch}", learnt, state, optional=True)
        for epoch, state in zip(seen.epochs, seen.states, strict=True)
    ]
    return rows, facts


def _compared(study: Study, prepared: prepare.Prepared, comparison: decide.Comparison) -> Trace:
    """What every candidate saw, wished and did before the seal."""
    where, folds = comparison.segment, prepared.folds
    known = where.panel.available_at.copy()
    for fold in folds.folds:
        at, inside = where.place(fold.test)
        known[at[inside]] = np.maximum(known[at[inside]], bound_of(fold))
    trace = Trace()
    names = decide.model_names(study.config)
    for name, view in zip(names, comparison.views, strict=True):
        trace = trace.and_also(Trace((_seen(f"{name}: calibrated", where.panel, known, view),)))
    for scored in comparison.scored:
        name = decide_name(study, scored)
        intent = comparison.intent(scored)
        trace = trace.and_also(_traded(name, where.panel, known, intent, scored.run))
        record = scored.record
        trace = trace.and_also(
            Trace(facts=(
                Fact("candidates", name, folds.seal, repr((record.daily_sharpe, record.n_trades))),
            ))
        )  # fmt: skip
    return trace


def _seen(stage: str, panel: Panel, known: Int64, view: Outlook) -> Rows:
    rest = np.broadcast_to(np.asarray(view.rest, np.float64), known.shape)
    expected = np.full(known.shape, np.nan) if view.expected is None else view.expected
    return _probabilities(
        stage, panel, known, (("probability", view.probability), ("rest", rest),
                              ("expected", expected), ("up", view.up), ("down", view.down),
                              *view.named.items())
    )  # fmt: skip


def _probabilities(
    stage: str, panel: Panel, known: Int64, columns: tuple[tuple[str, Any], ...]
) -> Rows:
    names, parts = [], []
    for name, column in columns:
        wide = column.reshape(len(panel), -1)
        names += [f"{name} {i + 1}" if wide.shape[1] > 1 else name for i in range(wide.shape[1])]
        parts.append(wide)
    return Rows(stage, tuple(names), _names(panel), panel.time, known, np.hstack(parts))


def _traded(stage: str, panel: Panel, known: Int64, decision: Decision, run: Run) -> Trace:
    """Wishes, fills and equity; an account knows what the last fit behind it knew."""
    names = ["enter", "leave", "weight"]
    if not isinstance(decision, Targets):
        names += ["rank", "up", "down"]
        names += [name for name in ("side", "cover") if getattr(decision, name) is not None]
    wishes = np.stack([np.asarray(getattr(decision, n), np.float64) for n in names], axis=1)
    rows = [Rows(f"{stage}: wishes", tuple(names), _names(panel), panel.time, known, wishes)]
    order = np.argsort(panel.time, kind="stable")
    reach = np.empty(len(panel), np.int64)
    reach[order] = np.maximum.accumulate(known[order])
    by_time = np.maximum.accumulate(
        np.array([known[panel.time == t].max() for t in run.time], np.int64)
    ) if run.time.size else run.time  # fmt: skip
    fills, at = run.fills, run.fills.row
    values = (fills.side, fills.quantity, fills.price, fills.commission, fills.reason)
    rows.append(
        Rows(f"{stage}: fills", ("side", "quantity", "price", "commission", "reason"),
             _names(panel, at), panel.time[at], reach[at],
             np.stack([np.asarray(v, np.float64) for v in values], axis=1))
    )  # fmt: skip
    rows.append(
        Rows(f"{stage}: equity", ("equity", "cash"), np.full(run.time.size, ""), run.time, by_time,
             np.stack([run.equity, run.cash], axis=1))
    )  # fmt: skip
    return Trace(tuple(rows))
