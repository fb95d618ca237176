"""Clean: a regime filter fitted on train rows, whose probabilities look back alone."""

LAYER = None
STUDY: dict = {
    "regimes": {"kind": "hmm", "states": 2, "rows": 2000, "starts": 1, "tolerance": 1e-2,
                "inputs": {"move": "log(close / lag(close, 1))"}},
}  # fmt: skip
