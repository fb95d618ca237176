"""Touchstone: from market bars to an honest verdict, one room per step."""

__version__ = "0.1.0"
