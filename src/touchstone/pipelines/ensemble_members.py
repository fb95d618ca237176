"""Fits of an ensemble's members: models on their folds, specialists on their share of the rows."""

from collections.abc import Sequence

import numpy as np

from touchstone.arrays import Int64
from touchstone.data.cache import StageCache
from touchstone.dataset.splits import Fold
from touchstone.ensembles import columns_of
from touchstone.errors import ConfigError, DataError
from touchstone.features import compile_expression
from touchstone.market import Panel
from touchstone.pipelines.ensemble_config import Ensembles, Member, Named, Slice
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared, column, label_rows, stage_key
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study


def read_expressions(asked: Ensembles, panel: Panel) -> None:
    """Read every expression of members and combinations, before anything is fitted.

    Raises:
        ConfigError: one that cannot be read.
    """
    for place, (name, member) in enumerate(asked.members, start=1):
        if member.rows is None:
            continue
        try:
            compile_expression(f"rows_of_member_{place}", member.rows.of, tuple(panel.side))
        except ConfigError as error:
            raise ConfigError(f"members: {name}: rows.of: {error}") from None
    for name, config in asked.combiners.items():
        for text in columns_of(config):
            try:
                compile_expression("column_of_ensemble", text, tuple(panel.side))
            except ConfigError as error:
                raise ConfigError(f"ensembles: {name}: {error}") from None


def fit_members(
    asked: Ensembles,
    prepared: Prepared,
    folds: Sequence[tuple[str, Fold]],
    resources: Resources,
) -> list[list[Learned]]:
    """Per member, its fits on named folds; those in the cache excepted.

    Members that read the same windows and labels are fitted together, so that workers have the
    most to do.

    Args:
        asked: who they are.
        prepared: the study's market.
        folds: (name, fold): a fit's seed follows from the name, its rows are the fold's.
        resources: cache, ledger, progress.

    Raises:
        ConfigError: a label that is known later than the study's.
        DataError: a specialist without rows.
    """
    groups = dict[tuple[int, str], list[int]]()
    for place, (_, member) in enumerate(asked.members):
        label = "" if member.label is None else member.label.canonical()
        lookback = member.lookback or asked.study.config.lookback
        groups.setdefault((lookback, label), []).append(place)
    found: dict[int, list[Learned]] = {}
    for places in groups.values():
        first = asked.members[places[0]].member
        study, market = _special(asked.study, first, prepared, resources.cache)
        tasks = [
            _task(asked.members[place], prepared, name, fold)
            for place in places
            for name, fold in folds
        ]
        learned = learn(study, market, tasks, resources)
        for i, place in enumerate(places):
            found[place] = learned[i * len(folds) : (i + 1) * len(folds)]
    return [found[place] for place in range(len(asked.members))]


def member_rows(prepared: Prepared, rows: Slice, train: Int64) -> Int64:
    """The train rows, (n,) of the panel, that a specialist sees: bounds are train rows' alone."""
    value = column(rows.of, prepared.panel)[train]
    finite = np.isfinite(value)
    if not finite.any():
        return train[:0]
    low, high = np.quantile(value[finite], (rows.above, rows.below))
    inside = (value >= low) & ((value < high) | (rows.below == 1))
    return np.asarray(train[finite & inside], np.int64)


def _special(
    study: Study, member: Member, prepared: Prepared, cache: StageCache
) -> tuple[Study, Prepared]:
    """The study and the market as a member with its own window or label sees them."""
    update = dict[str, object]()
    if member.lookback is not None:
        update["lookback"] = member.lookback
    if member.label is not None:
        made_of = (prepared.data, prepared.source)
        labels = label_rows(member.label, prepared.panel, made_of, cache)
        used = _labelled(prepared)
        late, never = labels.exit[used] > prepared.labels.exit[used], labels.exit[used] < 0
        if late.any() or never.any():
            raise ConfigError(
                f"members: a label {getattr(member.label, 'kind', '?')} is known later than the "
                f"study's, or never, on {int((late | never).sum()):,} of {used.size:,} rows: rows "
                "would learn from what the folds keep from them; shorten its horizon to the "
                "study's or below, and keep its barriers no wider"
            )
        update["label"] = member.label
        key = stage_key(prepared.key, "label", member.label)
        prepared = prepared._replace(labels=labels, key=key)
    return study._replace(config=study.config.model_copy(update=update)), prepared


def _labelled(prepared: Prepared) -> Int64:
    """Rows of any fold that train or validate."""
    folds = prepared.folds.folds
    return np.unique(np.concatenate([r for f in folds for r in (f.train, f.validate)]))


def _task(named: Named, prepared: Prepared, name: str, fold: Fold) -> Task:
    rows, model = named.member.rows, named.member.model
    if rows is None:
        return Task(model, fold, name)
    train = member_rows(prepared, rows, fold.train)
    if not train.size:
        raise DataError(
            f"member {named.name}, {name}: no train row has `{rows.of}` between the shares "
            f"{rows.above:g} and {rows.below:g}: widen `rows`, or drop the member"
        )
    return Task(model, fold._replace(train=train), f"{name} {rows.above:g}-{rows.below:g}")
