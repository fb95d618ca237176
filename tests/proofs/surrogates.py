"""The search-corrected p-value on markets without an edge, and on some with one.

The calibration's cheap study, free of costs and always in the market, searches every null market
and up to 19 surrogates of each; at 5 % the p-value must reject within the exact binomial band.
With a planted edge it must reject. The master seed is fixed here and was before the first run; a
miss is published, not reseeded. Every market is kept in a journal as it is done: the same command
goes on from it.

    python tests/proofs/surrogates.py [--markets 100] [--planted 20] [--jobs 2]
"""

# ruff: noqa: E402  the path comes before the imports
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

# Not this folder: Python has a module of the name of a file in it.
sys.path[0] = str(Path(__file__).parents[1])

from proofs.record import ROOT, write
from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.calibrate import calibration_study
from touchstone.pipelines.market import compared, search_market
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.seal import whole_span
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import identified
from touchstone.pipelines.surrogates import surrogates
from touchstone.seeding import derive
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.nulls import NullConfig, null_market
from touchstone.validation.calibration import rate
from touchstone.validation.deflated import deflated_sharpe

SEED = 20_261_128
BUDGET = 19
MARKET = NullConfig(n_instruments=2, n_bars=8_040)
KINDS = ("iid", "garch", "regimes")
IC = 0.2
JOURNAL = ROOT / ".touchstone" / "proofs" / "surrogates.jsonl"


def study():
    """The calibration's size study, with surrogates."""
    plain = calibration_study("size")
    return identified(plain.config.model_copy(update={"surrogates": BUDGET}), plain.root)


def panel_of(kind: str, number: int):
    """One market; `planted` has an edge, of a size that a person would notice."""
    seed = derive(SEED, "surrogates", kind, number)
    if kind == "planted":
        size = {"n_instruments": MARKET.n_instruments, "n_bars": MARKET.n_bars}
        return simulate(MarketConfig.parse({"ic": IC, **size}), seed)[0]
    return null_market(MARKET, kind, seed)


def judged(kind: str, number: int) -> dict[str, Any]:
    """Search one market and its surrogates."""
    began = time.perf_counter()
    panel, asked, ledger = panel_of(kind, number), study(), MemoryLedger()
    data = panel.content_hash()
    bars = Loaded(panel, (), (), f"null:{data[:16]}", None), data
    with tempfile.TemporaryDirectory(prefix="touchstone-surrogates-") as folder:
        resources = Resources(StageCache(Path(folder)), lambda: ledger, Silent(), 1)
        found = search_market(asked, bars, resources)
        tested = surrogates(asked, found.prepared, found.comparison, compared, resources)
    winner, told = found.comparison.winner, ledger.candidates(whole_span(found.prepared))
    value = None if winner is None else deflated_sharpe(winner.returns, told).value
    return {
        "of": identity(), "kind": kind, "number": number, "p": tested.test.p,
        "best": tested.test.best, "n": len(tested.test.scores), "deflated": value,
        "seconds": time.perf_counter() - began,
    }  # fmt: skip


def identity() -> str:
    """What a line of the journal belongs to: other code or another study starts anew."""
    asked = study()
    return f"{asked.fingerprint} {asked.source} {MARKET.fingerprint()} {SEED} {IC}"


def known(journal: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """The markets that a journal holds; a line cut short is none."""
    found, mine = {}, identity()
    for text in journal.read_text().splitlines() if journal.is_file() else ():
        if text.endswith("}"):
            line = json.loads(text)
            if line["of"] == mine:
                found[line["kind"], line["number"]] = line
    return found


def collected(todo: list[tuple[str, int]], journal: Path, jobs: int) -> list[dict[str, Any]]:
    """Every market asked for, those of the journal not judged again."""
    done = known(journal)
    left = [ask for ask in todo if ask not in done]
    journal.parent.mkdir(parents=True, exist_ok=True)
    pool = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    with journal.open("a") as file:
        file.write("\n" if file.tell() else "")  # ends a line cut short
        for i, line in enumerate(pool(delayed(judged)(*ask) for ask in left)):
            done[line["kind"], line["number"]] = line
            file.write(json.dumps(line) + "\n")
            file.flush()
            print(f"\r{len(todo) - len(left) + i + 1} of {len(todo)} markets", end="", flush=True)
    print()
    return [done[ask] for ask in todo]


def report(nulls: list[dict[str, Any]], planted: list[dict[str, Any]]) -> list[str]:
    """The page's lines."""
    p = np.array([line["p"] for line in nulls])
    deflated = np.array([1 - (line["deflated"] or 0.0) for line in nulls])
    rates = [rate("search-corrected p, all null markets", p)]
    rates += [
        rate(f"search-corrected p, {kind}", p[[line["kind"] == kind for line in nulls]])
        for kind in KINDS
    ]
    n_searched = sum(line["n"] + 1 for line in (*nulls, *planted))
    seconds = sum(line["seconds"] for line in (*nulls, *planted))
    lines = [
        f"The cheap study of the calibration (ten candidates, no costs, always in the market), on "
        f"{MARKET.n_instruments} instruments of {MARKET.n_bars:,} hourly bars; R = {BUDGET} "
        f"surrogates at most, fewer where the sequential rule ended. {n_searched:,} searches, "
        f"{seconds / n_searched:.2f} s of one core each, {seconds / 60:.1f} core-minutes. Master "
        f"seed {SEED}.",
        "",
        "## Without an edge, rejections at 5 %",
        "",
        *(f"- {found}" for found in rates),
        "",
        "The band holds 99.9 % of the counts of a test that rejects 5 %. A p-value of these "
        "surrogates takes few values, so each level that it can reach stands beside its share:",
        "",
        "| level | share of null markets with p at most that |",
        "|---|---|",
        *(f"| {level:.2f} | {np.mean(p <= level + 1e-9):.2f} |" for level in LEVELS),
        "",
        f"On the same markets the deflated Sharpe, which stands in where no surrogates are asked "
        f"for, passes 0.95 on {int(np.sum(deflated < 0.05))} of {len(nulls)}. "
        f"On {int(np.sum([line['best'] == 0 for line in nulls]))} no candidate earned anything; "
        f"surrogates searched a market, on average: {np.mean([line['n'] for line in nulls]):.1f}.",
    ]
    if planted:
        found = np.array([line["p"] for line in planted])
        lines += [
            "",
            "## With an edge",
            "",
            f"A planted signal whose correlation with the next bar's return is {IC}: p <= 0.05 on "
            f"{int(np.sum(found <= 0.05))} of {len(planted)} markets (least p possible: "
            f"{1 / (BUDGET + 1):.2f}).",
        ]
    return lines


LEVELS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.50, 0.75, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=100, help="without an edge")
    parser.add_argument("--planted", type=int, default=20, help="with one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--journal", type=Path, default=JOURNAL)
    parser.add_argument("--dry", action="store_true", help="print, write no page")
    asked = parser.parse_args()
    nulls = [(KINDS[i % len(KINDS)], i // len(KINDS)) for i in range(asked.markets)]
    planted = [("planted", i) for i in range(asked.planted)]
    lines = collected(nulls + planted, asked.journal, asked.jobs)
    page = report(lines[: len(nulls)], lines[len(nulls) :])
    if asked.dry:
        print("\n".join(page))
    else:
        write("surrogates", "Search-corrected p-values by surrogate markets", page)


if __name__ == "__main__":
    main()
