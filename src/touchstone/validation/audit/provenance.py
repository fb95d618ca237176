"""Layer D: bars, universe and side data are what they were known to be then."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from touchstone.market import Panel
from touchstone.market.bars import FIELDS
from touchstone.seeding import generator
from touchstone.validation.audit.compare import Difference, first_difference
from touchstone.validation.audit.cuts import chosen, strata
from touchstone.validation.audit.report import Finding, Layer, broken, found
from touchstone.validation.audit.rows import LOADED, NEVER, Bench, Cutting
from touchstone.validation.audit.scrambles import kept_held
from touchstone.validation.audit.subject import World, scrambled, tried
from touchstone.validation.audit.trace import Rows, Trace

N_SOURCE: Final = 12
"""Times at which the source is asked again."""
_N_BESIDE: Final = 40
_PRICES: Final = FIELDS[:4]
_CLOSE: Final = 1e-9

Source = Callable[[int], Panel]
"""The bars as the source gives them when nothing after a time (ns UTC) is asked for."""
Cached = Callable[[World, World], tuple[Trace, Trace]]
"""(one world, another) -> the other's trace out of a cache that served the first; and out of an
empty one."""


def audit_provenance(cutting: Cutting, whole: Panel, source: Source, cached: Cached) -> Layer:
    """Ask the source earlier; let side files tell something else later; look for stale caches.

    Args:
        cutting: the audit's bars.
        whole: all bars that the source gives.
        source: asks it again.
        cached: runs two worlds on one cache.
    """
    bench = Bench("D", cutting)
    cutting.advance("the source, asked earlier")
    finding, n, of = _source(cutting, whole, source)
    notes = [f"the source was asked again for {n} of {of} times: it is slow"] if n < of else []
    if finding is not None:
        notes = []
    if finding is None:
        finding, n = _sessions(whole), n + 1
    if finding is None:
        cutting.advance("one cache, two markets")
        finding, n = _stale(cutting, cached), n + 1
    if finding is None:
        _beside(bench, cutting)
        finding = bench.finding
    return Layer("D", n + bench.n_checks, finding, (*notes, *bench.notes()))


def _source(cutting: Cutting, whole: Panel, source: Source) -> tuple[Finding | None, int, int]:
    """What a source said of the past does not depend on how much came after it."""
    rng = generator(cutting.seed, "audit", "source")
    known = np.unique(whole.available_at)
    late = known[known.size // 4 : -1]
    ends = rng.permutation(late)[:N_SOURCE]
    moves = np.abs(np.diff(np.log(whole.close)))
    large = whole.available_at[1:][np.argsort(moves)[::-1][: N_SOURCE // 3]]
    began, n = cutting.elapsed(), 0
    asked = [*ends.tolist(), *large[large < known[-1]].tolist()]
    for end in asked:
        if cutting.elapsed() - began > cutting.effort.seconds:
            break
        n += 1
        try:
            earlier = source(int(end))
        except Exception:  # noqa: BLE001  too few bars by then: nothing to compare
            continue
        difference = _torn(whole, earlier, int(end))
        if difference is not None:
            law = "the source was asked for nothing that came"
            return found("D", law, int(end), difference, None), n, len(asked)
    return None, n, len(asked)


def _torn(whole: Panel, earlier: Panel, end: int) -> Difference | None:
    """The first difference, but for one consistent adjustment of an instrument's prices.

    A split that came later may have divided all earlier prices by one number, if it multiplied
    all earlier volumes by the same one. A dividend may have lowered them all by one factor.
    """
    past, asked = kept_held(whole.until(end)), kept_held(earlier.until(end))
    factors: dict[str, float] = {}
    for i, symbol in enumerate(asked.symbols):
        if symbol in past.symbols:
            new, old = asked.bars(i), past.bars(past.symbols.index(symbol))
            if np.array_equal(new.time, old.time):  # one bar that moved adjusts nothing
                factors[symbol] = float(np.median(old.close / new.close))
    scale = np.array([factors.get(s, 1.0) for s in asked.symbols])[asked.asset_id]
    for symbol, factor in factors.items():
        if abs(factor - 1) > _CLOSE:
            old, new = (p.bars(p.symbols.index(symbol)) for p in (past, asked))
            traded = float(old.volume.sum()), float(new.volume.sum())
            if abs(traded[0] * factor / max(traded[1], 1e-300) - 1) > 1e-6 and (
                abs(traded[0] / max(traded[1], 1e-300) - 1) > 1e-6
            ):
                return Difference("bars", "volume against price", symbol, None, end,
                                  f"prices x {1 / factor:g}", "volumes are not")  # fmt: skip
            scale[asked.asset_id == asked.symbols.index(symbol)] = factor
    volume = np.where(np.abs(scale - 1) > _CLOSE, np.nan, asked.volume)
    moved = replace(asked, volume=volume, **{n: getattr(asked, n) * scale for n in _PRICES})
    odd = {s for s, f in factors.items() if abs(f - 1) > _CLOSE}
    return first_difference(_bars(past, odd), _bars(moved, odd), end)


def _bars(panel: Panel, adjusted: set[str]) -> Trace:
    """Bars as rows; of instruments that were adjusted, rounded and without volume."""
    symbol = np.array(panel.symbols)[panel.asset_id]
    odd = np.isin(symbol, sorted(adjusted)) if adjusted else np.zeros(symbol.size, bool)
    columns = []
    for name in FIELDS:
        column = getattr(panel, name).copy()
        column[odd] = np.nan if name == "volume" else np.float32(column[odd])
        columns.append(column)
    side = {n: c for n, c in panel.side.items()}
    names = (*FIELDS, *side)
    values = np.stack([*columns, *side.values()], axis=1)
    return Trace((Rows("bars", names, symbol, panel.time, panel.available_at, values),))


def _sessions(panel: Panel) -> Finding | None:
    """Bars of an exchange overlap its sessions: where they do not, stamps or zones are wrong."""
    if not panel.calendar.is_exchange or panel.timeframe.is_daily:
        return None
    inside = panel.calendar.overlaps_session(panel.time, panel.timeframe.ns)
    if inside.mean() > 0.95:
        return None
    row = int((~inside).argmax())
    return broken(
        "D", "bars overlap the sessions of their calendar",
        ("bars", "time", panel.symbols[int(panel.asset_id[row])], int(panel.time[row])),
        ("inside a session", f"{1 - inside.mean():.0%} of the bars lie outside"),
    )  # fmt: skip


def _stale(cutting: Cutting, cached: Cached) -> Finding | None:
    """A cache that served one market says nothing of another."""
    known = np.unique(cutting.panel.available_at)
    world = World(cutting.panel)
    other = scrambled(cutting.panel, int(known[known.size // 2]), "another path", cutting.seed)
    served, fresh = cached(world, World(other.panel))
    difference = first_difference(fresh, served, NEVER)
    if difference is None:
        return None
    return found("D", "the cache had served another market", None, difference, None)


def _beside(bench: Bench, cutting: Cutting) -> None:
    """Side files and the universe tell something else after a time, bars stay as they are."""
    subject, panel = cutting.subject, cutting.panel
    rng = generator(cutting.seed, "audit", "beside")
    base = subject.loaded(World(panel))
    cuts = chosen(panel, strata(panel, base), _N_BESIDE, rng).tolist()
    kept = Trace(tuple(r for r in base.rows if r.stage in LOADED))
    cutting.advance("side data that tell something else")
    for cut in cuts:
        for how in ("another path", "truncated"):
            world = World(panel, cut, how, cutting.seed)
            bench.take(tried(subject.loaded, kept, world), subject.loaded, cut, how)
            if bench.finding is not None:
                return


__all__: Sequence[str] = ("Cached", "Source", "audit_provenance")
