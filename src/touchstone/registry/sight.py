"""From a panel to the columns that an artifact's model sees: a whole history, or bar by bar."""

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int64
from touchstone.dataset.regimes import begins, patience_ns
from touchstone.dataset.view import Raw
from touchstone.errors import ArtifactError
from touchstone.features import FeaturesConfig, Plan, compile_features, evaluate
from touchstone.market import Calendar, Panel, Timeframe
from touchstone.registry.artifact import Artifact


def matrix(artifact: Artifact, panel: Panel) -> Float32:
    """The columns of the artifact's model, unscaled, (n_rows, n_features) float32.

    The same bits as the study gave its model, row by row known at the bar's close; NaN in the
    warm-up of a feature or of the regime filter's inputs.

    Raises:
        ArtifactError: expressions that do not compute what they did when it was made.
        ConfigError: the panel lacks a side column.
    """
    plan, view = features_plan(artifact, panel), artifact.view
    features = np.empty((len(panel), 0), np.float32)
    if plan is not None:
        features = np.asarray(evaluate(plan, panel), np.float32)
    if view is None:
        return features
    inputs = None
    if (filter_plan := inputs_plan(artifact, panel)) is not None:
        inputs = np.asarray(evaluate(filter_plan, panel, dtype=np.float64), np.float64)
    names = () if plan is None else plan.names
    return view.matrix(Raw(features, names, inputs, begins(panel)))


def features_plan(artifact: Artifact, panel: Panel) -> Plan | None:
    """The plan of the artifact's features; None where its model sees regimes alone.

    Raises:
        ArtifactError: it is not the one of the manifest.
    """
    expressions = {f.name: f.expression for f in artifact.manifest.features}
    if not expressions:
        return None
    plan = compile_features(FeaturesConfig(set="none", extra=expressions), tuple(panel.side))
    needed = artifact.manifest.features_fingerprint
    if plan.fingerprint != needed:
        raise ArtifactError(
            f"{artifact.folder}: its features now compile to {plan.fingerprint[:12]}, when it was "
            f"made to {needed[:12]}: use the version of touchstone that made it"
        )
    return plan


def inputs_plan(artifact: Artifact, panel: Panel) -> Plan | None:
    """The plan of the regime filter's inputs; None without one."""
    view = artifact.view
    if view is None or view.regimes is None:
        return None
    own = FeaturesConfig(set="none", extra=dict(view.inputs))
    return compile_features(own, tuple(panel.side))


class Regimes:
    """The regime columns of an artifact live, a bar of all instruments at a time.

    Args:
        artifact: one whose view has a filter.
        n_instruments: how many, in the order of the panel's symbols.

    Raises:
        ArtifactError: it has none.
    """

    def __init__(self, artifact: Artifact, n_instruments: int) -> None:
        if artifact.view is None or artifact.view.regimes is None:
            raise ArtifactError(f"{artifact.folder}: got no regime filter, needed one")
        self.filter = artifact.view.regimes
        self.held: Float64 = np.full((n_instruments, self.filter.n_states), np.nan)
        """The last probabilities, (n_instruments, n_states); NaN before there were any."""
        self.known: Int64 = np.zeros(n_instruments, np.int64)
        """When each instrument's last bar was known, ns UTC; 0 before its first."""
        self._timeframe = Timeframe(artifact.manifest.timeframe)
        self._calendar = Calendar(artifact.manifest.calendar)

    def push(self, present: Bool, time: int, inputs: Float64) -> Float32:
        """The probabilities at the close of this bar, the bits of `matrix`.

        Args:
            present: which instruments have this bar, (n_instruments,).
            time: the bar's start, ns UTC.
            inputs: of the filter, from a `Stream` of `inputs_plan`, (n_instruments, n_inputs).

        Returns:
            (n_instruments, n_states); NaN for absent instruments and in the warm-up.
        """
        now = self._calendar.available_at(np.array([time], np.int64), self._timeframe.ns)
        elapsed = self._calendar.trading_time(now) - self._calendar.trading_time(self.known)
        away = elapsed > patience_ns(self._timeframe, self._calendar)
        found = self.filter.advance(self.held, inputs, away)
        self.held = np.where(present[:, None], found, self.held)
        self.known = np.where(present, now, self.known)
        return np.where(present[:, None], found, np.nan).astype(np.float32)
