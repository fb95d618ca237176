"""An ensemble by regime whose combination is fitted on validation rows, as it should be.

A careful user who reads a column of the market to weigh members: the column is a feature, and
nothing of the combination moves behind the validation rows.
"""

LAYER = None
STUDY: dict = {
    "features": {"set": "none", "extra": {
        "ret": "close / lag(close, 1) - 1",
        "busy": "log(volume / mean(volume, 24))",
        "wild": "std(close / lag(close, 1) - 1, 24)",
    }},
    "models": [
        {
            "kind": "ensemble",
            "members": [
                {"kind": "logistic"},
                {"kind": "lightgbm", "rounds": 20, "leaves": 7, "min_rows": 40},
            ],
            "combiner": {"kind": "regime"},
        }
    ],
}  # fmt: skip
