"""Where a network's score would go: its gradient in the scaled window, on one thread.

What gradients find is only where to look; whatever is compared is scored by the one scoring path.
"""

from touchstone.arrays import Float32, Int32
from touchstone.errors import ConfigError
from touchstone.models import Fitted
from touchstone.registration import kind_of


def has_gradients(fitted: Fitted) -> bool:
    """Whether a model's score can be followed to its window: a network's can."""
    if fitted.inputs != "window":
        return False
    from touchstone.models.layers.network import FittedNetwork  # noqa: PLC0415  torch

    return isinstance(fitted, FittedNetwork)


def why_none(fitted: Fitted) -> str:
    """Why a model that is no network cannot be followed to its window."""
    if fitted.inputs == "window":
        return "it is several models in one"
    return "it reads one row of summaries per sample"


def logit_gradient(fitted: Fitted, windows: Float32, asset_id: Int32) -> tuple[Float32, Float32]:
    """The logit of p(+1), (n,), and its gradient in the windows, (n, lookback, n_features).

    The logit is ln p - ln(1 - p), so that its gradient does not vanish where a softmax is sure.
    A row's gradient depends on no other row.

    Args:
        fitted: a network.
        windows: (n, lookback, n_features), scaled.
        asset_id: (n,).

    Raises:
        ConfigError: a model without gradients.
    """
    if not has_gradients(fitted):
        kind = kind_of(fitted.config)
        raise ConfigError(
            f"{kind} has no gradients: only networks can be followed from the score to the "
            "window; ask for a network, or for a search"
        )
    import torch  # noqa: PLC0415  only a network needs it

    from touchstone.models.layers.network import FittedNetwork, threads  # noqa: PLC0415  torch

    assert isinstance(fitted, FittedNetwork)
    with threads(1), torch.inference_mode(mode=False), torch.enable_grad():
        # A copy: what was made in inference mode, or belongs to the caller, takes no gradient.
        seen = torch.tensor(windows, dtype=torch.float32, requires_grad=True)
        logits = fitted.network(seen, torch.tensor(asset_id, dtype=torch.int64))
        plus = logits[:, 0]
        if fitted.shape.n_outcomes > 1:
            plus = logits[:, 2] - torch.logsumexp(logits[:, :2], 1)
        (slope,) = torch.autograd.grad(plus.sum(), seen)
        found: tuple[Float32, Float32] = plus.detach().numpy(), slope.numpy()
    return found
