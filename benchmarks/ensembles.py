"""Claim: weights of 50 members x 1,000,000 rows in seconds, each kind; a streaming update <= 1 ms.

100 instruments x 10,000 hourly bars, outcomes known 8 bars on, members that see one state with
noise of their own. Each kind fits its defaults, then combines the same rows; both are the whole
call, checks included, CPU seconds of one core after one small call that compiles. The stream takes
what became known and combines the next bar of all instruments: 50 members x 1 and x 100
instruments, wall time, median and 99th percentile; its weights are compared with the batch's.

    python benchmarks/ensembles.py [--json] [--members 50] [--rows 1000000] [--outcomes 1 3]
"""

import argparse
import json
import time
from typing import Any

import numpy as np
from peers.workload import forget_peak, machine, memory

from touchstone.ensembles import ENSEMBLES, Members, Outcomes
from touchstone.ensembles.diversity import diversity
from touchstone.ensembles.pruning import select
from touchstone.ensembles.streaming import Known, Stream

HOUR, BARS_UNTIL_KNOWN, INSTRUMENTS = 3_600_000_000_000, 8, 100
SECONDS, UPDATE_MS = 10.0, 1.0
"""What is claimed: CPU seconds of a fit, wall milliseconds of an update."""


def gathered(n_members: int, n_rows: int, n_outcomes: int) -> tuple[Members, Outcomes]:
    """Scores of members that know the less the higher their number, and what came."""
    rng = np.random.default_rng(1)
    n_bars = n_rows // INSTRUMENTS
    n = n_bars * INSTRUMENTS
    state = rng.standard_normal(n)
    score = np.empty((n_members, n, n_outcomes))

    def probability(seen: np.ndarray) -> np.ndarray:
        odds = np.exp(np.stack([-1.5 - seen, np.zeros(n), seen - 2.0], axis=1))
        return odds / odds.sum(1, keepdims=True)

    came = rng.random(n)[:, None] > probability(state).cumsum(1)
    for k, noise in enumerate(np.linspace(0.3, 3.0, n_members)):
        seen = (state + noise * rng.standard_normal(n)) / (1 + noise**2)
        score[k] = probability(seen)[:, -n_outcomes:] if n_outcomes == 1 else probability(seen)
    outcome = (came.sum(1) - 1).astype(np.int8)
    instant = np.tile(HOUR * np.arange(n_bars), INSTRUMENTS)
    named = {
        "std(ret, 24)": np.abs(rng.standard_normal(n)),
        "close / mean(close, 200) - 1": rng.standard_normal(n),
    }
    return (
        Members(score, instant, np.repeat(np.arange(INSTRUMENTS), n_bars), named),
        Outcomes(outcome, 0.01 * outcome, instant + BARS_UNTIL_KNOWN * HOUR, np.ones(n)),
    )


def timed(call: Any) -> tuple[float, Any]:
    began = time.process_time()
    made = call()
    return time.process_time() - began, made


def of_kinds(n_members: int, n_rows: int, n_outcomes: int) -> dict[str, dict[str, float]]:
    """CPU seconds of fit and combine, and MiB held above what the rows themselves hold."""
    small, large = gathered(5, 5_000, n_outcomes), gathered(n_members, n_rows, n_outcomes)
    found = {}
    for kind in ENSEMBLES.kinds():
        config, part = ENSEMBLES.config(kind)(), ENSEMBLES.part(kind)
        part.fit(config, *small, 0).combine(*small)
        forget_peak()
        held = memory("VmRSS")
        fit, combined = timed(lambda part=part, config=config: part.fit(config, *large, 0))
        combine, _ = timed(lambda combined=combined: combined.combine(*large))
        peak = memory("VmHWM") - held
        found[kind] = {"fit_s": fit, "combine_s": combine, "peak_mib": peak}
    for name, call in (("diversity", diversity), ("pruning", select)):
        call(*small)
        found[name] = {"fit_s": timed(lambda call=call: call(*large))[0]}
    return found


def of_stream(n_members: int, n_instruments: int, n_bars: int = 1500) -> dict[str, float]:
    """Wall milliseconds of learn and push together; and whether the batch says the same bits."""
    part, config = ENSEMBLES.part("online"), ENSEMBLES.config("online")()
    online: Any = part.fit(config, *gathered(n_members, 5_000, 3), 0)
    members, outcomes = gathered(n_members, INSTRUMENTS * n_bars, 3)
    some = np.flatnonzero(members.asset < n_instruments)
    members = Members(
        np.ascontiguousarray(members.score[:, some]), members.instant[some], members.asset[some]
    )
    outcomes = Outcomes(*(column[some] for column in outcomes))
    batch = online.weights(members, outcomes)
    stream, taken, equal = Stream(online), [], True
    due = outcomes.known.reshape(n_instruments, n_bars)[0]
    row = np.arange(n_instruments) * n_bars
    for bar in range(n_bars):
        now = int(members.instant[bar])
        score = np.ascontiguousarray(members.score[:, row + bar])
        at = row + np.searchsorted(due, now)
        began = time.perf_counter()
        if bar >= BARS_UNTIL_KNOWN:
            known = Known(members.asset[at], members.instant[at], *(c[at] for c in outcomes))
            stream.learn(known, now)
        stream.push(score, members.asset[row], now)
        taken.append(1e3 * (time.perf_counter() - began))
        equal &= np.array_equal(stream.weight, batch[bar])
    steady = np.array(taken[100:])
    return {
        "median_ms": float(np.median(steady)),
        "p99_ms": float(np.quantile(steady, 0.99)),
        "equals_batch_bit_for_bit": equal,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--outcomes", type=int, nargs="+", default=[1, 3])
    wish = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "members": wish.members, "rows": wish.rows}
    for n in wish.outcomes:
        found[f"{n} columns"] = of_kinds(wish.members, wish.rows, n)
    found["stream"] = {f"{n} instruments": of_stream(wish.members, n) for n in (1, 100)}
    fits = [v["fit_s"] for n in wish.outcomes for v in found[f"{n} columns"].values()]
    updates = [v["median_ms"] for v in found["stream"].values()]
    found["fit_goal_met"] = max(fits) <= SECONDS
    found["update_goal_met"] = max(updates) <= UPDATE_MS
    if wish.json:
        print(json.dumps(found))
        return
    print(" ".join(f"{k}={v}" for k, v in found["machine"].items()))
    for n in wish.outcomes:
        print(f"\n{wish.members} members x {wish.rows:,} rows x {n} columns, CPU seconds")
        for kind, v in found[f"{n} columns"].items():
            rest = (
                f"  combine {v['combine_s']:6.2f}  holds {v['peak_mib']:6.0f} MiB more"
                if "combine_s" in v
                else ""
            )
            print(f"  {kind:10s} fit {v['fit_s']:6.2f}{rest}")
    print("\none streaming update, wall milliseconds")
    for name, v in found["stream"].items():
        print(
            f"  {name:16s} median {v['median_ms']:.3f}  p99 {v['p99_ms']:.3f}  "
            f"equals the batch: {v['equals_batch_bit_for_bit']}"
        )
    print(f"\nfits within {SECONDS:g} s: {'met' if found['fit_goal_met'] else 'MISSED'}")
    print(f"update within {UPDATE_MS:g} ms: {'met' if found['update_goal_met'] else 'MISSED'}")


if __name__ == "__main__":
    main()
