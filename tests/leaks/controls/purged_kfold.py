"""Purged k-fold: it trains on both sides of the test, at the distance that purging keeps."""

LAYER = None
STUDY = {"folds": {"kind": "purged_kfold", "folds": 3, "sealed": "14d"}}
