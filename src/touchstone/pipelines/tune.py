"""`touchstone tune`: settings of every architecture are tried on purged folds, the best is kept.

How is searched stands in `pipelines.tune_<method>`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from touchstone.pipelines.asked import Ended, Seconds, Work, answered
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask
from touchstone.pipelines.tune_config import Tune
from touchstone.pipelines.tune_way import Way
from touchstone.registration import kind_of
from touchstone.reports.contents import Contents

_HEAD: Final = "Takes these settings to their one look at the sealed rows."


def _trials() -> Way:
    from touchstone.pipelines.tune_trials import WAY  # noqa: PLC0415  only what is asked for

    return WAY


def _darts() -> Way:
    from touchstone.pipelines.tune_architecture import WAY  # noqa: PLC0415  only what is asked for

    return WAY


def _population() -> Way:
    from touchstone.pipelines.tune_population import WAY  # noqa: PLC0415  only what is asked for

    return WAY


WAYS: Final[Mapping[str, Callable[[], Way]]] = {
    "darts": _darts, "population": _population, "trials": _trials,
}  # fmt: skip
"""Kind of the method -> how it runs."""


def tune(asked: Tune, ask: Ask, progress: Progress, seconds: Seconds) -> Ended[Contents]:
    """Search, go on with a search that was stopped, or show a finished one; see `answered`."""
    way = WAYS[kind_of(asked.config.method)]()
    work = Work("tune", "search", way.run, way.result, way.page, way.told, _HEAD)
    return answered(work, asked, ask, progress, seconds)
