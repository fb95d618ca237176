"""Checkpoints for people: which there are, and one of them as a model that scores."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load, save

from touchstone.arrays import Float32, Float64, Int32, Int64
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError, DataError
from touchstone.models import MODELS, Fitted, Shape, restore
from touchstone.models.scoring import score
from touchstone.registry import checkpoints
from touchstone.registry.checkpoints import About
from touchstone.training.checkpoint import FACTS


class Listed(NamedTuple):
    """A checkpoint on the disk, or what keeps it from being one."""

    path: Path
    about: About | None
    problem: str = ""


class Opened(NamedTuple):
    """A checkpoint as a model."""

    about: About
    fitted: Fitted
    scaler: Scaler

    def score(self, features: Float32, asset_id: Int32, rows: Int64) -> Float64:
        """Probabilities of some rows, by the one scoring path, (n, n_outcomes); not calibrated.

        Args:
            features: (n_rows, n_features) as the model sees them: the study's, or of its view.
            asset_id: (n_rows,) instrument of each row, as the study numbers them.
            rows: (n,) with a whole window.

        Raises:
            DataError: features of another number, or an instrument that the study does not have.
        """
        needed, number = self.fitted.shape.n_features, np.array(self.about.number, np.int32)
        if features.shape[1] != needed:
            raise DataError(
                f"features of shape {features.shape}, the checkpoint of {self.about.fit} needs "
                f"(n_rows, {needed})"
            )
        if asset_id.size and not 0 <= int(asset_id.min()) <= int(asset_id.max()) < number.size:
            raise DataError(
                f"asset_id runs from {asset_id.min()} to {asset_id.max()}, the study has "
                f"{number.size} instruments"
            )
        lookback = self.fitted.shape.lookback
        windows = Windows(features, number[asset_id], lookback, self.scaler)
        return score(self.fitted, windows, rows)


def open_checkpoint(path: Path, *, best: bool = True) -> Opened:
    """A checkpoint as a model that scores.

    Args:
        path: its folder, as `touchstone runs checkpoints` tells it.
        best: the best weights up to then, where there are any; otherwise those of its own epoch.
            Trees are always those of its own.

    Raises:
        ArtifactError: none there, damaged, or of a model that cannot be restored.
    """
    found = checkpoints.read(path)
    about, config = found.about, MODELS.parse(found.about.model)
    if MODELS.part_of(config).inputs == "tabular":
        files = {name: content for name, content in found.state.items() if name != FACTS}
    else:
        files = _network_files(found, best and about.best_epoch is not None)
    fitted = restore(config, Shape(*about.shape), files)
    return Opened(about, fitted, Scaler.from_json(about.scaler))


def listed(root: Path, study: str = "") -> list[Listed]:
    """Every checkpoint under a folder of checkpoints, of studies whose name begins so."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        for path in checkpoints.saved(folder) if not folder.name.startswith(".") else ():
            try:
                about = checkpoints.read(path).about
            except ArtifactError as error:
                found.append(Listed(path, None, str(error)))
                continue
            if about.study.startswith(study):
                found.append(Listed(path, about))
    return found


def line(one: Listed) -> str:
    """One line about a checkpoint."""
    if one.about is None:
        return f"damaged: {one.problem}"
    about = one.about
    marks = " best" * about.best + " periodic" * about.periodic
    told = "" if about.score is None else f" {about.metric} {about.score:.4f}"
    return f"{about.study}, {about.fit}: epoch {about.epoch}{told}{marks}  {one.path}"


def as_json(found: Sequence[Listed]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {"path": str(one.path), "damaged": one.problem}
        if one.about is None
        else {
            "path": str(one.path), "study": one.about.study, "fit": one.about.fit,
            "kind": one.about.kind, "epoch": one.about.epoch, "metric": one.about.metric,
            "score": one.about.score, "best": one.about.best, "best_epoch": one.about.best_epoch,
            "periodic": one.about.periodic,
        }
        for one in found
    ]  # fmt: skip


def _network_files(found: checkpoints.Checkpoint, best: bool) -> dict[str, bytes]:
    """What a network's `restore` reads, from a checkpoint's tensors."""
    # Torch takes more than a second to import: only who opens a network pays for it.
    from touchstone.models.layers import network  # noqa: PLC0415
    from touchstone.training.weights import TENSORS  # noqa: PLC0415

    prefix, epoch = ("best/", found.about.best_epoch) if best else ("now/", found.about.epoch)
    tensors = load(found.state[TENSORS])
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    facts = json.dumps({"best_epoch": epoch}).encode()
    return {network.WEIGHTS: save(weights), network.FACTS: facts}
