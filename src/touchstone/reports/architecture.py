"""What an architecture search found, and whether it beats cells that nobody searched for."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from touchstone.reports.contents import Contents, Count, Day, Fraction, Interval, Ratio

Verdict: TypeAlias = Literal["beats", "does not beat", "is worse than"]
EdgeTold: TypeAlias = tuple[Count, str]
"""Place that it takes from, and the operation."""
CellTold: TypeAlias = tuple[tuple[EdgeTold, EdgeTold], ...]
"""Of each node its two edges: place 0 is the cell before the last, 1 the last cell, 2 the first
node, ..."""


class EpochFound(Contents):
    """One epoch of a search."""

    index: Count
    """From 1, through all stages."""
    stage: Count
    """From 1."""
    train_loss: Ratio
    """Of the rows that the weights learn from, nats."""
    held_loss: Ratio
    """Of the rows that the architecture learns from, nats."""
    shares: Mapping[str, Mapping[str, Ratio]]
    """"node place" -> operation -> what it weighs; of an edge they sum to one."""


class SearchTold(Contents):
    """One search."""

    number: Count
    """From 1."""
    seed: Count
    """Of its weights and batches."""
    cell: str
    """Name of the cell that it came to."""
    history: tuple[EpochFound, ...]
    """Every epoch."""


class CellFound(Contents):
    """One cell, trained as any model on every fold with every seed."""

    name: str
    """`found 1`, ..., `random 1`, ..."""
    searched: bool
    """Whether a search came to it."""
    genotype: CellTold
    """Its wiring."""
    parameters: Count
    """Numbers that its network learns."""
    validation: Ratio | None
    """PR-AUC on the folds' validation rows: mean over folds and seeds."""
    validation_by_seed: tuple[Ratio | None, ...]
    """Means over the folds."""
    test: Ratio | None
    """PR-AUC on the folds' pooled test rows: mean over the seeds."""
    test_interval: Interval
    """95 %: days drawn whole, seeds drawn again."""
    test_by_seed: tuple[Ratio | None, ...]
    """In the order of the seeds."""
    file: str
    """The study that takes it to its verdict, beside this result; empty for all but the winner."""


class Compared(Contents):
    """Found cells less random ones, on the same rows and days."""

    rows: Literal["validation", "test"]
    """Validation rows chose each fit's epoch; test rows chose nothing."""
    found: Ratio | None
    """Mean PR-AUC of the found cells over their seeds."""
    random: Ratio | None
    """Mean PR-AUC of the random cells over their seeds."""
    difference: Ratio | None
    """The first less the second."""
    interval: Interval
    """95 %: days drawn whole, and cells that differ as those of both sides do, seeds included; of
    so few as a t has it."""
    n_rows: Count
    """With a known outcome."""
    n_days: Count
    """Stretches of days that were drawn."""


class Stage(Contents):
    """A stage of the search as it was asked for."""

    cells: Count
    """One upon the other."""
    operations: Count | None
    """That an edge kept at most; null: all."""
    skip_dropout: Fraction = 0.0
    """Share of what came over a skip that was silenced in its first epoch."""


class ArchitectureResult(Contents):
    """`result.json` of an architecture search."""

    name: str
    """Of the search."""
    study: str
    """The study's name."""
    fingerprint: str
    """12 hex digits: what was asked of which data."""
    data: str
    """Hash of the bars."""
    seeds: tuple[Count, ...]
    """With which every cell was trained."""
    order: Literal["first", "second"]
    """Of the architecture's gradient."""
    stages: tuple[Stage, ...]
    """From shallow to deep."""
    operations: tuple[str, ...]
    """That could stand on an edge."""
    network: Mapping[str, Any]
    """Settings of every network but for its wiring."""
    n_weights: Count
    """Rows that a search's weights learned from: the earlier half of the first fold's train
    rows."""
    n_held: Count
    """Rows that its architecture learned from: the later half."""
    n_purged: Count
    """Rows between them that were left out, since their outcome reaches into the later half."""
    searches: tuple[SearchTold, ...]
    """Every search."""
    cells: tuple[CellFound, ...]
    """Found cells first, best on validation rows first, then random ones. Searches that came to the
    same cell have it once."""
    winner: str
    """Name of the found cell that is best on validation rows."""
    compared: tuple[Compared, ...]
    """On validation rows and on test rows."""
    n_folds: Count
    """Of the study."""
    base_rate: Fraction | None
    """Share of test rows that reached the target."""
    first: Day
    """First day of the bars."""
    last: Day
    """Last day of the bars."""
    sealed_from: Day
    """From here on nothing was scored."""
    n_candidates: Count
    """Candidates that the ledger now holds of these rows."""
    notes: tuple[str, ...]
    """What a reader should know."""

    @property
    def won(self) -> CellFound:
        """The winner."""
        return next(cell for cell in self.cells if cell.name == self.winner)

    @property
    def found(self) -> tuple[CellFound, ...]:
        """Cells that a search came to."""
        return tuple(cell for cell in self.cells if cell.searched)

    @property
    def random(self) -> tuple[CellFound, ...]:
        """Cells that were drawn."""
        return tuple(cell for cell in self.cells if not cell.searched)

    @property
    def drawn(self) -> CellFound:
        """The random cell that validation rows would choose, as they choose the winner."""
        return max(self.random, key=lambda cell: cell.validation or 0.0)

    @property
    def on_test(self) -> Compared:
        """What the verdict is made from."""
        return next(one for one in self.compared if one.rows == "test")

    @property
    def verdict(self) -> Verdict:
        """Found cells against random ones of the same size, by the interval on test rows."""
        ends = self.on_test.interval
        if ends is not None and ends[0] > 0:
            return "beats"
        return "is worse than" if ends is not None and ends[1] < 0 else "does not beat"


_SEVERAL: Final[Mapping[Verdict, str]] = {
    "beats": "beat", "does not beat": "do not beat", "is worse than": "are worse than",
}  # fmt: skip


def sentence_of(result: ArchitectureResult) -> str:
    """The verdict in words, without its numbers.

    Of several found cells it is that of their mean, not of the winner.
    """
    n = len(result.found)
    if n == 1:
        return f"The found cell {result.verdict} a random cell of the same size"
    verdict = _SEVERAL[result.verdict]
    return f"The {n} found cells, in the mean, {verdict} random cells of the same size"


def told(result: ArchitectureResult) -> list[str]:
    """The result for a terminal."""
    head = ("", "parameters", "validation PR-AUC", "test PR-AUC", "95 %", "wiring")
    rows = [head, *(_cells(cell, result.winner) for cell in result.cells)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(
            text.ljust(w) if i in (0, 5) else text.rjust(w)
            for i, (text, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines += [
        f"{one.rows}: found {_of(one.found)}, random {_of(one.random)}, difference "
        f"{_of(one.difference, '+.4f')} (95 %: {_ends(one.interval, '+.4f')})"
        for one in result.compared
    ]
    return [*lines, f"{sentence_of(result)}: {_why(result)}."]


def _why(result: ArchitectureResult) -> str:
    one = result.on_test
    base = f"test rows, {len(result.random)} random cells, {len(result.seeds)} seeds each"
    if one.interval is None:
        return f"{base}; too few days ({one.n_days}) for an interval"
    return f"{base}, PR-AUC {_of(one.difference, '+.4f')} ({_ends(one.interval, '+.4f')})"


def wiring(genotype: CellTold) -> str:
    """A cell on one line.

    >>> wiring((((0, "conv3"), (1, "skip")), ((2, "attention"), (0, "max_pool"))))
    'conv3(c-2) + skip(c-1); attention(n1) + max_pool(c-2)'
    """
    return "; ".join(
        " + ".join(f"{name}({place_name(place)})" for place, name in node) for node in genotype
    )


def place_name(place: int) -> str:
    """A place of a cell, briefly.

    >>> [place_name(place) for place in range(4)]
    ['c-2', 'c-1', 'n1', 'n2']
    """
    return ("c-2", "c-1")[place] if place < 2 else f"n{place - 1}"


def _cells(cell: CellFound, winner: str) -> tuple[str, ...]:
    return (
        cell.name + (" (winner)" if cell.name == winner else ""),
        str(cell.parameters),
        _of(cell.validation, ".4f"),
        _of(cell.test, ".4f"),
        _ends(cell.test_interval, ".4f"),
        wiring(cell.genotype),
    )


def _of(value: float | None, form: str = ".4f") -> str:
    return "-" if value is None else format(value, form)


def _ends(interval: tuple[float, float] | None, form: str) -> str:
    return "-" if interval is None else f"{interval[0]:{form}}..{interval[1]:{form}}"
