"""What fetching bars and fetching news share: the folder held, the plan worked off, the outcome."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from touchstone.data.downloads.compaction import Holding
from touchstone.data.downloads.download import Ask, Ended, Pace, download
from touchstone.data.downloads.plan import Plan
from touchstone.data.downloads.revisions import RevisionLog
from touchstone.data.http import Secrets
from touchstone.data.store import BarStore, Row
from touchstone.files import lock
from touchstone.pipelines.progress import Progress, Step

PLAN: Final = "plan.sqlite"
REVISIONS: Final = "revisions.sqlite"


class Means(NamedTuple):
    """What reaches a vendor. Clock, waits and keys come from the caller."""

    keys: Callable[[tuple[str, ...]], Secrets]
    """Environment variables' names -> their values; raises ConfigError where one is missing."""
    pace: Pace
    now: Callable[[], int]
    """ns UTC."""
    url: str | None = None
    """Another server than the vendor's own."""


class Outcome(NamedTuple):
    """What a command did to one instrument."""

    symbol: str
    timeframe: str
    row: Row | None
    """As it is in the store now; None: no bars there."""
    n_new: int
    """Bars (articles, for news) more than before."""
    n_revisions: int
    reasons: tuple[str, ...]
    """Why something could not be had; empty where all went well."""


class Work(NamedTuple):
    """What is fetched, and how it ends."""

    timeframe: str
    symbols: Sequence[str]
    connect: Callable[[], AbstractContextManager[Ask]]
    """A thread's connection."""
    finish: Callable[[str], bool]
    """Stores a symbol's finished chunks; whether there is more to fetch for it now."""


@contextmanager
def held(folder: Path) -> Iterator[Holding]:
    """Everything under a store's folder, for one process at a time.

    Raises:
        DataError: another process downloads into it.
    """
    with lock(folder / ".download.lock", wait=False), closing(Plan(folder / PLAN)) as plan:
        yield Holding(BarStore(folder), plan, RevisionLog(folder / REVISIONS))


def work_off(plan: Plan, work: Work, means: Means, secrets: Secrets, progress: Progress) -> None:
    """Fetch every open chunk of the symbols, those that failed before included.

    Raises:
        UnreachableError: no connection.
        DeniedError: the vendor lets us in nowhere.
    """
    plan.reopen(work.timeframe, work.symbols)
    mine, again = set(work.symbols), True
    while again:
        chunks = [c for c in plan.chunks(work.timeframe) if c.symbol in mine]
        open_ = [c for c in chunks if c.state == "open"]
        left = {symbol: 0 for symbol in sorted({c.symbol for c in chunks})}
        for chunk in open_:
            left[chunk.symbol] += 1
        # what a command that was killed had no time to store
        again = any([work.finish(symbol) for symbol, n in left.items() if not n])
        with progress.stage("fetch", len(open_)) as step:
            ended = download(plan, open_, work.connect, means.pace, means.now, secrets)
            try:
                again |= _follow(ended, left, work.finish, step)
            finally:
                ended.close()


def failures(plan: Plan, timeframe: str) -> dict[str, tuple[str, ...]]:
    """Symbol -> why chunks of it failed, each reason once."""
    out: dict[str, tuple[str, ...]] = {}
    for chunk in plan.chunks(timeframe):
        known = out.get(chunk.symbol, ())
        if chunk.state == "failed" and chunk.reason not in known:
            out[chunk.symbol] = (*known, chunk.reason)
    return out


def rows_of(store: BarStore, timeframe: str) -> dict[str, Row]:
    """Symbol -> its row, of one timeframe."""
    return {row.symbol: row for row in store.rows() if row.timeframe == timeframe}


def _follow(
    ended: Iterator[Ended], left: dict[str, int], finish: Callable[[str], bool], step: Step
) -> bool:
    again, n_pages, n_failed = False, 0, 0
    for chunk, reason in ended:
        n_pages += not reason
        n_failed += bool(reason)
        if chunk.state != "open":
            step.advance(chunk.symbol)
            left[chunk.symbol] -= 1
            if not left[chunk.symbol]:
                again |= finish(chunk.symbol)
    step.say(f"{n_pages:,} pages" + (f", {n_failed} chunks failed" if n_failed else ""))
    return again
