"""Prove: every planted leak is caught by its layer, no control raises an alarm, over five seeds.

    python tests/proofs/leaks.py [--seeds 1,2,3,4,5] [--only NAME,NAME]

Files in `tests/leaks/outsiders/`, written by who never read the audit, are counted apart.
"""

# ruff: noqa: E402  the path comes before the imports
import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

# Not this folder: Python and the corpus have modules of the names of its files.
sys.path[0] = str(Path(__file__).parents[1])

from statistics import median

from leaks.audited import Audited, audited
from leaks.corpus import HERE, Planted, paths, planted
from proofs.record import write
from touchstone.validation.audit import Effort

SEEDS = (1, 2, 3, 4, 5)
EFFORT = Effort(n_stratified=16, n_whole=2, seconds=4, n_smaller=4, both=False)


def main() -> int:
    """Audit all, write docs/proofs/leaks.md; 0 where nothing was missed and nobody alarmed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    seeds = tuple(int(s) for s in asked.seeds.split(","))
    names = {n for n in asked.only.split(",") if n}
    lines, wrong = section("The corpus", paths(), seeds, names)
    outsiders = sorted((HERE / "outsiders").glob("[!_]*.py"))
    if outsiders:
        more, missed = section("By outsiders", outsiders, seeds, names)
        lines, wrong = [*lines, "", *more], wrong + missed
    if names:
        print("\n".join(lines))
    else:
        write("leaks", "Leaks that were planted, and what the audit said", lines)
    return int(wrong > 0)


def section(
    title: str, files: Sequence[Path], seeds: Sequence[int], names: set[str]
) -> tuple[list[str], int]:
    """Figures and a table of some files, and how many audits were wrong."""
    done = {p.stem: runs(planted(p), seeds) for p in files if not names or p.stem in names}
    leaks = {n: r for n, r in done.items() if r[0].planted.layer is not None}
    clean = {n: r for n, r in done.items() if n not in leaks}
    missed = [n for n, r in leaks.items() if not all(one.right for one in r)]
    alarms = [n for n, r in clean.items() if not all(one.right for one in r)]
    seconds = [one.seconds for r in done.values() for one in r]
    slowest = max(seconds, default=0.0)
    lines = [
        f"## {title}",
        "",
        f"{len(leaks) - len(missed)} of {len(leaks)} leaks were caught on every one of "
        f"{len(seeds)} seeds by the layer that they name; {len(alarms)} of {len(clean)} clean "
        f"controls raised an alarm on some seed. An audit took {median(seconds or [0]):.1f} s of "
        f"one core in the middle, {slowest:.1f} s at most.",
        "",
        f"Missed: {', '.join(missed) or 'none'}. False alarms: {', '.join(alarms) or 'none'}.",
        "",
        "| file | layer | right | s | what was found first |",
        "|---|---|---|---|---|",
    ]
    lines += [row(n, r) for n, r in sorted(done.items(), key=lambda x: (x[1][0].planted.folder,
                                                                       x[0]))]  # fmt: skip
    wrong = sum(not one.right for r in done.values() for one in r)
    return lines, wrong


def runs(one: Planted, seeds: Sequence[int]) -> list[Audited]:
    """One file on every seed."""
    found = []
    for seed in seeds:
        with TemporaryDirectory() as folder:
            found.append(audited(one, Path(folder), seed, EFFORT))
        word = found[-1].found.word
        said = "ok" if found[-1].right else "WRONG"
        print(f"{said:<6}{one.folder}/{one.name} seed {seed}: {word} "
              f"{found[-1].seconds:.1f} s", file=sys.stderr)  # fmt: skip
    return found


def row(name: str, found: Sequence[Audited]) -> str:
    """One line of the table."""
    first = found[0].planted
    said = next((one.found.findings[0] for one in found if one.found.findings), None)
    what = "" if said is None else f"{said.stage}, {said.column}".replace("|", "/")
    right = sum(one.right for one in found)
    return (
        f"| {first.folder}/{name} | {first.layer or 'clean'} | {right} of {len(found)} | "
        f"{median(one.seconds for one in found):.1f} | {what} |"
    )


if __name__ == "__main__":
    sys.exit(main())
