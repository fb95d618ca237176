"""What a person sees while a pipeline works: progress bars in a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_MANY_NOTES = 8


class Terminal:
    """Shows stages on standard error; one line a stage when it is done.

    Args:
        console: where to print; where it is no terminal, plain lines. `NO_COLOR` is kept.
        verbosity: -1 nothing but notes' count, 0 stages, 1 every finished unit.
        bar_after_seconds: shows a bar only for what takes longer.
    """

    def __init__(
        self, console: Console, verbosity: int = 0, bar_after_seconds: float = 0.0
    ) -> None:
        self._console = console
        self._bar_after = bar_after_seconds
        self._verbosity = verbosity
        self._n_notes = 0
        self.seconds: list[tuple[str, float]] = []
        """(stage, seconds) in the order they ended."""

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator["_Step"]:
        """Open a stage: a bar while it runs where there is a terminal, a line when it is done."""
        began = time.perf_counter()
        step = _Step(self, name)
        if self._console.is_terminal and self._verbosity >= 0:
            columns = (
                TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(),
                TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
            )  # fmt: skip
            bar = Progress(*columns, console=self._console, transient=True)
            task = bar.add_task(name, total=total, note="")
            step.listen(lambda note: bar.update(task, advance=1, note=note))
            late = threading.Timer(self._bar_after, bar.start)
            late.daemon = True
            late.start() if self._bar_after else bar.start()
            try:
                yield step
            finally:
                late.cancel()
                bar.stop()
        else:
            yield step
        seconds = time.perf_counter() - began
        self.seconds.append((name, seconds))
        if self._verbosity >= 0:
            self._line(f"{name:<12} {step.said:<60} {seconds:7.1f} s")

    def note(self, text: str) -> None:
        """A finding; after a few of them only their number is told, the report has them all."""
        self._n_notes += 1
        if self._n_notes <= _MANY_NOTES or self._verbosity > 0:
            self._line(f"  note: {text}", style="yellow")
        elif self._n_notes == _MANY_NOTES + 1:
            self._line("  note: more of them stand in the report; -v shows them here", "yellow")

    def unit(self, name: str, note: str) -> None:
        """One unit of a stage is done; shown with -v where there is no bar."""
        if self._verbosity > 0 and not self._console.is_terminal:
            self._line(f"{name}: {note}")

    def _line(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


class _Step:
    """One stage under way."""

    def __init__(self, terminal: Terminal, name: str) -> None:
        self.said = ""
        self._terminal = terminal
        self._name = name
        self._listener: Callable[[str], object] = lambda _: None

    def listen(self, listener: Callable[[str], object]) -> None:
        """Hand every advance on, to a bar."""
        self._listener = listener

    def advance(self, note: str = "") -> None:
        """One unit more is done."""
        self._listener(note)
        self._terminal.unit(self._name, note)

    def say(self, text: str) -> None:
        """What the stage found."""
        self.said = text


def console(stderr: bool = True) -> Console:
    """A console on standard error, so that standard output stays for results."""
    return Console(file=sys.stderr if stderr else sys.stdout)
