"""Clean: a rolling train range of two weeks, so that early rows are in no fold."""

LAYER = None
STUDY: dict = {
    "folds": {"kind": "walk_forward", "train": "14d", "validate": "9d", "test": "9d", "folds": 2,
              "sealed": "14d"},
}  # fmt: skip
