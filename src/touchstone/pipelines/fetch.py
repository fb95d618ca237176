"""Bars from a vendor into a store: fetch what was asked for, update what is there."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from touchstone.data.downloads import schedule
from touchstone.data.downloads.compaction import Holding, compact
from touchstone.data.downloads.download import Ask
from touchstone.data.downloads.pages import checked, last_complete, packed
from touchstone.data.downloads.plan import Kept, Planned
from touchstone.data.http import Access
from touchstone.data.sources import SOURCES, vendor_of
from touchstone.data.vendors import VendorConfig
from touchstone.errors import ConfigError, DataError, SourceError
from touchstone.files import symbol_to_stem
from touchstone.market import Calendar, Timeframe
from touchstone.pipelines.downloading import (
    PLAN,
    Means,
    Outcome,
    Work,
    failures,
    held,
    rows_of,
    work_off,
)
from touchstone.pipelines.progress import Progress

_MINUTE_NS = 60_000_000_000


def vendor_config(settings: object) -> VendorConfig:
    """What a user said about a vendor -> its config.

    Raises:
        ConfigError: no such source, one that cannot be fetched, or a key it does not know.
    """
    config = SOURCES.parse(settings)
    if not isinstance(config, VendorConfig):
        raise ConfigError(f"source {_kind(config)!r} is not fetched: it reads what is at hand")
    return config


def fetch(
    folder: Path,
    config: VendorConfig,
    wanted: tuple[Sequence[str], int, int | None],
    means: Means,
    progress: Progress,
) -> list[Outcome]:
    """Bring instruments' bars of a span into the store; what is there already is not asked for.

    Args:
        folder: the store.
        config: the vendor and what of it; `path` is not used.
        wanted: (symbols, first time, first time after the last; None: now), ns UTC.
        means: how the vendor is reached.
        progress: who shows it.

    Raises:
        UnreachableError: no connection. What was complete by then is stored.
        DeniedError: the vendor lets us in nowhere.
        SourceError: the store holds bars of another source, feed or adjustment.
    """
    symbols = sorted(set(wanted[0]))
    for symbol in symbols:
        symbol_to_stem(symbol)
    start, end = wanted[1] // _MINUTE_NS * _MINUTE_NS, _last(config, means.now())
    end = end if wanted[2] is None else min(end, wanted[2])
    if start >= end or not symbols:
        raise ConfigError("nothing to fetch: name symbols, and a span with a finished bar in it")
    config, vendor = config.model_copy(update={"path": ""}), vendor_of(_kind(config))
    with vendor.connect(config, Access(means.keys(vendor.secrets), means.url)):
        pass  # what cannot be is refused before anything is planned
    with held(folder) as holding:
        rows = rows_of(holding.store, config.timeframe)
        for symbol in symbols:
            schedule.take_up(holding.plan, config, symbol, rows.get(symbol), (start, end))
        return _bars(holding, config, symbols, means, progress)


def update(
    folder: Path, means: Means, progress: Progress, symbols: Sequence[str] | None = None
) -> list[Outcome]:
    """Bring every instrument of a store up to now, and compare the last two days.

    One of which nothing is stored, and every chunk failed, is left out unless it is named.

    Raises:
        UnreachableError: no connection. What was complete by then is stored.
        DeniedError: the vendor lets us in nowhere.
        SourceError: nothing was fetched into the folder.
    """
    if not (folder / PLAN).is_file():
        raise SourceError(f"{folder}: nothing was fetched into it: touchstone data fetch begins")
    out: list[Outcome] = []
    with held(folder) as holding:
        groups: dict[tuple[str, str], list[str]] = {}
        begun = {(c.timeframe, c.symbol) for c in holding.plan.chunks() if c.state != "failed"}
        begun |= {(row.timeframe, row.symbol) for row in holding.store.rows()}
        for timeframe, symbol, settings in holding.plan.series():
            wanted = (timeframe, symbol) in begun if symbols is None else symbol in symbols
            if wanted:
                groups.setdefault((timeframe, settings), []).append(symbol)
        absent = sorted(set(symbols or ()) - {s for group in groups.values() for s in group})
        if absent:
            raise SourceError(f"{folder}: {', '.join(absent)} was never fetched into it")
        for (timeframe, settings), group in groups.items():
            config, rows = vendor_config(json.loads(settings)), rows_of(holding.store, timeframe)
            end = _last(config, means.now())
            for symbol in group:
                if symbol in rows:
                    schedule.ahead(holding.plan, config, rows[symbol], end)
            out += _bars(holding, config, group, means, progress)
    return sorted(out, key=lambda o: (o.timeframe, o.symbol))


def _bars(
    holding: Holding, config: VendorConfig, symbols: Sequence[str], means: Means, progress: Progress
) -> list[Outcome]:
    """Work off the plan of these instruments."""
    plan, vendor, timeframe = holding.plan, vendor_of(_kind(config)), Timeframe(config.timeframe)
    access = Access(means.keys(vendor.secrets), means.url)
    before, n_revisions = rows_of(holding.store, timeframe.name), dict.fromkeys(symbols, 0)
    for symbol in symbols:
        schedule.drop_stale(plan, config, symbol, means.now())
        if symbol in before and not holding.store.is_whole(before[symbol]):
            schedule.restore(plan, config, before[symbol])

    def finish(symbol: str) -> bool:
        try:
            stored = compact(holding, timeframe, symbol, config.marks(symbol))
        except DataError as error:
            for chunk in plan.chunks(timeframe.name, symbol):
                if chunk.state == "done":
                    plan.fail(chunk, str(error), afresh=True)
            return False
        n_revisions[symbol] += stored.n_revisions
        if stored.whole_again and stored.row is not None:
            schedule.whole_again(plan, config, stored.row)
        return stored.whole_again

    work = Work(timeframe.name, symbols, lambda: _asking(config, access), finish)
    work_off(plan, work, means, access.secrets, progress)
    after, failed = rows_of(holding.store, timeframe.name), failures(plan, timeframe.name)
    out = []
    for symbol in symbols:
        had, has = before.get(symbol), after.get(symbol)
        n_new = (has.n_bars if has else 0) - (had.n_bars if had else 0)
        reasons = failed.get(symbol, ())
        if has is None and not reasons:
            reasons = ("the vendor has no bars of it in this span",)
        out.append(Outcome(symbol, timeframe.name, has, n_new, n_revisions[symbol], reasons))
    return out


@contextmanager
def _asking(config: VendorConfig, access: Access) -> Iterator[Ask]:
    """A connection of one thread: asks for the next page of a chunk, and checks it."""
    with vendor_of(_kind(config)).connect(config, access) as ask:

        def one(planned: Planned) -> Kept:
            page = ask(planned.chunk, planned.token)
            bars = checked(page, planned.chunk, config, planned.last)
            if bars is None:
                return Kept(b"", 0, None, page.token)
            return Kept(packed(bars), len(bars), int(bars.time[-1]), page.token)

        yield one


def _last(config: VendorConfig, now: int) -> int:
    return last_complete(
        now, Timeframe(config.timeframe), Calendar(config.calendar), config.delay_ns
    )


def _kind(config: object) -> str:
    return str(getattr(config, "source", ""))
