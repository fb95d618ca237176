"""Clean: blocks of time test in turn, purged and with an embargo behind each."""

LAYER = None
STUDY: dict = {
    "folds": {"kind": "purged_kfold", "folds": 4, "embargo": "48h", "sealed": "14d"},
    "models": [{"kind": "logistic"}],
}
