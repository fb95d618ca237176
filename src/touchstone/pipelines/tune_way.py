"""What every way of searching brings to `touchstone tune`: how it runs, and how it is told."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from touchstone.pipelines.asked import Made, Market
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask
from touchstone.pipelines.tune_config import Tune
from touchstone.reports.contents import Contents

__all__ = ["Found", "Market", "Way"]
Found: TypeAlias = Made[Contents]
"""What a search came to; a winner's study is what `touchstone run` takes to its verdict."""


class Way(NamedTuple):
    """A way of searching, whole."""

    run: Callable[[Tune, Ask, Market, Progress, Path], Found]
    """Search, or go on with a search that was stopped. The folder is the search's own in `tunes/`:
    its name names the search; nothing has to be written there."""
    result: type[Contents]
    """What result.json holds."""
    page: Callable[[Any, str], str]
    """Result and command -> report.html."""
    told: Callable[[Any], Sequence[str]]
    """Result -> the lines that a terminal shows."""
