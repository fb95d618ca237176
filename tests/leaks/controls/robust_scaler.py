"""Median and interquartile range, of train rows."""

LAYER = None
STUDY = {"scaler": {"kind": "robust"}}
