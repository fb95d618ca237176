"""A fraction of the bet that makes a fortune grow fastest, from calibrated probabilities."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.strategies import Outlook
from touchstone.strategies.sizing import SIZINGS


class FractionalKellyConfig(Config):
    """`fraction` of the f that maximises E[log(1 + f r)], r the net return of a trade; capped.

    Kelly (1956), A New Interpretation of Information Rate; Thorp (2006), The Kelly Criterion in
    Blackjack, Sports Betting and the Stock Market, on fractions. Each bet is taken alone: several
    at once that move together ask for less, and so do probabilities that are only estimated, which
    is what the fraction is for.
    """

    kind: Literal["fractional_kelly"] = "fractional_kelly"
    fraction: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Share of the full Kelly bet."""
    cap: Annotated[float, Field(gt=0, le=1)] | None = None
    """Weight at most, fraction of equity; null: 1 / max_positions."""


@SIZINGS.register(FractionalKellyConfig)
def fractional_kelly(
    config: FractionalKellyConfig, outlook: Outlook, max_positions: int
) -> Float64:
    """min(cap, fraction x the Kelly bet), 0 where it has no edge or nothing is known, (n_rows,).

    With u = up - round_trip, d = down + round_trip, m = rest - round_trip:

    - three outcomes: the f at which sum p_i r_i / (1 + f r_i) = 0, r = (u, -d, m); with the
      denominators multiplied out a quadratic, whose smallest root above 0 it is;
    - an expected return: E[r] / (u d), the bet when the trade ends at the target or the stop, which
      of all trades between them with this mean asks for the smallest bet;
    - one probability alone: (p u - (1 - p) d) / (u d), as if all that misses the target were
      stopped: Thorp's (p b - q a) / (a b).

    Raises:
        ConfigError: the label has no barriers, or scores that are no probabilities stand for some.
    """
    known = ~np.isnan(outlook.hit)
    if known.any() and not (np.isfinite(outlook.up) & np.isfinite(outlook.down))[known].any():
        raise ConfigError(
            "sizing fractional_kelly: the label has no barriers, so nobody knows what a trade can "
            "win or lose. Choose a label with barriers, or the sizing volatility_target."
        )
    win, loss = outlook.up - outlook.round_trip, outlook.down + outlook.round_trip
    if outlook.probability.shape[1] == 3:
        bet = _three_outcomes(outlook.probability, win, loss, outlook.rest - outlook.round_trip)
    else:
        hit = outlook.hit
        if outlook.expected is None and ((hit < 0) | (hit > 1)).any():
            raise ConfigError(
                "sizing fractional_kelly reads a score as the probability of the target, and these "
                f"go from {np.nanmin(hit):g} to {np.nanmax(hit):g}: bring probabilities, say what "
                "a score is worth (--calibrate-until DATE), or choose the sizing equal_weight"
            )
        mean = hit * win - (1.0 - hit) * loss
        if outlook.expected is not None:
            mean = outlook.expected - outlook.round_trip
        bet = np.where((win > 0) & (mean > 0), mean / np.where(win > 0, win * loss, 1.0), 0.0)
    cap = 1.0 / max_positions if config.cap is None else config.cap
    usable = known & np.isfinite(win) & np.isfinite(loss)
    return np.where(usable, np.minimum(config.fraction * bet, cap), 0.0)


def _three_outcomes(
    probability: Float64, win: Float64, loss: Float64, rest: float | Float64
) -> Float64:
    """The growth-optimal bet on outcomes (-loss, rest, win), inf where nothing can be lost."""
    returns = np.stack([-loss, np.broadcast_to(np.asarray(rest), loss.shape), win])
    p = probability.T
    a, b, c = returns
    mean = (p * returns).sum(0)
    slope = p[0] * a * (b + c) + p[1] * b * (a + c) + p[2] * c * (a + b)
    # mean + slope f + a b c f^2 = 0; the derivative of the growth has its sign, so that of the
    # roots above 0 the smallest is the bet
    under = slope * slope - 4.0 * mean * (a * b * c)
    below = -slope + np.sqrt(np.maximum(under, 0.0))
    is_bounded = (under >= 0) & (below > 0)
    bet = np.where(is_bounded, 2.0 * mean / np.where(is_bounded, below, 1.0), np.inf)
    return np.where(mean > 0, bet, 0.0)
