"""A checkpoint of one fit as the beginning of another: the same network, other settings."""

import json
from typing import Any, Final, cast

from touchstone.config import Config
from touchstone.errors import TrainingError
from touchstone.models import MODELS, Shape, head_of
from touchstone.training.checkpoint import FACTS, identity, watched_name
from touchstone.training.job import Job, State

_RELABELLED: Final = ("fit", "seed", "epochs")
"""What may differ: the settings, what draws, and how long it goes on; never the rows."""
_OF_THE_RECIPE: Final = ("kind", "epochs")
"""Of a schedule: what the settings say. The rest is how far it has come."""


def adopted(job: Job, state: State) -> dict[str, bytes]:
    """A checkpoint of a fit with other settings, as one that `job` goes on from.

    Weights, the optimiser's moments, the number of epochs done, the best epoch so far and how
    often `plateau` has halved the rate are carried over; everything else is as `job` says from
    here on: learning rate, decay, dropout, loss, augmentation, batch, the kind of schedule and
    its length, the seed. With unchanged settings the checkpoint is the one that came in.

    Args:
        job: what goes on; its `resume` is not looked at.
        state: as `Epoch.state` gave it, of a fit on the same rows.

    Raises:
        TrainingError: a model without weights to hand on, other rows or costs, another metric,
            weights of other names or shapes, more epochs done than `job` fixes, or no checkpoint.
    """
    kind = getattr(job.model, "kind", "?")
    if MODELS.part_of(job.model).inputs != "window":
        raise TrainingError(
            f"{kind} has no weights that another fit could go on from: fit it anew, and adopt "
            "checkpoints of networks alone"
        )
    content = _read(state)
    _same_question(job, content)
    _same_weights(job, state)
    schedule = {k: v for k, v in content["schedule"].items() if k not in _OF_THE_RECIPE}
    n_epochs = job.recipe.epochs + sum(phase.epochs for phase in job.phases)
    own = {"kind": job.recipe.schedule, "epochs": n_epochs}
    told = {**content, "schedule": {**own, **schedule}, **identity(job)}
    return {**state, FACTS: json.dumps(told).encode()}


def same_weights(model: Config, other: Config, shape: Shape) -> bool:
    """Whether two configs ask for networks that could go on from each other's weights.

    The same kind and head, and weights of the same names and shapes: so dropout may differ, the
    units of a layer may not.

    Args:
        model: config of a network.
        other: another.
        shape: what both would be made for.

    Raises:
        ConfigError: a network that cannot be built.
    """
    # Torch takes more than a second to import: only who asks about networks pays for it.
    from touchstone.models.layers.network import Network  # noqa: PLC0415  (torch, only where a network is)
    from touchstone.training.weights import shapes_of  # noqa: PLC0415  (torch, only where a network is)

    kinds = {getattr(one, "kind", "?") for one in (model, other)}
    if len(kinds) > 1 or head_of(model) != head_of(other):
        return False
    part = MODELS.part_of(model)
    if part.inputs != "window":
        return False
    first, second = (shapes_of(cast("type[Network]", part), one, shape) for one in (model, other))
    return first == second


def _read(state: State) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(state[FACTS])
        for name in ("schedule", "watch", "scaler", "epoch", "kind"):
            content[name]
        vars_of = dict(content["schedule"])
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{FACTS} of the checkpoint to be adopted cannot be read: {error!r}; begin without it"
        ) from None
    return {**content, "schedule": vars_of}


def _same_question(job: Job, content: dict[str, Any]) -> None:
    """The same kind on the same rows, asked for the same metric."""
    own = {k: v for k, v in identity(job).items() if k not in _RELABELLED}
    own |= {"kind": getattr(job.model, "kind", "?"), "watched metric": watched_name(job)}
    found = {**content, "watched metric": content["watch"].get("metric")}
    for name, needed in own.items():
        if found.get(name) != needed:
            raise TrainingError(
                f"a checkpoint cannot be adopted: its {name} is {found.get(name)!r}, the fit's "
                f"{needed!r}; only settings that keep rows, metric and weights may change"
            )
    done = int(content["epoch"])
    if job.epochs is not None and done > job.epochs:
        raise TrainingError(
            f"a checkpoint after epoch {done} cannot be adopted by a fit of {job.epochs}: fix more "
            "epochs, or take an earlier one"
        )


def _same_weights(job: Job, state: State) -> None:
    """The checkpoint's tensors fit the network that the job asks for."""
    # Torch takes more than a second to import: only who adopts a network pays for it.
    from touchstone.models.layers.network import Network  # noqa: PLC0415  (torch, only where a network is)
    from touchstone.training.weights import shapes_in, shapes_of  # noqa: PLC0415  (torch, only where a network is)

    there = shapes_in(state)
    needed = shapes_of(cast("type[Network]", MODELS.part_of(job.model)), job.model, job.shape)
    if there != needed:
        wrong = sorted(k for k in there.keys() | needed.keys() if there.get(k) != needed.get(k))
        name = wrong[0]
        raise TrainingError(
            f"a checkpoint cannot be adopted: its weights {name!r} have the shape "
            f"{there.get(name)}, the network of these settings needs {needed.get(name)} "
            f"({len(wrong)} of {len(needed)} differ): keep sizes and layers as they are"
        )
