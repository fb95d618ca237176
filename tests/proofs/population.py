"""Whether taking over helps: populations against the same members left alone, over market seeds.

Each seed is a planted market of its own and a search of its own, kept under `runs/proofs/`: what
was stopped goes on. A market is about two minutes of one core. `--seeds 1 --small` proves the script.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from record import ROOT, write
from scipy import stats

from touchstone.cli.terminal import Terminal, console
from touchstone.pipelines.run import Ask
from touchstone.pipelines.tune import tune
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.population import PopulationFound

SEEDS = tuple(range(101, 109))
"""Of the markets; fixed beforehand."""
SEARCH = """
name: populations
study:
  name: populations
  bars: {{source: simulated, market: {{n_instruments: {instruments}, n_bars: {bars}, ic: 0.4}}}}
  lookback: 8
  label:
    kind: triple_barrier
    take_profit: 2
    stop_loss: 1
    horizon: 8
    width: std(close / lag(close, 1) - 1, 48) * sqrt(8)
  folds: {{kind: walk_forward, train: expanding, validate: 15d, test: 15d, folds: 2, sealed: 25d}}
  strategy: {{kind: cost_aware, margin_bp: [0, 20], max_positions: 4}}
  seed: {seed}
models: [{{kind: gru, hidden: 16}}]
method: {{kind: population, members: {members}, generations: {generations}, epochs: 1}}
budget: {{rows: {rows}}}
"""
WHOLE = {"instruments": 6, "bars": 4000, "members": 10, "generations": 8, "rows": 4000}
SMALL = {"instruments": 3, "bars": 3000, "members": 3, "generations": 2, "rows": 300}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--small", action="store_true")
    wish = parser.parse_args()
    size = SMALL if wish.small else WHOLE
    place = ROOT / "runs" / "proofs" / ("population-small" if wish.small else "population")
    found = [searched(place, seed, size, wish.jobs) for seed in SEEDS[: wish.seeds]]
    lines = told(found, size)
    if wish.small:
        print("\n".join(lines))
        return
    write("population", "Whether taking over helps", lines)


def searched(place: Path, seed: int, size: dict[str, int], jobs: int) -> PopulationFound:
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"{seed}.yaml"
    file.write_text(SEARCH.format(seed=seed, **size))
    ask = Ask(Workspace(place), jobs, f"touchstone tune {file.name}")
    done = tune(read_tune(file), ask, Terminal(console(), 0), [])
    (one,) = done.result.populations
    return one


def told(found: list[PopulationFound], size: dict[str, int]) -> list[str]:
    rows = [
        f"| {seed} | {one.winner.value:.4f} | {one.fixed.value:.4f} | "
        f"{np.mean([a.mean for a in one.again]):.4f} | {one.winner.test:.4f} | "
        f"{one.fixed.test:.4f} | {one.difference:+.4f} | {one.interval[0]:+.4f} to "
        f"{one.interval[1]:+.4f} |"
        for seed, one in zip(SEEDS, found, strict=False)
    ]
    on_test = np.array([one.difference for one in found])
    on_validation = np.array([one.winner.value - one.fixed.value for one in found])
    better = sum(one.interval[0] > 0 for one in found)
    worse = sum(one.interval[1] < 0 for one in found)
    return [
        f"A GRU of 16 units on planted markets of {size['instruments']} instruments x "
        f"{size['bars']:,} hourly bars (information coefficient 0.4), 2 folds; "
        f"{size['members']} members, {size['generations']} generations of 1 epoch, "
        f"{size['rows']:,} train rows; {len(found)} market{'s' * (len(found) > 1)}. Beside them the same members without "
        "taking over, and the winner's last settings trained anew. PR-AUC, mean over the folds.",
        "",
        "| seed | population, validation | best fixed | last settings anew | population, test | "
        "best fixed, test | difference, test | 95 % |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"On validation rows, which chose both: {on_validation.mean():+.4f} in the mean, the "
        f"population ahead on {int((on_validation > 0).sum())} of {len(found)}. On test rows: "
        f"{on_test.mean():+.4f} in the mean, 95 % {t_ends(on_test)} (t over markets), ahead on "
        f"{int((on_test > 0).sum())}; told apart as better on {better}, as worse on {worse}.",
    ]


def t_ends(values: np.ndarray) -> str:
    """95 % of a mean."""
    if values.size < 2:
        return "-"
    error = float(stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / values.size**0.5)
    return f"{values.mean() - error:+.4f} to {values.mean() + error:+.4f}"


if __name__ == "__main__":
    main()
