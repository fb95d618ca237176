"""The best trial's checkpoints beside the same settings trained anew; the better version is kept.

Validation rows alone choose: no test row is measured here. The predecessor trained its winners
again and took what came; it lost most of their recall.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from touchstone.dataset.splits import Fold
from touchstone.files import write_bytes, write_text
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.refit import RefitConfig, epochs_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, identified
from touchstone.reports.tune import Version, WinnerFound

WINNERS: Final = "winners"
CHECKPOINT: Final = "checkpoint"
FACTS: Final = "fit.json"
_TAKES: Final = "Takes the settings that a search found, and the version it kept, to a verdict."
Measure: TypeAlias = Callable[[Fold, Learned], float | None]
"""The first objective of a fit on its fold's validation rows; None where it is not defined."""


class Winning(NamedTuple):
    """A trial that has won, and how its versions are compared."""

    name: str
    """The architecture's, as in "gru 2"."""
    number: int
    """The trial's."""
    study: Study
    """Of the trial's model and recipe alone."""
    training: Mapping[str, Any]
    """Those settings of the recipe that were searched."""
    measure: Measure
    higher: bool
    """Whether more is better."""
    seeds: tuple[int, ...]
    """With which it is trained anew."""


class _Made(NamedTuple):
    """A version with its fits, one a fold."""

    told: Version
    study: Study
    fits: list[Learned]


def winner(
    asked: Winning, prepared: Prepared, resources: Resources, folder: Path
) -> WinnerFound:  # fmt: skip
    """Train a winner anew, compare with its checkpoints, and keep the better on validation rows.

    Of those trained anew the best is compared; it takes the checkpoints' place if it is no worse.
    Fits come from the cache where they are there.

    Args:
        asked: the trial.
        prepared: its market.
        resources: what the machine lends.
        folder: the search's; gets `NAME.yaml`, the study that takes the kept version to its
            verdict, and `winners/NAME/fold-N/`, that version's fits.
    """
    quiet = resources._replace(progress=Silent())
    with resources.progress.stage("winner", 1 + len(asked.seeds)) as step:
        first = _made(asked, prepared, quiet, (CHECKPOINT, asked.study))
        step.advance(f"{asked.name}: {CHECKPOINT}")
        anew = []
        for seed in asked.seeds:
            refit = RefitConfig(seed=seed, epochs=tuple(f.best_epoch for f in first.fits))
            study = _with_refit(asked.study, refit)
            anew.append(_made(asked, prepared, quiet, (f"retrained, seed {seed}", study)))
            step.advance(f"{asked.name}: seed {seed}")
        kept = _better(first, anew, higher=asked.higher)
        step.say(f"{asked.name}: {kept.told.name} goes on")
    file = f"{asked.name.replace(' ', '_')}.yaml"
    keep_fits(folder, asked.name, (kept.told.name, kept.study), (prepared, kept.fits))
    write_text(folder / file, study_text(kept.study, asked.name, folder, _TAKES))
    model = asked.study.config.models[0]
    return WinnerFound(
        number=asked.number,
        settings=model.model_dump(mode="json", serialize_as_any=True),
        training=asked.training,
        versions=(first.told, *(one.told for one in anew)),
        kept=kept.told.name,
        file=file,
    )


def _with_refit(study: Study, refit: RefitConfig) -> Study:
    return identified(study.config.model_copy(update={"refit": refit}), study.root)


def _made(
    asked: Winning, prepared: Prepared, resources: Resources, version: tuple[str, Study]
) -> _Made:
    (name, study), folds = version, prepared.folds.folds
    config = study.config
    tasks = [
        Task(config.models[0], fold, f"fold {i + 1}", epochs_of(config.refit, i))
        for i, fold in enumerate(folds)
    ]
    fits = learn(study, prepared, tasks, resources)
    values = [asked.measure(fold, fit) for fold, fit in zip(folds, fits, strict=True)]
    return _Made(Version(name=name, by_fold=tuple(values), mean=_mean(values)), study, fits)


def _mean(values: Sequence[float | None]) -> float | None:
    """Of all folds; None where one has no value."""
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _better(first: _Made, anew: Sequence[_Made], *, higher: bool) -> _Made:
    """The checkpoints, unless the best that was trained anew is no worse."""
    sign = 1.0 if higher else -1.0
    known = [(sign * one.told.mean, one) for one in anew if one.told.mean is not None]
    if not known:
        return first
    value, best = max(known, key=lambda pair: pair[0])
    if first.told.mean is None or value >= sign * first.told.mean:
        return best
    return first


def keep_fits(
    folder: Path, name: str, version: tuple[str, Study],
    fitted: tuple[Prepared, Sequence[Learned]],
) -> None:  # fmt: skip
    """Write a version's fits, a folder each: what `restore` needs, and what they see.

    A file that an earlier version has left goes; `fit.json` comes last and names the others with
    their hashes.

    Args:
        folder: the search's; gets `winners/NAME/fold-N/`.
        name: the architecture's, as in "gru 2".
        version: what it is called, and the study with its settings.
        fitted: the market, and the fits, one a fold.
    """
    (told, study), (prepared, fits) = version, fitted
    model = study.config.models[0]
    for i, (fold, fit) in enumerate(zip(prepared.folds.folds, fits, strict=True), start=1):
        place = folder / WINNERS / name.replace(" ", "_") / f"fold-{i}"
        shutil.rmtree(place, ignore_errors=True)
        beside = {"scaler.json": fit.scaler.encode(), "view.json": fit.view.encode()}
        files = {**fit.files, **{n: text for n, text in beside.items() if text}}
        for file, content in files.items():
            write_bytes(place / file, content)
        number = known_first(prepared.begun, fold.spans.train_end)
        facts = {
            "version": told,
            "model": model.model_dump(mode="json", serialize_as_any=True),
            "shape": list(fit.shape),
            # In the order of the network's asset_id; those from the shape's n_assets on it has not
            # learned from.
            "symbols": [prepared.assets[at] for at in np.argsort(number)],
            "features": list(fit.seen.names if fit.seen else prepared.plan.names),
            "epochs": fit.best_epoch,
            "study": study.fingerprint,
            "files": {n: hashlib.sha256(c).hexdigest() for n, c in sorted(files.items())},
        }
        write_text(place / FACTS, json.dumps(facts, indent=1) + "\n")
