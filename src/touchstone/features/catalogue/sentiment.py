"""Sentiment: scores of texts, joined as of the time they were known."""

from typing import Final

from touchstone.features.catalogue import Entry

ENTRIES: Final = {
    "sentiment": Entry(
        "sentiment", "The side column; 0 where none is known.", "-1 .. 1", "-", ("sentiment",)
    ),
    "sentiment_known": Entry(
        "sentiment_known", "Whether there is a score.", "0 or 1", "-", ("sentiment",)
    ),
}
