"""Proofs are scripts, run by their make targets: nothing here is collected."""

collect_ignore_glob = ["*.py"]
