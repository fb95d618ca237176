"""One random moment, before which it trains and after which it tests."""

LAYER = None
STUDY = {"folds": {"kind": "monte_carlo", "draws": 1, "sealed": "14d"}}
