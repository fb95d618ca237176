"""Hidden regimes fitted on train rows, filtered forward."""

LAYER = None
STUDY = {"regimes": {"kind": "hmm", "states": 2, "rows": 2000, "starts": 1, "tolerance": 1e-3}}
