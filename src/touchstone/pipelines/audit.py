"""The leak audit of a study: its own code on a slice of its own data, scrambled again and again."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from touchstone.data.loading import Loaded, Request
from touchstone.data.sources import SOURCES
from touchstone.errors import ConfigError
from touchstone.ledger import Ledger
from touchstone.pipelines import trace
from touchstone.pipelines.audit_slice import Sliced, sliced
from touchstone.pipelines.progress import Progress, Silent
from touchstone.pipelines.study import Study
from touchstone.validation.audit import (
    LAYERS,
    Audit,
    Cutting,
    Effort,
    Layer,
    LayerName,
    World,
    audit_artifacts,
    audit_rows,
    slice_of,
)
from touchstone.validation.audit.trace import Trace


class OnBars:
    """A study as the audit sees it: traces of worlds. What was computed of a world is kept once."""

    def __init__(self, of: Sliced) -> None:
        self._of = of

    def loaded(self, world: World) -> Trace:
        """Bars, membership, side columns."""
        return trace.loaded_trace(*self._in(world))

    def rows(self, world: World) -> Trace:
        """The same, and features, barriers, labels."""
        return trace.rows_trace(*self._in(world))

    def live(self, world: World) -> Trace:
        """Features alone, computed one bar at a time."""
        return trace.live_trace(*self._in(world))

    def whole(self, world: World) -> Trace:
        """Everything that a run computes."""
        return trace.whole_run(*self._in(world)).trace

    def _in(self, world: World) -> tuple[Study, Loaded]:
        return self._of.study, self._of.loaded._replace(panel=world.panel)


class Ask(NamedTuple):
    """What one audit is asked for."""

    layers: Collection[LayerName] = tuple(LAYERS)
    seed: int = 0
    effort: Effort = Effort()


def audit(
    study: Study,
    loaded: Loaded,
    ask: Ask = Ask(),  # noqa: B008  frozen
    progress: Progress | None = None,
    elapsed: Callable[[], float] = lambda: 0.0,
) -> Audit:
    """Audit a study on these bars, without side inputs: the study joins them itself.

    Args:
        study: as read.
        loaded: its bars, as `bars_of` gives them.
        ask: layers, seed, effort.
        progress: who is told.
        elapsed: seconds since some moment: ends scans that take too long. A clock that stands
            still lets them run to their end.

    Raises:
        TooFewBarsError: too short a history for the folds.
    """
    of = sliced(study, loaded)
    subject, told = OnBars(of), progress or Silent()
    found = []
    for name in LAYERS:
        if name not in ask.layers or name not in _LAYERS:
            continue
        with told.stage(f"layer {name}") as step:
            cutting = Cutting(subject, of.loaded.panel, ask.seed, ask.effort, elapsed, step.advance)
            layer = _LAYERS[name](cutting)
            found.append(layer)
            step.say(
                f"{layer.n_checks:,} checks: "
                + ("clean" if layer.finding is None else f"LEAK in {layer.finding.stage}")
            )
    return Audit(tuple(found), slice_of(of.loaded.panel), ask.seed)


_LAYERS: Mapping[LayerName, Callable[[Cutting], Layer]] = {
    "A": audit_rows,
    "B": audit_artifacts,
}


def bars_of(study: Study, end: int | None = None) -> Loaded:
    """The study's bars as its source gives them, without universe and side inputs.

    Args:
        study: as read.
        end: only bars known by then, ns UTC; None: as the study says.
    """
    config = study.config
    until = config.end_ns if end is None else end
    request = Request(config.symbols, config.start_ns, until, config.seed, study.root)
    return SOURCES.part_of(config.bars)(config.bars, request)


def layers_of(text: str | None) -> tuple[LayerName, ...]:
    """Layers as typed, `A,B,C2`; None: all.

    Raises:
        ConfigError: no such layer.
    """
    if text is None:
        return tuple(LAYERS)
    names = [part.strip().upper() for part in text.split(",") if part.strip()]
    strange = [name for name in names if name not in LAYERS]
    if strange or not names:
        raise ConfigError(
            f"--layers {text!r}: no layer {strange[0] if strange else ''!r}; there are "
            f"{', '.join(LAYERS)}, as in --layers A,B"
        )
    return tuple(name for name in LAYERS if name in names)


def recorded(study: Study, data: str, found: Audit, ledger: Ledger) -> None:
    """Write the audit's row, which the gate reads."""
    facts = {**found.facts, "source": study.source}
    ledger.record("audit", study.fingerprint, data, facts)
