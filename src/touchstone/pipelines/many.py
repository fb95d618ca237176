"""Many markets judged alike: by worker processes, into a journal that survives interruptions.

Null calibration and the power curve ask the same of a machine: hundreds of markets, each judged
by itself from its own seed, and none twice.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from joblib import delayed

from touchstone.errors import DataError
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.workers import workers

A = TypeVar("A", bound=tuple[Any, ...])
"""A NamedTuple that says which market; its values are of JSON."""
F = TypeVar("F", bound=tuple[Any, ...])
"""A NamedTuple of what was found there; its values are of JSON."""

_BEGINNING: Final = '{"of": "'
"""Of every line of a journal."""


class Journal(NamedTuple, Generic[A, F]):
    """A file of JSON lines, one a market, which grows and is never rewritten."""

    path: Path
    of: str
    """What the lines belong to: nothing else may be counted with them."""
    ask: type[A]
    found: type[F]


class Done(NamedTuple, Generic[F]):
    """What was found on one market, and how long that took."""

    found: F
    seconds: float
    """Of one core."""


class Work(NamedTuple, Generic[A, F]):
    """Who does it, and who shows it."""

    judge: Callable[[A], F]
    """Goes to worker processes: a function of a module, or a `partial` of one."""
    jobs: int
    """Worker processes; they live from the first market to the last."""
    progress: Progress


def many(
    name: str, todo: Sequence[A], journal: Journal[A, F], work: Work[A, F]
) -> tuple[Done[F], ...]:
    """Judge every market that the journal does not have yet; in the order asked.

    The same call goes on from the journal, whatever stopped the one before.

    Args:
        name: of the stage, as it is shown.
        todo: which markets.
        journal: where they stand, and will stand.
        work: who does it.

    Raises:
        DataError: a journal that is not one.
    """
    known = read(journal)
    left = [ask for ask in todo if ask not in known]
    with work.progress.stage(name, len(todo)) as step:
        for _ in range(len(todo) - len(left)):
            step.advance("from the journal")
        began = time.perf_counter()
        for n, (ask, done) in enumerate(_judged(left, work), 1):
            known[ask] = done
            _append(journal, ask, done)
            a_minute = 60 * n / max(time.perf_counter() - began, 1e-9)
            step.advance(f"{' '.join(map(str, ask))}, {a_minute:.1f} a minute")
        seconds = [known[ask].seconds for ask in todo]
        each = f", {sum(seconds) / len(seconds):.1f} s of one core each" if seconds else ""
        markets = "1 market" if len(todo) == 1 else f"{len(todo)} markets"
        step.say(f"{markets}{each}, {len(todo) - len(left)} from the journal")
    return tuple(known[ask] for ask in todo)


def read(journal: Journal[A, F]) -> dict[A, Done[F]]:
    """What a journal holds of its own sort; a line cut short is none.

    Raises:
        DataError: a line that is none of a journal.
    """
    if not journal.path.is_file():
        return {}
    known: dict[A, Done[F]] = {}
    text = journal.path.read_text("utf-8", errors="replace")
    for number, line in enumerate(text.splitlines()):
        try:
            row: dict[str, Any] | None = _whole(line)
            if row is None:
                continue  # killed while it was written
            of, ask, found = row["of"], dict(row["ask"]), dict(row["found"])
            seconds = float(row["seconds"])
            if of == journal.of:
                known[journal.ask(**ask)] = Done(journal.found(**found), seconds)
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"{journal.path}: line {number + 1} is no market of such a journal: move the file "
                "away"
            ) from None
    return known


def _whole(line: str) -> dict[str, Any] | None:
    """A line's content; None for the beginning of one."""
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError:
        if line.startswith(_BEGINNING) or _BEGINNING.startswith(line):
            return None
        raise
    return row


def _append(journal: Journal[A, F], ask: A, done: Done[F]) -> None:
    asked, found = ask._asdict(), done.found._asdict()  # type: ignore[attr-defined]
    seconds = round(done.seconds, 2)
    line = {"of": journal.of, "ask": asked, "found": found, "seconds": seconds}
    journal.path.parent.mkdir(parents=True, exist_ok=True)
    with journal.path.open("a+b") as file:
        cut_short = _ends_within_a_line(journal.path)
        file.write(b"\n" * cut_short + json.dumps(line).encode() + b"\n")


def _ends_within_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return False
        file.seek(-1, 2)
        return file.read(1) != b"\n"


def _judged(left: Sequence[A], work: Work[A, F]) -> Iterator[tuple[A, Done[F]]]:
    if work.jobs == 1 or len(left) < 2:
        yield from ((ask, _timed(work.judge, ask)) for ask in left)
        return
    pool = workers(work.jobs)
    calls = (delayed(_placed)(i, work.judge, ask) for i, ask in enumerate(left))
    for place, done in pool(calls):
        yield left[place], done


def _placed(place: int, judge: Callable[[A], F], ask: A) -> tuple[int, Done[F]]:
    return place, _timed(judge, ask)


def _timed(judge: Callable[[A], F], ask: A) -> Done[F]:
    began = time.process_time()
    found = judge(ask)
    return Done(found, time.process_time() - began)
