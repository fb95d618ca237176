"""`cache`: what the workspace keeps for the machine."""

import json
from pathlib import Path

import typer

from touchstone.cli import options as o

app = typer.Typer(help="Finished stages, by content hash; safe to clear.", no_args_is_help=True)


@app.command()
def show(out: o.Out = Path(), json_: o.Json = False) -> None:
    """List cached stages with their sizes."""
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.columns import count
    from touchstone.pipelines.workspace import Workspace

    cache = StageCache(Workspace(out).cache)
    entries = cache.entries()
    if json_:
        typer.echo(json.dumps([e._asdict() for e in entries], indent=1, default=str))
        return
    stages: dict[str, list[int]] = {}
    for entry in entries:
        stages.setdefault(entry.stage, []).append(entry.size)
    for stage, sizes in sorted(stages.items()):
        told = ""
        if stage == "features":
            told = "  {:,} columns, {:,} different".format(*count(cache))
        typer.echo(f"{stage:<12} {len(sizes):>6} entries {sum(sizes) / 1e6:>10,.1f} MB{told}")
    typer.echo(
        f"{'all':<12} {len(entries):>6} entries {sum(e.size for e in entries) / 1e6:>10,.1f} MB"
    )


@app.command()
def clear(out: o.Out = Path(), stage: o.Stage = None, json_: o.Json = False) -> None:
    """Delete cached stages; runs and the ledger stay."""
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.workspace import Workspace

    n = StageCache(Workspace(out).cache).clear(stage)
    noun = "entry" if n == 1 else "entries"
    typer.echo(json.dumps({"deleted": n}) if json_ else f"{n} {noun} deleted")
