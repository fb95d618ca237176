"""A config as a flat list of keys, and the keys in which several differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from touchstone.registration import numbered

ABSENT = "-"
"""Stands where a config has no such key."""
_MANY = 3
"""Names that lists share: so many need not be read again."""


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

    A list is told whole, or less what all share. Of a list of parts (models) each is told under its
    kind, and their order where only that differs; one that some lack is told whole.

    >>> differing([{"a": 1, "b": [2]}, {"a": 1.0, "b": [3, 4]}])
    {'b': ('2', '3, 4')}
    >>> gru, mlp = {"kind": "gru", "hidden": 8}, {"kind": "mlp", "hidden": 4}
    >>> differing([{"models": [gru, mlp]}, {"models": [{**mlp, "hidden": 5}]}])
    {'models.gru': ('hidden 8', '-'), 'models.mlp.hidden': ('4', '5')}
    """
    return _differing(list(configs), "")


def _differing(parts: Sequence[Any], key: str) -> dict[str, tuple[str, ...]]:
    trees = [_keyed(part) for part in parts]
    alike = all(isinstance(tree, Mapping) for tree in trees)
    if alike and len({tree.get("kind") for tree in trees}) == 1:
        names = dict.fromkeys(name for tree in trees for name in tree)
        found = (_differing([t.get(n, ABSENT) for t in trees], _at(key, n)) for n in names)
        told = {k: row for one in found for k, row in one.items()}
        orders = tuple(", ".join(tree) for tree in trees)
        turned = len(set(orders)) > 1 and len({tuple(sorted(tree)) for tree in trees}) == 1
        return told | ({key: orders} if turned and not isinstance(parts[0], Mapping) else {})
    if all(tree == trees[0] for tree in trees):
        return {}
    last = key.rpartition(".")[2]
    return {key: _apart(trees) or tuple(_said(tree, last) for tree in trees)}


def _apart(trees: Sequence[Any]) -> tuple[str, ...]:
    """Of long lists that share much, as of instruments, what they do not share; else nothing."""
    if not all(isinstance(tree, list | tuple) for tree in trees):
        return ()
    named = [list(dict.fromkeys(map(str, tree))) for tree in trees]
    same = set(named[0]).intersection(*named[1:])
    own = [", ".join(name for name in names if name not in same) for names in named]
    if len(same) < _MANY or len(set(own)) == 1:
        return ()
    shared = f"{len(same)} the same"
    return tuple(f"{one}, and {shared}" if one else shared for one in own)


def _keyed(part: Any) -> Any:
    """A list of parts as a mapping by kind, numbered where one comes again; nothing as absent."""
    if isinstance(part, list | tuple) and all(isinstance(p, Mapping) and "kind" in p for p in part):
        names = numbered([str(p["kind"]) for p in part])
        part = dict(zip(names, part, strict=True))
    return ABSENT if isinstance(part, Mapping | list | tuple) and not part else part


def _said(part: Any, name: str = "") -> str:
    """A part in one line, without the kind that names it already."""
    if isinstance(part, Mapping):
        told = {k: v for k, v in part.items() if not (k == "kind" and v == name)}
        words = [_said(v) if k == "kind" else f"{k} {_said(v)}" for k, v in told.items()]
        return ", ".join(words) or name or ABSENT
    if isinstance(part, list | tuple):
        return ", ".join(map(_said, part)) or ABSENT
    return str(int(part)) if isinstance(part, float) and part.is_integer() else str(part)


def _at(under: str, key: object) -> str:
    return f"{under}.{key}" if under else str(key)
