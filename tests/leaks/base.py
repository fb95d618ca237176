"""The study that every planted fault is laid over: small, cheap, and it trades."""

BASE = {
    "name": "planted",
    "bars": {
        "source": "simulated",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    },
    "features": {"set": "none", "extra": {
        "ret": "close / lag(close, 1) - 1",
        "busy": "log(volume / mean(volume, 24))",
        "range": "(high - low) / close",
        "trend": "close / ema(close, 12) - 1",
    }},
    "lookback": 4,
    "label": {
        "kind": "triple_barrier", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    },
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "9d", "test": "9d",
        "folds": 2, "sealed": "14d",
    },
    "models": [
        {"kind": "logistic"},
        {"kind": "lightgbm", "rounds": 20, "leaves": 7, "min_rows": 40},
    ],
    "training": {"rows": 2000, "epochs": 2},
    "strategy": {"kind": "cost_aware", "margin_bp": [0, 20], "max_positions": 3},
    "seed": 7,
}  # fmt: skip
"""Five instruments, 62 days of hourly bars, two folds, four candidates."""
