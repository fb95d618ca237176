"""A market that is made, so that its truth is known."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.loading import Loaded, Reject, Request
from touchstone.data.sources import SOURCES
from touchstone.errors import SourceError
from touchstone.market import Panel
from touchstone.simulation import MarketConfig, simulate


class SimulatedConfig(Config):
    """A market from `touchstone.simulation`, made from the study's seed."""

    source: Literal["simulated"] = "simulated"
    market: MarketConfig = MarketConfig()
    """What the market is like: its edge, its volatility, how many instruments and bars."""


@SOURCES.register(SimulatedConfig)
def load(config: SimulatedConfig, request: Request) -> Loaded:
    """The market of (config, seed): the same whatever else the study says.

    Raises:
        SourceError: the request leaves no bar.
    """
    whole, _ = simulate(config.market, request.seed)
    panel = _chosen(whole, request)
    rejects = tuple(
        Reject(symbol, "", f"the simulated market has no {symbol!r}: it has {_range(whole)}")
        for symbol in request.symbols or ()
        if symbol not in whole.symbols
    )
    if not len(panel):
        raise SourceError(
            f"the request (symbols {request.symbols}, start {request.start}, end {request.end}) "
            f"leaves no bar of the simulated market of {_range(whole)}: widen it"
        )
    namespace = f"simulated:{config.fingerprint()}:{request.seed}"
    return Loaded(panel, rejects, (), namespace, None)


def _chosen(panel: Panel, request: Request) -> Panel:
    if request.symbols is not None:
        wanted = [i for i, symbol in enumerate(panel.symbols) if symbol in request.symbols]
        if not wanted:
            return panel.where(np.zeros(len(panel), bool))
        bars = [panel.bars(i) for i in wanted]
        panel = Panel.from_bars(bars, panel.timeframe, panel.calendar)
    if request.start is not None:
        panel = panel.where(panel.time >= request.start)
    return panel if request.end is None else panel.until(request.end)


def _range(panel: Panel) -> str:
    first, last = (np.datetime64(int(t), "ns").astype("datetime64[s]") for t in panel.time[[0, -1]])
    return f"{panel.symbols[0]} .. {panel.symbols[-1]} from {first} to {last} UTC"
