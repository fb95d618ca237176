"""Nouns of the market: bars, panels, timeframes, calendars. Checked when built; no I/O."""

from touchstone.market.bars import Bars as Bars
from touchstone.market.calendar import CALENDARS as CALENDARS
from touchstone.market.calendar import Calendar as Calendar
from touchstone.market.panel import Blocks as Blocks
from touchstone.market.panel import Panel as Panel
from touchstone.market.resample import resample as resample
from touchstone.market.timeframe import Timeframe as Timeframe
