"""What every way of searching brings to `touchstone tune`: how it runs, and how it is told."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from touchstone.data.sources import Loaded
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask
from touchstone.pipelines.study import Study
from touchstone.pipelines.tune_config import Tune
from touchstone.registry.tracking import Batch
from touchstone.reports.contents import Contents

Market: TypeAlias = tuple[Loaded, str]
"""Bars, and the hash of their data."""


class Found(NamedTuple):
    """What a search came to; `pipelines.tune` writes it down."""

    result: Contents
    """As result.json will hold it."""
    studies: Mapping[str, tuple[Study, str]]
    """File beside the result -> a winner's study, and its name: what `touchstone run` takes to its
    verdict."""
    batch: Callable[[Mapping[str, Any]], Batch] | None = None
    """What a tracking server is told, of run.json's facts; None: nothing."""


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
