"""Self-attention over the steps of a window: softmax, or two kinds that cost O(lookback)."""

import math
from typing import Final, Literal, TypeAlias

import torch
from torch import nn
from torch.nn import functional

Attention: TypeAlias = Literal["softmax", "linear", "performer"]
_EPSILON: Final = 1e-6


class SelfAttention(nn.Module):
    """Every step asks all steps, or with `causal` those up to itself; several heads beside.

    `softmax`: softmax(Q K' / sqrt(d)) V (Vaswani et al. 2017, section 3.2). `linear`: the kernel
    phi(q) . phi(k) with phi = elu + 1 in its place (Katharopoulos et al. 2020, section 3.2).
    `performer`: positive orthogonal random features of that very softmax (Choromanski et al. 2021,
    lemma 1); they are drawn with the weights and kept with them.
    """

    features: torch.Tensor | None

    def __init__(self, size: int, heads: int, kind: Attention, *, causal: bool) -> None:
        """Attend over vectors of `size` numbers, a multiple of `heads`."""
        super().__init__()
        self.heads, self.kind, self.causal = heads, kind, causal
        self.mixed = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        drawn = orthogonal(size // heads) if kind == "performer" else None
        self.register_buffer("features", drawn)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> the same shape."""
        n, lookback, size = steps.shape
        query, key, value = self._mixed(steps)
        if self.kind == "softmax":
            found = functional.scaled_dot_product_attention(
                query, key, value, is_causal=self.causal
            )
        else:
            found = kernelled(*self._mapped(query, key), value, causal=self.causal)
        out: torch.Tensor = self.out(found.transpose(1, 2).reshape(n, lookback, size))
        return out

    def weights(self, steps: torch.Tensor) -> torch.Tensor:
        """How much each step of the second axis gives each of the third, (n, heads, steps, steps).

        Not negative, and summing to one over the last axis: to 1e-6 for the kinds without softmax,
        whose denominator has a floor. With `causal` nothing is given to later steps. For people
        who look: `forward` computes its own, and without softmax never has this matrix.
        """
        query, key, _ = self._mixed(steps)
        lookback = steps.shape[1]
        seen = torch.ones(lookback, lookback, dtype=torch.bool, device=steps.device)
        seen = seen.tril() if self.causal else seen
        if self.kind == "softmax":
            energy = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
            shares: torch.Tensor = energy.masked_fill(~seen, -torch.inf).softmax(-1)
            return shares
        asking, asked = self._mapped(query, key)
        kernel = (asking @ asked.transpose(2, 3)) * seen
        return kernel / (kernel.sum(-1, keepdim=True) + _EPSILON)

    def _mixed(self, steps: torch.Tensor) -> torch.Tensor:
        """Queries, keys and values, (3, n, heads, lookback, d)."""
        n, lookback, size = steps.shape
        mixed: torch.Tensor = self.mixed(steps)
        split = mixed.view(n, lookback, 3, self.heads, size // self.heads)
        return split.permute(2, 0, 3, 1, 4)

    def _mapped(self, query: torch.Tensor, key: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """phi(q) and phi(k), positive."""
        if self.features is None:
            return functional.elu(query) + 1, functional.elu(key) + 1
        scale = query.shape[-1] ** -0.25
        return positive(query * scale, self.features), positive(key * scale, self.features)


def kernelled(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool
) -> torch.Tensor:
    """phi(q) . sum of phi(k) v', over phi(q) . sum of phi(k); sums up to each step if causal.

    query and key (n, heads, lookback, m) are mapped and positive; value (n, heads, lookback, d).
    """
    pairs = key.unsqueeze(-1) * value.unsqueeze(-2)
    if causal:
        pairs, total = pairs.cumsum(2), key.cumsum(2)
    else:
        pairs, total = pairs.sum(2, keepdim=True), key.sum(2, keepdim=True)
    above = (query.unsqueeze(-1) * pairs).sum(-2)
    return above / ((query * total).sum(-1, keepdim=True) + _EPSILON)


def positive(vectors: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """exp(w . x - |x|^2 / 2) / sqrt(m) for each row w of `features` (m, d).

    The expectation of the product of two is exp(x . y). No maximum is taken off, as is usual
    against overflow: what one step is divided by would hang on other steps.
    """
    energy = vectors @ features.T - (vectors * vectors).sum(-1, keepdim=True) / 2
    return energy.clamp(max=30).exp() / math.sqrt(features.shape[0])


def orthogonal(size: int) -> torch.Tensor:
    """Gaussian directions, orthogonal in blocks, with Gaussian lengths, (2 size, size)."""
    blocks = []
    for _ in range(2):
        directions, upper = torch.linalg.qr(torch.randn(size, size))
        # Without the signs they are not uniform over directions (Mezzadri 2007, section 5).
        directions = directions * upper.diagonal().sign()
        lengths = torch.randn(size, size).norm(dim=1, keepdim=True)
        blocks.append(directions.T * lengths)
    return torch.cat(blocks)
