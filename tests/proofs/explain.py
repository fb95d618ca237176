"""`touchstone explain` on markets whose edge stands in one column: does it name that column?

Each market is made, a study is run on it as users run one, and its models are explained by the
same verb as users call. The master seed is fixed in `pipelines.calibrate` and was before the first
run; a miss is published, not reseeded. It resumes: every market is kept in a journal in
`runs/proofs/` of the checkout as it is done.

    python tests/proofs/explain.py [--seeds 20] [--jobs 2] [--trial]

`--trial` takes other markets, for those who change something, and writes no record.
"""

# ruff: noqa: E402  the path comes before the imports
import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

# Not this folder: Python has a module of the name of a file in it.
sys.path[0] = str(Path(__file__).parents[1])

import numpy as np

from proofs.record import ROOT, write
from touchstone.cli.terminal import Terminal, console
from touchstone.pipelines.calibrate import MASTER_SEED
from touchstone.pipelines.explain import Wish, explain
from touchstone.pipelines.explain_folds import Which
from touchstone.pipelines.many import Done, Journal, Work, many
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import Ask as RunAsk
from touchstone.pipelines.run import run
from touchstone.pipelines.study import Study, parse_study
from touchstone.pipelines.workspace import Workspace
from touchstone.seeding import derive

GOAL, OF = 19, 20
PLANTED = "volume_level"
MODELS = ("lightgbm", "gru")
METHODS = ("permutation", "SHAP")
STUDY = {
    "name": "explain",
    "null_twin": False,
    "bars": {"source": "simulated", "market": {"n_instruments": 8, "n_bars": 5000, "ic": 0.3}},
    "features": {
        "set": "baseline",
        # Every other column that reads volume.
        "exclude": ["volume_ratio_24", "vwap_gap"],
        "extra": {
            PLANTED: "log(volume) - mean(log(volume), 168)",
            "body": "close / open - 1",
            "range_now": "log(high / low)",
            "ret_8_own": "close / lag(close, 8) - 1",
        },
    },
    "lookback": 12,
    "label": {
        "kind": "triple_barrier", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    },
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "20d", "test": "30d",
        "folds": 2, "sealed": "30d",
    },
    "models": [{"kind": "lightgbm", "rounds": 100}, {"kind": "gru", "hidden": 16}],
    "training": {"rows": 10000, "epochs": 8},
    "strategy": {"kind": "cost_aware", "margin_bp": [0, 20], "max_positions": 4},
}  # fmt: skip


class Ask(NamedTuple):
    """One market."""

    number: int


class Found(NamedTuple):
    """Where the planted column stands, and what stands beside it; each (model, method)."""

    rank: Sequence[Sequence[int]]
    """Place of the planted column, 1 the first."""
    size: Sequence[Sequence[float]]
    """What it has over what the best of the others has."""
    other: Sequence[Sequence[str]]
    """The best of the others."""
    told: Sequence[bool]
    """Of each model: whether the planted column's interval of the permutation is above zero."""
    others_told: Sequence[int]
    """Of each model: how many other columns' intervals are."""
    seconds: Sequence[float]
    """Of the run, and of both explanations."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=OF)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--trial", action="store_true")
    wish = parser.parse_args()
    purpose = "trial" if wish.trial else "explain"
    study = study_of(purpose, 0)
    of = f"{purpose} {study.fingerprint} {study.source}"
    journal = Journal(ROOT / "runs" / "proofs" / "explain.jsonl", of, Ask, Found)
    todo = [Ask(n) for n in range(wish.seeds)]
    work = Work(partial(explained, purpose), wish.jobs, Terminal(console(), 0))
    done = many("markets", todo, journal, work)
    lines, kept = told_of(done)
    if wish.trial:
        print("\n".join(lines))
    else:
        write("explain", "What explanation names", [*head(study), *lines])
    sys.exit(0 if kept else 1)


def study_of(purpose: str, number: int) -> Study:
    """The study of one market, which is made from the study's seed."""
    settings = STUDY | {"seed": derive(MASTER_SEED, purpose, number)}
    return parse_study(settings, Path(), "explain")


def explained(purpose: str, ask: Ask) -> Found:
    """Run the study on one market, explain both models, and look where the column stands."""
    with tempfile.TemporaryDirectory(prefix="touchstone-") as folder:
        call = RunAsk(Workspace(Path(folder)), 1, "tests/proofs/explain.py")
        began = time.process_time()
        outcome = run(study_of(purpose, ask.number), call, Silent(), [])
        ran = time.process_time()
        found = [_places(outcome.folder.name, model, call) for model in MODELS]
        ended = time.process_time()
    seconds = (round(ran - began, 1), round(ended - ran, 1))
    return Found(*zip(*found, strict=True), seconds)  # type: ignore[arg-type]  # columns of rows


def _places(name: str, model: str, call: RunAsk) -> tuple[object, ...]:
    """Of one model: rank, size, other, told, others_told."""
    wish = Wish(name, Which(model=model), only=("permutation", "shap"))
    result = explain(wish, call, Silent()).result
    needs, weights = result.permutation, result.shap
    assert needs is not None
    assert weights is not None
    by_method = (
        {need.name: need.drop or 0.0 for need in needs.features},
        {weight.name: weight.size for weight in weights.features},
    )
    rank, size, other = [], [], []
    for values in by_method:
        beside = max((n for n in values if n != PLANTED), key=lambda n: values[n])
        rank.append(1 + sum(v >= values[PLANTED] for n, v in values.items() if n != PLANTED))
        size.append(round(values[PLANTED] / values[beside], 2) if values[beside] > 0 else np.inf)
        other.append(beside)
    told = {need.name for need in needs.features if need.is_told}
    return rank, size, other, PLANTED in told, len(told - {PLANTED})


def head(study: Study) -> list[str]:
    market, n = STUDY["bars"]["market"], len(STUDY["features"]["extra"])  # type: ignore[index]
    return [
        f"{OF} markets of {market['n_instruments']} instruments x {market['n_bars']:,} hourly bars "
        f"with a planted edge (IC {market['ic']:g}), seeds derived from {MASTER_SEED}. The planted "
        "state shows itself in volume alone. The study sees it in one column, "
        f"`{PLANTED}`; the others, the baseline set without its two columns that read volume and "
        f"{n - 1} more, are made of prices and the clock. That is what makes the question fair: "
        "with several columns of volume the importance of the state is shared among them, and "
        "whichever leads is as right as the others. Prices are not innocent of it: a return of the "
        "past holds the drift that the state paid, and with barriers at 2 and 1 widths the "
        "chance of either hangs on volatility too, which columns of prices foresee. So they may "
        "matter; the state must matter most.",
        "",
        f"Each market: `touchstone run`, then `touchstone explain` of {' and '.join(MODELS)} on "
        "purged test rows. Permutation importance is the loss of PR-AUC; SHAP the mean absolute "
        "share of the margin (exact for the trees, expected gradients for the network).",
        "",
        f"Study {study.fingerprint} on market 0.",
        "",
    ]


def told_of(done: Sequence[Done[Found]]) -> tuple[list[str], bool]:
    """The counts, a line a market, and whether every count is as high as it should be."""
    found, n = [one.found for one in done], len(done)
    needed = int(np.ceil(n * GOAL / OF))
    lines = [
        f"| model | method | first in | needed, of {n} | ratio to the next: median, least |",
        "|---|---|---|---|---|",
    ]
    kept = True
    for m, model in enumerate(MODELS):
        for k, method in enumerate(METHODS):
            first = sum(f.rank[m][k] == 1 for f in found)
            ratios = [f.size[m][k] for f in found]
            kept &= first >= needed
            lines.append(
                f"| {model} | {method} | {first}{'' if first >= needed else ', **missed**'} "
                f"| {needed} | {np.median(ratios):.1f}, {min(ratios):.1f} |"
            )
    lines += ["", *_of_markets(found), ""]
    for m, model in enumerate(MODELS):
        told = sum(f.told[m] for f in found)
        others = np.mean([f.others_told[m] for f in found])
        lines.append(
            f"{model}: the permutation's 95 % interval of the planted column lies above zero in "
            f"{told} of {n} markets, beside it those of {others:.1f} other columns in the mean."
        )
        lines.append("")
    runs, explanations = (np.mean([f.seconds[i] for f in found]) for i in (0, 1))
    lines.append(
        f"One core: {runs:.0f} seconds a run, {explanations:.0f} seconds to explain both models."
    )
    return lines, kept


def _of_markets(found: Sequence[Found]) -> list[str]:
    heads = [f"{model}, {method}: place (next)" for model in MODELS for method in METHODS]
    rows = [f"| market | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for number, f in enumerate(found):
        cells = [
            f"{f.rank[m][k]} ({f.other[m][k]})"
            for m in range(len(MODELS))
            for k in range(len(METHODS))
        ]
        rows.append(f"| {number} | {' | '.join(cells)} |")
    return rows


if __name__ == "__main__":
    main()
