"""What an account meets in a panel: bars, corporate actions, halts, spreads, volatility, groups."""

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest.volatility import volatility_before
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.columns import Events, Finer
from touchstone.execution.history import NO_EVENTS, NO_FINER, Timeline, timeline
from touchstone.market import Panel
from touchstone.market.actions import DELISTING, DIVIDEND, SPLIT
from touchstone.market.happened import NEVER


def world_line(panel: Panel, costs: CostsConfig, account: AccountConfig) -> Timeline:
    """A panel as the kernel walks it, with all that account and costs ask for.

    Raises:
        ConfigError: they ask for what the panel does not hold: a column of spreads, bars of a
            shorter timeframe, groups, any volume at all.
    """
    _refuse_no_volume(panel, costs)
    line = timeline(panel)
    market = line.world.market
    if costs.spread is not None:
        market = market._replace(half_spread=_half_spread(panel, costs))
    if costs.impact > 0:
        market = market._replace(sigma=volatility_before(panel))
    if account.max_group is not None:
        market = market._replace(group=_groups(panel))
    if account.ambiguity == "finer":
        market = market._replace(finer=_finer(panel))
    events = NO_EVENTS
    if panel.happened is not None:
        events = events_of(panel, line)
        if panel.happened.halted.any():
            market = market._replace(halted=panel.happened.halted)
    return line._replace(world=line.world._replace(market=market, events=events))


def events_of(panel: Panel, line: Timeline) -> Events:
    """What happened to the panel's instruments, by time: splits, then dividends, then the end.

    A delisting is met at the first time at or after it; where the panel ends before, never.
    """
    if panel.happened is None:
        return NO_EVENTS
    happened, at = panel.happened, np.searchsorted(line.time, panel.time)
    splits, pays = (np.flatnonzero(c) for c in (happened.ratio != 1, happened.dividend != 0))
    ends = np.flatnonzero(happened.gone != NEVER)
    gone = np.maximum(np.searchsorted(line.time, happened.gone[ends]), at[ends] + 1)
    rows = np.concatenate([splits, pays, ends])
    time = np.concatenate([at[splits], at[pays], gone])
    kind = np.repeat(np.array([SPLIT, DIVIDEND, DELISTING]), [splits.size, pays.size, ends.size])
    value = np.concatenate(
        [happened.ratio[splits], happened.dividend[pays], happened.recovery[ends]]
    )
    instrument = line.place[panel.asset_id[rows]]
    order = np.lexsort((kind, instrument, time))
    order = order[time[order] < line.time.size]
    return Events(
        np.searchsorted(time[order], np.arange(line.time.size + 1)).astype(np.int64),
        instrument[order].astype(np.int64),
        kind[order].astype(np.int8),
        value[order].astype(np.float64),
    )


def _refuse_no_volume(panel: Panel, costs: CostsConfig) -> None:
    if costs.volume_cap is not None and len(panel) and not (panel.volume > 0).any():
        raise ConfigError(
            f"costs.volume_cap: {costs.volume_cap:g} of a bar's volume lets nothing fill, since "
            "every bar's volume is 0: give bars with a volume, or write volume_cap: null"
        )


def _half_spread(panel: Panel, costs: CostsConfig) -> Float64:
    """Half of the spread that was known at the last close before each bar, fraction, (n_rows,)."""
    if costs.spread is None or costs.spread not in panel.side:
        raise ConfigError(
            f"costs.spread: no column {costs.spread!r} beside the bars (there are: "
            f"{', '.join(panel.side) or 'none'}): name it under bars.side, or use half_spread_bp"
        )
    known = panel.side[costs.spread] / 2.0
    before = np.r_[np.nan, known[:-1]][: len(panel)]
    before[panel.offsets[:-1][np.diff(panel.offsets) > 0]] = np.nan
    if (before < 0).any():
        raise ConfigError(f"costs.spread: column {costs.spread!r} holds a spread below 0")
    return np.where(np.isfinite(before), before, costs.half_spread_bp * 1e-4)


def _groups(panel: Panel) -> Int64:
    """The group of each instrument, in the kernel's order; those without one are their own."""
    if not any(symbol in panel.groups for symbol in panel.symbols):
        raise ConfigError(
            "account.max_group: none of these instruments has a group: name a universe file that "
            "says them under universe, or bound each instrument by max_weight"
        )
    names = [panel.groups.get(s, f"\0{s}") for s in sorted(panel.symbols)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _finer(panel: Panel) -> Finer:
    """The bars of a shorter timeframe inside each row's bar."""
    inside = panel.finer
    if inside is None:
        raise ConfigError(
            "account.ambiguity: finer needs bars of a shorter timeframe: name their folder under "
            "bars.finer, or choose pessimistic"
        )
    begin, end = np.zeros((2, len(panel)), np.int64)
    for i, symbol in enumerate(panel.symbols):
        if symbol not in inside.symbols:
            continue
        own, mine = inside.symbols.index(symbol), slice(*panel.offsets[i : i + 2])
        a, b = inside.offsets[own : own + 2]
        begin[mine] = a + np.searchsorted(inside.time[a:b], panel.time[mine])
        end[mine] = a + np.searchsorted(inside.time[a:b], panel.available_at[mine])
    count = end - begin
    first = np.r_[0, np.cumsum(count)].astype(np.int64)
    if not first[-1]:
        return NO_FINER
    rows = np.repeat(begin - first[:-1], count) + np.arange(first[-1])
    return Finer(first, inside.open[rows], inside.high[rows], inside.low[rows])
