"""`power`: how often does the whole pipeline find an edge whose true worth is known?"""

from pathlib import Path
from typing import Annotated

import typer

from touchstone.cli import options as o
from touchstone.cli.calibrate import show
from touchstone.errors import ConfigError


def power(
    targets: Annotated[
        str, typer.Option(help="True annual net Sharpes of the chosen candidate, comma-separated.")
    ] = "1,2,3,3.5",
    markets: Annotated[int, typer.Option(min=1, help="Markets at the largest target.")] = 200,
    others: Annotated[
        int | None, typer.Option(min=1, help="Markets at each other target, a quarter by default.")
    ] = None,
    decoys: Annotated[
        int | None, typer.Option(min=0, help="Markets of each decoy; as --others by default.")
    ] = None,
    pilot: Annotated[int, typer.Option(min=1, help="Markets a strength of the pilot.")] = 8,
    instruments: Annotated[int, typer.Option(min=1, max=1000, help="Of each market.")] = 20,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    quiet: o.Quiet = False,
    json_: o.Json = False,
) -> None:
    """Judge markets whose edge is known, and count how often the verdict finds it.

    Each is four years of bars of twenty instruments with a planted signal; fifty candidates are
    compared before the seal, at default costs, and one look is taken at the last fifth. A pilot
    finds the strength of the signal at which the chosen candidate is truly worth the wanted
    Sharpe; what each is worth is measured on 20 fresh years of its own market, and printed beside
    what was wanted. Decoys, whose edge dies, stand beside the curve.

    Some 8 seconds of one core a market. Every market is journaled in .touchstone/power.jsonl:
    after Ctrl-C the same command resumes, and more --markets continue where fewer ended. The page
    and its figures are written to power/.

    Example: touchstone power --targets 2,3.5 --markets 40 --jobs 2
    """
    import os

    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines.power import PowerConfig, Wish
    from touchstone.pipelines.power import power as run
    from touchstone.reports.power import told

    wanted = _targets(targets)
    fewer = others or max(markets // 4, 1)
    config = PowerConfig(pilot=pilot)
    market = config.market.model_copy(update={"n_instruments": instruments})
    found = run(
        Wish(
            config=config.model_copy(update={"market": market}),
            targets=tuple((s, markets if s == wanted[-1] else fewer) for s in wanted),
            decoys=fewer if decoys is None else decoys,
            root=out,
            jobs=jobs or os.cpu_count() or 1,
            command=command_line(),
        ),
        Terminal(console(), -1 if quiet or json_ else 0),
    )
    show(found.folder, told(found.result), json_)


def _targets(text: str) -> tuple[float, ...]:
    try:
        wanted = sorted({float(part) for part in text.split(",")})
    except ValueError:
        wanted = []
    if not wanted or not all(0 < one <= 20 for one in wanted):
        raise ConfigError(
            f"--targets {text!r}: needs annual Sharpes above 0, at most 20, comma-separated, as in "
            "1,2,3.5"
        )
    return tuple(wanted)
