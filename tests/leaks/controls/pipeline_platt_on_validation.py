"""Clean: another calibrator, a sigmoid fitted on validation rows."""

LAYER = None
STUDY: dict = {"calibrator": {"kind": "platt"}}
