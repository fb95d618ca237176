"""`data`: bars and news from vendors into a store, what it holds, and whether bars are sound."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from touchstone.cli import check_data
from touchstone.cli import options as o
from touchstone.errors import ConfigError

if TYPE_CHECKING:
    from touchstone.cli.terminal import Terminal
    from touchstone.data.http import Secrets
    from touchstone.pipelines.downloading import Means, Outcome

app = typer.Typer(
    help="Bars and news from vendors into a store on disk; studies read the store, never the "
    "network.\n\nBegin with [bold]touchstone data fetch SPY AAPL --source yahoo[/bold]; then a "
    "study says [bold]bars: {source: yahoo, path: data/yahoo, calendar: XNYS}[/bold].",
    no_args_is_help=True,
)
app.command("check")(check_data.check)

_FAILED: Final = 3
_DAY_NS: Final = 86_400_000_000_000
_BAR_AFTER_SECONDS: Final = 2.0

Store: TypeAlias = Annotated[
    Path | None,
    typer.Option("--store", help="Folder of the store; data/SOURCE by default. One vendor, feed "
                 "and adjustment each."),
]  # fmt: skip
StoreNeeded: TypeAlias = Annotated[
    Path, typer.Argument(metavar="STORE", help="Folder of a store, as in data/alpaca.")
]
Hours: TypeAlias = Annotated[
    str | None,
    typer.Option("--calendar", help="When the market is open: XNYS, FX, 24/7; as the source has "
                 "it by default."),
]  # fmt: skip
Rate: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Most requests in any minute, over all threads.")
]
Threads: TypeAlias = Annotated[int, typer.Option(min=1, max=64, help="Requests under way at once.")]
Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="TOUCHSTONE_VENDOR_URL",
        help="Another server than the vendor's own, as a proxy.",
    ),
]


@app.command()
def fetch(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="SYMBOL ...", help="As in AAPL, BRK.B, BTC/USD."),
    ] = None,
    source: Annotated[str, typer.Option(help="alpaca, ccxt or yahoo.")] = "alpaca",
    symbols_file: Annotated[
        Path | None, typer.Option("--symbols-file", help="More of them, one a line; # comments.")
    ] = None,
    start: o.From = None,
    to: o.To = None,
    timeframe: o.Timeframe = "1h",
    calendar: Hours = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What a study says of the source, as in "
                     "feed=iex, adjustment=raw, exchange=kraken, names.GSPC=^GSPC; repeatable."),
    ] = None,
    news: Annotated[
        bool, typer.Option("--news", help="Articles about the symbols instead of bars (alpaca).")
    ] = False,
    store: Store = None,
    rate: Rate = 200,
    threads: Threads = 8,
    url: Url = None,
    json_: o.Json = False,
    quiet: o.Quiet = False,
) -> None:  # fmt: skip
    """Fetch bars (or news) of a span into a store.

    Without --from two years (less where Yahoo forgets), without --to up to the last finished
    bar. What is stored already is not fetched again. Whatever stops the command (Ctrl-C, a lost
    connection, kill -9), the same command goes on where it was. Alpaca's keys are read from
    APCA_API_KEY_ID and APCA_API_SECRET_KEY; yahoo and ccxt need none.

    Exit code 3: no connection, or a symbol that could not be had; the others are stored.
    """
    from touchstone.pipelines.fetch import fetch as run
    from touchstone.pipelines.fetch import vendor_config
    from touchstone.pipelines.fetch_news import fetch_news
    from touchstone.pipelines.tables import date_ns

    settings = _settings(source, timeframe, calendar, set_)
    config = vendor_config(settings)
    folder = store or Path(config.path)
    first = _since(config.history_ns) if start is None else date_ns(start)
    last = None if to is None else date_ns(to) + _DAY_NS
    wanted = (_symbols(symbols, symbols_file), first, last)
    means, progress = _means((rate, threads), url), _progress(quiet=quiet or json_)
    if news:
        outcomes = fetch_news(folder, source, wanted, means, progress)
    else:
        outcomes = run(folder, config, wanted, means, progress)
    _tell(outcomes, folder, as_json=json_)


@app.command()
def update(
    store: StoreNeeded,
    symbols: o.Symbols = None,
    rate: Rate = 200,
    threads: Threads = 8,
    url: Url = None,
    json_: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Bring a store up to the last finished bar, as each instrument was fetched before.

    The two days before the last stored bar are fetched again and compared: where the vendor now
    says something else, old and new value go to the log of revisions. Of adjusted bars four days
    of a month ago too: where the adjustment changed (a split, a dividend), even late, they are
    fetched again as a whole.

    Exit code 3: no connection, or a symbol that could not be had; the others are up to date.
    """
    from touchstone.pipelines.fetch import update as run

    chosen = None if symbols is None else _symbols(symbols.split(","), None)
    progress = _progress(quiet=quiet or json_)
    _tell(run(store, _means((rate, threads), url), progress, chosen), store, as_json=json_)


@app.command()
def status(
    store: StoreNeeded,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file and compare it with the manifest.")
    ] = False,
    json_: o.Json = False,
) -> None:
    """Say what a store holds: bars, chunks still open, failures with reasons, revisions, hashes.

    Exit code 3 with --verify, where a file is not what the manifest says.
    """
    from touchstone.pipelines.holdings import holdings, holdings_text

    told = holdings(store, verify=verify)
    typer.echo(json.dumps(told, indent=1) if json_ else holdings_text(told))
    if told["problems"]:
        raise typer.Exit(_FAILED)


def _settings(
    source: str, timeframe: str, calendar: str | None, pairs: list[str] | None
) -> dict[str, Any]:
    from touchstone.pipelines.study import nested, parse_overrides

    more = {} if calendar is None else {"calendar": calendar}
    return {
        "source": source,
        "timeframe": timeframe,
        **more,
        **nested(parse_overrides(pairs or [])),
    }


def _symbols(typed: Sequence[str] | None, file: Path | None) -> tuple[str, ...]:
    try:
        lines = [] if file is None else file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is no text: needs one symbol a line, as UTF-8") from None
    words = [*(typed or ()), *(line.partition("#")[0] for line in lines)]
    out = tuple(word.strip() for word in words if word.strip())
    if not out:
        raise ConfigError("no symbols: name some, as in touchstone data fetch AAPL MSFT")
    return out


def _means(pace: tuple[int, int], url: str | None) -> "Means":
    """Clock, waits and keys: only here are they taken from the machine."""
    from touchstone.data.downloads.download import Pace
    from touchstone.data.downloads.token_bucket import TokenBucket
    from touchstone.pipelines.downloading import Means

    rate, threads = pace
    if url is not None:
        _check_address(url)
    bucket = TokenBucket(rate, time.monotonic, time.sleep)
    return Means(_keys, Pace(bucket, time.sleep, threads), time.time_ns, url)


def _check_address(url: str) -> None:
    """An address that is none would be tried again and again.

    Raises:
        ConfigError: not http or https, or no host.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError("--url: needs the address of a server, as in http://127.0.0.1:8080")


def _keys(names: tuple[str, ...]) -> "Secrets":
    """Keys from the environment.

    Raises:
        ConfigError: one is not set.
    """
    from touchstone.data.http import Secrets

    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigError(f"the environment has no {' and no '.join(missing)}: export them first")
    return Secrets({name: os.environ[name] for name in names})


def _since(history_ns: int) -> int:
    """The first midnight, UTC, that lies less than so long ago."""
    return (time.time_ns() - history_ns) // _DAY_NS * _DAY_NS + _DAY_NS


def _progress(*, quiet: bool) -> "Terminal":
    from touchstone.cli.terminal import Terminal, console

    return Terminal(console(), -1 if quiet else 0, _BAR_AFTER_SECONDS)


def _tell(outcomes: "list[Outcome]", folder: Path, *, as_json: bool) -> None:
    from touchstone.pipelines.holdings import moment

    told = [
        {
            "symbol": one.symbol,
            "timeframe": one.timeframe,
            "new": one.n_new,
            "bars": one.row.n_bars if one.row else 0,
            "first": moment(one.row.first) if one.row else None,
            "last": moment(one.row.last) if one.row else None,
            "revisions": one.n_revisions,
            "reasons": list(one.reasons),
        }
        for one in outcomes
    ]
    failed = [one for one in outcomes if one.reasons]
    if as_json:
        typer.echo(json.dumps({"store": str(folder), "symbols": told}, indent=1))
    else:
        for one in failed:
            typer.echo(f"{one.symbol}: {'; '.join(one.reasons)}", err=True)
        n_new = sum(one.n_new for one in outcomes)
        revised = sum(one.n_revisions for one in outcomes)
        typer.echo(
            f"{folder}: {len(outcomes) - len(failed)} of {len(outcomes)} symbols complete, "
            f"{n_new:,} new, {revised:,} revised"
        )
    if failed:
        raise typer.Exit(_FAILED)
