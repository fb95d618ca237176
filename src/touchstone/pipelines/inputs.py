"""Columns that a study reads in places of its own: its regime filter, its ensembles."""

import numpy as np

from touchstone.arrays import Bool, Float32, Float64
from touchstone.config import Config
from touchstone.dataset.windows import complete
from touchstone.ensembles import columns_of
from touchstone.errors import ConfigError, ExpressionError
from touchstone.features import FeaturesConfig, Plan, compile_features, evaluate
from touchstone.market import Panel
from touchstone.models import members_of
from touchstone.pipelines.study import StudyConfig

_READ = "column_of_combiner"


def input_plan(config: StudyConfig, panel: Panel, names: tuple[str, ...]) -> Plan | None:
    """The plan of the regime filter's inputs; None without a filter.

    Args:
        config: the study.
        panel: whose side columns may be named.
        names: of the features, which no regime may share.

    Raises:
        ConfigError: an expression that cannot be read, or a feature called `regime_1`.
    """
    if config.regimes is None:
        return None
    taken = sorted(set(regime_names(config)) & set(names))
    if taken:
        raise ConfigError(f"features: {taken[0]} is the name of a regime's column: choose another")
    own = FeaturesConfig(set="none", extra=dict(config.regimes.inputs))  # type: ignore[attr-defined]
    return compile_features(own, tuple(panel.side))


def read_by(model: Config, config: StudyConfig, panel: Panel, plan: Plan) -> tuple[str, ...]:
    """Features that an ensemble's combination reads, in its order; of any other model none.

    Raises:
        ConfigError: an expression that no feature computes, or that a selection may leave out.
    """
    found = []
    for text in columns_of(model) if members_of(model) else ():
        if config.selection:
            raise ConfigError(
                f"models: the ensemble's combiner reads {text!r}, and a selection may leave any "
                "feature out of a fold: leave `selection` out, or choose a combiner that reads "
                "no column"
            )
        name = feature_of(text, panel, plan)
        if name is None:
            raise ConfigError(
                f"models: the ensemble's combiner reads {text!r}, and a model sees the study's "
                f'features alone: add it under features.extra, as in {{combiner: "{text}"}}'
            )
        found.append(name)
    return tuple(found)


def feature_of(text: str, panel: Panel, plan: Plan) -> str | None:
    """The feature that computes an expression, however either is written; None: none does.

    Raises:
        ConfigError: it cannot be read.
    """
    own = FeaturesConfig(set="none", extra={**plan.expressions, _READ: text})
    try:
        *known, asked = compile_features(own, tuple(panel.side)).outputs
    except ExpressionError as error:
        by_name = plan.expressions.get(text)
        why = f"that names a feature: write {by_name!r}" if by_name else str(error)
        raise ConfigError(f"models: the ensemble's combiner reads {text!r}: {why}") from None
    return plan.names[known.index(asked)] if asked in known else None


def regime_names(config: StudyConfig) -> tuple[str, ...]:
    """Names of the columns that each fold's regime filter adds; none without one."""
    n_states = 0 if config.regimes is None else config.regimes.states  # type: ignore[attr-defined]
    return tuple(f"regime_{i + 1}" for i in range(n_states))


def input_columns(plan: Plan | None, panel: Panel) -> Float64 | None:
    """The filter's inputs, (n_rows, n_inputs) float64, NaN for warm-up; None without a filter."""
    if plan is None:
        return None
    return np.asarray(evaluate(plan, panel, dtype=np.float64), np.float64)


def whole_windows(features: Float32, inputs: Float64 | None, panel: Panel, lookback: int) -> Bool:
    """Rows whose window lacks neither a feature nor an input of the regime filter, (n_rows,)."""
    whole = complete(features, panel.offsets, lookback)
    if inputs is None:
        return whole
    known = np.where(np.isfinite(inputs), 0, np.nan).astype(np.float32)
    return whole & complete(known, panel.offsets, lookback)
