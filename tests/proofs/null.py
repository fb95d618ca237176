"""Null calibration at full size: size run and product run, with the real market beside the made ones.

`--markets 2000` narrows the bands. It resumes: the journal stands in `runs/proofs/` of the checkout.
"""

import argparse
import os
import sys

from record import ROOT, write

from touchstone.cli.terminal import Terminal, console
from touchstone.pipelines.calibrate import MASTER_SEED, RUNS, CalibrateConfig, Wish, calibration
from touchstone.reports.calibration import proof_lines

BARS = [p / "shared" / "data" / "bars" / "crypto" / "1h" for p in (ROOT, ROOT.parent)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--markets", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wish = parser.parse_args()
    bars = next((path for path in BARS if path.is_dir()), None)
    config = CalibrateConfig(markets=wish.markets)
    shape = {"timeframe": "1h", "calendar": "24/7"}
    place = ROOT / "runs" / "proofs"
    found = calibration(
        Wish(config, RUNS, bars, shape, place, wish.jobs, "make prove-null"),
        Terminal(console(), 0),
    ).result
    residual = (
        "Residual markets are hourly bars of 143 coins, redrawn."
        if bars
        else "Without the real bars the residual markets are left out."
    )
    head = [
        f"K = {wish.markets:,} markets a run, {config.market.n_instruments} instruments x "
        f"{config.market.n_bars:,} hourly bars each, 73 days sealed; master seed {MASTER_SEED}, fixed "
        f"before the first run. {residual} Bands: exact binomial, 99.9 % of the runs of a test that "
        "rejects 5 %; in the product run costs make a null strategy lose, so it has no lower end. "
        "Nothing was rerun with another seed.",
        "",
    ]
    write("null", "How often the pipeline is fooled", [*head, *proof_lines(found)])
    sys.exit(0 if found.kept else 1)


if __name__ == "__main__":
    main()
