"""A recurrent network over the window: what the last bars were, and in which order."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Choice, Config, Range
from touchstone.models import MODELS, Head
from touchstone.models.layers.pooling import Pooling
from touchstone.models.layers.recurrent import Recurrent


class GruConfig(Config):
    """Gated recurrent units, pooled over the window by additive attention."""

    kind: Literal["gru"] = "gru"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    hidden: Annotated[PositiveInt, Range(16, 128, step=16)] = 64
    """Units of a layer."""
    layers: Annotated[PositiveInt, Range(1, 2, step=1)] = 1
    """Layers, one upon the other."""
    bidirectional: Annotated[bool, Field(exclude_if=lambda value: not value)] = False
    """Whether a second layer reads the window backwards, beside the first."""
    pooling: Annotated[Pooling, Field(exclude_if=lambda value: value == "additive"), Choice()] = (
        "additive"
    )
    """How the states of the window become one: the last, their mean, or by attention (additive,
    of the last state to all, or that with four heads) with the last state beside it."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training, between layers and before the head."""


@MODELS.register(GruConfig)
class Gru(Recurrent):
    """r = s(W_r x + U_r h), z = s(W_z x + U_z h), n = tanh(W_n x + r * U_n h);
    h' = (1 - z) * n + z * h; see `Recurrent` for what is around the cells.

    Source: Cho et al. (2014), Learning Phrase Representations, section 2.3.
    """  # noqa: D205  the formula takes two lines

    cell = nn.GRU
