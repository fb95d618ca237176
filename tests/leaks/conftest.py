"""Planted files are plugins: they are imported as a study imports them, never collected."""

collect_ignore_glob = ["*/*.py"]
