"""The charts of a population: values and settings over the generations, copies drawn as jumps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from touchstone.reports.campaign_sections import shown
from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.rows import Grid, Row, dots
from touchstone.reports.charts.scales import Scale, Tick, covering, spread_out, ticks
from touchstone.reports.charts.scatter import legend
from touchstone.reports.figures import count, plain_number
from touchstone.reports.population import Life, PopulationFound, PopulationResult
from touchstone.reports.tune import SpaceKey

_HEIGHT = 340
_SMALL = 200
_WORD_PIXELS = 17
_SMALLEST_TICK: Final = 1e-3
"""Below it a tick's zeros have no room beside a small chart."""
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def lives(result: PopulationResult, found: PopulationFound) -> Markup:
    """Every member's value over the generations; who copied stands where its source was before."""
    by = {(life.generation, life.member): life for life in found.lives}
    x = Scale(0.0, max(result.generations - 1.0, 0.5))
    y = covering([life.value for life in (*found.lives, *found.alone)])
    shapes = []
    for life in found.lives:
        before = by.get((life.generation - 1, life.source if life.source is not None else -1))
        if before is None or before.value is None or life.value is None:
            continue
        kind = "line base thin" if life.source == life.member else "line base thin equal_weight"
        places = [x.place(before.generation), x.place(life.generation)]
        shapes.append(frame.path(places, [y.place(before.value), y.place(life.value)], kind))
    shapes += [_dot(x, y, life, "base small") for life in found.lives if life.value is not None]
    fixed = [life for life in found.alone if life.member == found.fixed.member]
    shapes.append(_line(x, y, fixed, "line before"))
    shapes.append(_line(x, y, found.ancestors, "line ours"))
    shapes += [_dot(x, y, life, "ours") for life in found.ancestors if _moved(life)]
    axes = Axes(_whole_ticks(x), ticks(y, 6), "generation", shown(result.objective))
    entries = [
        ("line ours", "the winner and what led to it; a dot where it took over"),
        ("line before", "the best fixed settings"),
        ("line base thin", "a member that went on"),
        ("line base thin equal_weight", "weights and settings copied"),
    ]
    return legend(entries) + frame.plot(Area(_HEIGHT, shapes, [], axes))


def schedule(result: PopulationResult, found: PopulationFound, key: SpaceKey) -> Markup:
    """One setting over the generations: the winner's ancestors as steps, all members as dots."""
    x, y = _generations(result), _values(key, found)
    shapes = []
    for life in found.lives:
        at = _placed(key, y, life.settings)
        if at is not None:
            hint = f"member {life.member}: {_said(life.settings.get(key.key))}"
            shapes.append(frame.dot(x.place(life.generation), at, "base small", hint))
    across, up = list[float](), list[float]()
    for life in found.ancestors:
        at = _placed(key, y, life.settings)
        if at is not None:
            # The settings of a generation hold from the end of the one before.
            across += [x.place(life.generation - 1), x.place(life.generation)]
            up += [at, at]
    if across:
        shapes.append(frame.path(across, up, "line ours"))
    axes = Axes(_whole_ticks(x, 4), _value_ticks(key, y), "generation", "")
    return frame.plot(Area(_SMALL, shapes, [], axes), "small")


def beside(result: PopulationResult, found: PopulationFound) -> Markup:
    """The objective on validation rows of the winner, the best fixed settings, and those anew."""
    rows = [
        Row("population\u2019s best", found.winner.value, plain_number(found.winner.value), None,
            "ours", _folds(found.winner.by_fold)),
        Row("best fixed", found.fixed.value, plain_number(found.fixed.value), None, "base",
            _folds(found.fixed.by_fold)),
    ]  # fmt: skip
    rows += [
        Row(f"anew, seed {one.seed}", one.mean, plain_number(one.mean), None, "base",
            _folds(one.by_fold))
        for one in found.again
    ]  # fmt: skip
    scale = covering([row.value for row in rows])
    title = f"{shown(result.objective)} on validation rows, mean over the folds"
    return dots(rows, Grid(scale, ticks(scale, 5, thin=True), None, title, "value"))


def _generations(result: PopulationResult) -> Scale:
    """From the beginning of the first generation to the end of the last."""
    return Scale(-1.0, max(result.generations - 1.0, 0.5))


def _whole_ticks(x: Scale, about: int = 8) -> tuple[Tick, ...]:
    n = int(x.high) + 1
    step = max(1, -(-n // about))
    return tuple(Tick(x.place(g), str(g), (g // step) % 2 == 1) for g in range(0, n, step))


def _line(x: Scale, y: Scale, line: Sequence[Life], kind: str) -> Markup:
    known = [life for life in line if life.value is not None]
    if len(known) < 2:
        return frame.EMPTY
    places = [x.place(life.generation) for life in known]
    return frame.path(places, [y.place(life.value or 0.0) for life in known], kind)


def _dot(x: Scale, y: Scale, life: Life, kind: str) -> Markup:
    took = f", from member {life.source}" if _moved(life) else ""
    hint = f"generation {life.generation}, member {life.member}{took}: {plain_number(life.value)}"
    return frame.dot(x.place(life.generation), y.place(life.value or 0.0), kind, hint)


def _moved(life: Life) -> bool:
    """Whether it took over from another."""
    return life.source is not None and life.source != life.member


def _values(key: SpaceKey, found: PopulationFound) -> Scale:
    if key.choices:
        return Scale(-0.5, len(key.choices) - 0.5)
    values = [v for life in found.lives if isinstance(v := life.settings.get(key.key), int | float)]
    if key.log:
        low, high = min([*values, key.low or 1.0]), max([*values, key.high or 1.0])
        return Scale(low, high, log=True)
    return covering([*values, key.low, key.high])


def _placed(key: SpaceKey, y: Scale, settings: Mapping[str, Any]) -> float | None:
    value = settings.get(key.key)
    if key.choices:
        said = [_said(one) for one in key.choices]
        return y.place(said.index(_said(value))) if _said(value) in said else None
    return y.clipped(value) if isinstance(value, int | float) else None


def _value_ticks(key: SpaceKey, y: Scale) -> tuple[Tick, ...]:
    if y.log and y.low < _SMALLEST_TICK:
        powers = range(math.ceil(math.log10(y.low)), math.floor(math.log10(y.high)) + 1)
        return tuple(Tick(y.place(10.0**k), f"10{str(k).translate(_RAISED)}") for k in powers)
    if not key.choices:
        return ticks(y, 4)
    at = spread_out([y.place(i) for i in range(len(key.choices))], _WORD_PIXELS / _SMALL)
    return tuple(Tick(place, _said(one)) for place, one in zip(at, key.choices, strict=True))


def _said(value: Any) -> str:
    """A setting's value as people read it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return count(value) if isinstance(value, int) else plain_number(value)


def _folds(values: Sequence[float | None]) -> str:
    return ", ".join(f"fold {i + 1}: {plain_number(v)}" for i, v in enumerate(values))
