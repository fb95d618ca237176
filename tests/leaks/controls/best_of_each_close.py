"""Clean: touchstone's own top_k, which ranks the rows of each close, in an uptrend of its own."""

LAYER = None
STUDY: dict = {
    "strategy": {
        "kind": "regime_filter",
        "column": "close / mean(close, 48) - 1",
        "least": -0.02,
        "leave": True,
        "strategy": {
            "kind": "top_k", "k": 2, "band": 1, "by": "probability", "floor": [0.2],
            "sizing": {"kind": "volatility_target", "annual": 0.3},
        },
    }
}  # fmt: skip
