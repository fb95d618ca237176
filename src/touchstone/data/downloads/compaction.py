"""From the pages of finished chunks to one file of an instrument in the store.

Order: differences from what is stored go to the log of revisions, then the store takes the new
version (file, then manifest), then the plan lets the pages go. Whoever is killed in between does
the same again, with the same result.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.data.downloads.pages import unpacked
from touchstone.data.downloads.plan import Plan, Planned
from touchstone.data.downloads.revisions import Revision, RevisionLog, differences, united
from touchstone.data.downloads.schedule import STALE_NS
from touchstone.data.store import BarStore, Origin, Row, refuse_mixture
from touchstone.data.stored import Marks
from touchstone.errors import SourceError
from touchstone.market import Bars, Timeframe
from touchstone.market.bars import FIELDS

_MOST_WITHDRAWN: Final = 0.05


class Holding(NamedTuple):
    """Everything under one store's folder."""

    store: BarStore
    plan: Plan
    revisions: RevisionLog


class Stored(NamedTuple):
    """What became of an instrument's finished chunks."""

    row: Row | None
    """The instrument in the store; None: it has no bar there."""
    n_revisions: int
    whole_again: bool = False
    """The vendor has adjusted the past since: the whole history must be fetched again."""


def compact(holding: Holding, timeframe: Timeframe, symbol: str, marks: Marks) -> Stored:
    """Bring an instrument's finished chunks into the store, without leaving a hole between bars.

    Chunks that lie beyond one which failed wait for it. Adjusted bars are never joined across an
    adjustment: where the oldest price that was fetched again has changed, nothing is stored.

    Raises:
        SourceError: the stored bars are of other marks, or the vendor withdrew too many bars.
    """
    store, plan, log = holding
    old = next(
        (r for r in store.rows() if (r.timeframe, r.symbol) == (timeframe.name, symbol)), None
    )
    ready = _joining(plan.chunks(timeframe.name, symbol), old)
    if not ready:
        return Stored(old, 0)
    new, fetched_at = _gathered(plan, symbol, ready)
    origin = Origin(marks.source, marks.adjustment, fetched_at, marks.feed)
    if old is None:
        if not len(new):
            plan.stored(ready)
            return Stored(None, 0)
        row = store.write(new, timeframe, origin)
        plan.stored(ready)
        return Stored(row, 0)
    refuse_mixture(old, origin)
    spans = [(c.start, c.end) for c in ready]
    whole = _covers(spans, old)
    if whole and not store.is_whole(old):
        return Stored(_restored(holding, old, new, origin, ready), 0)
    before = store.read(symbol, timeframe)
    found = differences(before, new, spans, (timeframe.name, fetched_at))
    late = fetched_at - old.fetched_at >= STALE_NS
    if marks.adjustment != "raw" and not whole and _adjusted_since(before, new, found, late=late):
        # without a stored chunk that is under way already, and waits for what failed of it
        chunks = plan.chunks(timeframe.name, symbol)
        return Stored(old, 0, whole_again=any(c.state == "stored" for c in chunks))
    gone = [r.time for r in found if r.new is None]
    _refuse_loss(len(gone), before, spans)
    # adjusted bars are of one telling; of raw ones, what a vendor withdraws had been seen
    after = united(before, new, gone if marks.adjustment != "raw" else ())
    n_revisions = log.append(found)
    row = store.write(after, timeframe, origin)
    plan.stored(ready)
    return Stored(row, n_revisions)


def _restored(holding: Holding, old: Row, new: Bars, origin: Origin, ready: list[Planned]) -> Row:
    """A new whole history in the place of a file that was damaged: there is nothing to compare."""
    inside = int(((new.time >= old.first) & (new.time <= old.last)).sum())
    if old.n_bars - inside > max(1, _MOST_WITHDRAWN * old.n_bars):
        raise SourceError(
            f"{old.file} is damaged, and of its {old.n_bars:,} bars the vendor has {inside:,} now: "
            "restore the file, or fetch what is left into another store"
        )
    row = holding.store.write(new, Timeframe(old.timeframe), origin)
    holding.plan.stored(ready)
    return row


def _joining(chunks: Sequence[Planned], old: Row | None) -> list[Planned]:
    """Finished chunks that form one span with what is stored, or with each other."""
    runs: list[list[Planned]] = []
    for chunk in chunks:
        if chunk.state in ("done", "stored"):
            end = max((c.end for c in runs[-1]), default=0) if runs else 0
            if runs and chunk.start <= end:
                runs[-1].append(chunk)
            else:
                runs.append([chunk])
    for run in runs:
        done = [c for c in run if c.state == "done"]
        has_stored = len(done) < len(run)
        reaches = old is not None and run[0].start <= old.last and old.first < max(
            c.end for c in run
        )  # fmt: skip
        if done and (old is None or has_stored or reaches):
            return done
    return []


def _gathered(plan: Plan, symbol: str, chunks: Sequence[Planned]) -> tuple[Bars, int]:
    """Bars of the chunks' pages, a later chunk's in force, and when the last page came."""
    whole: Bars | None = None
    at = 0
    for chunk in sorted(chunks, key=lambda c: c.id):
        for fetched_at, content in plan.pages(chunk):
            at = max(at, fetched_at)
            if content:
                bars = unpacked(symbol, content)
                whole = bars if whole is None else united(whole, bars)
    if whole is None:
        nothing = np.empty(0)
        whole = Bars(symbol, np.empty(0, np.int64), *(nothing for _ in FIELDS))
    return whole, at


def _covers(spans: Sequence[tuple[int, int]], row: Row) -> bool:
    at = row.first
    for start, end in sorted(spans):
        if start > at:
            break
        at = max(at, end)
    return at > row.last


def _adjusted_since(old: Bars, new: Bars, found: Sequence[Revision], *, late: bool) -> bool:
    """Whether the oldest bar that both have carries other prices now.

    A split or a dividend changes every bar before its day, so the oldest one; a correction of
    single bars does not, but for that one. Where they have none in common, only their having
    been fetched together says that they are of one telling.
    """
    both = np.intersect1d(old.time, new.time)
    if not both.size:
        return late
    first = int(both[0])
    return any(
        r.time == first and r.old is not None and r.new is not None and r.old[:4] != r.new[:4]
        for r in found
    )


def _refuse_loss(n_gone: int, old: Bars, spans: Sequence[tuple[int, int]]) -> None:
    """A vendor withdraws a bar now and then; one that lacks many has lost or hides them."""
    inside = np.zeros(len(old), bool)
    for start, end in spans:
        inside |= (old.time >= start) & (old.time < end)
    n = int(inside.sum())
    if n_gone > max(1, _MOST_WITHDRAWN * n):
        raise SourceError(
            f"the vendor now lacks {n_gone} of {n} bars that it had: nothing is changed"
        )
