"""Plant, check, compare: does the right check name the right symbol and place?"""

from typing import NamedTuple

import numpy as np

from defects.corpus import DEFECTS, plant
from defects.markets import save
from touchstone.data.checking import Checked, check_folder
from touchstone.market.findings import EVERYONE, Severity


class Trial(NamedTuple):
    """One planted defect and what came of it."""

    defect: str
    market: str
    symbol: str
    found: bool
    others: tuple[str, ...]
    """Checks that spoke of the symbol beside the right one, and not before."""


def settings(market, folder):
    return {
        "source": "parquet", "path": str(folder), "timeframe": market.timeframe,
        "calendar": market.calendar, "without_volume": True,
    }  # fmt: skip


def lay_out(folder, market):
    folder.mkdir(parents=True, exist_ok=True)
    for symbol, columns in market.frames.items():
        save(folder, symbol, columns)


def flags(checked: Checked):
    """(symbol, check) pairs that something was found for."""
    return {(f.symbol, f.check) for f in checked.findings if f.severity > Severity.NOTE}


def trials(folder, market, seeds=(0,), names=None, symbols=None):
    """Every defect, in a symbol drawn by the seed, in a folder laid out before."""
    before = flags(check_folder(settings(market, folder)))
    clean = [s for s in symbols or market.frames if not any(b[0] == s for b in before)]
    for name in names or DEFECTS:
        for seed in seeds:
            rng = np.random.default_rng([seed, len(name)])
            symbol = str(rng.choice(clean or list(market.frames)))
            planted, right = plant(name, market, symbol, seed), DEFECTS[name].checks
            if planted is None:
                continue
            save(folder, symbol, planted.columns)
            checked = check_folder(settings(market, folder), now=planted.now)
            save(folder, symbol, market.frames[symbol])
            yield Trial(
                name, market.name, symbol, _found(checked, name, symbol, planted, market),
                tuple(sorted(flags(checked) - before - {(symbol, c) for c in right})),
            )  # fmt: skip


def _found(checked, name, symbol, planted, market):
    slack = market.step
    for f in checked.findings:
        right = f.symbol == symbol and f.check in DEFECTS[name].checks
        if right and f.severity > Severity.NOTE:
            if f.place is None:
                return True
            if f.place.first <= planted.last + slack and f.place.last >= planted.first - slack:
                return True
    return False


def outage_of_all(folder, market, n=6):
    """All lose the same bars: found when the finding is about everyone."""
    longest = max(market.frames.values(), key=lambda c: c["time"].size)["time"]
    gone = longest[longest.size // 2 : longest.size // 2 + n]
    for symbol, columns in market.frames.items():
        keep = ~np.isin(columns["time"], gone)
        save(folder, symbol, {k: v[keep] for k, v in columns.items()})
    checked = check_folder(settings(market, folder))
    lay_out(folder, market)
    return any(
        f.symbol == EVERYONE and f.check == "gaps" and f.place.first <= gone[0] <= f.place.last
        for f in checked.findings
    )
