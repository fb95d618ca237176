"""Longer histories, more instruments and more seeds against vectorbt and backtesting.py.

The suite's cross-check, enlarged: vectorbt by both of its order functions, compiled; backtesting.py
on every instrument alone, with and without its bracket orders. Every fill and every trade is
compared; what differs must be explained by a rule named in tests/peers, or it counts as a miss.

    python tests/proofs/peers.py [--bars 4000] [--seeds 3]
"""

# ruff: noqa: E402  the path comes before the imports
import argparse
import sys
import tempfile
from pathlib import Path

# Not this folder: Python has a module of the name of a file in it.
sys.path[0] = str(Path(__file__).parents[1])

from peers.crosscheck import Rules, alone, apart, ask, left, ours, panel_of, scores_of, why_not
from proofs.record import write

EQUITY = ("AAPL", "AIG", "BAC", "IBM", "SPY")
COINS = (
    "BTCUSDT", "ETHUSDT", "FTTUSDT", "LUNAUSDT_OLD", "ATOMUSDT", "ALGOUSDT", "AAVEUSDT",
    "ANKRUSDT", "1INCHUSDT", "ALICEUSDT",
)  # fmt: skip
SHARED = {
    "plain": Rules(max_positions=4, weight=0.2),
    "purse binds": Rules(weight=0.6, max_positions=4, entry_level=0.8),
    "volume binds, cents": Rules(volume_cap=0.01, to_cents=True, max_positions=4, weight=0.2),
}
ONE = Rules(max_positions=1, weight=0.5, whole=True, to_cents=True, slippage_bp=0.0)
ALONE = {"plain": ONE, "bracket": ONE._replace(up=0.02, down=0.012)}
EPSILON = 1e-8


def shared_purse(n_bars, seeds, folder):
    """Rows of the table of vectorbt, and how many of them miss."""
    rows, misses = [], 0
    for group, symbols in (("equity", EQUITY), ("crypto", COINS)):
        window = slice(-n_bars, None) if group == "equity" else slice(8_000, 8_000 + n_bars)
        panel = panel_of(group, symbols, window)
        for seed in range(seeds):
            score = scores_of(panel, seed)
            wanted = [(n, r, f) for n, r in SHARED.items() for f in (False, True)]
            said = [r.said(flexible=f) for _, r, f in wanted]
            ask("with_vectorbt.py", panel, score, said, folder, compiled=True)
            for k, (name, rule, flexible) in enumerate(wanted):
                files = (left(folder, k, "fills"), left(folder, k, "equity"))
                seen = apart(panel, ours(panel, score, rule), *files)
                missed = bool(seen.only_ours or seen.only_theirs) or not (
                    seen.value <= EPSILON and seen.equity <= EPSILON
                )
                misses += missed
                rows.append(
                    f"| {group} | {seed} | {name} | {'flexible' if flexible else 'by instrument'} "
                    f"| {seen.n} | {len(seen.only_ours)} | {len(seen.only_theirs)} "
                    f"| {seen.quantity:.1e} | {seen.value:.1e} | {seen.price:.1e} | {seen.equity:.1e} "
                    f"| {'MISSED' if missed else 'same'} |"
                )
    return rows, misses


def one_by_one(n_bars, seeds, folder):
    """Rows of the table of backtesting.py, and how many of them miss."""
    rows, misses = [], 0
    for group, symbols in (("equity", EQUITY), ("crypto", COINS)):
        for symbol in symbols:
            window = slice(-n_bars, None) if group == "equity" else slice(None, n_bars)
            panel = panel_of(group, (symbol,), window)
            for seed in range(seeds):
                score = scores_of(panel, 100 + seed)
                said = [r.said(symbol=symbol) for r in ALONE.values()]
                ask("with_backtesting.py", panel, score, said, folder)
                for k, (name, rule) in enumerate(ALONE.items()):
                    refused = left(folder, k, "refused")["bar"].to_list()
                    run = ours(panel, score, rule, without=refused)
                    theirs = left(folder, k, "trades").sort("ExitBar")
                    equity = left(folder, k, "equity")["equity"].to_numpy()
                    seen = alone(panel, run, theirs, equity, rule)
                    missed = seen.unexplained > 0 or not seen.cents < 0.005
                    misses += missed
                    rows.append(
                        f"| {symbol} | {seed} | {name} | {seen.n} | {seen.equal} "
                        f"| {seen.stop_first} | {seen.touched} | {len(refused)} | {seen.unexplained} "
                        f"| {seen.cents:.1e} | {'MISSED' if missed else 'same'} |"
                    )
    return rows, misses


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=4_000)
    parser.add_argument("--seeds", type=int, default=3)
    wish = parser.parse_args()
    absent = why_not("vectorbt") or why_not("backtesting")
    if absent:
        sys.exit(absent)
    with tempfile.TemporaryDirectory() as folder:
        shared, missed_shared = shared_purse(wish.bars, wish.seeds, Path(folder))
        single, missed_single = one_by_one(wish.bars, wish.seeds, Path(folder))
    lines = [
        f"Simulated scores, seeds 0 to {wish.seeds - 1}, {wish.bars:,} hourly bars of each group.",
        "",
        f"vectorbt, one purse: {missed_shared} of {len(shared)} runs missed. Largest differences",
        "of a fill's quantity (of itself), of its value (of the deposit), of its price and of the",
        f"equity. The same: no fill on one side alone, value and equity within {EPSILON:.0e}. A fill",
        "that the last crumb of the purse paid for may differ by more of itself.",
        "",
        "| bars | seed | rules | order function | fills in both | only ours | only theirs "
        "| quantity | value | price | equity | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *shared,
        "",
        f"backtesting.py, one instrument: {missed_single} of {len(single)} runs missed. *Stop",
        "first*: the bar opens beyond the target, where ours leaves, and falls to the stop, where",
        "theirs does. *Touched*: the bar's high is the target to the last digit, which fills theirs;",
        "ours wants a trade through it. *Refused*: brackets that do not span the last close, which it does not take;",
        "those wishes are taken out of ours. *Cents*: largest difference of a trade's profit from",
        "our rules at its sizes.",
        "",
        "| instrument | seed | rules | trades | equal | stop first | touched | refused | unexplained | cents "
        "| |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *single,
    ]
    write("peers", "The backtest against vectorbt and backtesting.py", lines)
    sys.exit(bool(missed_shared + missed_single))


if __name__ == "__main__":
    main()
