"""A recurrent network of two epochs: its weights follow the train rows and the seed alone."""

LAYER = None
STUDY = {"models": [{"kind": "gru", "hidden": 8}]}
