"""What supervised learning finds of an edge that is there: the share of what the truth earns.

It resumes: the journal stands in `runs/proofs/` of the checkout. One market is some minutes of one
core; `--seeds 1` asks for one market of each setting.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np
from record import ROOT, write
from scipy import stats

from touchstone.cli.terminal import Terminal, console
from touchstone.pipelines.many import Done, Journal, Work, many
from touchstone.pipelines.supervised import (
    STRENGTH,
    Ask,
    Found,
    Setting,
    SupervisedConfig,
    learn_known,
    supervised_study,
)

GOAL = 0.85


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wish = parser.parse_args()
    config = SupervisedConfig()
    studies = [supervised_study(setting) for setting in STRENGTH]
    of = " ".join([config.fingerprint(), *(s.fingerprint for s in studies), studies[0].source])
    journal = Journal(ROOT / "runs" / "proofs" / "supervised.jsonl", of, Ask, Found)
    todo = [Ask(setting, n) for n in range(wish.seeds) for setting in STRENGTH]
    work = Work(partial(learn_known, config), wish.jobs, Terminal(console(), 0))
    done = dict(zip(todo, many("markets", todo, journal, work), strict=True))
    kept, lines = True, []
    for setting in STRENGTH:
        found = [done[ask] for ask in todo if ask.setting == setting]
        told, is_kept = told_of(setting, found)
        lines += told
        kept &= is_kept
    write("supervised", "What supervised learning finds", [*head(config, wish.seeds), *lines])
    sys.exit(0 if kept else 1)


def head(config: SupervisedConfig, seeds: int) -> list[str]:
    market = config.market
    study = supervised_study("with costs").config
    return [
        f"{market.n_instruments} instruments x {market.n_bars:,} bars of {market.timeframe}, a "
        f"linear signal in the volume, {seeds} markets a setting, master seed {config.seed}. Models "
        "are fitted to the first 85 % of the time; the last 15 % choose epoch, calibration, margin "
        "and model. Then everybody trades a fresh path of the same market, as long as the first, "
        f"with the strategy `{study.strategy.kind}` of {study.strategy.max_positions} positions. "
        "The truth is the true conditional mean of the label's return through the same strategy, "
        "costs and account, with whichever margin serves it best on those very paths. Sharpe is "
        "annual, of daily net returns. Networks see "
        f"{study.training.rows:,} rows and at most {study.training.epochs} epochs, the others all "
        "rows.",
        "",
    ]


def told_of(setting: Setting, done: Sequence[Done[Found]]) -> tuple[list[str], bool]:
    """Lines about one setting, and whether it keeps the goal."""
    found = [one.found for one in done]
    shares = [f.share(f.chosen) for f in found]
    mean, error = float(np.mean(shares)), 0.0
    if len(shares) > 1:
        quantile = float(stats.t.ppf(0.975, len(shares) - 1))
        error = quantile * float(np.std(shares, ddof=1)) / len(shares) ** 0.5
    interval = f", 95 % interval {mean - error:.1%} to {mean + error:.1%}" if error else ""
    kept = mean >= GOAL
    bests = np.mean([f.share(f.best) for f in found])
    seconds = np.mean([one.seconds for one in done])
    return [
        f"## {setting.capitalize()}, IC {STRENGTH[setting]:.2f}",
        "",
        f"The chosen model earns {mean:.1%} of the truth's Sharpe in the mean{interval}; lowest "
        f"{min(shares):.1%}. Goal, at least {GOAL:.0%}: {'kept' if kept else '**missed**'}. The "
        f"best model on the fresh paths themselves would earn {bests:.1%}. {seconds:.0f} seconds "
        "of one core a market.",
        "",
        *each_seed(found),
        *each_model(found),
    ], kept


def each_seed(found: Sequence[Found]) -> list[str]:
    rows = [
        "| market | chosen | margin, bp | Sharpe | the truth's | share | trades | truth's trades "
        "| costs of gross | best there | share |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number, f in enumerate(found):
        chosen, best, truth = f.chosen, f.best, max(f.truth, key=lambda row: row[1])
        rows.append(
            f"| {number} | {chosen.name} | {chosen.margin_bp:g} | {chosen.sharpe or 0:.2f} "
            f"| {f.best_truth:.2f} | {f.share(chosen):.1%} | {chosen.n_trades:,} | {truth[2]:,} "
            f"| {chosen.cost_share or 0:.0%} | {best.name} | {f.share(best):.1%} |"
        )
    return [*rows, ""]


def each_model(found: Sequence[Found]) -> list[str]:
    rows = [
        "| model | share of the truth's Sharpe, each market | mean | train rows | epochs or rounds "
        "| seconds |",
        "|---|---|---|---|---|---|",
    ]
    for place, first in enumerate(found[0].of):
        models = [f.of[place] for f in found]
        shares = [f.share(m) for f, m in zip(found, models, strict=True)]
        rows.append(
            f"| {first.name} | {', '.join(f'{s:.1%}' for s in shares)} "
            f"| {np.mean(shares):.1%} | {first.rows:,} "
            f"| {', '.join(str(m.epoch) for m in models)} "
            f"| {np.mean([m.seconds for m in models]):.0f} |"
        )
    return [*rows, ""]


if __name__ == "__main__":
    main()
