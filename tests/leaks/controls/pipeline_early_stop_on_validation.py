"""Clean: many trees, looked at often, stopped by the validation rows."""

LAYER = None
STUDY: dict = {
    "models": [{"kind": "lightgbm", "rounds": 60, "look_every": 1, "leaves": 7, "min_rows": 40,
                "learning_rate": 0.2}],
}  # fmt: skip
