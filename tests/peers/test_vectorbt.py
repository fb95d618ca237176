"""vectorbt keeps the books of the same orders: every fill, price, commission, and the equity.

Its order functions (benchmarks/peers/with_vectorbt.py) say which orders there are; what is filled,
cut to the cash, capped, charged and valued is vectorbt's own. Nothing is left to explain but
floating point: two orders of adding the same money.
"""

import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest

from peers.crosscheck import Rules, apart, ask, left, ours, panel_of, scores_of, why_not
from real_data import needs

REASON = why_not("vectorbt")
pytestmark = [*needs("bars", "crypto"), pytest.mark.skipif(bool(REASON), reason=REASON)]

PLAIN = Rules()
SCARCE = Rules(weight=0.6, max_positions=4, entry_level=0.8)
"""Three wishes of 60 % each: the purse cuts, at the decision and again at the open."""
CAPPED = Rules(volume_cap=0.05, to_cents=True, max_positions=4, weight=0.2)
RULES = (PLAIN, SCARCE, CAPPED)
PANELS = {
    "equity": ("equity", ("AAPL", "AIG", "BAC", "IBM", "SPY"), slice(-260, None)),
    # Luna died within: what is ordered at its last close never fills
    "crypto": ("crypto", ("BTCUSDT", "ETHUSDT", "FTTUSDT", "LUNAUSDT_OLD"), slice(9_480, 9_740)),
}
ROUNDING = 1e-9
"""Share of a quantity or of the equity by which sums of floats may differ after 260 bars."""


@functools.cache
def answers(name):
    panel = panel_of(*PANELS[name])
    score = scores_of(panel, 5)
    with tempfile.TemporaryDirectory() as folder:
        said = [one.said(flexible=True) for one in RULES]
        ask("with_vectorbt.py", panel, score, said, Path(folder))
        files = [
            (left(Path(folder), k, "fills"), left(Path(folder), k, "equity"))
            for k in range(len(RULES))
        ]
    return panel, score, files


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("k", range(len(RULES)), ids=("plain", "scarce", "capped"))
def test_the_same_fills_and_the_same_equity(name, k):
    panel, score, files = answers(name)
    run = ours(panel, score, RULES[k])
    seen = apart(panel, run, *files[k])
    assert not seen.only_ours
    assert not seen.only_theirs
    assert seen.n > 50
    assert seen.quantity <= ROUNDING
    assert seen.price <= 1e-12
    assert seen.commission <= 1e-6
    assert seen.equity <= ROUNDING


def test_the_rules_that_are_compared_do_bind():
    panel, score, _ = answers("crypto")
    scarce, capped = ours(panel, score, SCARCE), ours(panel, score, CAPPED)
    assert scarce.n_cut > 0
    assert capped.n_partial > 0
    cents = np.asarray(capped.fills.commission) * 100
    assert np.allclose(cents, np.round(cents), atol=1e-6)
