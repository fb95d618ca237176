"""The power curve: how often a true edge is found, and what decoys end in.

It resumes: the journal stands in `runs/proofs/` of the checkout.
"""

import argparse
import os
import sys

from record import ROOT, write

from touchstone.cli.terminal import Terminal, console
from touchstone.pipelines.power import PowerConfig, Wish, power
from touchstone.reports.power import GOAL, proof_lines

TARGETS = (1.0, 2.0, 3.0, 3.5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--markets", type=int, default=200, help="at the last target")
    parser.add_argument("--others", type=int, default=100)
    parser.add_argument("--pilot", type=int, default=PowerConfig().pilot, help="a strength")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wish = parser.parse_args()
    config = PowerConfig(pilot=wish.pilot)
    targets = tuple((t, wish.markets if t == TARGETS[-1] else wish.others) for t in TARGETS)
    place = ROOT / "runs" / "proofs"
    found = power(
        Wish(config, targets, wish.others, place, wish.jobs, "make prove-power"),
        Terminal(console(), 0),
    ).result
    market, goal = config.market, found.at_goal
    kept = goal is not None and (goal.evidence or 0) >= GOAL[1]
    head = [
        f"{market.n_instruments} instruments x {market.n_bars:,} bars of {market.timeframe} (four "
        f"years, the last fifth sealed), {found.n_candidates} candidates, default costs; a pilot of "
        f"{found.n_pilot} markets finds the strength of the signal for each wanted Sharpe. The truth "
        f"of every chosen candidate is measured on {config.years:g} fresh years of its own market; "
        f"master seed {config.seed}. Rates over all markets, those without a chosen candidate too.",
        "",
    ]
    tail = [
        "",
        f"Goal, evidence in at least {GOAL[1]:.0%} at a true Sharpe of {GOAL[0]:g}: "
        f"{'kept' if kept else '**missed**'}. {found.seconds or 0:.1f} seconds of one core a market.",
    ]
    write("power", "How often a true edge is found", [*head, *proof_lines(found), *tail])
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
