"""One cut: seventy per cent of the time trains."""

LAYER = None
STUDY = {"folds": {"kind": "chronological", "train": "60%", "validate": "20%", "sealed": "14d"}}
