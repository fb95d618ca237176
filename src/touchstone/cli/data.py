"""`data`: bars on disk, whether they can be trusted."""

import typer

from touchstone.cli import check_data

app = typer.Typer(help="Bars on disk: whether they can be trusted.", no_args_is_help=True)
app.command("check")(check_data.check)


@app.callback()
def _data() -> None:
    """Bars on disk: whether they can be trusted."""
