"""The leak audit of a study: its own code on a slice of its own data, scrambled again and again."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.loading import Loaded, Request
from touchstone.data.sources import SOURCES
from touchstone.data.universe import read_universe
from touchstone.errors import ConfigError, TouchstoneError
from touchstone.ledger import Ledger
from touchstone.market import Panel
from touchstone.pipelines import trace
from touchstone.pipelines.audit_beside import told_otherwise
from touchstone.pipelines.audit_evidence import directions, evidence_of, outcomes
from touchstone.pipelines.audit_memory import Memory
from touchstone.pipelines.audit_slice import Sliced, sliced
from touchstone.pipelines.identities import names_of
from touchstone.pipelines.progress import Progress, Silent
from touchstone.pipelines.study import Study
from touchstone.pipelines.trace_fits import Kept
from touchstone.simulation.surrogate import surrogate
from touchstone.validation.audit import (
    LAYERS,
    Audit,
    Cutting,
    Effort,
    Evidence,
    Layer,
    LayerName,
    World,
    audit_artifacts,
    audit_fills,
    audit_folds,
    audit_provenance,
    audit_rows,
    audit_smoke,
    audit_trials,
    slice_of,
)
from touchstone.validation.audit.trace import Trace
from touchstone.validation.chain import Finding as ChainFinding


class OnBars:
    """A study as the audit sees it: traces of worlds, each computed anew."""

    def __init__(self, of: Sliced, folder: Path, memory: Memory) -> None:
        self._of, self._folder = of, folder
        self._memory = memory
        self._texts = Kept()
        self._others: dict[tuple[int, str, int], Study] = {}

    def loaded(self, world: World) -> Trace:
        """Bars, membership, side columns."""
        return trace.loaded_trace(*self._in(world), self._texts)

    def rows(self, world: World) -> Trace:
        """The same, and features, barriers, labels."""
        return trace.rows_trace(*self._in(world), self._texts)

    def live(self, world: World) -> Trace:
        """Features alone, computed one bar at a time."""
        return trace.live_trace(*self._in(world), self._texts)

    def whole(self, world: World) -> Trace:
        """Everything that a run computes."""
        return self.run(world).trace

    def run(self, world: World) -> trace.Whole:
        """A whole run."""
        return trace.whole_run(*self._in(world), self._texts)

    def cached(self, first: World, then: World) -> tuple[Trace, Trace]:
        """Rows of a world by a cache that served another one, and by an empty one."""
        cache = Kept()
        trace.whole_run(*self._in(first), self._texts, cache)
        served = trace.whole_run(*self._in(then), self._texts, cache).trace
        return served, self.whole(then)

    def outcomes(self, panel: Panel) -> Float64:
        """Labels of some bars."""
        self._memory.forget()
        return outcomes(self._of.study, self._of.loaded, panel)

    @property
    def study(self) -> Study:
        """The study as it was made small."""
        return self._of.study

    def _in(self, world: World) -> tuple[Study, Loaded]:
        if not world.remembers:
            self._memory.forget()
        loaded = self._of.loaded._replace(panel=world.panel)
        study = self._of.study
        if world.cut is None or not (study.config.side or study.config.universe):
            return self._seen_from_here(), loaded
        key = world.cut, world.how, world.seed
        if key not in self._others:
            folder = self._folder / f"{len(self._others)}"
            folder.mkdir()
            self._others[key] = told_otherwise(study, *key, folder)
        return self._others[key], loaded

    def _seen_from_here(self) -> Study:
        """The study, whose universe lies in a folder of the audit's: its ids are written there."""
        study = self._of.study
        if study.config.universe is None:
            return study
        key = 2**62, "", 0
        if key not in self._others:
            folder = self._folder / "as it is"
            folder.mkdir()
            self._others[key] = told_otherwise(study, *key, folder)
        return self._others[key]


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
    chain: Sequence[ChainFinding] = (),
) -> Audit:
    """Audit a study on these bars, without side inputs: the study joins them itself.

    Args:
        study: as read.
        loaded: its bars, as `bars_of` gives them.
        ask: layers, seed, effort.
        progress: who is told.
        elapsed: seconds since some moment: ends scans that take too long. A clock that stands
            still lets them run to their end.
        chain: what is wrong with the chain of the user's ledger.

    Raises:
        TooFewBarsError: too short a history for the folds.
    """
    memory = Memory(study.plugins)
    of = sliced(study, loaded)
    told, found = progress or Silent(), []
    with TemporaryDirectory(prefix="touchstone-audit-") as folder:
        layers = _Layers(study, loaded.panel, OnBars(of, Path(folder), memory), chain)
        for name in (n for n in LAYERS if n in ask.layers):
            with told.stage(f"layer {name}", 20) as step:
                cutting = Cutting(
                    layers.subject, of.loaded.panel, ask.seed, ask.effort, elapsed, step.advance
                )
                layer = layers.run(name, cutting)
                found.append(layer)
                step.say(
                    f"{layer.n_checks:,} checks: "
                    + ("clean" if layer.finding is None else f"LEAK in {layer.finding.stage}")
                )
    return Audit(tuple(found), slice_of(of.loaded.panel), ask.seed)


class _Layers:
    """Every layer with what it needs beside its cuts."""

    def __init__(
        self, study: Study, whole: Panel, subject: OnBars, chain: Sequence[ChainFinding]
    ) -> None:
        self._study, self._whole, self.subject, self._chain = study, whole, subject, chain
        self._evidence: Evidence | None = None

    def run(self, name: LayerName, cutting: Cutting) -> Layer:
        """One layer."""
        runs: dict[LayerName, Callable[[], Layer]] = {
            "A": lambda: audit_rows(cutting),
            "B": lambda: audit_artifacts(cutting),
            "C": lambda: audit_folds(self._left(cutting), cutting.panel, self.subject.outcomes),
            "C2": lambda: audit_fills(self._left(cutting)),
            "D": lambda: audit_provenance(cutting, self._whole, self._asked, self.subject.cached),
            "E": lambda: self._trials(cutting),
            "F": lambda: self._smoke(cutting),
        }
        return runs[name]()

    def _smoke(self, cutting: Cutting) -> Layer:
        """A surrogate of the bars has no directions to be foreseen."""
        cutting.advance("a market without an edge")
        n = 0
        if is_null(self._study.config.bars):
            own = directions(self.subject.study, self.subject.run(World(cutting.panel)))
            layer = audit_smoke(own, cutting.seed)
            if layer.finding is not None:
                return layer
            n = layer.n_checks
        bars = surrogate(cutting.panel, cutting.seed).panel
        try:
            run = self.subject.run(World(bars))
        except TouchstoneError as error:  # labels that came true before may not on other bars
            why = str(error).splitlines()[0]
            return Layer("F", n, None, (f"a market without an edge was not looked at: {why}",))
        layer = audit_smoke(directions(self.subject.study, run), cutting.seed)
        return layer._replace(n_checks=n + layer.n_checks)

    def _trials(self, cutting: Cutting) -> Layer:
        left = self._left(cutting)
        return audit_trials(cutting, left.counted, left.seal, self._chain)

    def _left(self, cutting: Cutting) -> Evidence:
        if self._evidence is None:
            run = self.subject.run(World(cutting.panel))
            self._evidence = evidence_of(self.subject.study, run)
        return self._evidence

    def _asked(self, end: int) -> Panel:
        return bars_of(self._study, end).panel


def bars_of(study: Study, end: int | None = None) -> Loaded:
    """The study's bars as its source gives them, without universe and side inputs.

    Args:
        study: as read.
        end: only bars known by then, ns UTC; None: as the study says.
    """
    config = study.config
    symbols = config.symbols
    if config.universe is not None:
        symbols = names_of(read_universe(study.root / config.universe), symbols)
    until = config.end_ns if end is None else end
    request = Request(symbols, config.start_ns, until, config.seed, study.root)
    return SOURCES.part_of(config.bars)(config.bars, request)


def is_null(bars: Config) -> bool:
    """Whether bars are simulated without an edge: the best score foresees no direction there."""
    return getattr(getattr(bars, "market", None), "ic", None) == 0


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
    facts = {**found.facts, "source": study.source, "data": data}
    ledger.record("audit", study.fingerprint, data, facts)
