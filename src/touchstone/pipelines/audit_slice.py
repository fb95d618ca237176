"""A slice of a user's own data, and the user's own study made small enough to be run on it often.

Bars and folds shrink in proportion; the kinds of everything stay.
"""

import re
from typing import Any, Final, NamedTuple

import numpy as np

from touchstone.config import Config
from touchstone.data.loading import Loaded
from touchstone.dataset.folds import duration_ns
from touchstone.errors import TooFewBarsError
from touchstone.market import Panel
from touchstone.models import members_of
from touchstone.pipelines import prepare
from touchstone.pipelines.phases import phase_rows
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import Study
from touchstone.pipelines.trace import on_bars
from touchstone.pipelines.trace_fits import Kept
from touchstone.validation.audit.scrambles import kept_held

N_BARS: Final = 1500
N_SYMBOLS: Final = 8
_EPOCHS: Final = 2
_ROUNDS: Final = 20
_FOLDS: Final = 2
_ROWS: Final = 2000
_HOUR_NS: Final = 3_600_000_000_000
_DURATION: Final = re.compile(r"[1-9]\d{0,5}[hdw]")


class Sliced(NamedTuple):
    """A study on part of its bars."""

    study: Study
    loaded: Loaded
    """Bars without side inputs: the study joins them itself."""


def sliced(study: Study, loaded: Loaded) -> Sliced:
    """The last bars of some instruments, as many as the shrunken folds need.

    Args:
        study: whose config is shrunk.
        loaded: all its bars, without side inputs.

    Raises:
        TooFewBarsError: even all the bars are too few for the study's folds.
    """
    symbols = _symbols(loaded.panel)
    times = np.unique(loaded.panel.time)
    n = N_BARS
    while True:
        first = times[max(times.size - n, 0)]
        panel = _of(loaded.panel, symbols, int(first))
        ratio = _span(panel) / _span(loaded.panel)
        found = Sliced(_shrunken(study, ratio), loaded._replace(panel=panel))
        try:
            _fits(found)
        except TooFewBarsError:
            if n >= times.size:
                raise
            n *= 2
        else:
            return found


def _fits(found: Sliced) -> None:
    """Raise TooFewBarsError where the folds have no rows."""
    given, cache = on_bars(found.study, found.loaded), Kept()
    bars = prepare.load(given, Silent(), None)
    made = prepare.prepare(given, *bars, cache, Silent())
    rows = phase_rows(given.config, made, cache)
    for fold in (*made.folds.folds, made.folds.final):
        rows(fold)


def _span(panel: Panel) -> int:
    return int(panel.available_at.max() - panel.time.min())


def _symbols(panel: Panel) -> tuple[str, ...]:
    """Those that begin late or end early first, since their edges tell most; then by place."""
    first, last = panel.time.min(), panel.time.max()
    held = [i for i in range(panel.n_instruments) if panel.offsets[i] < panel.offsets[i + 1]]
    odd = [
        i for i in held
        if panel.time[panel.offsets[i]] > first or panel.time[panel.offsets[i + 1] - 1] < last
    ]  # fmt: skip
    n_odd = N_SYMBOLS // 2
    plain = [i for i in held if i not in odd]
    taken = (odd[:n_odd] + plain)[:N_SYMBOLS]
    taken += [i for i in odd[n_odd:] if i not in taken][: N_SYMBOLS - len(taken)]
    return tuple(panel.symbols[i] for i in sorted(taken))


def _of(panel: Panel, symbols: tuple[str, ...], start: int) -> Panel:
    wanted = np.array([s in symbols for s in panel.symbols])
    return kept_held(panel.where(wanted[panel.asset_id] & (panel.time >= start)))


def _shrunken(study: Study, ratio: float) -> Study:
    config = study.config
    recipe = config.training
    training = recipe.model_copy(
        update={
            "epochs": min(recipe.epochs, _EPOCHS),
            "curriculum": tuple(
                phase.model_copy(update={"epochs": min(phase.epochs, _EPOCHS)})
                for phase in recipe.curriculum
            ),
            "rows": min(recipe.rows or _ROWS, _ROWS),
            "device": "cpu",
            "precision": "float32" if recipe.precision == "fp16" else recipe.precision,
            "threads": 1,
        }
    )
    changes = {
        "folds": _folds(config.folds, ratio),
        "training": training,
        "models": tuple(_model(model, ratio) for model in config.models),
        "null_twin": False,
    }
    return study._replace(config=config.model_copy(update=changes))


def _folds(folds: Config, ratio: float) -> Config:
    """The same split with its durations in proportion to the bars; shares are in proportion."""
    changes: dict[str, Any] = {}
    for name in type(folds).model_fields:
        value = getattr(folds, name)
        if isinstance(value, str) and _DURATION.fullmatch(value):
            hours = max(round(duration_ns(value) * ratio / _HOUR_NS), 1)
            changes[name] = f"{hours}h" if ratio < 1 else value
    if "folds" in type(folds).model_fields and getattr(folds, "kind", "") == "walk_forward":
        asked = getattr(folds, "folds", None)
        if asked is None or asked > _FOLDS:
            changes["folds"] = None if ratio >= 1 and asked is None else _FOLDS
    return folds.model_copy(update=changes)


def _model(model: Config, ratio: float) -> Config:
    """Fewer trees, and leaves as small as the bars are few."""
    changes: dict[str, Any] = {}
    fields = type(model).model_fields
    if "rounds" in fields:
        changes["rounds"] = min(int(getattr(model, "rounds")), _ROUNDS)  # noqa: B009
    if "min_rows" in fields and ratio < 1:
        changes["min_rows"] = max(int(getattr(model, "min_rows") * ratio), 5)  # noqa: B009
    if members := members_of(model):
        changes["members"] = tuple(_model(one, ratio) for one in members)
    return model.model_copy(update=changes)
