"""Clean: another engine, slow and exact, that follows the same rules."""

from leaks.by_hand import Engine, trade_with

LAYER = None
STUDY: dict = {}


def plant(patch):
    trade_with(patch, Engine)
