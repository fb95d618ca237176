"""What an architecture search is asked, and where it stands between two epochs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from touchstone.dataset.samples import Samples
from touchstone.errors import TrainingError
from touchstone.models import OUTCOMES, Shape, head_of
from touchstone.models.darts import DartsConfig
from touchstone.training import TrainingConfig
from touchstone.tuning.architecture_network import Choices, EdgeKey, SearchNetwork
from touchstone.tuning.methods.darts import ArchitectureConfig

_FACTS: Final = "facts"
_MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")
Tensors: TypeAlias = dict[str, torch.Tensor]
Parts: TypeAlias = tuple[SearchNetwork, torch.optim.Adam, torch.optim.Adam]
"""Network, the weights' optimiser, the architecture's."""


class SearchJob(NamedTuple):
    """One search."""

    method: ArchitectureConfig
    network: DartsConfig
    """Width, embedding and head; its genotype and cells have no say."""
    recipe: TrainingConfig
    weights: Samples
    """Rows that the weights learn from: the earlier half of the train rows."""
    held: Samples
    """Rows that the architecture learns from: later, and purged from the others."""
    n_assets: int
    """Instruments that get an identity of their own."""
    seed: int
    data: str
    """Hash of the data, for the ledger."""
    resume: bytes | None = None
    """A checkpoint of this same search, to go on from."""

    @property
    def shape(self) -> Shape:
        """What the network is made for."""
        windows, n_outcomes = self.weights.windows, len(OUTCOMES[head_of(self.network)])
        return Shape(windows.lookback, windows.n_features, self.n_assets, n_outcomes)

    @property
    def fingerprint(self) -> str:
        """First 12 hex digits of the SHA-256 of the configs: what the ledger calls the search."""
        parts = (self.method, self.network, self.recipe)
        text = "\n".join(part.canonical() for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class Looked(NamedTuple):
    """An epoch as it is told."""

    index: int  # type: ignore[assignment]  # a tuple's index() is of no use here
    """From 1, through all stages."""
    stage: int
    """From 0."""
    train_loss: float
    """Of the weights' rows while they were learned from, nats."""
    held_loss: float
    """Of the architecture's rows after the epoch, nats."""
    shares: Mapping[str, Mapping[str, float]]
    """"node place" -> operation -> what it weighs; of an edge they sum to one."""


class Stood(NamedTuple):
    """Where a search stands after an epoch."""

    stage: int
    choices: Choices
    history: tuple[Looked, ...]
    tensors: Mapping[str, torch.Tensor] = {}

    def into(
        self, network: SearchNetwork, optimiser: torch.optim.Adam, architect: torch.optim.Adam
    ) -> None:
        """Put weights and moments into a stage that was just made.

        Raises:
            TrainingError: they are not its own.
        """
        try:
            for name, parameter, of in _parameters((network, optimiser, architect)):
                with torch.no_grad():
                    parameter.copy_(self.tensors[f"now/{name}"])
                moments = {m: self.tensors.get(f"{m}/{name}") for m in _MOMENTS}
                if moments["step"] is not None:
                    of.state[parameter] = {
                        m: value.to("cpu" if m == "step" else parameter.device)
                        for m, value in moments.items()
                        if value is not None
                    }
        except (KeyError, RuntimeError) as error:
            raise _unreadable(error) from None


def pack(job: SearchJob, stood: Stood, parts: Parts) -> bytes:
    """All that the epochs after this one depend on.

    No generator's state is among it: what an epoch draws is seeded by (seed, epoch).
    """
    tensors: Tensors = {}
    for name, parameter, of in _parameters(parts):
        tensors[f"now/{name}"] = parameter.detach().cpu().clone()
        for m, value in of.state.get(parameter, {}).items():
            tensors[f"{m}/{name}"] = value.detach().cpu().clone()
    facts = {
        **_identity(job),
        "stage": stood.stage,
        "choices": [[*edge, *names] for edge, names in stood.choices.items()],
        "history": [list(one) for one in stood.history],
    }
    told = np.frombuffer(json.dumps(facts).encode(), np.uint8).copy()
    content: bytes = safetensors.torch.save({**tensors, _FACTS: torch.from_numpy(told)})
    return content


def unpack(job: SearchJob, state: bytes) -> Stood:
    """Where a checkpoint stands.

    Raises:
        TrainingError: unreadable, or of another search.
    """
    try:
        tensors = safetensors.torch.load(state)
        facts: dict[str, Any] = json.loads(tensors.pop(_FACTS).numpy().tobytes())
        found = {name: facts[name] for name in _identity(job)}
        choices = {_edge(one): tuple(one[2:]) for one in facts["choices"]}
        history = tuple(Looked(*one) for one in facts["history"])
        stage = int(facts["stage"])
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _unreadable(error) from None
    for name, value in _identity(job).items():
        if found[name] != value:
            raise TrainingError(
                f"the checkpoint is of another search: its {name} is {found[name]!r}, this one's "
                f"{value!r}; start without it"
            )
    return Stood(stage, choices, history, tensors)


def _parameters(parts: Parts) -> list[tuple[str, nn.Parameter, torch.optim.Adam]]:
    """(name, parameter, its optimiser) of everything that is learned."""
    network, optimiser, architect = parts
    own = [(f"{k} {place}", alpha, architect) for (k, place), alpha in network.alphas.items()]
    return [*((name, weight, optimiser) for name, weight in network.weights().items()), *own]


def _edge(told: list[Any]) -> EdgeKey:
    return int(told[0]), int(told[1])


def _unreadable(error: Exception) -> TrainingError:
    reason = " ".join(str(error).split())
    return TrainingError(f"the checkpoint cannot be read: {reason}; start without it")


def _identity(job: SearchJob) -> dict[str, object]:
    return {
        "search": job.fingerprint,
        "seed": job.seed,
        "data": job.data,
        "n_rows": [int(job.weights.rows.size), int(job.held.rows.size)],
    }
