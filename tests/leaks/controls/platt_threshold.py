"""Platt's calibrator, thresholds, an early exit, and one probability instead of three."""

LAYER = None
STUDY = {
    "models": [{"kind": "logistic", "head": "buy"}],
    "calibrator": {"kind": "platt"},
    "strategy": {
        "kind": "threshold",
        "entry_threshold": [0.2, 0.3],
        "exit_threshold": 0.05,
        "max_positions": 3,
    },
}
