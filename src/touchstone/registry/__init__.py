"""Artifacts on the shelf: everything a decision needs, hashed together in one folder."""
