"""From a study to what every later stage needs: bars, features, labels and folds, each cached."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.config import Config
from touchstone.data.actions import read_actions
from touchstone.data.cache import StageCache
from touchstone.data.side import Place
from touchstone.data.side_inputs import with_side
from touchstone.data.sources import SOURCES, Loaded, Request
from touchstone.data.universe import Universe, read_universe
from touchstone.dataset.paths import pooled
from touchstone.dataset.splits import SPLITS, Folds, timeline
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig
from touchstone.features import FeaturesConfig, Plan, compile_expression, compile_features, evaluate
from touchstone.labels import LABELS, UNKNOWN, Labels
from touchstone.market import Panel
from touchstone.models import MODELS, OUTCOMES, head_of, members_of
from touchstone.pipelines import columns
from touchstone.pipelines.identities import (
    identities,
    names_of,
    refuse_torn,
    within,
)
from touchstone.pipelines.inputs import input_columns, input_plan, read_by, whole_windows
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.study import Study
from touchstone.strategies import STRATEGIES, Outlook, columns_of, is_short
from touchstone.training import answers_there
from touchstone.training.losses import wants

VOLATILITY = "std(close / lag(close, 1) - 1, 48)"
"""A row's volatility, one bar: scales the symmetric barriers that direction skill is judged by."""


class Prepared(NamedTuple):
    """One market of a study, ready to be learned from. Row arrays are (n_rows,)."""

    loaded: Loaded
    data: str
    """Hash of the bars."""
    plan: Plan
    features: Float32
    """(n_rows, n_features), NaN for warm-up."""
    labels: Labels
    symmetric: Labels
    """Barriers of one standard deviation either side, same horizon."""
    volatility: Float64
    asset_id: Int32
    """Ids that a universe keeps; without one, instruments numbered by their first bar, so that
    one that comes later shifts none."""
    assets: tuple[str, ...]
    """Symbols in the order of their ids, (n_assets,)."""
    begun: Int64
    """When the first bar of each id is known, ns UTC, the largest number where it has none,
    (n_assets,)."""
    folds: Folds
    key: str
    """Identifies code, bars, features, labels and folds, for the caches of later stages."""
    source: str
    """Identifies the code."""
    inputs: Float64 | None = None
    """Of the regime filter, (n_rows, n_inputs), NaN for warm-up; None without one."""

    @property
    def panel(self) -> Panel:
        """The bars."""
        return self.loaded.panel

    @property
    def open_labels(self) -> Bool:
        """Rows whose outcome was known by the seal, (n_rows,)."""
        return known_by(self.labels, self.panel, self.folds.seal)


def load(study: Study, progress: Progress, cache: StageCache | None = None) -> tuple[Loaded, str]:
    """The study's bars with its side inputs, and their hash; rejected files are told, not hidden.

    The hash covers the side columns too: what a decision could know of them is part of the data.
    `cache` keeps the scores of texts, so that no text is scored twice.
    """
    config = study.config
    place = None if config.universe is None else study.root / config.universe
    universe = None if place is None else read_universe(place)
    symbols = config.symbols if universe is None else names_of(universe, config.symbols)
    request = Request(symbols, config.start_ns, config.end_ns, seed=config.seed, root=study.root)
    with progress.stage("bars") as step:
        loaded = (study.bars or SOURCES.part_of(config.bars))(config.bars, request)
        if universe is not None and place is not None:
            table, view = (getattr(config.bars, n, None) for n in ("actions", "adjust"))
            if table is not None and view is not None:
                refuse_torn(universe, loaded.panel, read_actions(study.root / table), view)
            loaded = within(universe, place, loaded, config.symbols)
        panel = loaded.panel
        step.say(f"{len(panel):,} bars of {panel.n_instruments} instruments")
    if config.side:
        with progress.stage("side") as step:
            renamed = {} if universe is None else _renamed(universe)
            loaded = with_side(loaded, config.side, Place(study.root, cache, renamed))
            step.say(", ".join(config.side))
    for reject in loaded.rejects:
        progress.note(f"left out {reject.file}: {reject.reason}")
    for finding in loaded.findings:
        progress.note(finding)
    return loaded, data_hash(loaded)


def _renamed(universe: Universe) -> dict[str, str]:
    """Former name -> today's, but for names that more than one instrument had."""
    former = [f.symbol for x in universe.instruments for f in x.formerly]
    shared = {*universe.symbols, *(name for name in former if former.count(name) > 1)}
    return {was: now for was, now in universe.renamed.items() if was not in shared}


def data_hash(loaded: Loaded) -> str:
    """Identifies the bars, and the ids a universe keeps: a model knows instruments by them."""
    bars = loaded.panel.content_hash()
    if not loaded.asset_ids:
        return bars
    return hashlib.sha256(repr((bars, loaded.asset_ids)).encode()).hexdigest()


def prepare(
    study: Study, loaded: Loaded, data: str, cache: StageCache, progress: Progress
) -> Prepared:
    """Run the stages features, labels and folds on loaded bars; the first two from cache if there.

    Raises:
        ConfigError: an expression that cannot be read.
        DataError: too short a history for the folds.
    """
    config = study.config
    plan = resolve(study, loaded.panel)
    features = feature_matrix(plan, loaded.panel, (data, study.source), cache, progress)
    with progress.stage("labels", 2) as step:
        labels = label_rows(config.label, loaded.panel, (data, study.source), cache)
        step.advance()
        symmetric = label_rows(_symmetric(config.label), loaded.panel, (data, study.source), cache)
        step.say(f"{int((labels.exit != UNKNOWN).sum()):,} rows with a known outcome")
    volatility = column(VOLATILITY, loaded.panel)
    with progress.stage("folds") as step:
        inputs = input_columns(input_plan(config, loaded.panel, plan.names), loaded.panel)
        whole = whole_windows(features, inputs, loaded.panel, config.lookback)
        whole &= loaded.panel.members
        line = timeline(loaded.panel, labels, whole, config.lookback)
        folds = pooled(SPLITS.part_of(config.folds)(config.folds, line), len(loaded.panel))
        sealed = (np.datetime64(int(folds.seal), "ns")).astype("datetime64[D]")
        step.say(f"{len(folds.folds)} folds, sealed from {sealed}")
    key = stage_key(
        study.source, config.folds, config.label, data, plan.fingerprint, str(config.lookback)
    )
    return Prepared(
        loaded, data, plan, features, labels, symmetric, volatility,
        *identities(loaded),
        folds,
        key,
        study.source,
        inputs,
    )  # fmt: skip


def known_by(labels: Labels, panel: Panel, end: int) -> Bool:
    """Rows of members whose outcome was known by `end`, ns UTC, (n_rows,)."""
    known = (labels.exit != UNKNOWN) & panel.members
    return np.asarray(known & (panel.available_at[np.maximum(labels.exit, 0)] <= end), np.bool_)


def resolve(study: Study, panel: Panel) -> Plan:
    """Read every expression of the study, before anything is computed or written.

    Raises:
        ConfigError: one that cannot be read, or a strategy that its label, its models or its
            account cannot serve.
        TrainingError: a network's head or loss asks for what a study does not have.
    """
    label, recipe = study.config.label, study.config.training
    for one in (label, *(phase.label for phase in recipe.curriculum)):
        width = getattr(one, "width", None)
        if width is not None:
            compile_expression("width", width, tuple(panel.side))
    refuse_short(study.config.strategy, study.config.account)
    for number, text in enumerate(columns_of(study.config.strategy)):
        compile_expression(f"strategy_{number + 1}", text, tuple(panel.side))
    for model in study.config.models:
        try_strategies(study.config.strategy, label, len(OUTCOMES[head_of(model)]))
        # Most studies ask for neither: a network's part is not imported, nor torch with it.
        for one in members_of(model) or (model,):
            asks = head_of(one) == "multi_task" or wants(recipe.loss)
            if asks and MODELS.part_of(one).inputs == "window":
                answers_there(one, recipe, ("tasks",))
    plan = compile_some(study.config.features, panel)
    input_plan(study.config, panel, plan.names)
    for model in study.config.models:
        read_by(model, study.config, panel, plan)
    return plan


def compile_some(features: FeaturesConfig, panel: Panel) -> Plan:
    """The plan of at least one feature.

    Raises:
        ConfigError: none, or one that cannot be read.
    """
    plan = compile_features(features, tuple(panel.side))
    if not plan.names:
        raise ConfigError("no features: choose a set (baseline), or give expressions of your own")
    return plan


def try_strategies(strategy: Config, label: Config, n_outcomes: int) -> None:
    """Let every candidate decide one imaginary row, so that one that cannot is refused early."""
    has_barriers = hasattr(label, "take_profit")
    width = np.full(1, 0.01 if has_barriers else np.inf)
    view = Outlook(
        probability=np.full((1, n_outcomes), 1 / n_outcomes),
        up=width,
        down=width,
        rest=0.0,
        round_trip=0.0,
        expected=np.zeros(1) if n_outcomes == 1 else None,
        instant=np.zeros(1, np.int64),
        asset=np.zeros(1, np.int64),
        bars_per_year=1.0,
        named={text: np.zeros(1) for text in columns_of(strategy)},
    )
    for candidate in strategy.candidates():  # type: ignore[attr-defined]
        STRATEGIES.part_of(candidate)(candidate, view, 1)


def refuse_short(strategy: Config, account: AccountConfig) -> None:
    """A strategy that may be short needs an account that may.

    Raises:
        ConfigError: the account may not.
    """
    if is_short(strategy) and not account.short:
        raise ConfigError(
            f"strategy {getattr(strategy, 'kind', 'strategy')}: short: true sells what the account "
            "does not hold, and account.short is false; set account.short: true (then mind "
            "costs.borrow_bp), or short: false"
        )


def feature_matrix(
    plan: Plan, panel: Panel, made_of: tuple[str, str], cache: StageCache, progress: Progress
) -> Float32:
    """Every feature of the plan, (n_rows, n_features) float32, each from cache if there."""
    key = features_key(plan, *made_of)
    with progress.stage("features") as step:
        found = columns.gathered(plan, panel, (features_prefix(*made_of), key), cache)
        n = len(plan.names)
        step.say(f"{n} columns" + (f", {n - found.n_computed} from cache" * (found.n_computed < n)))
        return found.features


def label_rows(config: Config, panel: Panel, made_of: tuple[str, str], cache: StageCache) -> Labels:
    """The labels of every row, from cache if there."""
    key = labels_key(config, *made_of)
    kept = cache.load("labels", key)
    if kept is None:
        width = getattr(config, "width", None)
        labels = LABELS.part_of(config)(
            panel, config, None if width is None else column(width, panel)
        )
        cache.save("labels", key, labels._asdict())
        return labels
    return Labels(**{name: np.asarray(kept[name]) for name in Labels._fields})


def features_key(plan: Plan, data: str, source: str) -> str:
    """Place of a feature matrix in the cache."""
    return f"{features_prefix(data, source)}-{stage_key(plan.fingerprint, *plan.names)}"


def features_prefix(data: str, source: str) -> str:
    """How the places of all matrices of the same data begin; side columns are part of the data."""
    return stage_key(source, data)


def labels_key(config: Config, data: str, source: str) -> str:
    """Place of labels in the cache."""
    return stage_key(source, config, data)


def column(expression: str, panel: Panel) -> Float64:
    """One expression over the panel, float64 (n_rows,), NaN for warm-up."""
    plan = compile_expression("width", expression, tuple(panel.side))
    return np.asarray(evaluate(plan, panel, dtype=np.float64)[:, 0], np.float64)


def _symmetric(label: Config) -> Config:
    horizon = int(getattr(label, "horizon", 8))
    return LABELS.parse(
        {
            "kind": "triple_barrier",
            "take_profit": 1.0,
            "stop_loss": 1.0,
            "horizon": horizon,
            "width": f"{VOLATILITY} * sqrt({horizon})",
        }
    )


def stage_key(*parts: str | Config | Mapping[str, object]) -> str:
    """A stage's place in the cache: a hash of all that went in, the computing source first."""
    texts = [p.canonical() if isinstance(p, Config) else str(p) for p in parts]
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:24]
