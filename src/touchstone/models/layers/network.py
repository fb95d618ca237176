"""What every network is: windows in, logits out; and a network whose weights are final."""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from touchstone.arrays import Float32, Int32
from touchstone.config import Config
from touchstone.errors import ArtifactError, DataError
from touchstone.models import OUTCOMES, TASKS, Inputs, Shape, file_of, head_of

WEIGHTS = "weights.safetensors"
FACTS = "model.json"
_N_OUTCOMES: Final = len(OUTCOMES["barrier"])


class Network(nn.Module, ABC):
    """Base of all networks. A subclass builds itself from (config, shape) and is registered.

    Its last layer is `head`, a linear layer with one logit per outcome (one in all for `buy`),
    and for `multi_task` the numbers of `TASKS` after them. A subclass makes it as wide as
    `shape.n_outcomes` says; whoever wants the network that a config asks for calls `built`.
    """

    inputs: Inputs = "window"
    head: nn.Linear
    causal: bool = False
    """Whether it has `states(windows, asset_id)`, (n, lookback, size), a step of which depends on
    no later bar. What is asked of a window always knows all of it."""

    @abstractmethod
    def __init__(self, config: Config, shape: Shape) -> None:
        """Draw the first weights from torch's generator: the caller seeds it."""
        super().__init__()

    @abstractmethod
    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features) float32, (n,) int64 -> (n, n_outcomes) logits.

        Of `multi_task` (n, n_outcomes + 5), the numbers of `TASKS` last.
        """

    @classmethod
    def built(cls, config: Config, shape: Shape) -> Self:
        """The network of this config, its head as wide as what it learns."""
        more = sum(TASKS.values()) if head_of(config) == "multi_task" else 0
        return cls(config, shape._replace(n_outcomes=shape.n_outcomes + more))

    @classmethod
    def restore(cls, config: Config, shape: Shape, files: Mapping[str, bytes]) -> "FittedNetwork":
        """The network that wrote these files.

        Raises:
            ArtifactError: a file is missing, or the weights are not those of config and shape.
        """
        try:
            weights = safetensors.torch.load(file_of(files, WEIGHTS))
            facts = json.loads(file_of(files, FACTS))
            return finish(cls, config, shape, weights, int(facts["best_epoch"]))
        except (SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
            kind = getattr(config, "kind", cls.__name__)
            reason = " ".join(str(error).split())
            raise ArtifactError(f"weights of {kind!r} cannot be restored: {reason}") from None


@dataclass(frozen=True)
class FittedNetwork:
    """A network on the CPU, in evaluation mode, with gradients off."""

    config: Config
    shape: Shape
    network: Network
    best_epoch: int
    inputs: Literal["window"] = "window"

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned, those of tasks beside the outcomes included."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def raw(self, inputs: Float32, asset_id: Int32) -> Float32:
        """Probabilities (n, n_outcomes) of (n, lookback, n_features) windows, on one thread."""
        if inputs.shape[1:] != self.shape[:2]:
            needed = f"(n, {self.shape.lookback}, {self.shape.n_features})"
            raise DataError(f"windows of shape {inputs.shape}, the network needs {needed}")
        if not np.isfinite(inputs).all():
            row = int(np.argwhere(~np.isfinite(inputs))[0, 0])
            raise DataError(
                f"window {row} holds a value that is not finite: score only rows whose window is "
                "complete"
            )
        with threads(1), torch.inference_mode():
            windows = torch.from_numpy(np.ascontiguousarray(inputs, np.float32))
            logits = self.network(windows, torch.from_numpy(asset_id.astype(np.int64)))
            probability: Float32 = probabilities(logits).numpy()
        return probability

    def files(self) -> dict[str, bytes]:
        """Weights as safetensors, the rest as JSON."""
        facts = json.dumps({"best_epoch": self.best_epoch})
        return {WEIGHTS: safetensors.torch.save(self.network.state_dict()), FACTS: facts.encode()}


def finish(
    part: type[Network],
    config: Config,
    shape: Shape,
    weights: Mapping[str, torch.Tensor],
    best_epoch: int,
) -> FittedNetwork:
    """A fitted network from weights that it owns from now on.

    Raises:
        RuntimeError: names or shapes of the weights are not the network's.
    """
    with torch.random.fork_rng(devices=[]):
        network = part.built(config, shape)
    network.load_state_dict(dict(weights), strict=True)
    network.eval().requires_grad_(requires_grad=False)
    return FittedNetwork(config, shape, network, best_epoch)


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """(n, 3) logits -> three probabilities that sum to one; (n, 1) -> p(+1).

    What stands after three logits is about other things than outcomes, and left out.
    """
    return logits.sigmoid() if logits.shape[1] == 1 else logits[:, :_N_OUTCOMES].softmax(1)


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Torch works on `n` threads inside, and on as many as before after."""
    before = torch.get_num_threads()
    if before == n:
        yield
        return
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
