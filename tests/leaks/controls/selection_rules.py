"""Columns chosen by clusters, information and permutation, on each fold's own rows."""

LAYER = None
STUDY = {
    "features": {"set": "baseline"},
    "selection": [
        {"kind": "clusters"},
        {"kind": "mutual_information", "keep": 12, "level": 1},
        {"kind": "permutation", "threshold": 0, "rounds": 10, "repeats": 1},
    ],
}
