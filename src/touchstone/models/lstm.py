"""A recurrent network with a memory that is written, kept and read by gates."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Choice, Config, Range
from touchstone.models import MODELS, Head
from touchstone.models.layers.pooling import Pooling
from touchstone.models.layers.recurrent import Recurrent


class LstmConfig(Config):
    """Long short-term memory, pooled over the window by additive attention."""

    kind: Literal["lstm"] = "lstm"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    hidden: Annotated[PositiveInt, Range(16, 128, step=16)] = 64
    """Units of a layer."""
    layers: Annotated[PositiveInt, Range(1, 2, step=1)] = 1
    """Layers, one upon the other."""
    bidirectional: bool = False
    """Whether a second layer reads the window backwards, beside the first."""
    pooling: Annotated[Pooling, Choice()] = "additive"
    """How the states of the window become one: the last, their mean, or by attention (additive,
    of the last state to all, or that with four heads) with the last state beside it."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training, between layers and before the head."""


@MODELS.register(LstmConfig)
class Lstm(Recurrent):
    """i, f, o = s(W x + U h) each, g = tanh(W_g x + U_g h); c' = f * c + i * g, h' = o * tanh(c').

    See `Recurrent` for what is around the cells.

    Source: Hochreiter & Schmidhuber (1997); the forget gate: Gers et al. (2000).
    """

    cell = nn.LSTM
