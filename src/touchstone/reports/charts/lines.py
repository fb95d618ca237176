"""Equity with baselines, the band of random controls and the seal; drawdown on the same axis."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes, Column, Table
from touchstone.reports.charts.scales import (
    Scale,
    Tick,
    day_number,
    day_ticks,
    growth_scale,
    spread_out,
    ticks,
)
from touchstone.reports.figures import NONE, day, percent, plain_number
from touchstone.reports.result import Curve

_HEIGHT = 340
_DRAWDOWN_HEIGHT = 120
_LABEL_PIXELS = 17
_EARLY_SEAL, _LATE_SEAL = 0.35, 0.84
"""Outside of them a phone has room for words on one side of the seal only."""
NAMES: Mapping[str, str] = {
    "cash": "cash",
    "buy_and_hold": "buy and hold",
    "equal_weight": "equal weight",
}
_MARKS = ("cash", "buy_and_hold", "equal_weight")


class Segment(NamedTuple):
    """A curve as it is drawn: every line times `factor`, so that ours is 100 at the seal."""

    curve: Curve
    factor: float
    sealed: bool


class _Line(NamedTuple):
    kind: str
    name: str
    segment: Segment
    values: Sequence[float]

    @property
    def drawn(self) -> list[float]:
        return [v * self.segment.factor for v in self.values]


def segments(before: Curve | None, sealed: Curve | None) -> list[Segment]:
    """The curves that have days, scaled so that all lines meet at 100 where the seal begins.

    Without a sealed part all lines begin at 100.
    """
    found = []
    has_seal = sealed is not None and bool(sealed.day)
    if before is not None and before.day:
        last = before.equity[-1] if has_seal else 1.0
        found.append(Segment(before, _hundred(last), sealed=False))
    if sealed is not None and has_seal:
        found.append(Segment(sealed, 100.0, sealed=True))
    return found


def flat(beside: Segment) -> list[Segment]:
    """The equity of who did not trade, on the days of a segment that did."""
    day = beside.curve.day
    still = Curve(day=day, equity=(1.0,) * len(day), drawdown=(0.0,) * len(day))
    return segments(None, still)


def _hundred(equity: float) -> float:
    """The factor that draws an equity at 100; a ruined one stays what it is."""
    return 100 / equity if equity > 0 else 100.0


def equity(parts: Sequence[Segment]) -> Markup:
    """Equity above, drawdown below, one time axis, a crosshair over both."""
    lines = [line for part in parts for line in _lines(part)]
    y = growth_scale(v for part in parts for v in drawn_values(part))
    x = Scale(day_number(parts[0].curve.day[0]), day_number(parts[-1].curve.day[-1]))
    seal = _seal(parts, x)
    shapes = [s for part in parts for s in _band(part, x, y)]
    shapes += [frame.path(_x(line.segment, x), _y(line, y), f"line {line.kind}") for line in lines]
    axes = Axes((), ticks(y, 6), y_title="equity, 100 at the " + ("seal" if seal else "start"))
    top = Area(
        _HEIGHT,
        [*shapes, *_seal_shapes(seal)],
        [*_seal_words(seal), *_ends(lines, parts[-1], y)],
        axes,
        _cross(parts, x),
    )
    entries = [(f"line {k}", n) for k, n in _entries(lines)]
    if any(part.curve.band_low for part in parts):
        entries.append(("keyband", "random controls, 5–95 %"))
    return frame.join(
        [
            Markup('<p class="readout" hidden></p>'),
            frame.key(entries),
            frame.plot(top, "with-ends" + (" has-seal" if seal is not None else "")),
            _drawdown(parts, x, seal),
        ]
    )


def is_log(parts: Sequence[Segment]) -> bool:
    """Whether `equity` draws these on a logarithmic scale."""
    return growth_scale(v for part in parts for v in drawn_values(part)).log


def equity_table(parts: Sequence[Segment]) -> Table:
    """The same by day, thinned to about 60 rows."""
    names = [n for n in _MARKS if any(n in part.curve.baselines for part in parts)]
    rows = []
    n_days = sum(len(part.curve.day) for part in parts)
    step = max(1, -(-n_days // 60))
    for part in parts:
        last = len(part.curve.day) - 1
        for i in sorted({*range(0, last, step), last}):
            rows.append(  # noqa: PERF401  a row a line reads better
                (
                    day(part.curve.day[i]),
                    "sealed" if part.sealed else "before",
                    plain_number(part.curve.equity[i] * part.factor, 4),
                    percent(part.curve.drawdown[i]) if part.curve.drawdown else NONE,
                    *(_baseline(part, n, i) for n in names),
                )
            )
    head = (
        Column("Day", number=False),
        Column("Segment", number=False),
        Column("Ours"),
        Column("Drawdown"),
        *(Column(NAMES[n].capitalize()) for n in names),
    )
    note = f"Every {step} days; all of them stand in result.json." if step > 1 else ""
    return Table("equity and drawdown by day", head, tuple(rows), note)


def _baseline(part: Segment, name: str, i: int) -> str:
    values = part.curve.baselines.get(name)
    return plain_number(values[i] * part.factor, 4) if values else NONE


def _lines(part: Segment) -> list[_Line]:
    curve = part.curve
    known = [n for n in _MARKS if len(curve.baselines.get(n, ())) == len(curve.day)]
    found = [_Line(f"base {n}", NAMES[n], part, curve.baselines[n]) for n in known]
    side = "ours" if part.sealed else "ours before"
    return [*found, _Line(side, "ours", part, curve.equity)]


def _entries(lines: Sequence[_Line]) -> list[tuple[str, str]]:
    return list({line.name: (line.kind, line.name) for line in reversed(lines)}.values())


def _x(part: Segment, x: Scale) -> list[float]:
    return [x.place(day_number(d)) for d in part.curve.day]


def _y(line: _Line, y: Scale) -> list[float]:
    return [y.place(v) for v in line.drawn]


def _band(part: Segment, x: Scale, y: Scale) -> list[Markup]:
    if not part.curve.band_low:
        return []
    low = [y.place(v * part.factor) for v in part.curve.band_low]
    high = [y.place(v * part.factor) for v in part.curve.band_high]
    return [frame.band(_x(part, x), low, high, "band")]


def _seal(parts: Sequence[Segment], x: Scale) -> float | None:
    if len(parts) < 2:
        return None
    return x.place(day_number(parts[1].curve.day[0]))


def _seal_shapes(seal: float | None) -> list[Markup]:
    return [] if seal is None else [frame.rule_x(seal, "seal")]


def _seal_words(seal: float | None) -> list[Markup]:
    if seal is None:
        return []
    if seal < _EARLY_SEAL:
        return [frame.word(seal, 1, "sealed", "above-right strong")]
    if seal > _LATE_SEAL:
        return [frame.word(seal, 1, "sealed from here", "above-left strong")]
    return [
        frame.word(seal, 1, "before the seal", "above-left quiet"),
        frame.word(seal, 1, "sealed", "above-right strong"),
    ]


def _ends(lines: Sequence[_Line], last: Segment, y: Scale) -> list[Markup]:
    ended = [line for line in lines if line.segment is last]
    names = [(line.kind, line.name, line.drawn[-1]) for line in ended]
    if last.curve.band_low:
        middle = (last.curve.band_low[-1] + last.curve.band_high[-1]) / 2 * last.factor
        names.append(("random", "random 5–95 %", middle))
    places = spread_out([y.place(v) for *_, v in names], _LABEL_PIXELS / _HEIGHT)
    return [
        frame.word(
            1, at, name if kind == "random" else f"{name} {plain_number(value)}", f"end {kind}"
        )
        for (kind, name, value), at in zip(names, places, strict=True)
    ]


def drawn_values(part: Segment) -> list[float]:
    """Every value that a segment draws, as drawn."""
    curve = part.curve
    return [
        v * part.factor
        for line in (curve.equity, curve.band_low, curve.band_high, *curve.baselines.values())
        for v in line
    ]


def _drawdown(parts: Sequence[Segment], x: Scale, seal: float | None) -> Markup:
    deepest = max((d for part in parts for d in part.curve.drawdown), default=0.0)
    y = Scale(-max(deepest, 0.005) * 1.08, 0.0)
    shapes = []
    for part in parts:
        if part.curve.drawdown:
            places = [y.place(-d) for d in part.curve.drawdown]
            side = "sink" if part.sealed else "sink before"
            shapes.append(frame.band(_x(part, x), places, [1.0] * len(places), side))
    marks = tuple(t for t in ticks(y, 3, " %", 100))
    axes = Axes(day_ticks(x), marks, "day, UTC", "drawdown at each day's close")
    area = Area(_DRAWDOWN_HEIGHT, [*shapes, *_seal_shapes(seal)], [], axes, Markup(" data-follow"))
    return frame.plot(area, "with-ends")


def _cross(parts: Sequence[Segment], x: Scale) -> Markup:
    """What the crosshair says at each day, for the script; the page is whole without it."""
    marks = []
    for part in parts:
        for i, (at, iso) in enumerate(zip(_x(part, x), part.curve.day, strict=True)):
            said = [f"ours {plain_number(part.curve.equity[i] * part.factor, 4)}"]
            said += [
                f"{line.name} {plain_number(line.drawn[i], 4)}"
                for line in _lines(part)
                if line.name != "ours"
            ]
            if part.curve.drawdown:
                said.append(f"drawdown {percent(part.curve.drawdown[i])}")
            marks.append([round(at, 4), f"{day(iso)}: {' · '.join(said)}"])
    text = json.dumps(marks, ensure_ascii=False, separators=(",", ":"))
    return Markup(
        ' data-cross="{}" tabindex="0" role="application"'
        ' aria-label="Equity by day; left and right arrows read the days out"'
    ).format(text)


def small(part: Segment, y: Scale) -> Markup:
    """A small equity curve for the first screen, on a scale it shares with its twin."""
    x = Scale(day_number(part.curve.day[0]), day_number(part.curve.day[-1]))
    lines = [line for line in _lines(part) if line.name in ("equal weight", "ours")]
    shapes = [*_band(part, x, y), frame.rule_y(y.place(100), "zero")]
    shapes += [frame.path(_x(part, x), _y(line, y), f"line {line.kind}") for line in lines]
    end = lines[-1].drawn[-1]
    words = [frame.word(1, y.clipped(end), plain_number(end), "end ours")]
    marks = (
        Tick(0.0, day(part.curve.day[0])),
        Tick(1.0, day(part.curve.day[-1])),
    )
    axes = Axes(marks, ticks(y, 3), "", "equity, 100 at the seal")
    return frame.plot(Area(150, shapes, words, axes), "small")
