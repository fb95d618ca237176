"""Prove: the kernel agrees with the slow engine, fill by fill and bar by bar, on random studies.

    python tests/proofs/engine.py [--studies 1000] [--first 0]

Fails where one fill or one bar differs, or a rule was exercised by no study.
"""

# ruff: noqa: E402  the path comes before the imports
import argparse
import sys
from collections import Counter
from pathlib import Path

# Not this folder: Python and the package have modules of the names of its files.
sys.path[0] = str(Path(__file__).parents[1])

from proofs.record import write
from reference.judged import compared, judged
from reference.rules import RULES, tallied
from reference.studies import KINDS, study

WHOLE = 1000


def main() -> int:
    """Run the studies; write docs/proofs/engine.md where all were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=WHOLE)
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    asked = parser.parse_args()
    lines, wrong = proof(range(asked.first, asked.first + asked.studies))
    if asked.studies >= WHOLE and asked.first == 0:
        write("engine", "The kernel and the slow engine on random studies", lines)
    else:
        print("\n".join(lines))
    return int(wrong)


def proof(seeds: range) -> tuple[list[str], bool]:
    """Lines of the record, and whether anything was wrong."""
    n_studies, n_times, reasons, n_bars = Counter(), Counter(), Counter(), 0
    differing: dict[int, list[str]] = {}
    for seed in seeds:
        one = study(seed)
        done = judged(one)
        found = compared(one, done)
        if found:
            differing[seed] = found
        n_bars += len(done.path)
        reasons.update(f.reason for f in done.slow.fills)
        for rule, n in tallied(one, done).items():
            n_studies[rule] += 1
            n_times[rule] += n
    missed = [rule for rule in RULES if not n_studies[rule]]
    lines = [
        f"{len(seeds)} studies ({', '.join(KINDS)} in turn): small random markets and accounts, "
        "decided alike by the kernel (`src/touchstone/execution`, numba, float64) and by an engine "
        "in decimal arithmetic (`tests/reference/slow`), begun from the market semantics by who had "
        "not read the kernel. What the semantics leave open was settled for both "
        "([decision 15](../decisions/0015-how-the-kernel-reads-the-market-page.md)): there only the "
        "arithmetic is judged. Compared: row, instrument, order row, reason, "
        "quantity, price and reference of every fill (1e-9 relative), its commission (to the "
        "cent), cash and equity after every bar (to the cent).",
        "",
        f"**{len(differing)} of {len(seeds)} studies differ.** {sum(reasons.values()):,} fills and "
        f"{n_bars:,} bars were compared. Rules that no study exercised: "
        f"{', '.join(missed) or 'none'}.",
        "",
    ]
    lines += [f"- study {seed}: {found[0]}" for seed, found in list(differing.items())[:20]]
    lines += ["", "| rule | studies | times |", "|---|---|---|"]
    lines += [f"| {said} | {n_studies[rule]} | {n_times[rule]:,} |" for rule, said in RULES.items()]
    lines += ["", "| reason of a fill | fills compared |", "|---|---|"]
    lines += [f"| {reason} | {n:,} |" for reason, n in sorted(reasons.items())]
    return lines, bool(differing or missed)


if __name__ == "__main__":
    sys.exit(main())
