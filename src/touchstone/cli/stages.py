"""`features`, `labels`, `inspect`: one stage alone, on bars of your own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError

if TYPE_CHECKING:
    from touchstone.data.sources import Loaded

T = TypeVar("T")


def features(
    bars: o.BarsNeeded,
    out: Annotated[Path, typer.Option("--out", help="Parquet or CSV file to write.")],
    set_: Annotated[str, typer.Option("--set", help="Set of the catalogue.")] = "baseline",
    extra: Annotated[
        list[str] | None,
        typer.Option("--extra", metavar="NAME=EXPRESSION", help="A feature of your own, as in "
                     "gap='open / lag(close, 1) - 1'; may be given more than once."),
    ] = None,
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
    side: Annotated[
        list[str] | None,
        typer.Option("--side", metavar="NAME=YAML", help="A side input, as in a study: "
                     "vix='{kind: macro, path: VIXCLS.csv, release_lag: 1b}'; may be repeated."),
    ] = None,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", metavar="DIR", help="Take columns from the cache of this "
                     "workspace where it has them, and keep new ones there."),
    ] = None,
) -> None:  # fmt: skip
    """Evaluate features over bars: one row a bar, known at its close; NaN while warming up."""
    from touchstone.cli.terminal import Terminal, console
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.tables import check_format, load_side, write_features
    from touchstone.pipelines.workspace import Workspace

    check_format(out)
    own = _once("--extra", [_pair(text) for text in extra or []])
    inputs = _once("--side", [_side(text) for text in side or []])
    loaded = load_bars(bars, bars_keys(timeframe, calendar, bars_set), symbols)
    loaded = load_side(loaded, inputs, Path())
    for finding in (f for f in loaded.findings if f.startswith("Side input")):
        typer.echo(finding, err=True)
    settings = {"set": set_, "extra": own}
    cache = None if workspace is None else StageCache(Workspace(workspace).cache)
    rows, columns = write_features(loaded.panel, settings, out, Terminal(console()), cache)
    typer.echo(f"{out}: {rows:,} rows, {columns} columns", err=True)


def labels(
    bars: o.BarsNeeded,
    out: Annotated[Path, typer.Option("--out", help="Parquet or CSV file to write.")],
    label: Annotated[
        str, typer.Option("--label", metavar="YAML", help="The label, as in a study.")
    ] = "{kind: triple_barrier, take_profit: 0.05, stop_loss: 0.02, horizon: 8}",
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
) -> None:
    """Label bars: outcome, exit, realised return before costs; empty where not known yet."""
    from touchstone.files import parse_yaml
    from touchstone.pipelines.tables import label_table

    loaded = load_bars(bars, bars_keys(timeframe, calendar, bars_set), symbols)
    write(label_table(loaded.panel, parse_yaml(label, "--label")), out)


def inspect(
    path: Annotated[Path, typer.Argument(help="A folder of bars, an artifact, or a run.")],
    timeframe: o.Timeframe = "1h",
    calendar: o.CalendarName = "24/7",
    bars_set: o.BarsSet = None,
    json_: o.Json = False,
) -> None:
    """Say what a folder holds: bars with findings, a verified artifact, or a run's verdict."""
    from touchstone.pipelines.inspect import inspected, told

    found = inspected(path, bars_keys(timeframe, calendar, bars_set))
    typer.echo(json.dumps(found, indent=1) if json_ else told(found))


def bars_keys(timeframe: str, calendar: str, pairs: list[str] | None) -> dict[str, Any]:
    """The options about bars, as a study would say them."""
    from touchstone.pipelines.study import nested, parse_overrides

    return {"timeframe": timeframe, "calendar": calendar, **nested(parse_overrides(pairs or []))}


def load_bars(bars: Path, more: dict[str, Any], symbols: str | None) -> "Loaded":
    """The bars; what was left out, and what a reader should know, goes to standard error."""
    from touchstone.pipelines.tables import load_folder

    loaded = load_folder(bars, more, names_of(symbols))
    for reject in loaded.rejects:
        typer.echo(f"left out {reject.file}: {reject.reason}", err=True)
    for finding in loaded.findings:
        typer.echo(finding, err=True)
    return loaded


def _once(option: str, pairs: list[tuple[str, T]]) -> dict[str, T]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{option}: {twice!r} is given twice: rename one")
    return dict(pairs)


def names_of(symbols: str | None) -> tuple[str, ...] | None:
    """What --symbols names; None: all."""
    return None if symbols is None else tuple(s.strip() for s in symbols.split(",") if s.strip())


def write(table: Any, out: Path) -> None:
    """Write a table by its file's suffix, and say so on standard error."""
    from touchstone.pipelines.tables import write_table

    write_table(table, out)
    typer.echo(f"{out}: {table.height:,} rows, {table.width} columns", err=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, expression = text.partition("=")
    if not equals:
        raise ConfigError(f"--extra {text!r}: needs NAME=EXPRESSION")
    return name.strip(), expression.strip()


def _side(text: str) -> tuple[str, dict[str, Any]]:
    from touchstone.files import parse_yaml

    name, equals, settings = text.partition("=")
    if not equals:
        raise ConfigError(f"--side {text!r}: needs NAME=YAML, as in vix={{kind: macro, path: ...}}")
    return name.strip(), parse_yaml(settings, f"--side {name.strip()}")
