"""Try properties 1-31 of the engine on many worlds, and each one on an engine with a fault.

    python tests/proofs/properties.py [--examples 500] [--fault-examples 60] [--only 25,26]

32 belongs to the environments. Writes docs/proofs/properties.md, unless `--only` is given.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree

from planted_faults import FAULTS, RECORDS, Fault
from record import ROOT, write

FOLDER = "tests/execution/properties"
WITH_NUMBA = ("17",)
"""It reads a file, and what reads it does not import without numba."""


class Tried(NamedTuple):
    name: str
    n_examples: int
    seconds: float
    result: str


def environment(src: Path, **changed: str) -> dict[str, str]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **one_thread, "PYTHONPATH": str(src), **changed}


def tried(only: tuple[str, ...], n_examples: int) -> list[Tried]:
    """Every property, on newly drawn worlds."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        chosen = " or ".join(f"test_{n}_" for n in only) or "test_"
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", FOLDER, "-p", "no:cacheprovider", "-k", chosen,
             "--hypothesis-show-statistics", f"--junitxml={report}"],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env=environment(ROOT / "src", PROPERTY_EXAMPLES=str(n_examples),
                            HYPOTHESIS_PROFILE="explore"),
        )  # fmt: skip
        if not report.exists():
            raise SystemExit(ran.stdout[-3000:] + ran.stderr[-3000:])
        cases = ElementTree.parse(report).getroot().iter("testcase")
        counts = counted(ran.stdout)
        found = []
        for case in cases:
            name = case.attrib["name"]
            if not re.match(r"test_\d\d_", name):
                continue
            bad = case.find("failure") is not None or case.find("error") is not None
            known = case.find("skipped") is not None
            result = "FAILED" if bad else "known not to hold" if known else "holds"
            n = counts.get(name, 0)  # 0: no Hypothesis test, one case worked by hand
            found.append(Tried(name, n, float(case.attrib["time"]), result))
            if bad:
                print(f"{name}: {case[0].attrib.get('message', '')[:2000]}", file=sys.stderr)
    return sorted(found)


def counted(said: str) -> dict[str, int]:
    """Passing examples of each test, from Hypothesis's statistics."""
    counts: dict[str, int] = {}
    name = ""
    for line in said.splitlines():
        if head := re.match(r"\S+::(test_\w+(?:\[.*\])?):$", line.strip()):
            name = head.group(1)
        elif passing := re.search(r"(\d+) passing(?:,| examples)", line):
            counts[name] = counts.get(name, 0) + int(passing.group(1))
    return counts


def caught(fault: Fault, n_examples: int) -> str:
    """Whether the property holds on a copy of the package, and fails once the fault is in it."""
    with TemporaryDirectory() as folder:
        src = Path(folder) / "src"
        shutil.copytree(ROOT / "src", src, ignore=shutil.ignore_patterns("__pycache__"))
        path = src / "touchstone" / fault.file
        text = path.read_text()
        if text.count(fault.old) != 1:
            return f"STALE: {text.count(fault.old)} places in {fault.file}"
        if fault.property not in WITH_NUMBA:
            with_attributes(src)
        text = path.read_text()
        if (said := asked(src, fault.property, n_examples)) != 0:
            return f"UNPROVEN: pytest says {said} without the fault"
        path.write_text(text.replace(fault.old, fault.new))
        said = asked(src, fault.property, n_examples)
    if said == 1:
        return "caught"
    return "MISSED" if said == 0 else f"BROKEN: pytest says {said}"


def with_attributes(src: Path) -> None:
    """Make the copy run without numba: records with attributes, no asking ahead for memory."""
    for file, names in RECORDS.items():
        path = src / "touchstone" / file
        more = "".join(f"\n{n} = np.dtype((np.record, {n}))" for n in names)
        path.write_text(path.read_text() + more + "\n")
    ahead = src / "touchstone" / "execution" / "prefetch.py"
    ahead.write_text(ahead.read_text() + "\n\ndef prefetch(column, row):\n    pass\n")


def asked(src: Path, number: str, n_examples: int) -> int:
    """pytest's exit code on one property, without numba."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", FOLDER, "-p", "no:cacheprovider", "-x",
         "-k", f"test_{number}_", "-W", "ignore"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=environment(src, PROPERTY_EXAMPLES=str(n_examples), PROPERTY_QUICK="1",
                        NUMBA_DISABLE_JIT="0" if number in WITH_NUMBA else "1"),
    )  # fmt: skip
    if "AttributeError" in ran.stdout or "TypeError" in ran.stdout:
        return 9  # the copy does not run: that is no property that failed
    return ran.returncode


def main() -> int:
    """Try, plant, record; 0 where every property holds and every fault is caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--fault-examples", type=int, default=60)
    parser.add_argument("--only", default="")
    asked_for = parser.parse_args()
    only = tuple(n for n in asked_for.only.split(",") if n)
    began = time.perf_counter()
    found = tried(only, asked_for.examples)
    faults = [f for f in FAULTS if not only or f.property in only]
    fates = {}
    for fault in faults:
        fates[fault.property] = caught(fault, asked_for.fault_examples)
        print(fault.property, fates[fault.property], file=sys.stderr, flush=True)
    lines = [
        f"{sum(t.result == 'holds' for t in found)} of {len(found)} tests hold, "
        f"{asked_for.examples} examples asked of each; "
        f"{sum(f == 'caught' for f in fates.values())} of {len(fates)} planted faults were caught "
        f"({asked_for.fault_examples} examples each, on a copy without numba on which the property "
        f"holds before). {time.perf_counter() - began:.0f} s in all.",
        "",
        "| property | examples | s | result |",
        "|---|---|---|---|",
        *(f"| {t.name[5:].replace('_', ' ')} | {t.n_examples or 'one case'} | {t.seconds:.1f} | {t.result} |"
          for t in found),
        "",
        "| property | fault planted | fate |",
        "|---|---|---|",
        *(f"| {f.property} | {f.file}: {told(f)} | {fates[f.property]} |"
          for f in faults),
    ]  # fmt: skip
    if only:
        print("\n".join(lines))
    else:
        write("properties", "Properties of the engine", lines)
    holds = all(t.result != "FAILED" for t in found)
    return int(not (holds and all(f == "caught" for f in fates.values())))


def told(fault: Fault) -> str:
    """The first line that the fault changes, then how it reads."""
    old, new = fault.old.splitlines(), fault.new.splitlines()
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), -1)
    before, after = (x[same].strip().replace("|", "/") for x in (old, new))
    return f"`{before}` -> `{after}`"


if __name__ == "__main__":
    sys.exit(main())
