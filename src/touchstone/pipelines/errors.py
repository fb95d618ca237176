"""Where does it work and where does it fail? Slices with intervals, and the worst single rows."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.money import Traded
from touchstone.pipelines.parts import divisions
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.skill import Judged
from touchstone.pipelines.study import StudyConfig
from touchstone.reports.result import (
    FalseNegative,
    FalsePositive,
    Slice,
    SliceTests,
    iso_moment,
)
from touchstone.seeding import generator
from touchstone.validation.day_bootstrap import part_intervals
from touchstone.validation.slices import Division, difference_p, screened
from touchstone.validation.stretches import stretches

_BARS_AROUND: Final = 12
_BARS_AFTER: Final = 5
_WORST: Final = 5


class Errors(NamedTuple):
    """Everything of "Where?"."""

    where: tuple[Slice, ...]
    tests: SliceTests | None
    false_positives: tuple[FalsePositive, ...]
    false_negatives: tuple[FalseNegative, ...]


class Closed(NamedTuple):
    """Closed trades as they are divided, (n_trades,)."""

    decided: Int64
    """Row of the segment at whose close the entry was decided."""
    day: Int64
    stretch: Int64
    """Of days over which positions were held at one time, see `validation.stretches`."""
    net: Float64
    hit: Bool


def errors(
    config: StudyConfig, prepared: Prepared, where: Segment, rows: Judged, traded: Traded | None
) -> Errors:
    """Slices of trades and of judged rows, what of them may be luck, and the worst mistakes.

    Args:
        config: the study.
        prepared: the market.
        where: the segment.
        rows: its judged rows, those that the strategy wished to enter marked.
        traded: the strategy's run there; None where no candidate traded enough.
    """
    closed = _closed(prepared, where, traded)
    found: list[Slice] = []
    for division in divisions(prepared, where):
        rng = generator(config.seed, "slices", division.group)
        found += _slices(division, closed, rows, rng)
    tested, tests = _tested(tuple(found))
    probability = np.full(where.rows.size, np.nan)
    probability[rows.at] = rows.p
    return Errors(
        tested,
        tests,
        () if traded is None else false_positives(prepared, traded, probability),
        false_negatives(prepared, where, rows, getattr(config.label, "entry", "open")),
    )


def _closed(prepared: Prepared, where: Segment, traded: Traded | None) -> Closed:
    if traded is None:
        nothing = np.empty(0)
        none = nothing.astype(np.int64)
        return Closed(none, none, none, nothing, nothing.astype(np.bool_))
    trades, panel = traded.run.trades, where.panel
    decided = np.maximum(trades.entry_row - 1, 0)
    hit = prepared.labels.outcome[where.rows][decided] == 1
    day = panel.calendar.day(panel.time[decided])
    until = panel.calendar.day(panel.time[np.minimum(trades.exit_row, len(panel) - 1)])
    return Closed(decided, day, stretches(day, until), trades.net, np.asarray(hit, np.bool_))


def _slices(
    division: Division, closed: Closed, rows: Judged, rng: np.random.Generator
) -> list[Slice]:
    """One slice for each part that has a trade or a judged row."""
    n, (group, names, part) = len(division.names), division
    of_trade, of_row = part[closed.decided], part[rows.at]
    streams = rng.spawn(3)
    net = part_intervals(closed.net * 1e4, of_trade, n, closed.stretch, streams[0])
    precision = part_intervals(closed.hit.astype(float), of_trade, n, closed.stretch, streams[1])
    loss = (rows.p - rows.hit) ** 2
    brier = part_intervals(loss, of_row, n, rows.stretch, streams[2])
    found = []
    for k, name in enumerate(names):
        mine, judged = of_trade == k, of_row == k
        if not (mine.any() or judged.any()):
            continue
        found.append(
            Slice(
                group=group,
                name=name,
                n_trades=int(mine.sum()),
                n_days=int(np.unique(closed.day[mine]).size),
                net_return_bp_per_trade=_mean(closed.net[mine] * 1e4),
                interval=net[k],
                precision=_mean(closed.hit[mine]),
                precision_interval=precision[k],
                p_value=difference_p(closed.net, mine, closed.stretch) if mine.any() else None,
                n_rows=int(judged.sum()),
                base_rate=_mean(rows.hit[judged]),
                brier=_mean(loss[judged]),
                brier_interval=brier[k],
            )
        )
    return found


def _mean(values: Float64 | Bool) -> float | None:
    return float(values.mean()) if values.size else None


def _tested(found: tuple[Slice, ...]) -> tuple[tuple[Slice, ...], SliceTests | None]:
    """The slices with adjusted p-values, and how many are unlike the rest beyond luck."""
    traded = [s for s in found if s.n_trades]
    if not traded:
        return found, None
    screen = screened([s.p_value for s in found])
    corrected = tuple(
        s if p is None else s.model_copy(update={"adjusted_p": p})
        for s, p in zip(found, screen.adjusted, strict=True)
    )
    survivors = [s for s, own in zip(corrected, screen.survives, strict=True) if own]
    tests = SliceTests(
        n_slices=len(traded),
        n_tested=screen.n_tested,
        n_nominal=screen.n_nominal,
        expected_by_luck=screen.expected_by_luck,
        survivors=tuple(f"{s.group} {s.name}" for s in survivors),
    )
    return corrected, tests


def false_positives(
    prepared: Prepared, traded: Traded, probability: Float64, n: int = _WORST
) -> tuple[FalsePositive, ...]:
    """The entries with the highest probability among the trades that lost, with their bars.

    Trades of an instrument that were held at one time lost by one move: it is shown once.
    """
    trades, where = traded.run.trades, traded.where
    offsets = where.panel.offsets
    losers = np.flatnonzero(trades.gross < 0)
    sure = np.nan_to_num(probability[np.maximum(trades.entry_row[losers] - 1, 0)], nan=-1.0)
    found: list[FalsePositive] = []
    shown_before: list[tuple[int, int]] = []
    for k in losers[np.argsort(-sure, kind="stable")]:
        entry, leave = int(trades.entry_row[k]), int(trades.exit_row[k])
        if len(found) == n or _meets(entry, leave, shown_before):
            continue
        decided = max(entry - 1, int(offsets[trades.instrument[k]]))
        shown = _around(prepared, where, (decided, entry, leave), float(trades.entry_reference[k]))
        shown_before.append((entry, leave))
        p = float(probability[decided])
        found.append(FalsePositive(probability=p, realised=float(trades.gross[k]), **shown))
    return tuple(found)


def false_negatives(
    prepared: Prepared, where: Segment, rows: Judged, entered: str = "open", n: int = _WORST
) -> tuple[FalseNegative, ...]:
    """Rows that reached the target, were not entered, and had the least probability.

    Neighbouring rows foresee one move, and it is shown once: from the row of the least probability;
    of equal ones, of the largest return.
    """
    missed = np.flatnonzero(rows.hit & ~rows.selected)
    order = missed[np.lexsort((-rows.realised[missed], rows.p[missed]))]
    return tuple(
        FalseNegative(predicted_rank=float(np.mean(rows.p < rows.p[k])), **shown)
        for k, shown in _apart(prepared, where, rows, order, (entered == "open", n))
    )


def accepted_losers(
    prepared: Prepared, where: Segment, rows: Judged, entered: str = "open", n: int = _WORST
) -> tuple[FalsePositive, ...]:
    """Selected rows that lost before costs, the highest probability first; each move once.

    As `false_positives`, where no account says which of the rows were traded.
    """
    lost = np.flatnonzero(rows.selected & (rows.realised < 0))
    order = lost[np.lexsort((rows.realised[lost], -rows.p[lost]))]
    return tuple(
        FalsePositive(**shown)
        for _, shown in _apart(prepared, where, rows, order, (entered == "open", n))
    )


def _apart(
    prepared: Prepared, where: Segment, rows: Judged, order: Int64, how: tuple[bool, int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The first n rows of an order whose spans do not meet, with the bars around each."""
    panel, (waits, n) = where.panel, how
    shown_before: list[tuple[int, int]] = []
    for k in order.tolist():
        decided = int(rows.at[k])
        exit_row = prepared.labels.exit[where.rows[decided]]
        leave = int(where.place(np.array([exit_row]))[0][0])
        entry = decided + 1 if waits else decided
        if _meets(entry, leave, shown_before):
            continue
        shown_before.append((entry, leave))
        price = float(panel.open[entry] if waits else panel.close[decided])
        shown = _around(prepared, where, (decided, entry, leave), price)
        told = {"probability": float(rows.p[k]), "realised": float(rows.realised[k])}
        yield k, {**told, **shown}
        if len(shown_before) == n:
            return


def _meets(entry: int, leave: int, spans: list[tuple[int, int]]) -> bool:
    """Whether rows entry to leave meet any span; rows of other instruments are other rows."""
    return any(entry <= last and first <= leave for first, last in spans)


def _around(
    prepared: Prepared, where: Segment, rows: tuple[int, int, int], price: float
) -> dict[str, object]:
    """The bars from before a decision to after the exit, with the barriers around the entry."""
    decided, entry, leave = rows
    panel = where.panel
    i = int(panel.asset_id[decided])
    first = max(entry - _BARS_AROUND, int(panel.offsets[i]))
    stop = min(leave + _BARS_AFTER, int(panel.offsets[i + 1]))
    row = where.rows[decided]
    up, down = prepared.labels.up[row], prepared.labels.down[row]
    prices = {
        name: tuple(getattr(panel, name)[first:stop].tolist())
        for name in ("open", "high", "low", "close")
    }
    return {
        "symbol": panel.symbols[i],
        "time": iso_moment(panel.available_at[decided]),
        "first": iso_moment(panel.time[first]),
        "timeframe": panel.timeframe.name,
        **prices,
        "entry_bar": entry - first,
        "exit_bar": leave - first,
        "upper": price * (1 + up) if np.isfinite(up) else None,
        "lower": price * (1 - down) if np.isfinite(down) else None,
    }
