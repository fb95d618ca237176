"""What must hold before a campaign trains anything, each answered by a sentence."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from touchstone.config import Config
from touchstone.pipelines.campaign_machine import Cost, available_mb, resident_mb
from touchstone.pipelines.prepare import Prepared
from touchstone.reports.campaign import Check
from touchstone.reports.contents import iso_day

_FEWEST_ROWS: Final = 100
_MODEL_MB: Final = 1.0
"""Of a fitted model in the cache, with room to spare."""


def data_checks(prepared: Prepared, fewest_hits: int) -> tuple[Check, ...]:
    """Bars, features and the rows of every fold."""
    return (_bars(prepared), _features(prepared), _rows(prepared, fewest_hits))


def _bars(prepared: Prepared) -> Check:
    panel, left_out = prepared.panel, prepared.loaded.rejects
    told = (
        f"{len(panel):,} bars of {panel.n_instruments} instruments were read, "
        f"{iso_day(panel.time.min())} to {iso_day(panel.time.max())}"
    )
    if left_out:
        told += f"; left out: {', '.join(f'{r.symbol} ({r.reason})' for r in left_out[:5])}"
        told += f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
    return Check(name="bars", ok=True, sentence=told + ".")


def _features(prepared: Prepared) -> Check:
    features, names = prepared.features, prepared.plan.names
    infinite = [names[i] for i in np.flatnonzero(np.isinf(features).any(0))]
    if infinite:
        return Check(
            name="features", ok=False,
            sentence=f"{', '.join(infinite)}: infinite on some rows, so that no scaler and no "
            "network can take them; exclude them, or divide by something that is never 0.",
        )  # fmt: skip
    constant = set[str]()
    for fold in prepared.folds.folds:
        train = features[fold.train]
        constant |= {names[i] for i in np.flatnonzero(np.ptp(train, axis=0) == 0)}
    told = f"{len(names)} features, finite on every row of every fold"
    if constant:
        which = ", ".join(sorted(constant))
        told += f"; constant on a fold's train rows, so they tell nothing there: {which}"
    return Check(name="features", ok=True, sentence=told + ".")


def _rows(prepared: Prepared, fewest_hits: int) -> Check:
    """Enough rows, and enough of both outcomes, in all parts of all folds."""
    outcome, short, fewest = prepared.labels.outcome, [], np.inf
    for number, fold in enumerate(prepared.folds.folds, start=1):
        for part, rows in (
            ("train", fold.train), ("validation", fold.validate), ("test", fold.test),
        ):  # fmt: skip
            hits = int((outcome[rows] == 1).sum())
            fewest = min(fewest, hits)
            if rows.size < _FEWEST_ROWS or hits < fewest_hits or hits == rows.size:
                short.append(f"fold {number} {part}: {rows.size:,} rows, {hits:,} at the target")
    if short:
        return Check(
            name="folds", ok=False,
            sentence=f"{'; '.join(short)}. Needed: {_FEWEST_ROWS} rows and {fewest_hits} at the "
            "target in each part: lengthen the folds' ranges, add instruments, or lower the "
            "label's take_profit (fewest_hits lowers the bar).",
        )  # fmt: skip
    n = len(prepared.folds.folds)
    told = f"{n} folds, each part with {int(fewest):,} rows at the target or more"
    return Check(name="folds", ok=True, sentence=told + ".")


def window_checks(models: Mapping[str, Config], lookback: int) -> tuple[Check, ...]:
    """Architectures that ask for more bars than a window holds."""
    found = []
    for name, model in models.items():
        scales = getattr(model, "scales", None)
        if scales is None:
            continue
        longest = max(scales)
        ok = longest <= lookback
        told = f"the longest scale is {longest} bars, the window holds {lookback}"
        way = "" if ok else f": lengthen lookback to {longest}, or give it shorter scales"
        found.append(Check(name=f"model {name}", ok=ok, sentence=told + way + "."))
    return tuple(found)


def refused(name: str, error: Exception) -> Check:
    """A model whose short fit did not work."""
    reason = " ".join(str(error).split())
    return Check(name=f"model {name}", ok=False, sentence=reason)


def model_checks(
    costs: Mapping[str, Cost], most_seconds: float | None
) -> tuple[Check, ...]:  # fmt: skip
    """Every model was built and fitted for a moment; how long a whole fit may take."""
    found = []
    for name, cost in costs.items():
        how = "as fits before took" if cost.measured else "reckoned from a short fit, all epochs"
        told = f"a fit takes {cost.seconds:,.1f} s ({how})"
        ok = most_seconds is None or cost.seconds <= most_seconds
        if not ok:
            told += (
                f", the budget allows {most_seconds:,.1f} s: lower budget.rows or budget.epochs "
                "for all, give it a smaller size (overrides), or leave it out (without)"
            )
        found.append(Check(name=f"model {name}", ok=ok, sentence=told + "."))
    return tuple(found)


def time_check(costs: Mapping[str, Cost], n_fits: int, jobs: int) -> Check:
    """How long it may take; nothing is refused."""
    seconds = sum(cost.seconds for cost in costs.values()) * n_fits / jobs
    told = (
        f"{len(costs) * n_fits} fits, about {_duration(seconds)} with {_processes(jobs)} where "
        "nothing is in the cache; validation ends fits earlier"
    )
    return Check(name="time", ok=True, sentence=told + ".")


def memory_check(prepared: Prepared, costs: Mapping[str, Cost], jobs: int) -> Check:
    """Whether one fit a process fits into what is free.

    What this process holds already is not free any more; of several, each holds as much of its
    own, but for the features, which they share.
    """
    peaks = [cost.peak_mb for cost in costs.values() if cost.peak_mb is not None]
    free = available_mb()
    if not peaks or free is None:
        return Check(name="memory", ok=True, sentence="this system does not tell its memory.")
    held = 0.0 if jobs == 1 else (resident_mb() or 0.0)
    need = jobs * (held + max(peaks)) + prepared.features.nbytes / 2**20
    told = f"{_processes(jobs)}: about {need:,.0f} MB, {free:,.0f} MB are free"
    ok = need <= free
    way = "" if ok else ": lower --jobs, budget.rows or training.batch"
    return Check(name="memory", ok=ok, sentence=told + way + ".")


def disk_check(prepared: Prepared, n_models: int, n_seeds: int, root: Path) -> Check:
    """Whether the scores and models of every fit fit onto the disk."""
    scored = sum(f.validate.size + f.test.size for f in prepared.folds.folds)
    n_folds = len(prepared.folds.folds)
    need = n_models * n_seeds * (scored * 3 * 8 / 1e6 + n_folds * _MODEL_MB)
    there = next(p for p in (root.absolute(), *root.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free / 1e6
    told = f"scores and models take about {need:,.0f} MB, {free:,.0f} MB are free"
    ok = need <= free
    way = "" if ok else ": free some, or put the workspace elsewhere (--out)"
    return Check(name="disk", ok=ok, sentence=told + way + ".")


def failed(checks: Sequence[Check]) -> str:
    """Every prerequisite that is not met, a line each; empty where all are."""
    return "\n".join(f"  {c.name}: {c.sentence}" for c in checks if not c.ok)


def check_lines(checks: Sequence[Check]) -> list[str]:
    """All of them for a terminal."""
    width = max(len(c.name) for c in checks)
    return [f"{'ok  ' if c.ok else 'FAIL'} {c.name.ljust(width)}  {c.sentence}" for c in checks]


def _processes(jobs: int) -> str:
    return "1 process" if jobs == 1 else f"{jobs} processes"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
