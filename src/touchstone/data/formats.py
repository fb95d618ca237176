"""What may be told about files of bars, and what sets one format apart from another."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, PositiveInt, StringConstraints, field_validator

from touchstone.config import Config
from touchstone.data.columns import ColumnsConfig
from touchstone.data.stamps import Unit, known_timezone
from touchstone.market import Timeframe

if TYPE_CHECKING:
    import polars as pl


class FolderConfig(Config):
    """What the sources that read a folder of files have in common."""

    path: str = "data/bars"
    """Folder with one file per symbol (BTCUSDT.parquet; BTC-USD for BTC/USD), or a single file;
    relative to the study's file."""
    timeframe: str = "1h"
    """Length of a bar: 1m, 5m, 1h, 1d."""
    calendar: Literal["24/7", "XNYS", "FX", "CME"] = "24/7"
    """Hours of the market; bars outside them are dropped and counted."""
    columns: ColumnsConfig = ColumnsConfig()
    """Names of the columns, where they are not the usual ones."""
    timezone: str | None = None
    """Zone of times that name none, as in UTC or America/New_York; None refuses such times."""
    timestamp_unit: Unit = "auto"
    """What an integer time counts since 1970; auto tells by magnitude."""
    stamp: Literal["start", "end"] = "start"
    """Whether a file's time is the start or the end of its bar."""
    minimum_bars: PositiveInt = 2
    """A symbol with fewer bars is left out. Beware: a high minimum leaves out what died young."""
    bad_rows: Literal["refuse", "drop"] = "refuse"
    """What one impossible row (a price missing, high below low) does: the symbol is left out, or
    the row is, which is counted in the findings."""
    without_volume: bool = False
    """Whether files may lack a volume; it is then 0, and a volume cap lets nothing fill."""
    actions: str | None = Field(default=None, exclude_if=lambda place: place is None)
    """Table of splits, dividends, halts and delistings of these bars (CSV or Parquet); relative to
    the study's file."""
    adjust: Literal["none", "splits", "total"] = Field(
        default="none", exclude_if=lambda view: view == "none"
    )
    """What `actions` do to raw prices: nothing; into the shares of the last bar; or also as if
    dividends had been reinvested (total return)."""
    finer: str | None = Field(default=None, exclude_if=lambda place: place is None)
    """Folder of bars of a shorter timeframe, in files of the same sort, that say what came first
    inside a bar (account.ambiguity: finer); relative to the study's file."""
    finer_timeframe: str = Field(default="1m", exclude_if=lambda name: name == "1m")
    """Length of those bars."""
    side: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], ...] = ()
    """Further number columns, each known at its bar's close, for features to use by name, as in
    [sentiment]. Empty cells, and files without the column, are not known."""

    @field_validator("timeframe", "finer_timeframe")
    @classmethod
    def _known_timeframe(cls, name: str) -> str:
        return Timeframe(name).name

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        return None if name is None else known_timezone(name)


class Files(NamedTuple):
    """One format: what its files are called and how one is opened."""

    kind: str
    """Name of the source."""
    suffixes: tuple[str, ...]
    scan: "Callable[[Path], pl.LazyFrame]"
    first_line: int | None = None
    """Line of row 0 as an editor counts, for formats that have lines."""
