"""One planted file under audit: what the audit says, and how long one core took."""

import time
from pathlib import Path
from typing import NamedTuple

import pytest

from leaks.corpus import Planted
from touchstone.pipelines.audit import Ask, audit, bars_of
from touchstone.validation.audit import LAYERS, Audit, Effort


class Audited(NamedTuple):
    """One audit of one file."""

    planted: Planted
    seed: int
    found: Audit
    seconds: float
    """Of one core."""

    @property
    def right(self) -> bool:
        """Halted where something is planted, passed where nothing is."""
        return (self.found.word == "HALT") == (self.planted.layer is not None)


def audited(
    planted: Planted, place: Path, seed: int, effort: Effort, layers: tuple[str, ...] | None = None
) -> Audited:
    """Audit a leak by the layer that must catch it, a control by all, or by those given."""
    asked = layers or ((planted.layer,) if planted.layer else tuple(LAYERS))
    with pytest.MonkeyPatch.context() as patch:
        study = planted.study(place, seed)
        if planted.plant is not None:
            planted.plant(patch)
        began, clock = time.process_time(), time.process_time
        found = audit(study, bars_of(study), Ask(asked, seed, effort), elapsed=clock)
        return Audited(planted, seed, found, time.process_time() - began)
