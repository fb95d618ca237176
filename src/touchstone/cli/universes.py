"""`universe`: what a universe file says, and the asset ids that are kept beside it."""

import json
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import options as o

app = typer.Typer(help="Instruments, groups, who belonged when; ids.", no_args_is_help=True)
_File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="UNIVERSE.yaml", help="A universe file; see docs/universe.md.")
]


@app.command()
def show(
    path: _File,
    on: Annotated[
        str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="Who belonged on this day.")
    ] = None,
    json_: o.Json = False,
) -> None:
    """Read a universe and say what it holds: instruments, groups, members, who left."""
    from touchstone.data.asset_ids import ids_file, read_ids
    from touchstone.data.universe import read_universe

    universe = read_universe(path)
    members = None if on is None else universe.members_on(on)
    ids = read_ids(ids_file(path))
    if json_:
        facts = {
            "symbols": universe.symbols,
            "groups": universe.groups,
            "left": universe.left,
            "members": members,
            "ids": {symbol: i for i, symbol in enumerate(ids)},
        }
        typer.echo(json.dumps(facts, indent=1))
        return
    typer.echo(f"{len(universe.symbols)} instruments, {len(universe.left)} of which left")
    for group, symbols in universe.groups.items():
        typer.echo(f"  {group:<20} {len(symbols):>5}  {_some(symbols)}")
    if members is not None:
        typer.echo(f"{len(members)} members on {on}: {_some(members)}")
    typer.echo(f"{len(ids)} asset ids in {ids_file(path).name}" if ids else "no asset ids yet")
    if not universe.left:
        typer.echo("warning  a list of today: every result carries a survivorship banner")


@app.command()
def ids(path: _File, json_: o.Json = False) -> None:
    """Give every instrument an id that it keeps; those at hand never change."""
    from touchstone.data.asset_ids import assign, ids_file
    from touchstone.data.universe import read_universe

    universe = read_universe(path)
    kept = assign(ids_file(path), universe.symbols, universe.renamed)
    if json_:
        typer.echo(json.dumps({symbol: i for i, symbol in enumerate(kept)}, indent=1))
    else:
        typer.echo(f"{ids_file(path)}: ids 0 .. {len(kept) - 1}")


def _some(symbols: tuple[str, ...], n: int = 8) -> str:
    return ", ".join(symbols[:n]) + (" ..." if len(symbols) > n else "")
