"""Sentiment: scores of texts, joined as of the time they were known.

The side input is called `sentiment` in a study (`side: {sentiment: {kind: news, ...}}`); a column
where nothing is known is 0, so a mean over bars counts the known ones only.
"""

from typing import Final

from touchstone.features.catalogue import Entry

_TETLOCK = "Tetlock (2007), Giving Content to Investor Sentiment, Journal of Finance 62:3"
_BARBER = "Barber & Odean (2008), All That Glitters, Review of Financial Studies 21:2"

ENTRIES: Final = {
    "sentiment": Entry(
        "sentiment", "The side column; 0 where none is known.", "-1 .. 1", "-", ("sentiment",)
    ),
    "sentiment_known": Entry(
        "sentiment_known", "Whether there is a score.", "0 or 1", "-", ("sentiment",)
    ),
    "sentiment_change_24": Entry(
        "sentiment_known * lag(sentiment_known, 24) * (sentiment - lag(sentiment, 24))",
        "Change of sentiment over 24 bars; 0 where either end is unknown.",
        "-2 .. 2",
        "-",
        ("sentiment",),
    ),
    "sentiment_surprise_120": Entry(
        "sentiment_known * (sentiment - sum(sentiment, 120) / sum(sentiment_known, 120))",
        "Sentiment against its mean over the known ones of 120 bars; 0 where none is known.",
        "-2 .. 2",
        _TETLOCK,
        ("sentiment",),
    ),
    "sentiment_rank": Entry(
        "cross_rank(sentiment)",
        "Rank of sentiment among the instruments.",
        "0 .. 1",
        "-",
        ("sentiment",),
    ),
    "sentiment_disagrees": Entry(
        "sentiment_known * (sign(sentiment) * sign(close - lag(close, 24)) < 0.0)",
        "Whether sentiment and the move of 24 bars point opposite ways.",
        "0 or 1",
        "-",
        ("sentiment",),
    ),
    "sentiment_strength": Entry(
        "sentiment * sqrt(sentiment_count)",
        "Sentiment times the root of the items behind it: a mean of many weighs more.",
        "score x root of items",
        "-",
        ("sentiment", "sentiment_count"),
    ),
    "news_attention_120": Entry(
        "log(1 + sentiment_count) - log(1 + sum(sentiment_count, 120) / 120)",
        "Items of news against their mean of 120 bars.",
        "log ratio",
        _BARBER,
        ("sentiment_count",),
    ),
    "news_dispersion": Entry(
        "sentiment_dispersion",
        "How unlike each other the scores of recent items are.",
        "0 .. 1",
        "-",
        ("sentiment_dispersion",),
    ),
    "news_novelty": Entry(
        "sentiment_novelty",
        "Share of words in recent items that were not said in the days before.",
        "0 .. 1",
        "Tetlock (2011), All the News That's Fit to Reprint, Review of Financial Studies 24:5",
        ("sentiment_novelty",),
    ),
}
