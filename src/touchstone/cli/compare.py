"""`compare`: finished runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN ...", help="Two or more runs: folders, names, or the "
                       "starts of names."),
    ],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page of it as well.")
    ] = None,
    out: o.Out = Path(),
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Put two or more runs side by side: what was asked, what was found, and on which data.

    Keys of the config that differ, verdicts, net return and Sharpe with intervals, costs, trades,
    AUCs. Runs on other data, or judged on other days, are no fair comparison, and that is said.

    Example: touchstone compare quickstart my-study --html compare.html
    """
    if len(runs) < 2:
        raise ConfigError(f"compare needs two runs or more, got {len(runs)}: touchstone runs list")
    from touchstone.cli.studies import command_line
    from touchstone.files import write_text
    from touchstone.pipelines.finished import find
    from touchstone.reports.compare import comparison, table_lines
    from touchstone.reports.compare_page import page

    found = [find(out / "runs", run) for run in runs]
    named = [(one.name, one.result) for one in found]
    told = comparison(named)
    if html is not None:
        write_text(html, page(told, [one.result for one in found], command_line()))
    if json_:
        typer.echo(told.model_dump_json(indent=1))
        return
    for line in table_lines(told):
        typer.echo(line)
    if html is not None:
        typer.echo(f"page    {html}")
