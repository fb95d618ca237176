"""What a person sees while a pipeline works: progress bars in a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress_bar import ProgressBar
from rich.table import Table

from touchstone.pipelines.progress import Running, Watch

_MANY_NOTES = 8
_MANY_FITS = 16
_ASK_SECONDS = 0.25
_DRAW_SECONDS = 0.1


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
            bar = _Bar(step, *columns, console=self._console, transient=True)
            task = bar.add_task(name, total=total, note="")
            step.listen(lambda note: bar.update(task, advance=1, note=note))
            with bar.drawn(self._bar_after):
                yield step
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

    def unit(self, name: str, note: str, long: bool = False) -> None:
        """One unit of a stage is done; shown where there is no bar: with -v, or if it took long."""
        if self._verbosity >= (0 if long else 1) and not self._console.is_terminal:
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
        self.running: Watch = tuple
        """The fits under way, to be asked."""

    def listen(self, listener: Callable[[str], object]) -> None:
        """Hand every advance on, to a bar."""
        self._listener = listener

    def advance(self, note: str = "") -> None:
        """One unit more is done."""
        self._listener(note)
        self._terminal.unit(self._name, note)

    def done(self, text: str) -> None:
        """One unit more is done that took long."""
        self._listener(text)
        self._terminal.unit(self._name, text, long=True)

    def watch(self, running: Watch) -> None:
        """Show the fits under way below the bar."""
        self.running = running

    def say(self, text: str) -> None:
        """What the stage found."""
        self.said = text


class _Bar(Progress):
    """A stage's bar, and below it a line for each fit under way in it, as far as it has come."""

    def __init__(
        self, step: _Step, *columns: ProgressColumn, console: Console, transient: bool
    ) -> None:
        self._step = step
        self._asked = -_ASK_SECONDS
        self._found: Sequence[Running] = ()
        self._over = threading.Event()
        super().__init__(*columns, console=console, transient=transient, auto_refresh=False)

    @contextmanager
    def drawn(self, after_seconds: float) -> Iterator[None]:
        """Draw it again and again while inside; nothing of it is left behind, no thread either."""
        thread = threading.Thread(target=self._draw, args=(after_seconds,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self.stop()

    def _draw(self, after_seconds: float) -> None:
        if self._over.wait(after_seconds):
            return
        self.start()
        while not self._over.wait(_DRAW_SECONDS):
            self.refresh()

    def get_renderables(self) -> Iterable[RenderableType]:
        """The stage, then its fits."""
        yield self.make_tasks_table(self.tasks)
        now = time.perf_counter()
        if now - self._asked >= _ASK_SECONDS:
            self._asked, self._found = now, self._step.running()
        if self._found:
            yield fit_lines(self._found)


def fit_lines(fits: Sequence[Running]) -> Table:
    """Fits under way, a line each: epochs, metrics, rate, and how long it can take at most."""
    table = Table.grid(padding=(0, 2))
    for _ in range(7):
        table.add_column(no_wrap=True)
    for one in fits[:_MANY_FITS]:
        table.add_row(
            f"  {one.fit}",
            ProgressBar(one.epochs or 1, one.epoch if one.epochs else 0, width=12),
            f"epoch {one.epoch}" + (f"/{one.epochs}" if one.epochs else ""),
            "" if one.loss is None else f"loss {one.loss:.4f}",
            "" if one.score is None else f"{one.metric} {one.score:.4f}",
            "" if one.best is None else f"best {one.best:.4f} at {one.best_epoch}",
            _pace(one),
        )
    if len(fits) > _MANY_FITS:
        table.add_row(f"  and {len(fits) - _MANY_FITS} more")
    return table


def _pace(one: Running) -> str:
    """Epochs a second, and the time that those to come would take; validation may end it sooner."""
    if not one.rate:
        return ""
    pace = f"{one.rate:.1f}/s" if one.rate >= 1 else f"{1 / one.rate:.1f} s each"
    if one.epochs is None:
        return pace
    left = max(one.epochs - one.epoch, 0) / one.rate
    minutes, seconds = divmod(round(left), 60)
    return f"{pace}, {minutes // 60}:{minutes % 60:02}:{seconds:02} at most"


def console(stderr: bool = True) -> Console:
    """A console on standard error, so that standard output stays for results."""
    return Console(file=sys.stderr if stderr else sys.stdout)
