"""FinBERT: a transformer that was taught financial sentiment. Needs the extra `sentiment`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from touchstone.arrays import Float64
from touchstone.data import transformer
from touchstone.data.scorers import SCORERS
from touchstone.errors import SourceError

_MODEL: Final = "ProsusAI/finbert"
_RELEASED: Final = "2019-08-27"


class FinbertConfig(transformer.TransformerConfig):
    """A sequence classifier with labels `positive` and `negative`."""

    kind: Literal["finbert"] = "finbert"
    model: str = _MODEL
    """A folder with the model and its tokenizer, relative to the study's file; or its name on the
    model hub, fetched once and then kept by the hub's own cache. `released` of the default is
    known."""


@SCORERS.register(FinbertConfig)
class Finbert:
    """Probability of positive less probability of negative, -1 .. 1.

    Source: Araci (2019), FinBERT: Financial Sentiment Analysis with Pre-trained Language Models,
    arXiv:1908.10063.
    """

    columns: ClassVar = ("",)

    def __init__(self, config: FinbertConfig, root: Path) -> None:
        self.config = config
        default = _RELEASED if config.model == _MODEL else None
        self.released: str | None = config.released or default
        self.loaded = transformer.load(config, root, "AutoModelForSequenceClassification")
        self.labels = self._labels()

    @property
    def version(self) -> str:
        """Model, hash of its weights, and what cuts a text."""
        cut = f"{self.config.max_tokens} tokens"
        return f"finbert {self.config.model} {self.loaded.version}, {cut}"

    def score(self, texts: Sequence[str]) -> Float64:
        """P(positive) - P(negative), (n_texts, 1)."""
        good, bad = self.labels

        def read(out: Any, mask: Any) -> Any:
            del mask
            share = out.logits.softmax(dim=-1)
            return (share[:, good] - share[:, bad])[:, None]

        return transformer.run(self.loaded, self.config, texts, read)

    def _labels(self) -> tuple[int, int]:
        known = {str(n).lower(): int(i) for i, n in self.loaded.network.config.id2label.items()}
        if not {"positive", "negative"} <= known.keys():
            raise SourceError(
                f"model {self.config.model}: has labels {', '.join(known)}, needs positive and "
                "negative: take a model that classifies sentiment"
            )
        return known["positive"], known["negative"]
