"""Clean: tight barriers that often meet in one bar, and exits by a falling probability."""

LAYER = None
STUDY: dict = {
    "label": {"kind": "triple_barrier", "take_profit": 0.012, "stop_loss": 0.008, "horizon": 5},
    "strategy": {"kind": "threshold", "entry_threshold": [0.3, 0.4], "exit_threshold": 0.25,
                 "max_positions": 2},
}  # fmt: skip
