"""The verb `audit`: load a study's bars, audit it, write the row that the gate reads, tell it."""

import time

from touchstone.data.cache import StageCache
from touchstone.pipelines.audit import Ask, audit, bars_of, layers_of, recorded
from touchstone.pipelines.prepare import load
from touchstone.pipelines.progress import Progress, Silent
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.study import Study
from touchstone.pipelines.workspace import Workspace
from touchstone.validation.audit import LAYERS, Audit


def audit_study(
    study: Study, place: Workspace, asked: tuple[str | None, int], progress: Progress
) -> Audit:
    """Audit a study, and write the audit into the workspace's ledger.

    Args:
        study: as read.
        place: whose ledger is checked and written to.
        asked: layers as typed or None for all, and the seed of cuts and scrambles.
        progress: who is told.

    Raises:
        TooFewBarsError: too short a history for the folds.
        ConfigError: no such layer.
    """
    layers = layers_of(asked[0])
    ledger = ledger_of(place)()
    ask = Ask(layers, asked[1])
    chain = ledger.verify() if place.ledger.is_file() else ()
    # first the audit: what a user's own files remember must not come from the whole bars
    found = audit(study, bars_of(study), ask, progress, time.monotonic, chain)
    _, data = load(study, Silent(), StageCache(place.cache))
    recorded(study, data, found, ledger)
    return found


def told(found: Audit) -> str:
    """The audit for the terminal."""
    bars = found.slice
    lines = [f"audited  {bars.n_bars:,} bars of {', '.join(bars.symbols)}, seed {found.seed}"]
    for layer in found.layers:
        word = "clean" if layer.finding is None else "LEAK"
        lines.append(f"{layer.name:<3} {word:<6} {LAYERS[layer.name]} ({layer.n_checks:,} checks)")
        if layer.finding is not None:
            lines.append(f"    {layer.finding.sentence}")
        lines += [f"    note: {note}" for note in layer.notes]
    return "\n".join([*lines, found.word])
