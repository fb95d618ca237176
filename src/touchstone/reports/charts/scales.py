"""From values to places on a chart, and the ticks that people expect there."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from touchstone.reports.figures import day, plain_number


class Tick(NamedTuple):
    """One mark on an axis."""

    at: float
    """Place, 0 to 1."""
    text: str
    minor: bool = False
    """Left out where there is no room for it."""


class Scale(NamedTuple):
    """A stretch of values, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, 0 at `low`, 1 at `high`; beyond them where it lies outside."""
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def clipped(self, value: float) -> float:
        """`place`, kept inside 0 to 1."""
        return min(1.0, max(0.0, self.place(value)))


def covering(values: Iterable[float | None], include: Sequence[float] = ()) -> Scale:
    """A linear scale over values and whatever else must be seen, with a little air."""
    known = [v for v in values if v is not None] + list(include)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if high - low < 1e-12:
        air = abs(high) * 0.05 or 1.0
        return Scale(low - air, high + air)
    air = 0.06 * (high - low)
    return Scale(
        low if low in include and low == 0 else low - air,
        high if high in include and high == 0 else high + air,
    )


def growth_scale(values: Iterable[float]) -> Scale:
    """A scale for equity: logarithmic where the largest value is over twice the smallest."""
    known = list(values)
    low, high = min(known), max(known)
    if low > 0 and high / low > 2:
        return Scale(low / 1.05, high * 1.05, log=True)
    air = max(0.06 * (high - low), 0.005 * abs(high))
    return Scale(low - air, high + air)


def ticks(
    scale: Scale, about: int = 5, suffix: str = "", factor: float = 1.0, thin: bool = False
) -> tuple[Tick, ...]:
    """Round values inside a scale, `about` so many.

    Args:
        scale: in the values' own unit.
        about: how many to aim at.
        suffix: stands after each, as in "%".
        factor: text shows value x factor.
        thin: every other may be left out, on an axis that runs across the page.
    """
    if not scale.high > scale.low:
        return ()
    if scale.log and scale.high / scale.low > 4:
        values = _log_values(scale, about)
    else:
        values = _round_values(scale.low * factor, scale.high * factor, about) / factor
    digits = _digits(values * factor)
    return tuple(
        Tick(scale.place(v), f"{_fixed(v * factor, digits)}{suffix}", thin and i % 2 == 1)
        for i, v in enumerate(values.tolist())
    )


def day_number(iso: str) -> float:
    """Days since 1970 of an ISO day or instant, with the hour as a fraction."""
    at = np.datetime64(iso.removesuffix("Z"), "m").astype(np.int64)
    return float(at) / 1440


def day_ticks(scale: Scale) -> tuple[Tick, ...]:
    """Months (or quarters, or years) that begin inside a scale of days since 1970."""
    if not scale.high > scale.low:
        return (Tick(0.5, day(str(np.datetime64(int(scale.low), "D")))),)
    first = np.datetime64(math.ceil(scale.low), "D").astype("datetime64[M]")
    months = first + np.arange(-1, int((scale.high - scale.low) / 28) + 2)
    step = next((s for s in (1, 3, 12) if len(months) / s <= 13), 12)
    found = []
    for month in months:
        number = int(month.astype(np.int64)) % 12
        at = scale.place(float(month.astype("datetime64[D]").astype(np.int64)))
        if number % step == 0 and 0 <= at <= 1:
            found.append((at, number, str(month)[:4]))
    return tuple(
        Tick(
            at,
            year if step == 12 else _month_text(number, year, i == 0),
            len(found) > 3 and i % 2 == 1,
        )
        for i, (at, number, year) in enumerate(found)
    )


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Places moved apart to at least `gap`, each as near to its own as the others allow."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [places[i] for i in order]
    for _ in range(60):
        for i in range(len(moved) - 1):
            short = gap - (moved[i + 1] - moved[i])
            if short > 1e-9:
                moved[i] -= short / 2
                moved[i + 1] += short / 2
    out = [0.0] * len(places)
    for i, place in zip(order, moved, strict=True):
        out[i] = place
    return out


def _month_text(number: int, year: str, first: bool) -> str:
    name = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[number]
    return f"{name} {year}" if first or number == 0 else name


def _round_values(low: float, high: float, about: int) -> np.ndarray:
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * 0.999)
    start = math.ceil(low / step - 1e-9)
    return np.arange(start, math.floor(high / step + 1e-9) + 1) * step


def _log_values(scale: Scale, about: int) -> np.ndarray:
    powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
    for steps in ((1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        values = [s * 10.0**p for p in powers for s in steps]
        inside = [v for v in values if scale.low <= v <= scale.high]
        if len(inside) <= about + 1:
            break
    return np.array(inside)


def _digits(values: np.ndarray) -> int:
    for digits in range(6):
        if np.allclose(values, np.round(values, digits), rtol=0, atol=10.0 ** -(digits + 4)):
            return digits
    return 6


def _fixed(value: float, digits: int) -> str:
    if abs(value) >= 1000:
        return plain_number(value)
    text = f"{abs(value):.{digits}f}"
    return ("\u2212" if value < 0 and float(text) else "") + text
