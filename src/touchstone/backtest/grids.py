"""Which intents are one intent at other thresholds and sizes, so that one ranking serves them all.

A grid is one intent, the loosest, and what each account hears of it: down to which rank it
enters, up to which level it stays, how large, how long, how many.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import ConfigError
from touchstone.strategies import Intent

_COMMON = ("rank", "up", "down", "side", "cover", "min_hold_bars")
"""What intents of one grid have in common, where the intent has it at all."""


class Grid(NamedTuple):
    """Accounts that follow one intent at their own levels; columns are (n_accounts,)."""

    intent: Intent
    """Enters down to the lowest `entry_level`; its weight is multiplied by each `scale`; its
    `leave`, `hold_bars` and `max_positions` are replaced by those below."""
    stay: Float64 | None
    """A position leaves where this is at or below the account's exit level, (n_rows,); None: by
    the intent's `leave`."""
    entry_level: Float64
    """Rank at or above which a wish is heard."""
    exit_level: Float64
    scale: Float64
    hold_bars: Int64
    max_positions: Int64

    @property
    def n_accounts(self) -> int:
        """How many accounts."""
        return self.entry_level.size


def grid(
    intent: Intent,
    entry_level: Any = -np.inf,
    exit_level: Any = None,
    stay: Float64 | None = None,
    scale: Any = 1.0,
    **limits: Any,
) -> Grid:
    """A grid of columns that are given as numbers or as (n_accounts,).

    Args:
        intent: the loosest.
        entry_level: see `Grid`; default: every wish is heard.
        exit_level: needs `stay`; default: as the intent's `leave` says.
        stay: see `Grid`.
        scale: see `Grid`.
        limits: `hold_bars` and `max_positions`; default: the intent's.

    Raises:
        ConfigError: columns of different lengths, a level without its column, a size that is
            not above 0, fewer than one bar or position, an unknown word.
    """
    unknown = set(limits) - {"hold_bars", "max_positions"}
    if unknown:
        raise ConfigError(
            f"grid: unknown column {min(unknown)!r}; there are hold_bars, max_positions"
        )
    if (exit_level is None) != (stay is None):
        raise ConfigError("grid: exit_level and stay belong together: give both or none")
    given = {
        "entry_level": entry_level,
        "exit_level": 0.0 if exit_level is None else exit_level,
        "scale": scale,
        "hold_bars": limits.get("hold_bars", intent.hold_bars),
        "max_positions": limits.get("max_positions", intent.max_positions),
    }
    columns = {name: np.atleast_1d(np.asarray(value)) for name, value in given.items()}
    n = max(column.size for column in columns.values())
    for name, column in columns.items():
        if column.shape not in ((n,), (1,)):
            raise ConfigError(f"grid.{name}: needs one value or {n}, got shape {column.shape}")
        kind = np.int64 if name in ("hold_bars", "max_positions") else np.float64
        columns[name] = np.broadcast_to(column, (n,)).astype(kind)
    made = Grid(intent, stay, **columns)
    check(made)
    return made


def check(grid: Grid) -> None:
    """Refuse levels, sizes and limits that no account can have.

    Raises:
        ConfigError: by column, account and value.
    """
    rules = {
        "entry_level": (np.isnan(grid.entry_level), "a number, not nan"),
        "exit_level": (np.isnan(grid.exit_level), "a number, not nan"),
        "scale": (~(np.isfinite(grid.scale) & (grid.scale > 0)), "finite and above 0"),
        "hold_bars": (grid.hold_bars < 1, "at least 1"),
        "max_positions": (grid.max_positions < 1, "at least 1"),
    }
    for name, (broken, rule) in rules.items():
        if broken.any():
            k = int(broken.argmax())
            raise ConfigError(
                f"grid.{name} must be {rule}; account {k} has {getattr(grid, name)[k]:g} "
                f"({int(broken.sum())} accounts in all)"
            )


class _Member(NamedTuple):
    """One intent within a group: which of the group's masks it has, and its numbers."""

    place: int
    enter: int
    leave: int
    scale: float
    hold_bars: int
    max_positions: int


class _Group:
    """Intents that have in common what `_COMMON` names, and their weight but for a factor."""

    def __init__(self, first: Intent, weight: Float64) -> None:
        self.first = first
        self.weight = weight
        self.members: list[_Member] = []
        self._masks: dict[bytes, int] = {}

    def take(self, place: int, intent: Intent, weight: Float64, scale: float) -> bool:
        """Take an intent in, if it belongs here."""
        if weight.size != self.weight.size or not _equal(weight, self.weight):
            return False
        if not all(
            _equal(getattr(intent, name, None), getattr(self.first, name, None)) for name in _COMMON
        ):
            return False
        enter, leave = self._mask(intent.enter), self._mask(intent.leave)
        limits = intent.hold_bars, intent.max_positions
        self.members.append(_Member(place, enter, leave, scale, *limits))
        return True

    def _mask(self, mask: Bool) -> int:
        return self._masks.setdefault(np.packbits(mask).tobytes(), len(self._masks))

    def mask(self, number: int) -> Bool:
        """The mask of that number, (n_rows,)."""
        packed = list(self._masks)[number]
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=self.first.enter.size)
        return bits.astype(bool)


def grids_of(intents: Iterable[Intent]) -> tuple[tuple[Grid, Int64], ...]:
    """The fewest grids that say what the intents say, each with its accounts' places among them.

    Intents go together where they agree on rank, widths and sides, and where what each enters is
    what the loosest enters down to some rank, and what each leaves is nested. They are looked at
    one after the other and not kept, so that they may be made on the way.
    """
    groups: list[_Group] = []
    for place, intent in enumerate(intents):
        weight, scale = _weight(intent)
        if not any(group.take(place, intent, weight, scale) for group in groups):
            groups.append(_Group(intent, weight))
            groups[-1].take(place, intent, weight, scale)
    return tuple(made for group in groups for made in _made(group, group.members))


def _made(group: _Group, members: list[_Member]) -> list[tuple[Grid, Int64]]:
    """One grid, or one for each mask that does not fit the others."""
    entry = _entry_levels(group, sorted({m.enter for m in members}))
    if entry is None:
        return _apart(group, members, "enter")
    exits = _exit_levels(group, sorted({m.leave for m in members}))
    if exits is None:
        return _apart(group, members, "leave")
    enter, entry_level = entry
    stay, exit_level = exits
    intent = group.first._replace(
        enter=enter, weight=np.broadcast_to(group.weight, enter.shape),
        leave=group.mask(members[0].leave),
    )  # fmt: skip
    made = Grid(
        intent,
        stay,
        np.array([entry_level[m.enter] for m in members]),
        np.array([exit_level[m.leave] for m in members]),
        np.array([m.scale for m in members]),
        np.array([m.hold_bars for m in members], np.int64),
        np.array([m.max_positions for m in members], np.int64),
    )
    return [(made, np.array([m.place for m in members], np.int64))]


def _apart(group: _Group, members: list[_Member], by: str) -> list[tuple[Grid, Int64]]:
    masks = sorted({getattr(m, by) for m in members})
    parts = ([m for m in members if getattr(m, by) == mask] for mask in masks)
    return [made for part in parts for made in _made(group, part)]


def _entry_levels(group: _Group, masks: list[int]) -> tuple[Bool, dict[int, float]] | None:
    """What the loosest enters, and the rank down to which each mask goes; None: not by rank."""
    if len(masks) == 1:
        return group.mask(masks[0]), {masks[0]: -np.inf}
    union = np.zeros(group.first.enter.shape, bool)
    for mask in masks:
        union |= group.mask(mask)
    ranks, levels = np.sort(group.first.rank[union]), {}
    if np.isnan(ranks).any():
        return None
    for mask in masks:
        own = group.first.rank[group.mask(mask)]
        level = float(own.min()) if own.size else np.inf
        # Every row of the mask is one of the union: equal counts, then, are equal rows.
        if own.size != ranks.size - np.searchsorted(ranks, level):
            return None
        levels[mask] = level
    return union, levels


def _exit_levels(group: _Group, masks: list[int]) -> tuple[Float64 | None, dict[int, float]] | None:
    """A column and the level at or below which each mask leaves; None: they are not nested."""
    if len(masks) == 1:
        return None, {masks[0]: 0.0}
    if getattr(group.first, "cover", None) is not None:
        return None
    rising = sorted(masks, key=lambda mask: int(np.count_nonzero(group.mask(mask))))
    stay = np.full(group.first.leave.shape, np.inf)
    wider = group.mask(rising[-1])
    for level in reversed(range(len(rising))):
        own = group.mask(rising[level])
        if (own & ~wider).any():
            return None
        stay[own], wider = float(level), own
    return stay, {mask: float(level) for level, mask in enumerate(rising)}


def _weight(intent: Intent) -> tuple[Float64, float]:
    """The weight of every row, (1,) where it is one, and the factor to it."""
    entered = intent.weight[intent.enter]
    if entered.size == 0:
        return np.ones(1), 1.0
    first = float(entered[0])
    if 0 < first <= 1 and (entered == first).all():
        return np.ones(1), first
    return intent.weight, 1.0


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return bool(np.ndim(one) == np.ndim(other) == 0 and one == other)
