"""News sentiment: texts, scored, as aggregates of what had been published by every bar's close."""

from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.durations import Delay, Duration, nanoseconds
from touchstone.data.faults import utc
from touchstone.data.news.aggregates import Aggregates, aggregate
from touchstone.data.news.items import Items, NewsColumns, Reading, read_items
from touchstone.data.news.novelty import novelty
from touchstone.data.news.scoring import scores_of
from touchstone.data.scorers import SCORERS, Scorer
from touchstone.data.side import SIDES, Joined, Place
from touchstone.data.side_file import SideFileConfig, reading
from touchstone.errors import ConfigError
from touchstone.market import Panel
from touchstone.registration import PartOf

_MOST_HALF_LIVES: Final = 100


class NewsConfig(SideFileConfig):
    """Items of news or posts, scored one by one.

    Columns: the weighted mean score under the input's own name (an embedding's columns as `_1`,
    `_2`, ...), `_count`, `_dispersion` and `_novelty`.
    """

    kind: Literal["news"] = "news"
    scorer: Annotated[Config, PartOf(SCORERS)] = Field(
        default_factory=lambda: SCORERS.parse({"kind": "vader"})
    )
    """What a text says, as numbers."""
    half_life: Duration = "24h"
    """Real time in which an item's weight halves, nights and weekends included."""
    max_age: Duration = "7d"
    """Where the newest item is older than this, nothing is known."""
    processing_delay: Delay = "1m"
    """From publication to a score that a decision can use: delivery, scoring."""
    known_from: Literal["published", "fetched"] = "published"
    """`fetched` counts from when an item was received here, if that is later; for news that was
    collected live."""
    midnight: Literal["date", "moment"] = "date"
    """What a time of 00:00:00 sharp is: a date, which counts when it is over; or that moment."""
    about: Literal["symbol", "market"] = "symbol"
    """Every instrument's own news; or all items together, the same for every instrument."""
    novelty_memory: Duration = "7d"
    """Words heard within this time are not new."""
    columns: NewsColumns = NewsColumns()
    """Names of the columns, where they are not the usual ones."""

    @model_validator(mode="after")
    def _check_age(self) -> "NewsConfig":
        if nanoseconds(self.max_age) > _MOST_HALF_LIVES * nanoseconds(self.half_life):
            raise ConfigError(
                f"max_age {self.max_age} is more than {_MOST_HALF_LIVES} half-lives of "
                f"{self.half_life}: what is left of an item then is no news"
            )
        return self


@SIDES.register(NewsConfig)
def load(config: NewsConfig, panel: Panel, place: Place) -> Joined:
    """Aggregates of the items known at every row's close.

    Raises:
        SourceError: no news about any instrument of the panel, or rows that cannot be.
        ConfigError: a scorer that needs what is not installed.
    """
    path = place.root / config.path
    how = Reading(
        config.columns,
        config.timezone,
        nanoseconds(config.processing_delay),
        config.known_from,
        config.midnight,
        panel.symbols if config.about == "symbol" else None,
        place.renamed,
    )
    with reading(path) as files:
        items = read_items(files.frame(), how)
    scorer = SCORERS.part_of(config.scorer)(config.scorer, place.root)
    scores = scores_of(scorer, items.texts, place.cache)
    fresh = novelty(items, nanoseconds(config.novelty_memory))
    times = nanoseconds(config.half_life), nanoseconds(config.max_age)
    found = aggregate(items, scores, fresh, times, panel)
    return Joined(_columns(scorer, found), found.age_ns, _findings(scorer, items, panel))


def _columns(scorer: Scorer, found: Aggregates) -> dict[str, Float64]:
    columns = {name: found.mean[:, i] for i, name in enumerate(scorer.columns)}
    columns["count"] = found.items
    if scorer.columns == ("",):
        columns["dispersion"] = found.dispersion[:, 0]
    columns["novelty"] = found.novelty
    return columns


def _findings(scorer: Scorer, items: Items, panel: Panel) -> tuple[str, ...]:
    n_items, published = int(items.first.sum()), items.event_time[items.first]
    told = [f"{n_items:,} items from {utc(published.min())[:10]} to {utc(published.max())[:10]}, "
            f"scored by {scorer.version}."]  # fmt: skip
    n_edits = items.item.size - n_items
    if n_edits:
        told.append(f"{n_edits:,} later versions of items count from their own time on.")
    if scorer.released is not None:
        released = int(np.datetime64(scorer.released, "ns").astype(np.int64))
        share = float((published < released).mean())
        if share:
            told.append(
                f"{100 * share:.0f} % of the items are older than their scorer (public since "
                f"{scorer.released}): what it learnt from may know what came after them."
            )
    else:
        told.append("it is not stated since when its scorer is public (`released`): what it "
                    "learnt from may know what came after the items.")  # fmt: skip
    silent = sorted(set(panel.symbols) - set(items.symbols)) if items.symbols is not None else []
    if silent:
        told.append(f"no news about {len(silent)} of {panel.n_instruments} instruments "
                    f"({', '.join(silent[:5])}{', ...' if len(silent) > 5 else ''}).")  # fmt: skip
    return (*told, *items.findings)
