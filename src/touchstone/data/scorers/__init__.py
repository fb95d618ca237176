"""What a text says, as numbers: one file each. A scorer reads one text at a time and nothing else.

So the score of a text cannot depend on what was written after it; what a scorer was trained on
can, and `released` says from when on that is excluded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from touchstone.arrays import Float64
from touchstone.registration import Family


class Scorer(Protocol):
    """Made of its config and the folder that relative paths start from."""

    columns: tuple[str, ...]
    """What stands behind the input's name for each number of a text; "" alone: a score -1 .. 1."""
    released: str | None
    """Date, YYYY-MM-DD, when the scorer became public; None: not stated."""

    def __init__(self, config: Any, root: Path) -> None: ...

    @property
    def version(self) -> str:
        """Identifies what computes: two scorers of one version give a text the same numbers."""
        ...

    def score(self, texts: Sequence[str]) -> Float64:
        """(n_texts, n_columns), finite."""
        ...


SCORERS: Family[type[Scorer]] = Family("scorer of texts", __name__)
