"""Who is who: bars put into a universe, and the number by which a model knows an instrument."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Int32, Int64
from touchstone.data.asset_ids import assign, ids_file
from touchstone.data.sources import Loaded
from touchstone.data.universe import Universe, apply
from touchstone.errors import ConfigError
from touchstone.market import Panel
from touchstone.market.actions import DIVIDEND, KINDS, SPLIT, Actions, View

_NONE = np.iinfo(np.int64).max


class Identities(NamedTuple):
    """Ids of a market's instruments."""

    asset_id: Int32
    """Of each row, (n_rows,)."""
    assets: tuple[str, ...]
    """Symbols in the order of their ids."""
    begun: Int64
    """When the first bar of each id is known, ns UTC; the largest number where it has none."""


def names_of(universe: Universe, symbols: tuple[str, ...] | None) -> tuple[str, ...]:
    """Every name under which bars of the asked instruments may lie.

    Raises:
        ConfigError: a symbol that the universe does not have.
    """
    if symbols is None:
        return universe.files
    strange = sorted(set(symbols) - set(universe.symbols))
    if strange:
        raise ConfigError(
            f"symbols: {', '.join(strange)} stand not in the universe of "
            f"{len(universe.symbols)} instruments: add them there, or leave them out"
        )
    former = {f.symbol for x in universe.instruments if x.symbol in symbols for f in x.formerly}
    return tuple(sorted(former.union(symbols)))


def within(
    universe: Universe, place: Path, loaded: Loaded, asked: tuple[str, ...] | None
) -> Loaded:
    """Loaded bars, of the symbols asked for, as their universe sees them, with the ids it keeps.

    A name that is only a former one, or that its instrument was not called yet, is no reject.
    """
    seen = apply(universe, loaded.panel, asked)
    renamed = universe.renamed
    ids = assign(ids_file(place), universe.symbols, renamed)
    rejects = tuple(
        r
        for r in loaded.rejects
        if renamed.get(r.symbol, r.symbol) not in seen.panel.symbols
        or not r.reason.startswith("no file")
    )
    return loaded._replace(
        panel=seen.panel,
        rejects=rejects,
        findings=(*loaded.findings, *seen.findings),
        survivorship=seen.survivorship,
        asset_ids=ids,
    )


def refuse_torn(
    universe: Universe, panel: Panel, actions: Mapping[str, Actions], view: View
) -> None:
    """Refuse actions that the files of one instrument's several names cannot be adjusted by.

    Each file is brought into the shares of its own last bar, by the actions of its own name. What
    happened under another name, or later, would leave a jump where the names meet.

    Args:
        universe: says who was renamed.
        panel: bars as loaded, by name.
        actions: by name.
        view: that the bars were brought into.

    Raises:
        ConfigError: such an action; names it.
    """
    kinds = {"none": (), "splits": (SPLIT,), "total": (SPLIT, DIVIDEND)}[view]
    for listing in universe.instruments:
        names = [*(f.symbol for f in listing.formerly), listing.symbol]
        held = [n for n in names if n in panel.symbols]
        if len(names) == 1 or not held:
            continue
        oldest = panel.bars(panel.symbols.index(held[0]))
        last = panel.calendar.day(oldest.time[-1:])[0] if len(held) > 1 else _NONE
        for name in (n for n in dict.fromkeys(names) if n in actions):
            own = actions[name]
            torn = np.isin(own.kind, kinds) & ((name != held[0]) | (own.ex_day > last))
            if torn.any():
                day = np.datetime64(int(own.ex_day[torn][0]), "D")
                what = KINDS[own.kind[torn][0]]
                raise ConfigError(
                    f"bars.adjust: {listing.symbol} was called {', '.join(names[:-1])} before, and "
                    f"the {what} of {name} on {day} cannot adjust bars that lie under "
                    f"{' and '.join(held)}: put its bars into one file and its actions under one "
                    f"name, {listing.symbol}, or write adjust: none"
                )


def identities(loaded: Loaded) -> Identities:
    """The ids that a universe keeps; without one, instruments numbered by their first bar."""
    panel = loaded.panel
    first = np.full(panel.n_instruments, _NONE, np.int64)
    held = panel.offsets[:-1] < panel.offsets[1:]
    first[held] = panel.available_at[panel.offsets[:-1][held]]
    assets = loaded.asset_ids
    if not assets:
        order = np.lexsort((np.array(panel.symbols), first))
        assets = tuple(panel.symbols[i] for i in order)
    place = {symbol: i for i, symbol in enumerate(assets)}
    number = np.array([place[s] for s in panel.symbols], np.int32)
    begun = np.full(len(assets), _NONE, np.int64)
    begun[number] = first
    return Identities(number[panel.asset_id], assets, begun)


def known_first(begun: Int64, end: int) -> Int32:
    """Id -> number for one fit, (n_assets,): those with a bar known by `end` first, by their ids.

    A model has a vector for each instrument that its train rows may hold and none besides; the
    others take numbers behind, which it treats as strangers.
    """
    order = np.lexsort((np.arange(begun.size), begun > end))
    number = np.empty(begun.size, np.int32)
    number[order] = np.arange(begun.size)
    return number
