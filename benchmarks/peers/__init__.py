"""The other side of `features.py`: what is computed, on what, and by whom."""
