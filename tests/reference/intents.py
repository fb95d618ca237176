"""Intents for tests: written by hand, or drawn at random."""

import numpy as np

from touchstone.backtest import sweep
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.strategies import Intent

FREE = CostsConfig(commission_bp=0, slippage_bp=0)
EXACT = CostsConfig(round_to_cents=False)


def intent_of(panel, enter, leave=(), **settings):
    """Enter at these rows (a mapping gives ranks); settings: up, down, weight, hold, slots."""
    n = len(panel)
    rank = np.zeros(n)
    rank[list(enter)] = list(enter.values()) if isinstance(enter, dict) else 0.0
    columns = {
        name: np.full(n, settings.get(name, default))
        for name, default in (("up", np.inf), ("down", np.inf), ("weight", 0.5))
    }
    marked = {"enter": np.zeros(n, bool), "leave": np.zeros(n, bool)}
    marked["enter"][list(enter)], marked["leave"][list(leave)] = True, True
    return Intent(
        rank=rank,
        hold_bars=settings.get("hold", 3),
        max_positions=settings.get("slots", 10),
        **columns,
        **marked,
    )


def random_intent(panel, seed=0, share=0.1, weight=(0.05, 0.3), slots=5, hold=6):
    """Wishes at a share of the rows, ranks with ties, widths that are often touched."""
    rng = np.random.default_rng([seed, 2])
    n = len(panel)
    return Intent(
        enter=rng.random(n) < share,
        rank=rng.integers(0, 5, n).astype(float),
        leave=rng.random(n) < 0.05,
        up=rng.uniform(0.005, 0.05, n),
        down=rng.uniform(0.005, 0.03, n),
        weight=rng.uniform(*weight, n),
        hold_bars=hold,
        max_positions=slots,
    )


def follow(panel, intent, costs=None, cash=1_000_000.0):
    """One run that nobody counts."""
    costs = CostsConfig() if costs is None else costs
    return sweep(panel, [intent], AccountConfig(cash=cash), costs)[0]
