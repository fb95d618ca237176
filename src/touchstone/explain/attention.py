"""Where does a network look? Attention weights over the window, read and never touched.

A weight says how much of a step's content flows on, not what it does there: what raises a score
is the business of attributions (Jain & Wallace 2019, Attention is not explanation).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import nn

from touchstone.arrays import Float64
from touchstone.errors import DataError
from touchstone.explain import Subject, agreed_names, in_order
from touchstone.explain.attribution import bars_back
from touchstone.explain.gradients import why_none
from touchstone.explain.margins import tensors
from touchstone.models.hybrid import Hybrid
from touchstone.models.layers.attention import AdditiveAttention
from touchstone.models.layers.network import FittedNetwork, Network, threads
from touchstone.models.layers.pooling import NewestAsks
from touchstone.models.layers.self_attention import SelfAttention
from touchstone.models.layers.transformer_block import TransformerBlock
from touchstone.models.multiscale_cnn import MultiscaleCnn
from touchstone.registration import kind_of

QUANTILES: Final = (0.05, 0.95)
"""Of rows, between which most weights lie."""
_ROWS: Final = 512


class Looked(NamedTuple):
    """The weights of one layer, of all rows of all folds."""

    layer: str
    """Its name in the network; `rollout` for what all blocks come to; `gate` for branches."""
    over: tuple[str, ...]
    """What is weighed: bars back, oldest first (-23 ... 0); groups of bars (-7 to -4); scales of
    bars; branches."""
    heads: Float64
    """Mean weight over rows, (n_heads, n_over), each row summing to one."""
    mean: Float64
    """Mean over rows and heads, (n_over,)."""
    low: Float64
    """5 % of rows lie below, of the mean over heads, (n_over,)."""
    high: Float64
    """5 % of rows lie above, (n_over,)."""
    between: Float64 | None
    """Who looks (first axis) at whom (second), mean over rows and heads, (n_over, n_over); None
    where the newest step alone asks."""


class Attention(NamedTuple):
    """Everything a network says of where it looks."""

    layers: tuple[Looked, ...]
    note: str
    """Why there is nothing to see; empty where there is."""


class _Some(NamedTuple):
    """The weights of a layer on some rows."""

    newest: Float64
    """(n, heads, n_over)."""
    between: Float64 | None
    """(n_over, n_over), the sum over rows of the mean over heads."""


Weights = Callable[[nn.Module, tuple[Any, ...]], torch.Tensor]
"""A layer and what it was given -> (n, heads, asking, asked)."""


def over_window(subjects: Sequence[Subject]) -> Attention:
    """Attention over the window, of every layer that has it, on rows of the tests.

    Of self-attention the newest step's weights are told, since the newest step answers, and the
    map of all steps beside them. For blocks of it `rollout` follows the weights through all of
    them, half of each block's output being what came in: product of (A + I) / 2.

    Args:
        subjects: folds, their models of one architecture.

    Raises:
        ConfigError: no fold, or folds of other columns.
        DataError: no rows.

    Source: Abnar & Zuidema (2020), Quantifying attention flow in transformers, section 3.
    """
    agreed_names(subjects)
    first = subjects[0].fitted
    if not isinstance(first, FittedNetwork):
        return Attention((), f"{kind_of(first.config)} has no attention: {why_none(first)}")
    found: dict[str, list[_Some]] = {}
    for some in map(_of_fold, map(in_order, subjects)):
        for name, weights in some:
            found.setdefault(name, []).append(weights)
    if not found:
        kind = kind_of(first.config)
        pooling = getattr(first.config, "pooling", None)
        way = f" with pooling: {pooling}" if pooling else ""
        return Attention((), f"{kind}{way} has no attention: no layer of it weighs bars")
    return Attention(
        tuple(_told(name, each, subjects[0]) for name, each in found.items()),
        "",
    )


def _of_fold(subject: Subject) -> Iterator[tuple[str, _Some]]:
    fitted = subject.fitted
    assert isinstance(fitted, FittedNetwork)
    if not subject.rows.size:
        raise DataError(f"{subject.name}: no rows to explain")
    for start in range(0, subject.rows.size, _ROWS):
        rows = subject.rows[start : start + _ROWS]
        windows, ids = tensors(subject.windows.gather(rows), subject.windows.ids(rows))
        with threads(1), torch.inference_mode():
            for name, weights in layer_weights(fitted.network, windows, ids).items():
                held = weights.double().numpy()
                between = held.mean(1).sum(0) if held.shape[2] > 1 else None
                yield name, _Some(held[:, :, -1], between)


def layer_weights(
    network: Network, windows: torch.Tensor, asset_id: torch.Tensor
) -> dict[str, torch.Tensor]:
    """What every layer with attention gives what, by name, (n, heads, asking, asked).

    The layers are watched while the network scores the windows, and asked afterwards.
    """
    given: dict[str, tuple[Any, ...]] = {}
    layers = {
        name: layer for name, layer in network.named_modules() if _weights_of(layer) is not None
    }
    with ExitStack() as stack:
        for name, layer in layers.items():
            stack.enter_context(_watched(layer, name, given))
        network(windows, asset_id)
    found = {}
    for name, layer in layers.items():
        read = _weights_of(layer)
        if read is not None and name in given:
            found[name] = read(layer, given[name])
    inside = {
        f"{name}.attention"
        for name, block in network.named_modules()
        if isinstance(block, TransformerBlock)
    }
    blocks = [weights for name, weights in found.items() if name in inside]
    if len(blocks) > 1:
        found["rollout"] = rollout(blocks)
    if isinstance(network, Hybrid):
        found["gate"] = network.trust(windows)[:, None, None]
    return found


def rollout(blocks: Sequence[torch.Tensor]) -> torch.Tensor:
    """Weights of blocks, first to last, followed through all of them, (n, 1, steps, steps)."""
    same = torch.eye(blocks[0].shape[-1])
    through = same.expand(blocks[0].shape[0], -1, -1)
    for weights in blocks:
        through = (weights.mean(1) + same) / 2 @ through
    return through[:, None]


@contextmanager
def _watched(layer: nn.Module, name: str, given: dict[str, tuple[Any, ...]]) -> Iterator[None]:
    def keep(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        given[name] = inputs

    handle = layer.register_forward_pre_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def _weights_of(layer: nn.Module) -> Weights | None:
    for sort, read in _READ.items():
        if isinstance(layer, sort):
            return read
    return None


def _crossed(layer: nn.Module, given: tuple[Any, ...]) -> torch.Tensor:
    """Of torch's own attention, asked by one step: keys of two branches over the same bars."""
    _, weights = layer(*given[:3], need_weights=True, average_attn_weights=False)
    n, heads, asking, asked = weights.shape
    return torch.as_tensor(weights.view(n, heads, asking, 2, asked // 2).sum(3))


def _additive(layer: nn.Module, given: tuple[Any, ...]) -> torch.Tensor:
    assert isinstance(layer, AdditiveAttention)
    return layer.weights(given[0])[:, None, None]


def _newest(layer: nn.Module, given: tuple[Any, ...]) -> torch.Tensor:
    assert isinstance(layer, NewestAsks)
    return layer.weights(given[0])[:, :, None]


def _every(layer: nn.Module, given: tuple[Any, ...]) -> torch.Tensor:
    assert isinstance(layer, SelfAttention)
    return layer.weights(given[0])


_READ: Final[dict[type[nn.Module], Weights]] = {
    AdditiveAttention: _additive,
    NewestAsks: _newest,
    SelfAttention: _every,
    nn.MultiheadAttention: _crossed,
}


def _told(name: str, some: Sequence[_Some], subject: Subject) -> Looked:
    newest = np.concatenate([one.newest for one in some])
    each = newest.mean(1)
    low, high = np.quantile(each, QUANTILES, axis=0)
    maps = [one.between for one in some if one.between is not None]
    between = np.sum(maps, axis=0) / len(newest) if maps else None
    over = _over(name, newest.shape[2], subject)
    return Looked(name, over, newest.mean(0), each.mean(0), low, high, between)


def _over(name: str, n: int, subject: Subject) -> tuple[str, ...]:
    if name == "gate":
        return "convolution", "recurrence", "transformer"
    network = getattr(subject.fitted, "network", None)
    if isinstance(network, MultiscaleCnn):
        return tuple(f"{scale} bar{'s' * (scale > 1)}" for scale in network.scales)
    group = getattr(network, "pool", 1)
    if group == 1:
        return bars_back(n)
    return tuple(f"{1 - group * (k + 1)} to {-group * k}" for k in range(n - 1, -1, -1))
