"""The kernel agrees with the slow account in decimal arithmetic: fill by fill, to the cent."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.engine import follow as slowly
from reference.intents import follow, random_intent
from touchstone.execution import REASONS, CostsConfig
from walks import random_panel

basis_points = st.sampled_from([0.0, 3.0, 5.0, 10.0, 25.0])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_instruments=st.integers(1, 5),
    missing=st.sampled_from([0.0, 0.1, 0.4]),
    share=st.sampled_from([0.02, 0.2, 0.9]),
    weight=st.sampled_from([(0.05, 0.2), (0.3, 1.0)]),  # the second runs out of cash
    rates=st.tuples(basis_points, basis_points, basis_points),
    to_cents=st.booleans(),
    hold=st.integers(1, 9),
    slots=st.integers(1, 6),
    volume=st.sampled_from([1.0, 1e-6, 1e-7]),  # the others fill in parts
)
def test_agrees_to_the_cent(
    *, seed, n_instruments, missing, share, weight, rates, to_cents, hold, slots, volume
):
    panel = thinned(random_panel(n_instruments, 60, seed, missing), volume, seed)
    intent = random_intent(panel, seed, share, weight, slots, hold)
    costs = CostsConfig(
        commission_bp=rates[0],
        slippage_bp=rates[1],
        half_spread_bp=rates[2],
        round_to_cents=to_cents,
    )
    run = follow(panel, intent, costs, 10_000.0)
    path, engine = slowly(panel, intent, 10_000, costs)
    cash, equity = np.array(path, float).T
    np.testing.assert_allclose(run.cash, cash, rtol=0, atol=0.005)
    np.testing.assert_allclose(run.equity, equity, rtol=0, atol=0.005)
    fills = run.fills
    got = [
        (panel.symbols[panel.asset_id[r]], int(r), int(o), int(s), REASONS[why])
        for r, o, s, why in zip(fills.row, fills.order_row, fills.side, fills.reason, strict=True)
    ]
    assert got == [(f.symbol, f.row, f.order_row, f.side, f.reason) for f in engine.fills]
    for name in ("quantity", "price", "reference", "commission"):
        want = [float(getattr(f, name)) for f in engine.fills]
        np.testing.assert_allclose(getattr(fills, name), want, rtol=1e-9, atol=1e-9, err_msg=name)


def thinned(panel, volume, seed):
    """So much of the volume, and none at all in every tenth bar."""
    traded = np.random.default_rng(seed).random(len(panel)) > 0.1
    return replace(panel, volume=panel.volume * volume * (traded | (volume == 1.0)))


def test_the_cases_drawn_hold_what_they_are_meant_to_hold():
    """Gaps through barriers, cuts, rejections, waits and every reason do happen."""
    reasons, n_cut, n_gaps, n_waits, n_partial = set(), 0, 0, 0, 0
    for seed in range(6):
        panel = thinned(random_panel(4, 200, seed, missing=0.2), 10.0**-seed, seed)
        intent = random_intent(panel, seed, 0.5, (0.3, 1.0))
        run = follow(panel, intent, cash=10_000.0)
        reasons |= {REASONS[r] for r in run.fills.reason}
        n_cut += run.n_cut
        n_partial += run.n_partial
        at_open = run.fills.reference == panel.open[run.fills.row]
        n_gaps += np.count_nonzero(at_open & (run.fills.reason >= 3))
        step = panel.time[run.fills.row] - panel.time[run.fills.order_row]
        n_waits += np.count_nonzero((run.fills.reason == 0) & (step > panel.timeframe.ns))
    assert reasons == {"entry", "time", "probability", "stop", "target"}
    assert min(n_cut, n_gaps, n_waits, n_partial) >= 5
