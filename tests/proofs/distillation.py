"""What one small network keeps of an ensemble, and at what share of its time to score.

It resumes: the journal stands in `runs/proofs/` of the checkout. One market at a time: the clock
is part of what is measured, so nothing else should run meanwhile.
"""

import argparse
import sys
from functools import partial

import numpy as np
from record import ROOT, write

from touchstone.cli.terminal import Terminal, console
from touchstone.pipelines.ensemble_markets import (
    Ask,
    MarketsConfig,
    Student,
    distil_known,
    taught_ensemble,
)
from touchstone.pipelines.many import Journal, Work, many

KEPT, SHARE = 0.95, 0.10


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--development", type=int, metavar="SEED", help="other seeds than the proof's; not recorded"
    )
    wish = parser.parse_args()
    config = MarketsConfig() if wish.development is None else MarketsConfig(seed=wish.development)
    asked = taught_ensemble()
    of = f"{config.fingerprint()} {asked.study.fingerprint} {asked.study.source}"
    journal = Journal(ROOT / "runs" / "proofs" / "distillation.jsonl", of, Ask, Student)
    work = Work(partial(distil_known, config), 1, Terminal(console(), 0))
    done = many("markets", [Ask("distillation", n) for n in range(wish.seeds)], journal, work)
    found = [one.found for one in done]
    is_kept = all((f.kept or 0.0) >= KEPT and f.share <= SHARE for f in found)
    market, members = config.distillation, [named.name for named in asked.members]
    lines = [
        f"{market.n_instruments} instruments x {market.n_bars:,} bars of {market.timeframe} with a "
        f"planted edge (IC {market.ic}), master seed {config.seed}, fixed beforehand. Teacher: the "
        f"mean of {', '.join(members)}, which speaks of the student's train rows through members "
        "fitted to other stretches of them. Test rows of one fold, raw scores; time through the one "
        "scoring path, one thread, the median over alternating rounds.",
        "",
        f"Goal, on every market: at least {KEPT:.0%} of the ensemble's PR-AUC at no more than "
        f"{SHARE:.0%} of its time: {'kept' if is_kept else '**missed**'}. "
        f"{np.mean([one.seconds for one in done]):.0f} seconds of one core a market.",
        "",
        "| market | ensemble's PR-AUC | student's | kept | 95 % | untaught | ensemble, \u00b5s a row "
        "| student, \u00b5s a row | share of the time | parameters |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number, f in enumerate(found):
        ends = "-" if f.kept_interval is None else "{:.1%} to {:.1%}".format(*f.kept_interval)
        lines.append(
            f"| {number} | {f.ensemble_pr_auc or 0:.4f} | {f.pr_auc or 0:.4f} | {f.kept or 0:.1%} "
            f"| {ends} | {f.untaught_pr_auc or 0:.4f} | {f.ensemble_us:.1f} | {f.student_us:.2f} "
            f"| {f.share:.1%} | {f.parameters:,} |"
        )
    if wish.development is None:
        write("distillation", "What one small network keeps of an ensemble", lines)
    else:
        print("\n".join(lines))
    sys.exit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
