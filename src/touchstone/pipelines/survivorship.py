"""The survivorship study: what leaving out the dead of a panel would have shown."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from touchstone.arrays import Bool
from touchstone.errors import SourceError
from touchstone.market import Calendar
from touchstone.validation.survivorship import (
    CLIP,
    PATIENCE_DAYS,
    Bias,
    Lives,
    Study,
    survivorship_bias,
)

_ALIVE_DAYS = 5
"""Trading days by which a last bar may trail the panel's and still count as alive."""
_LATE = 0.1
"""Share of the days without any death from which on the panel is likely to lack the early ones."""


class Measured(NamedTuple):
    """The bias of a panel, and what it was measured without."""

    study: Study
    n_closed: int
    """Rows of days on which the market was closed."""
    delisting_return: float


def study_survivorship(
    panel: Path,
    lifetimes: Path | None,
    seed: int,
    delisting_return: float = 0.0,
    calendar: str = "XNYS",
) -> Measured:
    """Measure the bias of a panel.

    Args:
        panel: Parquet or CSV with symbol, timestamp and close (adjusted), one row a day.
        lifetimes: Parquet or CSV with symbol and ended_before_panel (true where it died); None:
            who has no bar on the panel's last five days died.
        seed: of the bootstrap.
        delisting_return: on top of the last close of the dead.
        calendar: says how many days a year has, and which are none: rows of other days, where
            stray prints would be the whole market, are left out and counted.

    Raises:
        SourceError: a file or column that is missing or of a wrong type, or symbols without a
            lifetime.
        DataError: as `survivorship_bias`.
    """
    frame = _read(panel, {"symbol": "text", "timestamp": "time", "close": "numbers"})
    frame = frame.drop_nulls(["symbol", "timestamp", "close"]).filter(pl.col("close").is_finite())
    if not frame.height:
        raise SourceError(f"{panel}: no row with symbol, timestamp and close")
    hours = Calendar(calendar)
    frame = frame.with_columns(pl.col("timestamp").cast(pl.Date)).sort("symbol", "timestamp")
    dates = frame["timestamp"].cast(pl.Int32).to_numpy().astype(np.int64)
    open_ = hours.is_session(dates)
    frame = frame.filter(pl.Series(open_))
    if not frame.height:
        raise SourceError(f"{panel}: no row on a trading day of {calendar}: is it the right one?")
    symbols = frame["symbol"].unique(maintain_order=True)
    day = frame["timestamp"].rank("dense").to_numpy().astype(np.int64) - 1
    who = frame["symbol"].rle_id().to_numpy().astype(np.int64)
    if lifetimes is None:
        last = np.zeros(len(symbols), np.int64)
        np.maximum.at(last, who, day)
        survives: Bool = last > day.max() - _ALIVE_DAYS
    else:
        survives = _survives(lifetimes, symbols)
    year = frame["timestamp"].unique().sort().dt.year().to_numpy().astype(np.int64)
    lives = Lives(day, who, frame["close"].to_numpy().astype(np.float64), survives, year)
    found = survivorship_bias(lives, hours.days_per_year, seed, delisting_return)
    return Measured(found, int((~open_).sum()), delisting_return)


def told(measured: Measured) -> list[str]:
    """The study as lines for the terminal."""
    study, n_closed, delisting_return = measured
    n_dead = study.n_instruments - study.n_survivors
    lines = [
        f"{study.n_instruments:,} instruments over {study.n_days + 1:,} days, of which {n_dead:,} "
        f"({100 * n_dead / study.n_instruments:.0f} %) died{_when(study)}",
        f"wild moves: {study.n_cut_up} days above x{CLIP:g} and {study.n_cut_down} below "
        f"x{1 / CLIP:.3g} are cut to it where it says cut; {study.n_left_out} across more than "
        f"{PATIENCE_DAYS} days without a bar are left out, and {n_closed} rows of days on "
        "which the market was closed",
        f"the dead get their last close x {1 + delisting_return:g}",
        "",
        f"{'equal weight':<14}{'wild moves':<12}{'survivors':>11}{'all':>9}{'bias':>9}"
        "   a year, 95 % interval",
    ]
    names = {"rebalanced": "daily", "held": "buy and hold"}
    lines += [
        f"{names[one.weighting]:<14}{'cut' if one.clipped else 'as they are':<12}"
        f"{100 * one.survivors:>+10.1f}%{100 * one.all:>+8.1f}%{100 * one.bias:>+8.1f}%   "
        f"{_span(one.interval)}"
        for one in study.biases
    ]
    lines += ["", "bias by calendar year, wild moves cut, at its rate a year"]
    lines += [
        f"{one.year}  {names[one.weighting]:<14}{100 * one.bias:>+7.1f}%   {_span(one.interval)}"
        for one in sorted(study.years, key=lambda y: y.year)
    ]
    daily, held = (b for b in study.biases if b.clipped)
    return [
        *lines,
        "",
        f"Leaving out what died flatters equal weight by {100 * daily.bias:+.1f} % a year "
        f"rebalanced daily, {100 * held.bias:+.1f} % bought and held, wild moves cut"
        f"{_doubt(daily, held)}.",
        "As they are, wild moves are mostly bounces of names that hardly trade: to rebalance on "
        "them every day earns on paper what nobody could have had (Blume & Stambaugh 1983).",
    ]


def as_json(measured: Measured) -> dict[str, Any]:
    """The study as numbers, fractions a year."""
    study, n_closed, delisting_return = measured
    return {
        **study._asdict(),
        "n_rows_closed": n_closed,
        "clip_factor": CLIP,
        "delisting_return": delisting_return,
        "biases": [one._asdict() for one in study.biases],
        "years": [one._asdict() for one in study.years],
    }


def _when(study: Study) -> str:
    """When they died, and what that leaves open: whoever died at once may not be in the panel."""
    later = f", {study.n_died_later} of them after the last day" if study.n_died_later else ""
    if study.first_end is None:
        return later
    first = study.first_end + 1
    if first <= _LATE * (study.n_days + 1):
        return f"{later}, the first on day {first}"
    return (
        f"{later}, the first on day {first} only: if those that died before are missing from the "
        "panel, the bias is larger than what follows"
    )


def _doubt(*biases: Bias) -> str:
    holds = [b.interval is None or b.interval[0] <= 0 <= b.interval[1] for b in biases]
    return "; these days cannot tell it from none" if all(holds) else ""


def _span(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "no variance"
    return f"{100 * interval[0]:+.1f} .. {100 * interval[1]:+.1f}"


def _survives(path: Path, symbols: pl.Series) -> Bool:
    frame = _read(path, {"symbol": "text", "ended_before_panel": "flags"})
    ended = dict(zip(frame["symbol"], frame["ended_before_panel"], strict=True))
    missing = [s for s in symbols if ended.get(s) is None]
    if missing:
        raise SourceError(
            f"{path}: no lifetime of {len(missing)} symbols of the panel ({', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}): add them, or leave lifetimes out"
        )
    return np.array([not ended[s] for s in symbols], bool)


def _read(path: Path, columns: dict[str, str]) -> pl.DataFrame:
    """Some columns of a table, each of the sort that is needed."""
    if path.is_dir():
        raise SourceError(f"{path}: a folder: needs one Parquet or CSV file")
    try:
        if path.name.endswith((".csv", ".csv.gz")):
            frame = pl.read_csv(path, try_parse_dates=True)
        else:
            frame = pl.read_parquet(path)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        said = " ".join(str(error).split())[:160]
        raise SourceError(f"{path}: cannot be read as Parquet or CSV ({said})") from None
    missing = [n for n in columns if n not in frame.columns]
    if missing:
        raise SourceError(
            f"{path}: no column {', '.join(missing)}; needs {', '.join(columns)}, has "
            f"{', '.join(frame.columns[:10])}"
        )
    for name, sort in columns.items():
        kind = frame[name].dtype
        fits = {
            "text": kind == pl.String,
            "time": kind.is_temporal() and kind != pl.Time,
            "numbers": kind.is_numeric(),
            "flags": kind == pl.Boolean,
        }
        if not fits[sort]:
            raise SourceError(f"{path}: column {name} is of type {kind}: needs {sort}")
    return frame.select(*columns)
