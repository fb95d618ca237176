"""A result as a tracking server takes it: flat names, finite numbers."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from touchstone.reports.result import MarketResult


def figures(
    found: Mapping[str, float] | Iterable[tuple[str, float, int]],
) -> tuple[tuple[str, float, int], ...]:
    """(name, value, step) of the finite ones; step 0 where there is none.

    >>> figures({"a": 1.0, "b": float("nan")})
    (('a', 1.0, 0),)
    """
    rows: Iterable[tuple[str, float, int]]
    rows = ((k, v, 0) for k, v in found.items()) if isinstance(found, Mapping) else found
    return tuple((k, float(v), int(at)) for k, v, at in rows if math.isfinite(v))


def of_market(market: MarketResult) -> Iterator[tuple[str, float]]:
    """Every number of a verdict, of both segments, of skill and of what was diagnosed."""
    verdict = market.verdict
    if verdict.primary_p is not None:
        yield "verdict/p", verdict.primary_p
    for name in ("n_days", "sealed_days", "n_trades"):
        yield f"verdict/{name}", float(getattr(verdict, name))
    for name in ("n_candidates", "n_looks_studies"):
        yield f"ledger/{name}", float(getattr(market.ledger, name))
    for name in ("sealed", "walk_forward", "skill"):
        part = getattr(market, name)
        if part is not None:
            yield from _numbers(part.model_dump(mode="json"), name)
    for name, told in market.diagnostics.items():
        if told.value is not None:
            yield f"diagnostics/{name}", told.value


def _numbers(part: Mapping[str, Any], under: str) -> Iterator[tuple[str, float]]:
    """Numbers and intervals of a part; its curves and lists stand in result.json."""
    for name, value in part.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{under}/{name}", float(value)
        elif name.endswith("interval") and isinstance(value, Sequence):
            for end, size in zip(("low", "high"), value, strict=True):
                yield f"{under}/{name}_{end}", float(size)
