"""The engine of a download: a plan's open chunks, fetched by threads at a limited rate.

Threads ask the vendor and check what it says; the caller's thread alone writes the plan. The
engine stores nothing: it tells which chunk is at its end, and whoever listens goes on from there.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, TypeAlias

from touchstone.data.downloads.pages import refuse_circle
from touchstone.data.downloads.plan import Kept, Plan, Planned
from touchstone.data.downloads.token_bucket import TokenBucket
from touchstone.data.http import DeniedError, Secrets, TransientError, UnreachableError
from touchstone.errors import DataError, SourceError

_LONGEST_WAIT: Final = 600.0
_WAKE: Final = 0.2
_FAREWELL: Final = 0.5  # seconds for threads to hang up; a slow server is not waited for

Ask: TypeAlias = Callable[[Planned], Kept]
"""Asks the vendor for a chunk's next page and checks it; belongs to one thread."""


class Pace(NamedTuple):
    """How fast, and how patiently."""

    bucket: TokenBucket
    sleep: Callable[[float], object]
    n_threads: int = 8
    n_tries: int = 6
    """Times that a page is asked for before its chunk fails."""
    first_wait_seconds: float = 1.0
    """Before the second try; doubled before each further one, unless the server says how long."""
    most_wait_seconds: float = 60.0


class Ended(NamedTuple):
    """A page was kept, or a chunk is at its end."""

    chunk: Planned
    reason: str
    """Why it failed; empty where it did not."""


def download(
    plan: Plan, chunks: list[Planned], connect: Callable[[], AbstractContextManager[Ask]],
    pace: Pace, now: Callable[[], int], secrets: Secrets,
) -> Generator[Ended, None, None]:  # fmt: skip
    """Fetch every chunk; tells of each page kept and each chunk that failed.

    What cannot be had fails alone, with its reason in the plan. Closing the iterator, or any
    error, lets the threads go; pages that are under way then are lost and asked for again.

    Args:
        plan: where pages and tokens are kept.
        chunks: those to fetch, first things first.
        connect: makes one thread's connection to the vendor.
        pace: rate, threads and tries.
        now: clock, ns UTC, for the time of fetching.
        secrets: taken out of every reason.

    Raises:
        UnreachableError: no connection, after the tries that the pace allows.
        DeniedError: the vendor lets us in nowhere.
    """
    crew = _Crew(connect, pace)
    open_, tokens = {c.id: (i, c) for i, c in enumerate(chunks)}, {}
    for place, chunk in enumerate(chunks):
        tokens[chunk.id] = plan.tokens(chunk)
        crew.ask(place, chunk)
    crew.start(min(pace.n_threads, len(chunks)))
    try:
        while open_:
            chunk, answer = crew.hear()
            place = open_[chunk.id][0]
            reason = ""
            answer = _straight(chunk, answer, tokens[chunk.id])
            if isinstance(answer, Kept):
                chunk = plan.keep(chunk, answer, now())
            if isinstance(answer, UnreachableError | DeniedError):
                raise type(answer)(secrets.scrub(str(answer)))
            if isinstance(answer, DataError):
                reason = secrets.scrub(str(answer))
                plan.fail(chunk, reason, afresh=not isinstance(answer, TransientError))
                chunk = chunk._replace(state="failed", reason=reason)
            elif not isinstance(answer, Kept):
                raise answer
            if chunk.state == "open":
                tokens[chunk.id].add(str(chunk.token))
                crew.ask(place, chunk)
            else:
                del open_[chunk.id]
            yield Ended(chunk, reason)
    finally:
        for chunk, answer in crew.dismiss():  # after an interrupt: what has come is not lost
            if isinstance(answer, Kept) and chunk.id in open_:
                with contextlib.suppress(SourceError):
                    plan.keep(chunk, answer, now())


def _straight(
    chunk: Planned, answer: Kept | BaseException, tokens: set[str]
) -> Kept | BaseException:
    """The answer, or why its paging goes in circles."""
    if isinstance(answer, Kept):
        try:
            refuse_circle(answer.token, tokens, chunk.n_pages + 1, chunk.n_rows + answer.n_rows)
        except SourceError as error:
            return error
    return answer


class _Crew:
    """Threads that ask. They are daemons: an interrupt does not wait for a slow server."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Ask]], pace: Pace) -> None:
        self._connect, self._pace = connect, pace
        self._asked: queue.PriorityQueue[tuple[int, int, Planned | None]] = queue.PriorityQueue()
        self._heard: queue.SimpleQueue[tuple[Planned, Kept | BaseException]] = queue.SimpleQueue()
        self._over = threading.Event()
        self._reached = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, n: int) -> None:
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(n)]
        for thread in self._threads:
            thread.start()

    def ask(self, place: int, chunk: Planned) -> None:
        """Queue a chunk's next page; a low place comes first, so that instruments end early."""
        self._asked.put((place, chunk.n_pages, chunk))

    def hear(self) -> tuple[Planned, Kept | BaseException]:
        """Wait for any answer, waking now and then: a wait without end hears no Ctrl-C."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=_WAKE)

    def dismiss(self) -> list[tuple[Planned, Kept | BaseException]]:
        """No more requests; whoever waits stops at the next chance. What had come unheard."""
        self._over.set()
        for _ in self._threads:
            self._asked.put((-1, -1, None))
        for thread in self._threads:
            thread.join(_FAREWELL / len(self._threads))
        unheard = []
        with contextlib.suppress(queue.Empty):
            while True:
                unheard.append(self._heard.get_nowait())
        return unheard

    def _work(self) -> None:
        with contextlib.ExitStack() as line:
            ask: Ask | None = None
            while (chunk := self._asked.get()[2]) is not None and not self._over.is_set():
                try:
                    ask = ask or line.enter_context(self._connect())
                    answer: Kept | BaseException = self._insist(ask, chunk)
                except BaseException as error:  # noqa: BLE001  handed to the caller's thread, whole
                    answer = error
                self._heard.put((chunk, answer))

    def _insist(self, ask: Ask, chunk: Planned) -> Kept:
        """Ask until there is an answer that another try would not better."""
        pace = self._pace
        for n in range(1, pace.n_tries + 1):
            pace.bucket.take()
            try:
                kept = ask(chunk)
            except TransientError as error:
                # without any network nobody wants to wait for all the tries
                lost = isinstance(error, UnreachableError) and not self._reached.is_set()
                if n == pace.n_tries or (lost and n > 1) or self._over.is_set():
                    raise
                self._wait(error, n)
            else:
                self._reached.set()
                return kept
        raise AssertionError

    def _wait(self, error: TransientError, n: int) -> None:
        pace = self._pace
        if error.retry_after is None:
            pace.sleep(min(pace.first_wait_seconds * 2 ** (n - 1), pace.most_wait_seconds))
        elif error.retry_after > _LONGEST_WAIT:
            raise SourceError(
                f"{error}: it wants to be left alone for {error.retry_after:,.0f} seconds: "
                "the same command goes on then"
            )
        else:
            pace.bucket.pause(error.retry_after)  # for every thread
