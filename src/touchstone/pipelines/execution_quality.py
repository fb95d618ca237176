"""What trading cost on a tape: spreads quoted, paid and kept, and impact, in basis points."""

from pathlib import Path
from typing import Any

import numpy as np

from touchstone.data.ticks import read_quotes, read_trades
from touchstone.errors import DataError
from touchstone.market import Calendar
from touchstone.market.national_best import VenueQuotes, last_best, national_best
from touchstone.market.trade import Quotes, Trades, averages, execution

_STRANGE = 0.05
"""Trades that lie further than this from the mid, most of them, are of another instrument."""
_MOSTLY = 0.5
"""A feed whose exchanges would cross each other more often than this prints the best alone."""


def measure_execution(
    trades: Path, quotes: Path, horizon_seconds: float, calendar: str
) -> dict[str, Any]:
    """Size-weighted execution quality of the trades in session, JSON-able; bp of the mid.

    Quotes by exchange become the best of all: each exchange's last, or, where these would cross
    most of the time, the last one printed, since such a feed prints none but the best.

    No measure reaches over a close: a quote of an earlier session is none, and a horizon that lies
    behind the close ends there.

    Raises:
        SourceError: a file that cannot be read as ticks.
        DataError: no quotes, prices far from them, or no trade in session with a quote before it
            and one at the horizon.
    """
    tape, book = read_trades(trades), read_quotes(quotes, symbol=None)
    if not len(book.quotes.time):
        raise DataError(f"{quotes}: holds no quote that its vendor does not doubt: bring others")
    best, feed = _best(book.quotes)
    hours = Calendar(calendar)
    inside = hours.overlaps_session(tape.trades.time, 1)
    all_ = tape.trades
    session = Trades(all_.symbol, all_.time[inside], all_.price[inside], all_.size[inside])
    # round the clock nothing lies between two days
    bounds = None if calendar == "24/7" else hours.session_bounds(session.time)[::2]
    done = execution(session, best, round(horizon_seconds * 1e9), bounds=bounds)
    mean = averages(done, session.size)
    if not mean.n_trades:
        raise DataError(
            f"{trades}: none of {len(session)} trades in the sessions of {calendar} has a quote "
            f"before it and one {horizon_seconds:g} s later in {quotes}: do the two cover the same "
            "time?"
        )
    _refuse_strangers(session, best)
    quoted = best.spread_bp[hours.overlaps_session(best.time, 1)]
    return {
        "symbol": session.symbol,
        "n_suspicious": tape.n_suspicious + book.n_suspicious,
        "feed": feed,
        "quoted_bp": float(np.nanmedian(quoted)),
        "crossed_share": float(best.crossed.mean()),
        "buyers_share": float(np.mean(done.sign[done.sign != 0] > 0)),
        "horizon_seconds": horizon_seconds,
        **mean._asdict(),
        "n_trades": len(session),
        "n_measured": mean.n_trades,
    }


def told(found: dict[str, Any]) -> list[str]:
    """The same for the terminal."""
    return [
        f"{found['symbol']}: {found['n_measured']:,} of {found['n_trades']:,} trades measured, "
        f"{100 * found['buyers_share']:.0f} % taken by buyers; quotes: {found['feed']}, crossed "
        f"{100 * found['crossed_share']:.2g} % of the time",
        f"  quoted spread    {found['quoted_bp']:>7.2f} bp, median",
        f"  effective spread {found['effective_bp']:>7.2f} bp, what takers paid for a round trip",
        f"  realised spread  {found['realised_bp']:>7.2f} bp, what makers kept after "
        f"{found['horizon_seconds']:g} s",
        f"  impact           {found['impact_bp']:>7.2f} bp, how far prices went the takers' way",
        f"costs: {{half_spread_bp: {found['effective_bp'] / 2:.2f}}}",
    ]


def _refuse_strangers(trades: Trades, quotes: Quotes) -> None:
    away = np.abs(trades.price / quotes.mid_before(trades.time) - 1)
    known = away[~np.isnan(away)]
    if known.size and float(np.median(known)) > _STRANGE:
        raise DataError(
            f"prices of the trades ({trades.symbol}) lie {100 * np.median(known):.0f} % from the "
            f"mid of the quotes ({quotes.symbol}) in the middle: are both of one instrument?"
        )


def _best(quotes: Quotes | VenueQuotes) -> tuple[Quotes, str]:
    if isinstance(quotes, Quotes):
        return quotes, "one market"
    n = len(quotes.venues)
    best = national_best(quotes)
    if best.crossed.mean() <= _MOSTLY:
        return best, f"best of {n} exchanges"
    return last_best(quotes), f"the best alone, of {n} exchanges"
