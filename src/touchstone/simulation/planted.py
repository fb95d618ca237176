"""A market with a planted edge, or with none: GARCH-t returns, a factor, regimes, exact bars.

What is planted is a state x, an AR(1) where no other is named. It shows itself in the volume of
the bar at whose close it is known, and pays in the next bar's mean return: nothing else in the
market depends on it.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple, Self

import numpy as np
from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.market import Bars, Calendar, Panel, Timeframe
from touchstone.registration import PartOf
from touchstone.seeding import generator
from touchstone.simulation.bridge import Draws, bridge
from touchstone.simulation.recursions import (
    first_order,
    garch,
    regime_direction,
    regime_path,
    regime_volatility,
)
from touchstone.simulation.states import STATES, Numbers, Planted

_BURN_IN: Final = 500
"""Bars made and thrown away, so that volatility begins in its stationary law."""
_MONEY_A_BAR: Final = 2e8
"""Median money traded in a bar: so much that a tenth of even a thin bar (1 in 1,000) is a
position of a tenth of a million."""
_LOWEST_MEAN: Final = -0.5
"""No bar's mean return lies below; only absurd settings come near."""
_DAY_NS: Final = 86_400_000_000_000
_BUSIEST_NS: Final = 15 * 3_600_000_000_000
_MAX_DECAY: Final = 300.0
"""Log points that a price may lose to -variance/2 over the market before floats run out."""

_Share = Annotated[float, Field(ge=0, le=1)]
_Loading = Annotated[float, Field(ge=-5, le=5)]


class MarketConfig(Config):
    """A market to be made. The defaults hold a strong edge; `ic: 0` is its twin without one."""

    n_instruments: Annotated[int, Field(ge=1, le=100_000)] = 20
    """How many instruments, named S00, S01, ..."""
    n_bars: PositiveInt = 8760
    """Bars of each instrument."""
    timeframe: str = "1h"
    """Length of a bar."""
    calendar: str = "24/7"
    """Whose sessions the bars keep to."""
    start: str = "2022-01-01"
    """The first bar begins then (UTC) or at the next open after it."""
    volatility: PositiveFloat = 0.008
    """Unconditional standard deviation of a bar's return, fraction."""
    tail_df: Annotated[float, Field(gt=2, le=1e6)] = 5.0
    """Degrees of freedom of the Student t innovations."""
    garch_alpha: _Share = 0.05
    """Weight of the last squared shock in the variance."""
    garch_beta: _Share = 0.93
    """Weight of the last variance; alpha + beta + leverage / 2 must lie below 1."""
    garch_leverage: Annotated[float, Field(ge=0, le=1, exclude_if=lambda extra: extra == 0)] = 0.0
    """Further weight of the last squared shock where it was a fall: falls are followed by more
    volatility than rises."""
    correlation: _Share = 0.3
    """Correlation of the returns of any two instruments, by one common factor."""
    regime_strength: Annotated[float, Field(ge=0, le=2)] = 0.5
    """How far regimes part in volatility: 0 not at all, 1 from x 0.7 to x 1.8 (before norming)."""
    regime_drift: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """Mean return of a bar in a bull (less in a bear) regime, in standard deviations. Any value
    but 0 is an edge that shows itself in prices; on a null market it is 0."""
    persistence: Annotated[float, Field(ge=0, lt=1)] = 0.90
    """First-order autocorrelation of the planted state, a bar."""
    ic: Annotated[float, Field(ge=-1, le=1)] = 0.30
    """Mean of the next bar's return per unit of the planted state, in standard deviations."""
    planted: Annotated[Config, PartOf(STATES)] | None = Field(
        default=None, exclude_if=lambda planted: planted is None
    )
    """What is planted instead of the AR(1) of that persistence: markov, ornstein_uhlenbeck, burst;
    null: the AR(1)."""
    edge_until: str | None = Field(default=None, exclude_if=lambda until: until is None)
    """A decoy: bars that begin at this date (UTC) or later pay nothing, though the state goes on
    to show itself. A date, or a share of the market's time, as in 80%."""
    volume_loading: _Loading = 0.8
    """Log volume per unit of the planted state."""
    volume_elasticity: _Loading = 0.5
    """Log volume per log volatility of the bar itself."""
    volume_noise: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Standard deviation of what else moves log volume, independent from bar to bar."""
    volume_intraday: Annotated[float, Field(ge=0, le=5)] = 0.4
    """Log volume at the busiest hour of the day, 15:00 UTC, over the mean; a daily wave."""

    @field_validator("timeframe", "calendar", "start", "edge_until")
    @classmethod
    def _can_be_read(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            _READERS[str(info.field_name)](text)
        return text

    @model_validator(mode="after")
    def _stays_finite(self) -> Self:
        if self.garch_alpha + self.garch_beta + self.garch_leverage / 2 >= 1:
            raise ConfigError(
                f"garch_alpha {self.garch_alpha:g} + garch_beta {self.garch_beta:g} + half of "
                f"garch_leverage {self.garch_leverage:g} must lie below 1: else the variance has "
                "no mean"
            )
        if self.n_bars * self.volatility**2 / 2 > _MAX_DECAY:
            raise ConfigError(
                f"n_bars {self.n_bars} at volatility {self.volatility:g} let prices fall below "
                "what a float can hold: lower one of them"
            )
        return self


class Truth(NamedTuple):
    """What no feature may see: the state of the market at each bar's close, rows as the panel's.

    All of it is about the law of the NEXT bar.
    """

    drift: Float64
    """Mean of the next bar's simple return, given everything at this close, (n_rows,)."""
    hidden: Float64
    """The planted state x, (n_rows,): of unit variance, or the number of a Markov state."""
    regime: Int8
    """Number in `recursions.REGIMES` of the regime that rules the next bar, (n_rows,)."""
    sigma: Float64
    """Standard deviation of the next bar's return, given everything at this close, (n_rows,)."""


class _Weather(NamedTuple):
    """What moves the closes, all (n_instruments, n_bars) but where said."""

    shock: Float64
    """Log return without drift."""
    variance: Float64
    """Its variance once the bar's mixing variables are known."""
    sigma: Float64
    """Its standard deviation as known at the last close, (n_instruments, n_bars + 1)."""
    regime: Int8
    """(n_bars + 1,)."""


def simulate(config: MarketConfig, seed: int) -> tuple[Panel, Truth]:
    """Make a market: the same config and seed give the same bytes.

    The shock of instrument i in a bar is s (√ρ m + √(1-ρ) o_i): s the regime's volatility, m the
    market's and o_i the instrument's own GARCH(1,1) process with Student t innovations, so that
    any two instruments have correlation ρ. A t innovation is a normal one times the root of an
    inverse-gamma mixing variable; given it, the bar is a Brownian path of variance v, and the
    log drift is ln(1 + drift) - v/2: simple returns are a martingale, bar by bar and at every
    point of the bar, wherever drift is 0. Regimes change the volatility and not the mean.

    drift = ic sigma x, x the planted state at the close before (what it pays, of other states
    than the AR(1); nothing from `edge_until` on). It is a slope: the correlation
    of x with the next standardised return is ic / √(1 + ic²). Volume carries exp(volume_loading
    x); open, high, low, volatility and regime know nothing of x. (Closes of the past hold past
    drifts: with an edge, returns have an autocorrelation of about ic² persistence.)

    Every number is drawn from a stream of its own purpose and instrument. So `ic: 0` is a twin
    with the same volume, volatility, regimes and shocks, in which only the drift differs; more
    bars or more instruments leave those that were there as they were.

    Returns:
        the panel, without side columns, and its truth.

    Source: Bollerslev (1987) for the GARCH-t; Karatzas & Shreve (1991), section 4.3, for the bars.
    """
    n = config.n_instruments
    time = bar_starts(config)
    weather = _weather(config, seed)
    planted = _planted(config, seed)
    direction = config.regime_drift * regime_direction()[weather.regime]
    mean = np.maximum(weather.sigma * (config.ic * planted.paying + direction), _LOWEST_MEAN)
    mean[:, _is_over(config, time)] = 0.0
    log_return = weather.shock - weather.variance / 2 + np.log1p(mean[:, :-1])
    close = np.cumsum(log_return, axis=1)
    before = np.hstack([np.zeros((n, 1)), close[:, :-1]])
    open_, high, low = bridge(before, close, weather.variance, _draws(config, seed))
    first = _each(seed, "price", n, lambda r: np.exp(r.uniform(math.log(20), math.log(500), 1)))
    open_, high, low, close = (first * np.exp(column) for column in (open_, high, low, close))
    high = np.maximum(high, np.maximum(open_, close))  # exp and sqrt round
    low = np.minimum(low, np.minimum(open_, close))
    volume = _volume(config, seed, time, weather.variance, planted.shown[:, 1:]) / first
    width = max(2, len(str(n - 1)))
    bars = [
        Bars(f"S{i:0{width}d}", time, open_[i], high[i], low[i], close[i], volume[i])
        for i in range(n)
    ]
    truth = Truth(
        drift=mean[:, 1:].ravel(),
        hidden=planted.state[:, 1:].ravel(),
        regime=np.tile(weather.regime[1:], n),
        sigma=weather.sigma[:, 1:].ravel(),
    )
    return Panel.from_bars(bars, Timeframe(config.timeframe), Calendar(config.calendar)), truth


def _planted(config: MarketConfig, seed: int) -> Planted:
    made = numbers(config, seed)
    if config.planted is not None:
        return STATES.part_of(config.planted)(config.planted, made)
    state = first_order(made.normal("hidden"), config.persistence)
    return Planted(state, state, state)


def numbers(config: MarketConfig, seed: int) -> Numbers:
    """The random numbers that a planted state is made of."""
    n, n_closes = config.n_instruments, config.n_bars + 1
    return Numbers(
        normal=lambda purpose: _normals(seed, purpose, n, n_closes),
        uniform=lambda purpose: _each(seed, purpose, n, lambda r: r.random(n_closes)),
        regime=lambda: _regime(config, seed),
    )


def _regime(config: MarketConfig, seed: int) -> Int8:
    """The regime of each bar and of the one after the last, (n_bars + 1,)."""
    return regime_path(generator(seed, "simulation", "regime").random(config.n_bars + 1))


def _is_over(config: MarketConfig, time: Int64) -> Bool:
    """Of each bar, and of the one after the last, whether the edge is dead, (n_bars + 1,)."""
    end = edge_end(config, time)
    later = np.append(time, time[-1] + Timeframe(config.timeframe).ns)
    return np.zeros(later.size, np.bool_) if end is None else np.asarray(later >= end, np.bool_)


def edge_end(config: MarketConfig, time: Int64) -> int | None:
    """From when on no bar pays, ns UTC; None for an edge that lives.

    Args:
        config: the market.
        time: starts of its bars, rising.
    """
    if config.edge_until is None:
        return None
    end = _edge_until(config.edge_until)
    whole = int(time[-1]) + Timeframe(config.timeframe).ns - int(time[0])
    return end if isinstance(end, int) else int(time[0]) + round(end * whole)


def _weather(config: MarketConfig, seed: int) -> _Weather:
    n, n_drawn = config.n_instruments, _BURN_IN + config.n_bars
    processes = []
    for purpose, count in (("market", 1), ("own", n)):
        normal = _normals(seed, purpose, count, n_drawn)
        mixing = _mixing(seed, purpose, count, n_drawn, config.tail_df)
        weights = (config.garch_alpha, config.garch_beta, config.garch_leverage)
        expected = garch(normal, mixing, *weights)[:, _BURN_IN:]
        variance = expected[:, :-1] * mixing[:, _BURN_IN:]
        processes.append((np.sqrt(variance) * normal[:, _BURN_IN:], variance, expected))
    regime = _regime(config, seed)
    scale = config.volatility * regime_volatility(config.regime_strength)[regime]
    share = config.correlation
    (market, market_variance, market_expected), (own, own_variance, own_expected) = processes
    return _Weather(
        shock=scale[:-1] * (math.sqrt(share) * market + math.sqrt(1 - share) * own),
        variance=scale[:-1] ** 2 * (share * market_variance + (1 - share) * own_variance),
        sigma=scale * np.sqrt(share * market_expected + (1 - share) * own_expected),
        regime=regime,
    )


def _volume(
    config: MarketConfig, seed: int, time: Int64, variance: Float64, hidden: Float64
) -> Float64:
    """Volume in money at the first price, (n_instruments, n_bars)."""
    n, n_bars = variance.shape
    size = _each(seed, "size", n, lambda r: 0.5 * r.standard_normal(1))
    noise = config.volume_noise * _normals(seed, "volume", n, n_bars)
    wave = config.volume_intraday * np.cos(2 * np.pi * (time - _BUSIEST_NS) / _DAY_NS)
    moved = config.volume_elasticity * np.log(variance / config.volatility**2) / 2
    return _MONEY_A_BAR * np.exp(size + wave + moved + config.volume_loading * hidden + noise)


def _draws(config: MarketConfig, seed: int) -> Draws:
    n, n_bars = config.n_instruments, config.n_bars
    high, low = (
        1 - _each(seed, purpose, n, lambda r: r.random(n_bars)) for purpose in ("high", "low")
    )
    return Draws(_normals(seed, "open", n, n_bars), high, low)


def _mixing(seed: int, purpose: str, n_series: int, n: int, df: float) -> Float64:
    """Inverse-gamma variables of mean 1: times a squared normal, a Student t of unit variance."""
    half = df / 2
    gamma = _each(seed, f"{purpose} mixing", n_series, lambda r: r.standard_gamma(half, n))
    return (half - 1) / gamma


def _normals(seed: int, purpose: str, n_series: int, n: int) -> Float64:
    return _each(seed, purpose, n_series, lambda r: r.standard_normal(n))


def _each(
    seed: int, purpose: str, n_series: int, draw: Callable[[np.random.Generator], Float64]
) -> Float64:
    """One row a series, each from a stream of its own, (n_series, n)."""
    return np.stack([draw(generator(seed, "simulation", purpose, i)) for i in range(n_series)])


def bar_starts(config: MarketConfig) -> Int64:
    """Starts of the first n_bars bars that overlap a session, (n_bars,)."""
    calendar, step = Calendar(config.calendar), Timeframe(config.timeframe).ns
    first = -(-_start_ns(config.start) // step) * step
    n_tried = config.n_bars
    while n_tried <= 16 * config.n_bars + 1000 * _DAY_NS // step:
        time = first + step * np.arange(n_tried, dtype=np.int64)
        time = time[calendar.overlaps_session(time, step)][: config.n_bars]
        if time.size == config.n_bars:
            return time
        n_tried *= 2
    raise ConfigError(
        f"calendar {config.calendar} has no {config.n_bars} bars of {config.timeframe} after "
        f"{config.start}: start earlier or ask for fewer"
    )


def _start_ns(text: str) -> int:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"start {text!r} is not a date, as in 2022-01-01") from None
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    return round(start.timestamp()) * 1_000_000_000


def _edge_until(text: str) -> int | float:
    """A date as ns UTC, or a share of all time."""
    if re.fullmatch(r"\d{1,2}(\.\d+)?%", text):
        return float(text[:-1]) / 100
    try:
        return _start_ns(text)
    except ConfigError:
        raise ConfigError(
            f"edge_until {text!r} is neither a date, as in 2024-06-30, nor a share of the "
            "market's time, as in 80%"
        ) from None


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "timeframe": Timeframe,
    "calendar": Calendar,
    "start": _start_ns,
    "edge_until": _edge_until,
}
