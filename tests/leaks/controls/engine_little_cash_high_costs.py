"""Clean: an account so small and costs so high that buys are cut and cents are rounded."""

LAYER = None
STUDY: dict = {
    "account": {"cash": 700.0},
    "costs": {"commission_bp": 25, "slippage_bp": 10, "half_spread_bp": 4},
    "strategy": {"kind": "cost_aware", "margin_bp": [-40, 0], "max_positions": 5},
}
