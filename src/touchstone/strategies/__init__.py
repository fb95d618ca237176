"""THE decision: calibrated scores of every row become wishes to enter and to leave, or weights.

A part of the family takes an `Outlook` and gives an `Intent` or `Targets`; what becomes of a wish
(cash, slots, fills) is the kernel's business. What a row is told to do reads that row alone, or
rows of its own instant: one close of several instruments.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import Family

FOREVER: Final = int(np.iinfo(np.int64).max)
"""`hold_bars` of a position that no time ends."""


class Outlook(NamedTuple):
    """What is known at each row's close about a long entry at the instrument's next open."""

    probability: Float64
    """Calibrated, nan where there is no score: (n_rows, 3) for the outcomes -1, 0, +1 of a
    `barrier` head, or (n_rows, 1) for a binary or foreign score.
    """
    up: Float64
    """Width of the target as a fraction of the entry price, inf for none; (n_rows,)."""
    down: Float64
    """Width of the stop, likewise; (n_rows,)."""
    rest: float | Float64
    """m0: mean realised return of horizon exits on validation rows; one, or one per row where
    rows were scored by different fits.
    """
    round_trip: float
    """Costs of a buy and a sell as a fraction of the price."""
    expected: Float64 | None
    """E[realised | score], fitted on validation rows, (n_rows,); None where it was not fitted."""
    instant: Int64 | None = None
    """When each row's close is known, ns UTC, (n_rows,); rows of one instant may be compared with
    each other. None: nobody says."""
    asset: Int64 | None = None
    """Number of each row's instrument, (n_rows,): it tells rows apart and says no more, since
    another order of the instruments may not change a decision."""
    bars_per_year: float = float("nan")
    """Of the rows' timeframe and calendar: what annualises a bar's volatility."""
    named: Mapping[str, Float64] = {}
    """Columns that the strategy asks for (`columns_of`): expression -> its value, known at each
    row's close, nan in warm-up, (n_rows,)."""

    @property
    def hit(self) -> Float64:
        """p(+), the probability of the target, (n_rows,)."""
        return self.probability[:, -1]

    @property
    def mirrored(self) -> "Outlook":
        """The same, seen by a short: its target lies where the long's stop does.

        A bar that spans both barriers is the label's stop and so counts as the short's target:
        what a short expects is that much too good. Fills stay pessimistic.
        """
        p = self.probability
        return self._replace(
            probability=p[:, ::-1] if p.shape[1] > 1 else 1.0 - p,
            up=self.down,
            down=self.up,
            rest=-np.asarray(self.rest, np.float64),
            expected=None if self.expected is None else -self.expected,
        )

    def column(self, expression: str) -> Float64:
        """What was asked for by `columns`, (n_rows,).

        Raises:
            ConfigError: whoever made the outlook did not evaluate it.
        """
        if expression not in self.named:
            raise ConfigError(
                f"outlook: the strategy needs the column {expression!r}, which was not evaluated; "
                f"it has {', '.join(self.named) or 'none'}. Evaluate every expression of "
                "`columns_of(strategy)` and give it as `named`."
            )
        return self.named[expression]


class Intent(NamedTuple):
    """What the account shall do at each row's close, as far as cash and slots allow."""

    enter: Bool
    """Wish to be in, (n_rows,)."""
    rank: Float64
    """Wishes of a higher rank are served first, (n_rows,)."""
    leave: Bool
    """Wish to be out, (n_rows,)."""
    up: Float64
    """Width of the target, inf for none, (n_rows,)."""
    down: Float64
    """Width of the stop, inf for none, (n_rows,)."""
    weight: Float64
    """Value to buy as a fraction of equity, (n_rows,)."""
    hold_bars: int
    """Bars after which a position leaves; the bar of the fill counts as 1."""
    max_positions: int
    side: Int8 | None = None
    """+1 long, -1 short, (n_rows,); None: all long. Targets and stops are widths either way."""
    cover: Bool | None = None
    """Wish to be out of a short, (n_rows,); None: `leave` speaks for both sides."""
    min_hold_bars: int = 0
    """Bars for which a position does not hear `leave` and `cover`; barriers and time it does."""

    @property
    def long(self) -> Bool:
        """Wish to enter and be long, (n_rows,)."""
        return self.enter if self.side is None else self.enter & (self.side > 0)


class Targets(NamedTuple):
    """What each row's instrument shall weigh in the account, from its close on."""

    weight: Float64
    """Fraction of equity, below 0 short; nan leaves the instrument as it is, (n_rows,)."""
    buffer: float
    """Rebalancing buffer: a position whose weight is off by less, fraction of equity, is left."""

    @property
    def enter(self) -> Bool:
        """Wish to be in, long or short, (n_rows,)."""
        return np.asarray(~np.isnan(self.weight) & (self.weight != 0))

    @property
    def leave(self) -> Bool:
        """Wish to be out, (n_rows,)."""
        return np.asarray(self.weight == 0)

    @property
    def long(self) -> Bool:
        """Wish to be long, (n_rows,)."""
        return np.asarray(self.weight > 0)


Decision: TypeAlias = Intent | Targets
"""What a strategy may give."""


class Strategy(Protocol):
    """A part of the family: config, outlook, hold_bars -> wishes or weights.

    Its config has `candidates()`, the configs with one value each that are compared. It may have

    - `columns`, a property: expressions that it reads from `outlook.named`;
    - `is_short`, a property: whether it may wish to be short (`account.short` must be on);
    - `is_across`, whether it reads other rows of a row's instant;
    - `knows_costs`, whether it enters less where a round trip costs more.
    """

    def __call__(self, config: Config, outlook: Outlook, hold_bars: int) -> Decision:
        """Say for every row whether to enter or to leave, or what to weigh."""


STRATEGIES: Family[Strategy] = Family("strategy", __name__)


def columns_of(config: Config) -> tuple[str, ...]:
    """Expressions that a strategy and the parts in it read from `Outlook.named`, each once."""
    asked = [e for part in _parts(config) for e in getattr(part, "columns", ())]
    return tuple(dict.fromkeys(asked))


def is_short(config: Config) -> bool:
    """Whether a strategy, or one inside it, may wish to be short."""
    return any(bool(getattr(part, "is_short", False)) for part in _parts(config))


def _parts(config: Config) -> Iterator[Config]:
    yield config
    for name in type(config).model_fields:
        value: Any = getattr(config, name)
        if isinstance(value, Config):
            yield from _parts(value)


def instants(outlook: Outlook, kind: str) -> Int64:
    """When each row's close is known, ns UTC, (n_rows,).

    Raises:
        ConfigError: the outlook does not say.
    """
    if outlook.instant is None:
        raise ConfigError(
            f"strategy {kind}: compares instruments at one close, and this outlook does not say "
            "when its rows are known. Give `instant`, the panel's available_at of each row."
        )
    return outlook.instant


def single(name: str, candidates: tuple[float, ...]) -> float:
    """The one value of a field that may list several.

    Raises:
        ConfigError: none or several: a strategy decides by one of its config's `candidates()`.
    """
    if len(candidates) != 1:
        raise ConfigError(
            f"{name}: a strategy decides with one value, got {len(candidates)} "
            f"({', '.join(f'{c:g}' for c in candidates)}); choose one, as in "
            f"{name}: {candidates[0] if candidates else 0:g}"
        )
    return candidates[0]


def brackets(outlook: Outlook, are_on: bool) -> tuple[Float64, Float64]:
    """Widths of target and stop, or inf for both where barriers are off."""
    if are_on:
        return outlook.up, outlook.down
    none = np.full(outlook.up.shape, np.inf)
    return none, none


def tradable(up: Float64, down: Float64, weight: Float64) -> Bool:
    """Where barriers are known and a sizing gives something, (n_rows,)."""
    return np.asarray(~np.isnan(up) & ~np.isnan(down) & (weight > 0))


def falls_to(probability: Float64, threshold: float | None) -> Bool:
    """Where a probability is at or below a threshold; nowhere without one, or without a score."""
    if threshold is None:
        return np.zeros(probability.shape, bool)
    return np.asarray(probability <= threshold)
