"""Markets without any edge, of four sorts: what a pipeline must call "none" as often as it says.

| name       | returns                                                                     |
|------------|-----------------------------------------------------------------------------|
| `iid`      | Student t with a common factor, alike at all times                          |
| `garch`    | GARCH-t with leverage: falls are followed by more volatility than rises     |
| `regimes`  | volatility by regime, mean zero in each                                     |
| `residual` | a real market's bars, drawn anew: `surrogate` of a sample of its instruments |

Each has bars with exact extremes or real shapes, volume that moves with volatility, and a side
column `sentiment` that knows nothing.
"""

from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.market import Panel
from touchstone.seeding import derive, generator
from touchstone.simulation.planted import MarketConfig, simulate
from touchstone.simulation.recursions import first_order
from touchstone.simulation.surrogate import surrogate

NullKind = Literal["iid", "garch", "regimes", "residual"]
NULLS: Final[tuple[NullKind, ...]] = ("iid", "garch", "regimes", "residual")
"""All sorts, in the order of the table."""

_MOOD_PERSISTENCE: Final = 0.97
_MADE: Final = {
    "iid": {"garch_alpha": 0.0, "garch_beta": 0.0, "regime_strength": 0.0},
    "garch": {
        "garch_alpha": 0.03, "garch_beta": 0.92, "garch_leverage": 0.06, "regime_strength": 0.0,
    },
    "regimes": {"garch_alpha": 0.0, "garch_beta": 0.0, "regime_strength": 1.0},
}  # fmt: skip


class NullConfig(Config):
    """How large a null market is."""

    n_instruments: Annotated[int, Field(ge=1, le=143)] = 10
    """How many instruments share the common factor."""
    n_bars: Annotated[int, Field(ge=100)] = 8760
    """Bars of each instrument; the most, where they are sampled from a real market."""


def null_market(config: NullConfig, kind: NullKind, seed: int, real: Panel | None = None) -> Panel:
    """A market without an edge: the same arguments give the same bytes.

    Args:
        config: its size.
        kind: which sort.
        seed: of this market.
        real: a real market, for `residual` alone.

    Raises:
        DataError: `residual` without a real market, or one that is too short.
    """
    if kind == "residual":
        if real is None:
            raise DataError("a null market of kind 'residual' needs a real market's bars")
        panel = surrogate(_sample(config, seed, real), seed).panel
    else:
        size = {"n_instruments": config.n_instruments, "n_bars": config.n_bars}
        panel, _ = simulate(MarketConfig.parse({"ic": 0.0, **_MADE[kind], **size}), seed)
    return panel.map_side({**panel.side, "sentiment": _mood(panel, seed)})


def _sample(config: NullConfig, seed: int, real: Panel) -> Panel:
    """Some instruments over a stretch of time in which the chosen ones trade."""
    rng = generator(seed, "null", "sample")
    counts = np.diff(real.offsets)
    able = np.flatnonzero(counts >= min(config.n_bars, int(counts.max())))
    n = min(config.n_instruments, able.size)
    chosen = np.sort(rng.choice(able, n, replace=False))
    picked = Panel.from_bars([real.bars(i) for i in chosen], real.timeframe, real.calendar)
    time = picked.blocks().time
    if time.size < 100:
        raise DataError(f"{time.size} times in the real market, 100 are needed: bring more bars")
    first = int(rng.integers(0, max(time.size - config.n_bars, 0) + 1))
    last = min(first + config.n_bars, time.size) - 1
    within = picked.where((picked.time >= time[first]) & (picked.time <= time[last]))
    kept = [within.bars(i) for i in range(n) if np.diff(within.offsets)[i] > 1]
    return Panel.from_bars(kept, real.timeframe, real.calendar)


def _mood(panel: Panel, seed: int) -> Float64:
    """A slow series within -1 .. 1 for each instrument, independent of everything."""
    made = np.empty(len(panel))
    for i, (a, b) in enumerate(zip(panel.offsets[:-1], panel.offsets[1:], strict=True)):
        if b > a:
            normal = generator(derive(seed, "null", "mood"), i).standard_normal((1, int(b - a)))
            made[a:b] = np.tanh(first_order(normal, _MOOD_PERSISTENCE)[0])
    return made
