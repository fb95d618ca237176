"""A config as a flat list of keys, and the keys in which several differ."""

from collections.abc import Mapping, Sequence
from typing import Any

ABSENT = "-"
"""Stands where a config has no such key."""


def flat(tree: Any, under: str = "") -> dict[str, str]:
    """A tree of settings as dotted keys; an empty part is a key too.

    >>> flat({"a": {"b": 1}, "c": [{"kind": "gru"}, None], "d": []})
    {'a.b': '1', 'c.0.kind': 'gru', 'c.1': 'None', 'd': '[]'}
    """
    if isinstance(tree, Mapping) and tree:
        return {k: v for key, part in tree.items() for k, v in flat(part, _at(under, key)).items()}
    if isinstance(tree, list | tuple) and tree:
        parts = enumerate(tree)
        return {k: v for i, part in parts for k, v in flat(part, _at(under, i)).items()}
    return {under: str(tree)}


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Dotted key -> its value in each config, for the keys that are not the same in all.

    >>> differing([{"a": 1, "b": [2]}, {"a": 1, "b": [3, 4]}])
    {'b.0': ('2', '3'), 'b.1': ('-', '4')}
    """
    told = [flat(config) for config in configs]
    keys = dict.fromkeys(key for one in told for key in one)
    rows = {key: tuple(one.get(key, ABSENT) for one in told) for key in keys}
    return {key: row for key, row in rows.items() if len(set(row)) > 1}


def _at(under: str, key: object) -> str:
    return f"{under}.{key}" if under else str(key)
