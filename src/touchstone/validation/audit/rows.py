"""Layer A: whatever comes after a row, the row stays what it was, bit for bit."""

import contextlib
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from touchstone.market import Panel
from touchstone.seeding import generator
from touchstone.validation.audit.compare import first_difference
from touchstone.validation.audit.cuts import chosen, strata
from touchstone.validation.audit.report import Finding, Layer, LayerName, broken, found
from touchstone.validation.audit.smallest import smallest
from touchstone.validation.audit.subject import Subject, Tried, World, scrambled, slice_of, tried
from touchstone.validation.audit.trace import Trace

Advance = Callable[[str], None]
Elapsed = Callable[[], float]


class Effort(NamedTuple):
    """How far an audit goes."""

    n_stratified: int = 24
    """Cuts at which every row-by-row stage is computed under every scramble."""
    n_whole: int = 4
    """Cuts in the tests at which the whole pipeline is run."""
    seconds: float = 25.0
    """Scans of every row end after so long, and say how far they came."""
    n_smaller: int = 12
    """Smaller slices that are tried once something was found; of whole runs 2 at most."""
    both: bool = True
    """Whether each bound of a fold is tried with other prices and with other instruments; else
    with one of the two, in turn."""


_ROW_HOWS: Final = ("another path", "truncated", "another cast", "blank")
_WHOLE_HOWS: Final = ("another path", "another cast")
_TOLD: Final = 3
"""Reasons of failures that are told."""
NEVER: Final = 2**62
LOADED: Final = ("bars", "actions", "universe", "side")
"""Stages of what is loaded."""


class Cutting(NamedTuple):
    """One audit's bars and what is common to its layers."""

    subject: Subject
    panel: Panel
    seed: int
    effort: Effort
    elapsed: Elapsed
    advance: Advance


class Bench:
    """Counts runs, keeps the first difference and the reasons of failures."""

    def __init__(self, layer: LayerName, cutting: Cutting) -> None:
        self._layer, self._cutting = layer, cutting
        self.n_checks = 0
        self.failed: dict[str, int] = {}
        self.finding: Finding | None = None

    def look(self, run: Callable[[World], Trace], base: Trace, cut: int, how: str) -> bool:
        """Try one scramble; whether something was found."""
        world = scrambled(self._cutting.panel, cut, how, self._cutting.seed)
        self.take(tried(run, base, world), run, cut, how)
        return self.finding is not None

    def take(self, one: Tried, run: Callable[[World], Trace], cut: int, how: str) -> None:
        """Count one; of a difference, find the smallest slice that shows it."""
        self.n_checks += 1
        if one.failed:
            self.failed[one.failed] = self.failed.get(one.failed, 0) + 1
        if one.difference is not None:
            cutting = self._cutting
            n_smaller = cutting.effort.n_smaller
            n_runs = min(2, n_smaller) if run == cutting.subject.whole else n_smaller
            where = smallest(run, cutting.panel, (cut, how, cutting.seed), one.difference, n_runs)
            self.finding = found(self._layer, _said(how), cut, where.difference, where.slice)

    def repeat(self, run: Callable[[World], Trace], base: Trace, between: bool = False) -> None:
        """The same data must give the same trace; also when others were run in between."""
        panel, laws = self._cutting.panel, ["the same run was repeated and nothing was changed"]
        if between:
            laws.append("the same run was repeated after one on other prices, in one process")
        for law in laws:
            self.n_checks += 1
            if law != laws[0]:
                cut, seed = int(np.median(panel.available_at)), self._cutting.seed
                other = scrambled(panel, cut, "another path", seed)
                with contextlib.suppress(Exception):  # whoever refuses it is told of later
                    run(other._replace(cut=None))
            difference = first_difference(base, run(World(panel, remembers=True)), NEVER)
            if difference is not None:
                self.finding = found(self._layer, law, None, difference, slice_of(panel))
                return

    def live(self, base: Trace) -> None:
        """Features computed one bar at a time must be those of the whole history."""
        self.n_checks += 1
        live = self._cutting.subject.live(World(self._cutting.panel))
        held = {r.stage for r in live.rows}
        difference = first_difference(
            Trace(tuple(r for r in base.rows if r.stage in held)), live, NEVER
        )
        if difference is not None:
            self.finding = found(
                self._layer, "features were computed live, a bar at a time", None,
                difference, slice_of(self._cutting.panel),
            )  # fmt: skip

    def notes(self) -> tuple[str, ...]:
        """What could not be run: how many, and the commonest reasons."""
        often = sorted(self.failed.items(), key=lambda x: (-x[1], x[0]))
        notes = [f"{n} scrambled runs failed and show nothing: {why}" for why, n in often[:_TOLD]]
        if len(often) > _TOLD:
            rest = sum(n for _, n in often[_TOLD:])
            notes.append(f"{rest} more failed for {len(often) - _TOLD} other reasons")
        return tuple(notes)

    def refused(self) -> Finding | None:
        """A study that runs on nothing but the bars as they are cannot be audited: no pass."""
        n = sum(self.failed.values())
        if self.finding is not None or 2 * n <= self.n_checks:
            return self.finding
        why = max(self.failed.items(), key=lambda x: x[1])[0]
        return broken(
            self._layer, "a study runs on a shorter history and on another one",
            ("scrambled runs", "runs", "", None),
            ("at least half", f"{n:,} of {self.n_checks:,} failed, as by: {why}"),
        )  # fmt: skip


def audit_rows(cutting: Cutting) -> Layer:
    """Cut bars row by row: bars, side columns, features, labels; then whole runs in the tests."""
    bench = Bench("A", cutting)
    notes = _scan(bench, cutting)
    if bench.finding is None and cutting.effort.n_whole:
        base = cutting.subject.whole(World(cutting.panel))
        for cut, how in whole_cuts(cutting, base, cutting.effort.n_whole):
            cutting.advance(f"whole run, {how}")
            if bench.look(cutting.subject.whole, base, cut, how):
                break
    return Layer("A", bench.n_checks, bench.refused(), (*notes, *bench.notes()))


def _scan(bench: Bench, cutting: Cutting) -> list[str]:
    """Strata under every scramble; then every row, by truncating what is loaded, and live.

    Features are expressions over what is loaded: their every row is a cut by computing them one
    bar at a time, where no later bar is there to be seen.
    """
    subject, panel = cutting.subject, cutting.panel
    rng = generator(cutting.seed, "audit", "cuts")
    base = subject.rows(World(panel))
    bench.repeat(subject.rows, base, between=True)
    if bench.finding is not None:
        return []
    cuts = chosen(panel, strata(panel, base), cutting.effort.n_stratified, rng).tolist()
    for how in _ROW_HOWS:
        cutting.advance(f"{len(cuts)} cuts, {how}")
        for cut in cuts:
            if bench.look(subject.rows, base, cut, how):
                return []
    cutting.advance("features live, a bar at a time")
    bench.live(base)
    if bench.finding is not None:
        return []
    known = np.unique(panel.available_at)[:-1]
    rest = [c for c in rng.permutation(known).tolist() if c not in set(cuts)]
    loaded = Trace(tuple(r for r in base.rows if r.stage in LOADED))
    cutting.advance("every row a cut: what is loaded")
    n, began = 0, cutting.elapsed()
    while n < len(rest) and cutting.elapsed() - began <= cutting.effort.seconds:
        if bench.look(subject.loaded, loaded, rest[n], "truncated"):
            return []
        n += 1
    done, whole = len(cuts) + n, len(cuts) + len(rest)
    return [f"{done:,} of {whole:,} rows were cuts for what is loaded"] if n < len(rest) else []


def whole_cuts(cutting: Cutting, base: Trace, n: int) -> list[tuple[int, str]]:
    """Cuts where the strategy acts or may act, each with a scramble."""
    rng = generator(cutting.seed, "audit", "whole")
    acts = [r.known for r in base.rows if r.stage.endswith(": fills") and r.known.size]
    scored = [r.known for r in base.rows if r.stage.endswith((": test", ": calibrated", "sealed"))]
    last = int(cutting.panel.available_at.max())
    found: dict[int, None] = {}
    for pile, share in ((acts, n - n // 2), (scored, n // 2)):
        times = np.unique(np.concatenate(pile)) if pile else np.zeros(0, np.int64)
        for time in rng.permutation(times[times < last])[:share]:
            found.setdefault(int(time))
    return [(cut, _WHOLE_HOWS[i % 2]) for i, cut in enumerate(found)]


def _said(how: str) -> str:
    return {
        "truncated": "everything was taken away",
        "another path": "prices took another path",
        "another cast": "other instruments were listed",
        "blank": "everything was blank",
    }[how]
