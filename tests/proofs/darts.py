"""Is a searched cell better than a random one of its size? Where only one operation can see, and on
planted markets; whatever comes out is written down.

    python tests/proofs/darts.py --seeds 6 --markets 5

It resumes: markets are searched in `runs/proofs/darts/` of the checkout, where finished searches
and fits are kept. A market is about four minutes of one core, a seed of both causes one.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import yaml
from record import ROOT, write
from scipy import stats

sys.path.insert(0, str(ROOT / "tests"))

from touchstone import training
from touchstone.cli.terminal import Terminal, console
from touchstone.ledger import MemoryLedger
from touchstone.metrics.classification import pr_auc
from touchstone.models.darts import DartsConfig
from touchstone.models.scoring import score
from touchstone.pipelines.run import Ask
from touchstone.pipelines.tune import tune
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.architecture import wiring
from touchstone.seeding import generator
from touchstone.training import Job, TrainingConfig
from touchstone.tuning.architecture import search
from touchstone.tuning.architecture_cells import random_cells
from tuning.searched import N_ASSETS, cause_at, ended, search_job

CAUSES = {8: "dilated3", 11: "attention"}
"""Bars that the cause lies back -> the one operation of these that sees it from the newest bar."""
AMONG = ("skip", "conv3", "max_pool", "average_pool")
N_RANDOM, N_SEEDS = 6, 3
EPOCHS, N_CELLS = 6, 5
"""Of a market's fits, and cells beside the found one."""
BATCH, RATE = 128, 0.03
"""Of a market's fits and search, fixed beforehand: of so few rows larger batches are too few steps,
of the architecture too."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=6, help="of the planted causes")
    parser.add_argument("--markets", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rows", type=int, default=2500, help="train rows of a market's fits")
    wish = parser.parse_args()
    lines = causes(wish.seeds) if wish.seeds else []
    lines += markets(wish) if wish.markets else []
    write("darts", "Searched cells beside random ones", lines)


def causes(n_seeds: int) -> list[str]:
    """Outcomes that one bar of the window decides, too far back for all operations but one."""
    lines = [
        "## A cause that one operation sees",
        "",
        f"Cells of one node over {', '.join(AMONG)} and the operation named below; {N_RANDOM} "
        f"random cells of the space, {N_SEEDS} seeds each, PR-AUC on fresh rows. Lead: found less "
        "the mean of the random cells, 95 % interval over the seeds of data and search (t).",
        "",
        "| bars back | operation | cells that hold it | lead | 95 % | found beats every random cell |",
        "|---|---|---|---|---|---|",
    ]
    for age, name in CAUSES.items():
        found = [one_cause(age, name, seed) for seed in range(n_seeds)]
        leads = np.array([lead for lead, _, _ in found])
        holds, best = (sum(one[i] for one in found) for i in (1, 2))
        lines.append(
            f"| {age} | `{name}` | {holds} of {n_seeds} | {leads.mean():+.3f} | {t_ends(leads)} | "
            f"{best} of {n_seeds} |"
        )
    return [*lines, ""]


def one_cause(age: int, name: str, seed: int) -> tuple[float, bool, bool]:
    """(lead over the mean random cell, whether the cell holds the operation, whether it is best)."""
    method = {"operations": [*AMONG, name], "stages": [{"cells": 1}], "epochs": 8, "rate": 0.03,
              "order": "second", "warm_up": 1}  # fmt: skip
    job = search_job(cause_at(age, seed=seed), seed=seed, method=method, network={"cells": 1})
    _, cell = ended(search(job, MemoryLedger()))
    network = DartsConfig(cells=1, width=8, embedding=4, dropout=0.0)
    found = network.model_copy(update={"genotype": cell.genotype})
    drawn = random_cells(
        generator(seed, "cells"), N_RANDOM, [found], job.shape, ((*AMONG, name), 2, 10.0)
    )
    scores = [
        np.mean([fitted(network.model_copy(update={"genotype": g}), age, (seed, s))
                 for s in range(N_SEEDS)])
        for g in (cell.genotype, *drawn)
    ]  # fmt: skip
    holds = any(operation == name for _, operation in cell.genotype[0])
    print(f"cause {age}, seed {seed}: {wiring(cell.genotype)} {scores[0]:.3f}, random "
          f"{np.mean(scores[1:]):.3f} (best {max(scores[1:]):.3f})", flush=True)  # fmt: skip
    return float(scores[0] - np.mean(scores[1:])), holds, bool(scores[0] > max(scores[1:]))


def fitted(model: DartsConfig, age: int, seeds: tuple[int, int]) -> float:
    """PR-AUC of a fit on fresh rows."""
    train, validate = cause_at(age, seed=seeds[0])
    fresh, _ = cause_at(age, seed=1000 + seeds[0])
    recipe = TrainingConfig.parse({"batch": 128, "learning_rate": 1e-2, "epochs": 12})
    job = Job(model, recipe, train, validate, N_ASSETS, seeds[1], "data")
    out = score(training.run(job, MemoryLedger()).fitted, fresh.windows, fresh.rows)
    return float(pr_auc(out[:, -1], fresh.outcome == 1) or 0.0)


def markets(wish: argparse.Namespace) -> list[str]:
    """The whole of `touchstone tune` on planted markets."""
    folder = ROOT / "runs" / "proofs" / "darts"
    folder.mkdir(parents=True, exist_ok=True)
    rows, leads = [], []
    for seed in range(wish.markets):
        result = searched(folder, seed, wish)
        test, held = result.on_test, result.compared[0]
        leads.append(test.difference or 0.0)
        rows.append(
            f"| {seed} | {wiring(result.won.genotype)} | {test.found:.4f} | {test.random:.4f} | "
            f"{test.difference:+.4f} | {ends(test.interval)} | {held.difference:+.4f} | "
            f"{result.verdict} |"
        )
    lead = np.array(leads)
    return [
        "## Planted markets",
        "",
        f"`touchstone tune` with method `darts`, batches of {BATCH}, an architecture rate of {RATE} "
        "and else its defaults (second order, two stages), 6 "
        "instruments x 5,000 hourly bars, an edge in the volume, two folds; "
        f"{wish.rows:,} rows for each half of a search and for each fit, at most {EPOCHS} epochs a "
        f"fit; {N_CELLS} random cells of the found one's size, 3 seeds each.",
        "",
        "| seed | found cell | found | random | lead on test | 95 % | lead on validation | verdict |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"Mean lead on test rows over {lead.size} markets: {lead.mean():+.4f}, 95 % {t_ends(lead)} "
        "(t over markets).",
    ]


def searched(folder: Path, seed: int, wish: argparse.Namespace):
    """The finished search of one market."""
    width = "std(close / lag(close, 1) - 1, 48) * sqrt(8)"
    settings = {
        "name": f"planted-{seed}",
        "study": {
            "name": f"planted-{seed}",
            "seed": 100 + seed,
            "bars": {"source": "simulated",
                     "market": {"n_instruments": 6, "n_bars": 5000, "ic": 0.3}},
            "lookback": 16,
            "label": {"kind": "triple_barrier", "take_profit": 1, "stop_loss": 1, "horizon": 8,
                      "width": width},
            "folds": {"kind": "walk_forward", "train": "expanding", "validate": "15d",
                      "test": "30d", "folds": 2, "sealed": "20d"},
            "strategy": {"kind": "cost_aware", "margin_bp": [0, 20], "max_positions": 4},
            "training": {"batch": BATCH},
        },
        "models": [{"kind": "darts"}],
        "budget": {"rows": wish.rows, "epochs": EPOCHS, "patience": 3},
        "method": {"kind": "darts", "random_cells": N_CELLS, "rate": RATE},
    }  # fmt: skip
    path = folder / f"planted-{seed}.yaml"
    path.write_text(yaml.safe_dump(settings))
    ask = Ask(Workspace(folder), wish.jobs, f"tests/proofs/darts.py, market {seed}")
    return tune(read_tune(path), ask, Terminal(console(), 0), []).result


def t_ends(values: np.ndarray) -> str:
    """95 % of a mean."""
    if values.size < 2:
        return "-"
    error = float(stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / values.size**0.5)
    return f"{values.mean() - error:+.4f} to {values.mean() + error:+.4f}"


def ends(interval: tuple[float, float] | None) -> str:
    """An interval in words."""
    return "-" if interval is None else f"{interval[0]:+.4f} to {interval[1]:+.4f}"


if __name__ == "__main__":
    main()
