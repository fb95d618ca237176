"""The tensor half of a checkpoint: weights, the optimiser's moments, the best weights so far."""

from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError

from touchstone.config import Config
from touchstone.errors import TrainingError
from touchstone.models import Shape
from touchstone.models.layers.network import Network
from touchstone.training.checkpoint import facts, read_facts
from touchstone.training.job import Job, State
from touchstone.training.progress import Schedule, Watch
from touchstone.training.update import Update

TENSORS: Final = "checkpoint.safetensors"
_MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")

Weights: TypeAlias = dict[str, torch.Tensor]
"""By the network's own names, on the CPU, nobody else's memory."""


class Running(Protocol):
    """What changes from epoch to epoch."""

    @property
    def network(self) -> Network:
        """With the weights of now."""

    @property
    def optimiser(self) -> torch.optim.Adam:
        """With the moments of now."""

    @property
    def update(self) -> Update:
        """With the scale of now."""

    @property
    def watch(self) -> Watch:
        """What was best so far."""

    @property
    def schedule(self) -> Schedule:
        """Where the learning rate stands."""


def copied(network: Network) -> Weights:
    """The weights of now, to keep."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def shapes_of(part: type[Network], config: Config, shape: Shape) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of the network that a config asks for, nothing drawn for good."""
    with torch.random.fork_rng(devices=[]):
        network = part.built(config, shape)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def shapes_in(state: State) -> dict[str, tuple[int, ...]]:
    """The shape of every weight in a checkpoint.

    Raises:
        TrainingError: unreadable.
    """
    try:
        rows = safetensors.deserialize(state[TENSORS])
    except (SafetensorError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{TENSORS} of the checkpoint cannot be read: {error!r}; start without it"
        ) from None
    return {
        name.removeprefix("now/"): tuple(row["shape"])
        for name, row in rows
        if name.startswith("now/")
    }


def pack(
    job: Job, epoch: int, metrics: Mapping[str, float], running: Running, best: Weights
) -> dict[str, bytes]:
    """All that the epochs after this one depend on.

    No generator's state is among it: what an epoch draws is seeded by (seed, epoch).
    """
    tensors = {f"now/{name}": value for name, value in copied(running.network).items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for name, parameter in running.network.named_parameters():
        moments = running.optimiser.state[parameter]
        tensors |= {f"{m}/{name}": moments[m].detach().cpu().clone() for m in _MOMENTS}
    where = {
        "watch": vars(running.watch),
        "schedule": vars(running.schedule),
        "scaler": running.update.state(),
    }
    return {TENSORS: safetensors.torch.save(tensors), **facts(job, epoch, metrics, **where)}


def unpack(job: Job, state: State, running: Running) -> tuple[int, Weights]:
    """Put a checkpoint into what of a fit was just made.

    Returns:
        Epochs done, and the best weights so far.

    Raises:
        TrainingError: unreadable, or of another fit.
    """
    content = read_facts(job, state)
    try:
        tensors = safetensors.torch.load(state[TENSORS])
        groups: dict[str, Weights] = {}
        for name, value in tensors.items():
            group, _, key = name.partition("/")
            groups.setdefault(group, {})[key] = value
        running.network.load_state_dict(groups["now"])
        for name, parameter in running.network.named_parameters():
            running.optimiser.state[parameter] = {
                m: groups[m][name].to(parameter.device) for m in _MOMENTS
            }
        vars(running.watch).update(content["watch"])
        vars(running.schedule).update(content["schedule"])
        running.update.load(content["scaler"])
        return int(content["epoch"]), groups.get("best", {})
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise TrainingError(f"the checkpoint cannot be read: {reason}; start without it") from None
