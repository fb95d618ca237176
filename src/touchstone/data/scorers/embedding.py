"""News embeddings: what a text is about, as a few numbers. Needs the extra `sentiment`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from touchstone.arrays import Float64
from touchstone.data import transformer
from touchstone.data.scorers import SCORERS
from touchstone.errors import SourceError


class EmbeddingConfig(transformer.TransformerConfig):
    """An encoder whose last layer is averaged over the text and reduced to a few columns."""

    kind: Literal["embedding"] = "embedding"
    columns: PositiveInt = 8
    """Columns kept, `<input>_1` and so on."""
    seed: NonNegativeInt = 0
    """Of the directions that it is reduced along."""


@SCORERS.register(EmbeddingConfig)
class Embedding:
    """Mean of the last layer over the tokens, unit length, along fixed random directions.

    The directions are drawn from the seed alone and never from texts: components that are fitted
    (PCA) would be fitted on texts of the future. Source: Johnson & Lindenstrauss (1984),
    Extensions of Lipschitz mappings into a Hilbert space.
    """

    def __init__(self, config: EmbeddingConfig, root: Path) -> None:
        self.config = config
        self.released: str | None = config.released
        self.columns = tuple(str(i + 1) for i in range(config.columns))
        self.loaded = transformer.load(config, root, "AutoModel")
        width = int(self.loaded.network.config.hidden_size)
        if config.columns > width:
            raise SourceError(
                f"model {config.model}: is {width} wide, {config.columns} columns are asked for"
            )
        drawn = np.random.default_rng(config.seed).normal(size=(width, config.columns))
        self.directions = np.linalg.qr(drawn)[0] * np.sqrt(width / config.columns)

    @property
    def version(self) -> str:
        """Model, hash of its weights, directions, and what cuts a text."""
        c = self.config
        cut = f"{c.columns} columns, seed {c.seed}, {c.max_tokens} tokens"
        return f"embedding {c.model} {self.loaded.version}, {cut}"

    def score(self, texts: Sequence[str]) -> Float64:
        """Reduced vectors, (n_texts, n_columns)."""

        def read(out: Any, mask: Any) -> Any:
            there = mask[:, :, None].to(out.last_hidden_state.dtype)
            pooled = (out.last_hidden_state * there).sum(dim=1) / there.sum(dim=1)
            return pooled / pooled.norm(dim=-1, keepdim=True).clamp_min(1e-12)

        pooled = transformer.run(self.loaded, self.config, texts, read)
        return np.asarray(pooled @ self.directions, np.float64)
