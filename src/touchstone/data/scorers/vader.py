"""VADER: a lexicon of rated words and rules for negation and emphasis. Small, quick, no model."""

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.scorers import SCORERS


class VaderConfig(Config):
    """The lexicon as it is shipped; made for social media, so it misses words of finance."""

    kind: Literal["vader"] = "vader"


@SCORERS.register(VaderConfig)
class Vader:
    """Compound polarity of a text, -1 .. 1.

    Source: Hutto & Gilbert (2014), VADER: A Parsimonious Rule-based Model for Sentiment Analysis
    of Social Media Text, ICWSM.
    """

    columns: ClassVar = ("",)
    released: ClassVar = "2014-06-01"

    def __init__(self, config: VaderConfig, root: Path) -> None:
        del config, root

    @property
    def version(self) -> str:
        """The package that holds the lexicon, and its version."""
        return f"vader {metadata.version('vaderSentiment')}"

    def score(self, texts: Sequence[str]) -> Float64:
        """Compound polarity, (n_texts, 1)."""
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

        judge = SentimentIntensityAnalyzer()
        compound = [float(judge.polarity_scores(text)["compound"]) for text in texts]
        return np.array(compound, np.float64).reshape(-1, 1)
