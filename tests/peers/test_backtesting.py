"""backtesting.py keeps the books of one instrument: whole units, its own stops and targets.

Set up alike (benchmarks/peers/with_backtesting.py) it must trade at the same bars and prices for
the same cents. Four things it does otherwise, each met below and none hidden in a tolerance:

1. It takes a bracket as prices when the order is given, and refuses one that does not span the
   last close; here a bracket is a width of the open that fills. Those wishes are taken out of ours.
2. A target is a limit that it fills when the bar touches it; here the bar trades through it. Only
   a bar whose high *is* the target can tell: there is none here, and one in the longer proof.
3. It looks at the stop of a bar before its target, even where the bar *opens* beyond the target
   and falls to the stop later: here the open is first, and the target fills at it.
4. Its `spread` worsens the entry alone; here slippage worsens both sides.
"""

import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest

from peers.crosscheck import CASH, Rules, ask, left, ours, panel_of, scores_of, why_not
from real_data import needs
from touchstone.execution.records import REASONS

REASON = why_not("backtesting")
pytestmark = [*needs("bars", "equity"), pytest.mark.skipif(bool(REASON), reason=REASON)]

ONE = Rules(max_positions=1, weight=0.5, whole=True, to_cents=True, slippage_bp=0.0)
BRACKET = ONE._replace(up=0.02, down=0.012, hold=8)
SLIPPING = ONE._replace(slippage_bp=5.0)
RULES = {"plain": ONE, "bracket": BRACKET, "slipping": SLIPPING}
CASES = {
    "AIG": ("equity", ("AIG",), slice(-1_500, None)),
    "BTCUSDT": ("crypto", ("BTCUSDT",), slice(3_000, 4_500)),
}


@functools.cache
def answers(symbol):
    panel = panel_of(*CASES[symbol])
    score = scores_of(panel, 6)
    with tempfile.TemporaryDirectory() as folder:
        said = [one.said(symbol=symbol) for one in RULES.values()]
        ask("with_backtesting.py", panel, score, said, Path(folder))
        return panel, score, {
            name: [left(Path(folder), k, what) for what in ("trades", "equity", "refused")]
            for k, name in enumerate(RULES)
        }  # fmt: skip


def both(symbol, name):
    panel, score, files = answers(symbol)
    trades, equity, refused = files[name]
    run = ours(panel, score, RULES[name], without=refused["bar"].to_list())
    return panel, run, trades.sort("ExitBar"), equity["equity"].to_numpy(), refused.height


@pytest.mark.parametrize(
    ("symbol", "name"), [("AIG", "plain"), ("BTCUSDT", "plain"), ("BTCUSDT", "bracket")]
)
def test_the_same_trades_to_the_cent(symbol, name):
    _, run, theirs, equity, n_refused = both(symbol, name)
    mine = run.trades
    assert mine.pnl.size > 60
    np.testing.assert_array_equal(mine.entry_row, theirs["EntryBar"])
    np.testing.assert_array_equal(mine.exit_row, theirs["ExitBar"])
    np.testing.assert_array_equal(mine.quantity, theirs["Size"])
    np.testing.assert_allclose(mine.entry_price, theirs["EntryPrice"], rtol=1e-12)
    np.testing.assert_allclose(mine.exit_price, theirs["ExitPrice"], rtol=1e-12)
    np.testing.assert_allclose(mine.costs, theirs["Commission"], atol=1e-6)
    assert abs(mine.pnl - theirs["PnL"].to_numpy()).max() < 0.005
    # theirs has no equity before its second bar
    assert abs(run.equity[1:] - equity[1:]).max() < 0.005
    assert n_refused == 0


def test_where_a_bar_opens_beyond_its_target_and_falls_to_its_stop_theirs_is_stopped():
    panel, run, theirs, equity, n_refused = both("AIG", "bracket")
    mine, size = run.trades, theirs["Size"].to_numpy()
    out, leaves = theirs["ExitPrice"].to_numpy(), mine.exit_row
    np.testing.assert_array_equal(mine.entry_row, theirs["EntryBar"])
    np.testing.assert_array_equal(leaves, theirs["ExitBar"])
    np.testing.assert_allclose(mine.entry_price, theirs["EntryPrice"], rtol=1e-12)
    apart = np.flatnonzero(abs(mine.exit_price / out - 1) > 1e-12)
    assert 0 < apart.size < 5
    assert 0 < n_refused < 10
    for k in apart:
        opened, low = panel.open[leaves[k]], panel.low[leaves[k]]
        upper, lower = (mine.entry_price[k] * w for w in (1 + BRACKET.up, 1 - BRACKET.down))
        assert opened > upper
        assert low <= lower
        assert mine.exit_price[k] == opened
        assert abs(out[k] / lower - 1) < 1e-12
    # their purse differs from the first of them on: our rule gives their sizes from their equity,
    # and our prices but for those their money, to the cent
    at = mine.entry_row - 1
    value = BRACKET.weight * equity[at] / panel.close[at]
    np.testing.assert_array_equal(np.floor(value * (1 + 1e-12)), size)
    np.testing.assert_array_equal(mine.quantity[: apart[0] + 1], size[: apart[0] + 1])
    exits = np.where(np.isin(np.arange(size.size), apart), out, mine.exit_price)
    fee = cents(size * mine.entry_price) + cents(size * exits)
    pnl = size * (exits - mine.entry_price) - fee
    np.testing.assert_allclose(theirs["PnL"], pnl, atol=0.005)
    assert run.holdings.value.size == 0
    assert abs(CASH + pnl.sum() - equity[-1]) < 0.005


def cents(value):
    """Commission of fills of this value, rounded half up."""
    return np.floor(value * ONE.commission_bp * 1e-4 * 100 * (1 + 1e-12) + 0.5) / 100


@pytest.mark.parametrize("symbol", CASES)
def test_stops_targets_and_time_all_end_trades_and_no_bar_only_touches_a_target(symbol):
    panel, run, _, _, _ = both(symbol, "bracket")
    done = run.trades
    for reason in ("time", "stop", "target"):
        assert (done.reason == REASONS.index(reason)).sum() > 5
    for first, last, price in zip(done.entry_row, done.exit_row, done.entry_reference, strict=True):
        target = price * (1 + BRACKET.up)
        assert not (panel.high[first:last] == target).any()


@pytest.mark.parametrize("symbol", CASES)
def test_where_slippage_worsens_both_sides_each_exit_explains_the_difference(symbol):
    panel, run, theirs, equity, _ = both(symbol, "slipping")
    mine, size = run.trades, theirs["Size"].to_numpy()
    np.testing.assert_array_equal(mine.entry_row, theirs["EntryBar"])
    np.testing.assert_array_equal(mine.exit_row, theirs["ExitBar"])
    np.testing.assert_allclose(mine.entry_price, theirs["EntryPrice"], rtol=1e-12)
    np.testing.assert_allclose(mine.exit_reference, theirs["ExitPrice"], rtol=1e-12)
    # what ours would have earned with their quantities, but for the exits' slippage
    fee = cents(size * mine.entry_price) + cents(size * mine.exit_reference)
    expected = size * (mine.exit_reference - mine.entry_price) - fee
    np.testing.assert_allclose(theirs["PnL"], expected, atol=0.005)
    np.testing.assert_allclose(
        mine.exit_price, mine.exit_reference * (1 - SLIPPING.slippage_bp * 1e-4), rtol=1e-12
    )
    # they keep what the exits' slippage costs us, and size the next by it
    at = mine.entry_row - 1
    value = SLIPPING.weight * equity[at] / panel.close[at]
    np.testing.assert_array_equal(np.floor(value * (1 + 1e-12)), size)
    assert equity[-1] > run.equity[-1]
