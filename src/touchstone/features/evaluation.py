"""A plan over a whole panel: blocks of instruments side by side, each at its own bar number."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from touchstone.arrays import Float64, Floats, Int64
from touchstone.errors import ConfigError
from touchstone.features.clock import CLOCK, clock
from touchstone.features.graph import Plan
from touchstone.features.language import LARGEST
from touchstone.features.layout import Program, program
from touchstone.features.primitives import PRIMITIVES
from touchstone.features.workspace import Workspace
from touchstone.market import Panel, Timeframe
from touchstone.market.resample import last_finished

LANES: Final = 16
"""Instruments side by side: two registers of 8 numbers, two whole cache lines."""
ELEMENTS: Final = 8_192
"""Elements of a column in a block, at most: many enough to hide a call."""
FEWEST: Final = 1_024
"""And at least, where there are many columns: few enough for the table to stay in cache."""
TABLE: Final = 131_072
"""Elements of the table of outputs in a block, or nearly: a second-level cache of 1 MiB."""


def evaluate(
    plan: Plan,
    panel: Panel,
    dtype: npt.DTypeLike = np.float32,
    n_threads: int = 1,
) -> Floats:
    """All features of a plan on all rows of a panel.

    Args:
        plan: from `compile_features` or `compile_expression`.
        panel: (n_rows,) bars; side columns that the plan names, NaN where not known.
        dtype: float32 for models, float64 for figures; inside all is float64.
        n_threads: threads over groups of instruments; the values do not depend on it.

    Returns:
        (n_rows, n_features), C-contiguous; row t is known at `panel.available_at[t]`. NaN on the
        first `plan.warmup` rows of each instrument and finite ever after.

    Raises:
        ConfigError: the panel lacks a side column that the plan names, or its bars make none of
            a timeframe that it looks at.
    """
    given = _given(plan, panel, n_threads)
    whole = program(plan, plan.outputs, given=lambda node: node.kind == "section")
    return _run(whole, panel.offsets, given, np.dtype(dtype), n_threads)


def evaluate_in_parts(
    plan: Plan, panel: Panel, dtype: npt.DTypeLike = np.float32
) -> Iterator[tuple[slice, Floats]]:
    """The same values, a few instruments at a time, for tables too large to hold.

    Yields:
        Rows of the panel, each once and in order, and their features, (n_rows, n_features).

    Raises:
        ConfigError: the panel lacks a side column that the plan names.
    """
    given = _given(plan, panel, 1)
    whole = program(plan, plan.outputs, given=lambda node: node.kind == "section")
    for first in range(0, panel.n_instruments, LANES):
        offsets = panel.offsets[first : first + LANES + 1]
        rows = slice(int(offsets[0]), int(offsets[-1]))
        mine = {place: column[rows] for place, column in given.items()}
        yield rows, _run(whole, offsets - offsets[0], mine, np.dtype(dtype), 1)


def n_parts(panel: Panel) -> int:
    """How many parts `evaluate_in_parts` gives."""
    return -(-panel.n_instruments // LANES)


def _given(plan: Plan, panel: Panel, n_threads: int) -> dict[int, Float64]:
    """Inputs and sections, which no block of a few instruments can compute, (n_rows,) each."""
    given = {
        place: panel_input(node.name, panel)
        for place, node in enumerate(plan.nodes)
        if node.op == "input"
    }
    given |= _of_longer_bars(plan, panel, n_threads)
    levels = _sections(plan)
    times = _times(panel) if levels else None
    for level in levels:
        args = [plan.nodes[place].args[0] for place in level]
        part = program(plan, args, given=lambda node: node.kind == "section")
        values = _run(part, panel.offsets, given, np.dtype(np.float64), n_threads)
        for place, x in zip(level, values.T, strict=True):
            assert times is not None
            given[place] = _across(plan, place, np.ascontiguousarray(x, np.float64), panel, times)
    return given


def panel_input(name: str, panel: Panel) -> Float64:
    """An input of the language as a column of the panel, (n_rows,)."""
    if name in CLOCK:
        return clock(name, panel.time, panel.calendar)
    if name in ("open", "high", "low", "close", "volume"):
        return np.ascontiguousarray(getattr(panel, name), np.float64)
    if name in panel.side:
        return known_or_zero(panel.side[name])[0]
    if name.removesuffix("_known") in panel.side:
        return known_or_zero(panel.side[name.removesuffix("_known")])[1]
    raise ConfigError(
        f"a feature needs the side column {name.removesuffix('_known')!r}; this panel has "
        f"{', '.join(sorted(panel.side)) or 'none'}. Join it, or leave the feature out."
    )


def _of_longer_bars(plan: Plan, panel: Panel, n_threads: int) -> dict[int, Float64]:
    """What the plan looks at on longer bars: of the last one that was over, each (n_rows,)."""
    given: dict[int, Float64] = {}
    for timeframe, inner in plan.higher.items():
        longer, rows = last_finished(panel, Timeframe(timeframe))
        values = np.full((len(longer) + 1, len(inner.outputs)), np.nan)  # row -1: none was over
        values[:-1] = evaluate(inner, longer, np.float64, n_threads)
        column = {f"{timeframe} {name}": i for i, name in enumerate(inner.names)}
        for place, node in enumerate(plan.nodes):
            if node.op == "higher" and node.name in column:
                seen = known_or_zero(values[rows, column[node.name]])
                given[place] = seen[int(node.parameters[0])]
    return given


def known_or_zero(column: npt.ArrayLike) -> tuple[Float64, Float64]:
    """A side column with 0 where it is not known, and 1 where it is, 0 where not; any shape."""
    values = np.asarray(column, np.float64)
    known = np.isfinite(values)
    held = np.clip(np.where(known, values, 0.0), -LARGEST, LARGEST)
    return held, known.astype(np.float64)


def _sections(plan: Plan) -> list[list[int]]:
    """Primitives across instruments, those that need no other first."""
    depth: list[int] = []
    levels: list[list[int]] = []
    for place, node in enumerate(plan.nodes):
        depth.append(max((depth[a] for a in node.args), default=0))
        if node.kind == "section":
            levels += [[]] if len(levels) == depth[place] else []
            levels[depth[place]].append(place)
            depth[place] += 1
    return levels


def _across(
    plan: Plan, place: int, x: Float64, panel: Panel, times: tuple[Int64, Int64]
) -> Float64:
    """A section over the panel; a bar is known once its instrument's warm-up is over.

    Of a universe only members count: the others' being there would tell who joins one day. A bar
    outside is measured by the members, so that a window that reaches before the day on which its
    instrument joined holds the market and no zeros.
    """
    node, out = plan.nodes[place], np.zeros(len(panel))
    age = np.arange(len(panel)) - panel.offsets[panel.asset_id]
    kernel = PRIMITIVES[node.op].kernel
    assert kernel is not None, node.op
    known = age >= plan.warmups[node.args[0]]
    kernel(x, known, known & panel.members, *times, out)
    return out


def _times(panel: Panel) -> tuple[Int64, Int64]:
    """Rows by the time they are known at and then by instrument, and the bounds of the times."""
    order = np.argsort(panel.available_at, kind="stable")
    known = panel.available_at[order]
    bounds = np.r_[0, np.flatnonzero(np.diff(known)) + 1, known.size].astype(np.int64)
    return order, bounds


def _run(
    part: Program,
    offsets: Int64,
    given: Mapping[int, Float64],
    dtype: np.dtype[Any],
    n_threads: int,
) -> Floats:
    counts = np.diff(offsets)
    instruments = np.argsort(-counts, kind="stable")
    lanes = min(LANES, instruments.size)
    groups = [instruments[i : i + lanes] for i in range(0, instruments.size, lanes)]
    longest = max(int(counts.max()), 1)
    n_blocks = -(-longest * lanes // _elements(part, lanes))
    rows = -(-longest // n_blocks)
    out: Floats = np.empty((int(offsets[-1]), len(part.outputs)), dtype)

    def work(mine: Sequence[Int64]) -> None:
        space = Workspace(part, lanes, rows, live=False)
        for group in mine:
            _instruments(space, group, offsets, given, out)

    if n_threads <= 1 or len(groups) == 1:
        work(groups)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(work, [groups[i::n_threads] for i in range(min(n_threads, len(groups)))]))
    return out


def _elements(part: Program, lanes: int) -> int:
    """Elements of a column in a block; a long history, copied for each, asks for long blocks."""
    history = max((part.plan.warmups[place] for place in part.places), default=0) * lanes
    return min(ELEMENTS, max(FEWEST, TABLE // max(len(part.outputs), 1), history // 4))


class _Lanes(NamedTuple):
    """Which rows of the panel each lane holds."""

    first_row: Int64
    """First row of the lane's instrument, (n_lanes,)."""
    n_bars: Int64
    """Its bars; 0 where a lane is empty, (n_lanes,)."""


def _instruments(
    space: Workspace,
    group: Int64,
    offsets: Int64,
    given: Mapping[int, Float64],
    out: Floats,
) -> None:
    """One group of instruments, a lane each, through the workspace from first bar to last."""
    lanes = _Lanes(*np.zeros((2, space.lanes), np.int64))
    lanes.first_row[: group.size] = offsets[group]
    lanes.n_bars[: group.size] = offsets[group + 1] - offsets[group]
    part = space.program
    warmup = np.array([part.plan.warmups[place] for place in part.outputs], np.int64)
    every_lane = np.ones(space.lanes, bool)
    limit = float(np.finfo(out.dtype).max)
    for first in range(0, int(lanes.n_bars.max()), space.rows):
        space.advance(every_lane)
        space.age[:] = first
        for place in part.leaves:
            _load(given[place], lanes, first, space.view(place, 0))
        space.run()
        _store(space.table, lanes, first, warmup, limit, out)


@njit(nogil=True, cache=True, _nrt=False)
def _load(column: Float64, lanes: _Lanes, first: int, view: Float64) -> None:
    """Bars first .. of each instrument into its lane; past its end a lane keeps what it had."""
    n_lanes = lanes.first_row.size
    for t in range(view.size // n_lanes):
        row = view[t * n_lanes : (t + 1) * n_lanes]
        for lane in range(n_lanes):
            if first + t < lanes.n_bars[lane]:
                row[lane] = column[lanes.first_row[lane] + first + t]


@njit(nogil=True, cache=True, _nrt=False)
def _store(
    table: Float64,
    lanes: _Lanes,
    first: int,
    warmup: Int64,
    limit: float,
    out: Floats,
) -> None:
    """The rows of the table to the rows of each lane's instrument, NaN during a warm-up."""
    n_lanes, n_features = lanes.first_row.size, table.shape[0]
    longest = 0
    for f in range(n_features):
        longest = max(longest, warmup[f])
    for t in range(table.shape[1] // n_lanes):
        for lane in range(n_lanes):
            if first + t >= lanes.n_bars[lane]:
                continue
            row, column = out[lanes.first_row[lane] + first + t], table[:, t * n_lanes + lane]
            for f in range(n_features):
                row[f] = min(max(column[f], -limit), limit)
            if first + t < longest:
                for f in range(n_features):
                    if first + t < warmup[f]:
                        row[f] = np.nan
