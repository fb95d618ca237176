"""The whole baseline of the catalogue, which no plugin touches."""

LAYER = None
STUDY = {"features": {"set": "baseline"}}
