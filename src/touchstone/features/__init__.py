"""What a model may see: lines of text over causal folds, evaluated on a panel or live. Pure."""

import difflib
import keyword
from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import Field

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.features.catalogue import BASELINE, catalogue, groups
from touchstone.features.evaluation import evaluate as evaluate
from touchstone.features.evaluation import evaluate_in_parts as evaluate_in_parts
from touchstone.features.evaluation import n_parts as n_parts
from touchstone.features.graph import Plan as Plan
from touchstone.features.graph import plan
from touchstone.features.language import Origin
from touchstone.features.state import StreamState as StreamState
from touchstone.features.stream import Bar as Bar
from touchstone.features.stream import Stream as Stream

_BESIDE = ("symbol", "timestamp", "available_at")
"""Columns that stand beside the features in every table of them."""


class FeaturesConfig(Config):
    """Which features a study sees."""

    set: Literal["baseline", "full", "none"] = "baseline"
    """A set of the catalogue; features of side columns that the panel lacks are left out."""
    groups: tuple[str, ...] = Field(default=(), exclude_if=lambda groups: not groups)
    """Whole groups of the catalogue, as in [momentum, volatility], after the set."""
    exclude: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)
    """Features of the set and the groups, or whole groups, that are left out."""
    extra: Mapping[str, str] = Field(default_factory=dict)
    """Features of one's own, name -> expression, after all others."""


def compile_features(config: FeaturesConfig, side: Collection[str] = ()) -> Plan:
    """A study's features -> the plan that computes them.

    Args:
        config: the set and the extra expressions.
        side: names of the panel's side columns.

    Raises:
        ExpressionError: a text that cannot be read, a name that is no identifier, or one that
            the set has already.
    """
    known = catalogue()
    names = chosen(config)
    texts = {n: known[n].text for n in names if set(known[n].side) <= set(side)}
    for name, text in config.extra.items():
        if name in texts:
            Origin(name, text).refuse(1, f"the set {config.set!r} has this name: choose another.")
        if name in _BESIDE:
            Origin(name, text).refuse(1, "tables of features have this column: choose another.")
        _check_name(name, text)
        texts[name] = text
    return plan(texts, side)


def chosen(config: FeaturesConfig) -> tuple[str, ...]:
    """Names of the catalogue that a config asks for: the set, its groups, less what it excludes.

    Raises:
        ConfigError: a group or a feature that the catalogue, or this choice, does not have.
    """
    by_group = {name: tuple(group.entries) for name, group in groups().items()}
    names = list({"baseline": BASELINE, "full": tuple(catalogue()), "none": ()}[config.set])
    for group in config.groups:
        names += _named(by_group, group, "features.groups: no group")
    left_out: set[str] = set()
    for name in config.exclude:
        here = {n: (n,) for n in names} | by_group
        left_out.update(_named(here, name, "features.exclude: no such feature here, nor a group"))
    return tuple(n for n in dict.fromkeys(names) if n not in left_out)


def _named(known: Mapping[str, tuple[str, ...]], name: str, problem: str) -> tuple[str, ...]:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"{problem} {name!r}.{hint} Known: {', '.join(known)}")


def compile_expression(name: str, text: str, side: Collection[str] = ()) -> Plan:
    """One expression -> a plan of one column, as for the width of a label's barriers.

    Raises:
        ExpressionError: a text that cannot be read, or a name that is no identifier.
    """
    _check_name(name, text)
    return plan({name: text}, side)


def _check_name(name: str, text: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        Origin(name, text).refuse(1, "a feature's name is an identifier: letters, digits, _.")
