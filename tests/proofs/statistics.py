"""Size, power and coverage of every statistic, on worlds whose truth is known.

Every rate stands beside the 99.9 % band that its nominal value allows at that K (exact binomial).
The master seed is fixed here and was before the first run; a miss is published, not reseeded.

    python tests/proofs/statistics.py [--intervals 4000] [--tests 1000]
"""

# ruff: noqa: E402  the path comes before the imports
import argparse
import math
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from arch.bootstrap import SPA
from scipy.special import ndtri
from scipy.stats import binom, binomtest

# Not this folder: Python has a module of the name of this file.
sys.path[0] = str(Path(__file__).parents[1])

from proofs.record import write
from returns import WORLDS, ar_garch, normal, searches, with_sharpe
from touchstone.ledger import Candidate
from touchstone.metrics.classification import pr_auc, roc_auc
from touchstone.validation.bootstrap import mean_test, sharpe_interval
from touchstone.validation.day_bootstrap import day_interval
from touchstone.validation.deflated import deflated_sharpe, moments
from touchstone.validation.multiple import benjamini_hochberg, holm
from touchstone.validation.overfitting import overfitting
from touchstone.validation.permutation import label_test, timing_test
from touchstone.validation.romano_wolf import romano_wolf
from touchstone.validation.sharpe_difference import sharpe_difference
from touchstone.validation.superior_ability import superior_ability

SEED = 20_240_615
N_DAYS, SHARPE = 500, 0.1  # an annual Sharpe of 1.9
ASKED = {"iid normal": (0.93, 0.97), "iid skewed t": (0.93, 0.97), "GARCH-t": (0.93, 0.97), "AR-GARCH": (0.915, 1.0)}  # fmt: skip
ALPHA = 0.05


def rng(*path: int) -> np.random.Generator:
    return np.random.default_rng([SEED, *path])


def band(n: int, rate: float) -> tuple[float, float]:
    """Lowest and highest share of n that a true rate leaves with probability 99.9 %."""
    low, high = binom.ppf([0.0005, 0.9995], n, rate)
    return low / n, high / n


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def counted(name: str, count: int, n: int, nominal: float | None) -> str:
    """One line: what was counted, and whether its nominal rate allows it."""
    exact = binomtest(count, n).proportion_ci(0.95, "exact")
    line = (
        f"| {name} | {n:,} | {percent(count / n)} | {percent(exact.low)} to {percent(exact.high)} |"
    )
    if nominal is None:
        return line + " | |"
    low, high = band(n, nominal)
    word = "inside" if low <= count / n <= high else "above" if count / n > high else "below"
    return line + f" {percent(low)} to {percent(high)} | {word} |"


def table(title: str, rows: list[str]) -> list[str]:
    head = (
        "| what | K | rate | exact 95 % interval of the rate | 99.9 % band of the nominal rate | |"
    )
    return [f"## {title}", "", head, "|---|---|---|---|---|---|", *rows, ""]


def textbook(daily: np.ndarray) -> tuple[float, float]:
    """Mertens (2002) with the normal law, no dependence: what most libraries print."""
    seen = moments(daily)
    spread = 1 - seen.skewness * seen.sharpe + (seen.kurtosis - 1) / 4 * seen.sharpe**2
    reach = ndtri(0.975) * math.sqrt(spread / (seen.n_days - 1))
    return seen.sharpe - reach, seen.sharpe + reach


def coverage(n: int) -> tuple[list[str], bool]:
    rows, kept = [], True
    for w, (name, world) in enumerate(WORLDS.items()):
        source, ours, plain = rng(1, w), 0, 0
        for daily in with_sharpe(world(N_DAYS, n, source), SHARPE).T:
            low, high = sharpe_interval(daily, 1.0, source, n_resamples=999)
            ours += low <= SHARPE <= high
            low, high = textbook(daily)
            plain += low <= SHARPE <= high
        lowest, highest = ASKED[name]
        held = lowest <= ours / n <= highest
        kept &= held
        exact = binomtest(ours, n).proportion_ci(0.95, "exact")
        rows.append(
            f"| {name} | {n:,} | {percent(ours / n)} | {percent(exact.low)} to {percent(exact.high)} | "
            f"{percent(lowest)} to {percent(highest)} | {'held' if held else 'MISSED'} | {percent(plain / n)} |"
        )
    head = "| world | K | coverage | exact 95 % interval | asked | | textbook formula |"
    note = f"{N_DAYS} days, true Sharpe {SHARPE} a day, studentised stationary bootstrap, 999 resamples."
    return ["## Sharpe interval at 95 %", "", note, "", head, "|---|---|---|---|---|---|---|", *rows, ""], kept  # fmt: skip


def means(n: int) -> list[str]:
    rows = []
    for n_days in (73, 250):
        for w, (name, world) in enumerate(WORLDS.items()):
            source = rng(2, n_days, w)
            hits = sum(mean_test(d, source, 399).p <= ALPHA for d in world(n_days, n, source).T)
            rows.append(counted(f"size, {name}, {n_days} days", hits, n, ALPHA))
    for annual in (2, 3.5, 10):
        source = rng(3, int(annual * 10))
        daily = normal(73, n, source) + annual / math.sqrt(365)
        hits = sum(mean_test(d, source, 399).p <= ALPHA for d in daily.T)
        rows.append(counted(f"power, annual Sharpe {annual}, 73 days", hits, n, None))
    return table("Mean of daily returns above 0 (the verdict's primary test)", rows)


def noisy_search(source: np.random.Generator) -> np.ndarray:
    """39 candidates of ten times the volatility, and one quiet one of t = 5."""
    returns = 10 * normal(250, 40, source)
    returns[:, 17] = returns[:, 17] / 10 + 5 / math.sqrt(250)
    return returns


def many(n: int) -> list[str]:
    spa, again, stepped, deflated = [], [], [], []
    for w, (name, world) in enumerate(WORLDS.items()):
        source = rng(4, w)
        n_spa = n_again = n_any = n_deflated = 0
        for returns in searches(n, (250, 20), source, world):
            n_spa += superior_ability(returns, source, 199, recompute=False).p <= ALPHA
            n_again += superior_ability(returns, source, 199).p <= ALPHA
            n_any += bool((romano_wolf(returns, source, 199) <= ALPHA).any())
            ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
            found = [Candidate(str(i), float(r), 100) for i, r in enumerate(ratios)]
            value = deflated_sharpe(returns[:, ratios.argmax()], found).value
            n_deflated += value is not None and value > 1 - ALPHA
        spa.append(counted(f"SPA size, {name}, Hansen's one error", n_spa, n, ALPHA))
        again.append(counted(f"SPA size, {name}, error recomputed", n_again, n, ALPHA))
        stepped.append(counted(f"Romano-Wolf, any false claim, {name}", n_any, n, ALPHA))
        deflated.append(counted(f"deflated Sharpe > 0.95, {name}", n_deflated, n, ALPHA))
    few, source = n // 5, rng(5)
    ours = anew = by_arch = claimed = 0
    for i in range(few):
        returns = noisy_search(source)
        ours += superior_ability(returns, source, 199, recompute=False).p <= ALPHA
        anew += superior_ability(returns, source, 199).p <= ALPHA
        claimed += romano_wolf(returns, source, 199)[17] <= ALPHA
        plain = SPA(np.zeros(250), -returns, block_size=2, reps=199, studentize=False, seed=i)
        plain.compute()
        by_arch += plain.pvalues["consistent"] <= ALPHA
    power = [
        counted("SPA power, one quiet good candidate among 39 noisy ones", ours, few, None),
        counted("the same, error recomputed", anew, few, None),
        counted("the same, Romano-Wolf claims it", claimed, few, None),
        counted("the same, arch's SPA, not studentised", by_arch, few, None),
    ]
    note = "250 days, 20 candidates of one common factor (correlation 0.5), none with an edge."
    return table("Many candidates: " + note, [*spa, *again, *stepped, *deflated, *power])


def adjusted(n: int) -> list[str]:
    """40 independent p-values, 30 of them of true nulls."""
    source, any_false, shares = rng(6), 0, []
    for _ in range(10 * n):
        p = np.r_[source.random(30), source.beta(0.05, 5, 10)]
        any_false += bool((holm(p)[:30] <= ALPHA).any())
        claimed = benjamini_hochberg(p) <= 0.1
        shares.append(claimed[:30].sum() / max(claimed.sum(), 1))
    rows = [counted("Holm, any false claim (nominal: at most)", any_false, 10 * n, ALPHA)]
    mean, error = np.mean(shares), np.std(shares) / math.sqrt(10 * n)
    note = f"Benjamini-Hochberg at q = 10 %: share of false claims {percent(mean)} (+- {percent(error)}), at most {percent(0.1 * 30 / 40)} expected."
    return [*table("Adjusted p-values: 40 claims, 10 of them true", rows), note, ""]


def differences(n: int) -> list[str]:
    rows = []
    for w, (name, world) in enumerate(WORLDS.items()):
        source, ours, by_hac = rng(7, w), 0, 0
        for returns in searches(n, (250, 2), source, world) + SHARPE:
            found = sharpe_difference(*returns.T, source, n_resamples=199)
            ours += found.p <= ALPHA
            by_hac += found.p_hac <= ALPHA
        rows.append(counted(f"size, {name}, bootstrap", ours, n, ALPHA))
        rows.append(counted(f"size, {name}, HAC and the normal law", by_hac, n, ALPHA))
    source, hits = rng(8), 0
    for returns in searches(n, (250, 2), source, normal, rho=0.9):
        returns[:, 0] += 0.1
        hits += sharpe_difference(*returns.T, source, n_resamples=199).p <= ALPHA
    rows.append(counted("power, difference 0.1 a day, correlation 0.9", hits, n, None))
    return table("Difference of two Sharpe ratios, 250 days, correlation 0.5", rows)


def moods(source: np.random.Generator, skill: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """100 days of 12 rows; each day has a mood of its own that rows share."""
    day = np.repeat(np.arange(100), 12)
    mood = 2 * np.repeat(source.normal(size=(2, 100)), 12, axis=1)
    score = mood[0] + source.normal(size=day.size)
    return day, score, mood[1] + skill * score + source.normal(size=day.size) > 2


def auc_of(score: np.ndarray, hit: np.ndarray, at: np.ndarray) -> float | None:
    return roc_auc(score[at], hit[at])


def orders(n: int) -> list[str]:
    rows = []
    for w, (name, world) in enumerate(WORLDS.items()):
        source = rng(9, w)
        held = (ar_garch(500, n, source, phi=0.95) > 0.5).astype(float)
        returns = world(500, n, source) + SHARPE
        hits = sum(timing_test(held[:, i], returns[:, i]).p <= ALPHA for i in range(n))
        rows.append(counted(f"timing, size, {name}, positions of about 20 bars", hits, n, ALPHA))
    source = rng(10)
    returns = normal(500, n, source)
    knows = (returns + 8 * normal(500, n, source) > 0).astype(float)
    hits = sum(timing_test(knows[:, i], returns[:, i]).p <= ALPHA for i in range(n))
    rows.append(counted("timing, power, correlation 0.12 with the return", hits, n, None))
    few, covered = n // 2, [0, 0]
    for s, skill in enumerate((0.0, 0.3)):
        source, hits = rng(11, s), 0
        for _ in range(few):
            day, score, hit = moods(source, skill)
            hits += (
                label_test(lambda at, p=score, h=hit: roc_auc(p, h[at]), day, source, 59).p <= ALPHA
            )
            if not skill:
                for which, group in enumerate((day, np.arange(day.size))):
                    low, high = day_interval(partial(auc_of, score, hit), group, source, 0.95, 99)
                    covered[which] += low <= 0.5 <= high
        what = f"power, skill {skill}" if skill else "size"
        rows.append(counted(f"labels turned by days, {what}", hits, few, None if skill else ALPHA))
    rows.append(counted("ROC-AUC interval over days holds 0.5", covered[0], few, 0.95))
    rows.append(
        counted("ROC-AUC interval over rows holds 0.5 (wrong on purpose)", covered[1], few, 0.95)
    )
    rows.append(
        counted(
            "PR-AUC interval over days holds the value of 2 million rows",
            average_precision(few),
            few,
            0.95,
        )
    )
    return table("Permutations and days (100 days of 12 rows that share a mood)", rows)


def average_precision(n: int) -> int:
    """How many PR-AUC intervals hold the true value, of a score with skill."""
    source, held = rng(12), 0
    many_days = [moods(source, 0.5) for _ in range(1700)]
    truth = pr_auc(*(np.concatenate(column) for column in list(zip(*many_days, strict=True))[1:]))
    for _ in range(n):
        day, score, hit = moods(source, 0.5)
        low, high = day_interval(
            lambda at, p=score, h=hit: pr_auc(p[at], h[at]), day, source, 0.95, 99
        )
        held += low <= truth <= high
    return held


def overfit(n: int) -> list[str]:
    source, few = rng(13), n // 5
    null = [overfitting(r, 8).probability for r in searches(few, (480, 20), source, normal, 0.0)]
    skilled = []
    for returns in searches(few, (480, 20), source, normal, 0.0):
        returns[:, 3] += 0.15
        skilled.append(overfitting(returns, 8).probability)
    error = np.std(null) / math.sqrt(few)
    return [
        "## Probability of backtest overfitting, 480 days, 20 candidates, 8 blocks",
        "",
        f"Without skill: mean {np.mean(null):.3f} +- {error:.3f} over {few} searches (one half expected; "
        f"single searches from {min(null):.2f} to {max(null):.2f}). With one candidate of Sharpe 0.15 a "
        f"day: mean {np.mean(skilled):.3f}.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--intervals", type=int, default=4000)
    parser.add_argument("--tests", type=int, default=1000)
    wish = parser.parse_args()
    began = time.process_time()
    lines, kept = coverage(wish.intervals)
    print("\n".join(lines), flush=True)
    for part in (means, many, adjusted, differences, orders, overfit):
        found = part(wish.tests)
        print("\n".join(found), f"({time.process_time() - began:.0f} s)", flush=True)
        lines += found
    head = [
        f"K = {wish.intervals:,} for intervals of the Sharpe, {wish.tests:,} (or the K of the row) for "
        f"the rest; master seed {SEED}; {time.process_time() - began:.0f} seconds of one core. A row "
        "marked `above` or `below` left the band that its nominal rate allows at that K: a size `above` "
        "rejects too often, one `below` is conservative; nothing was rerun.",
        "",
    ]
    write("statistics", "Size, power and coverage of the statistics", [*head, *lines])
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
