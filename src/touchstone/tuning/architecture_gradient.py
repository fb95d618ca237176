"""How an architecture has to change for its network to do better on rows it does not learn from.

    min over alpha of L_held(w*(alpha), alpha),  w*(alpha) = argmin over w of L_train(w, alpha)

with w* taken as one step from the weights of now, w' = w - xi grad_w L_train(w, alpha).

Source: Liu, Simonyan & Yang (2019), DARTS, section 2.3.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import torch

LossNow: TypeAlias = Callable[[], torch.Tensor]
"""The mean loss of some rows by the network as it stands, ()."""
REACH: Final = 0.01
"""Length of the way that the weights are moved to either side (the paper's footnote 2)."""


def architecture_gradient(
    weights: Sequence[torch.Tensor],
    alphas: Sequence[torch.Tensor],
    on_train: LossNow,
    on_held: LossNow,
    xi: float,
    reach: float = REACH,
) -> list[torch.Tensor]:
    """The gradient of the held rows' loss by the architecture, one tensor an alpha.

    With xi = 0 that of the weights as they are (first order). Otherwise equations 6 to 8:
    grad_a L_held(w', a) - xi (grad_a L_train(w+, a) - grad_a L_train(w-, a)) / 2 e with
    w+- = w +- e grad_w' L_held(w', a) and e = `reach` over that gradient's length. The weights are
    afterwards what they were, bit for bit.

    Args:
        weights: leaves that the network holds; they are changed and put back.
        alphas: the architecture's leaves.
        on_train: of rows that the weights learn from.
        on_held: of the other half.
        xi: rate of the weights' step that is looked ahead.
        reach: how far the weights are moved to either side.
    """
    if xi == 0:
        return list(torch.autograd.grad(on_held(), alphas))
    kept = [w.detach().clone() for w in weights]
    try:
        _put(weights, kept, torch.autograd.grad(on_train(), weights), -xi)
        found = torch.autograd.grad(on_held(), (*alphas, *weights))
        direct, ahead = found[: len(alphas)], found[len(alphas) :]
        length = torch.sqrt(sum((v.square().sum() for v in ahead), torch.zeros(())))
        if not length > 0:
            return list(direct)
        epsilon = float(reach / length)
        _put(weights, kept, ahead, epsilon)
        above = torch.autograd.grad(on_train(), alphas)
        _put(weights, kept, ahead, -epsilon)
        below = torch.autograd.grad(on_train(), alphas)
    finally:
        with torch.no_grad():
            for weight, value in zip(weights, kept, strict=True):
                weight.copy_(value)
    return [
        d - xi * (a - b) / (2 * epsilon) for d, a, b in zip(direct, above, below, strict=True)
    ]  # fmt: skip


def _put(
    weights: Sequence[torch.Tensor],
    start: Sequence[torch.Tensor],
    way: Sequence[torch.Tensor],
    far: float,
) -> None:
    """Weights = start + far x way."""
    with torch.no_grad():
        for weight, value, step in zip(weights, start, way, strict=True):
            torch.add(value, step, alpha=far, out=weight)
