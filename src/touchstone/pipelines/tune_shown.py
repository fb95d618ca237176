"""A search as whoever watches sees it: each trial as it ends, the best so far, fits under way."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from touchstone.pipelines.drive import running
from touchstone.pipelines.progress import Running, Step
from touchstone.pipelines.tune_trial import REASON
from touchstone.tuning.search import Search, Seen, best, seen

_LOOK_SECONDS: Final = 1.0


class Shown:
    """Tells whoever watches what each trial came to, and the best so far."""

    def __init__(self, search: Search, step: Step) -> None:
        self._search, self._step = search, step
        self._found: dict[int, Seen] = {}

    def see(self, trial: Seen | None) -> None:
        """A trial is over."""
        if trial is None:
            return
        self._found[trial.number] = trial
        leader = best(list(self._found.values()), self._search.directions)
        lead = f", best trial {leader[0]}: {_values(self._found[leader[0]])}" if leader else ""
        self._step.done(f"trial {trial.number} {_ended(trial)}{lead}")

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Look now and then which trials are over, where nobody says so."""
        over = threading.Event()
        known = {t.number for t in seen(self._search) if _is_over(t)}

        def look() -> None:
            for trial in seen(self._search):
                if _is_over(trial) and trial.number not in known:
                    known.add(trial.number)
                    self.see(trial)

        def watch() -> None:
            while not over.wait(_LOOK_SECONDS):
                look()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            look()


def under_way(checkpoints: Path | None, since_ns: int) -> list[Running]:
    """The fits that somebody is at since a moment, for whoever watches."""
    folders = []
    for folder in () if checkpoints is None else checkpoints.glob("*"):
        with contextlib.suppress(OSError):  # over meanwhile
            if folder.stat().st_mtime_ns >= since_ns:
                folders.append(folder)
    return running(folders)


def said(search: Search, found: Sequence[Seen]) -> str:
    """How many ended how, and the best."""
    leader = best(found, search.directions)
    n = {s: sum(t.state == s for t in found) for s in ("complete", "pruned", "failed")}
    counts = ", ".join(f"{k} {s}" for s, k in n.items() if k)
    if not leader:
        return counts
    first = next(t for t in found if t.number == leader[0])
    return f"{counts}; best {_values(first)}, trial {first.number}"


def _ended(trial: Seen) -> str:
    if trial.state == "complete":
        return _values(trial)
    return f"{trial.state}: {trial.notes.get(REASON, '')}"


def _values(trial: Seen) -> str:
    return " / ".join(f"{value:.4f}" for value in trial.values)


def _is_over(trial: Seen) -> bool:
    return trial.state not in ("waiting", "running")
