"""`audit`: does anything in a study know what came later?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from touchstone.cli import options as o


def audit(
    study: o.Study = "quickstart",
    bars: o.Bars = None,
    set_: o.Set = None,
    symbols: o.Symbols = None,
    from_: o.From = None,
    to: o.To = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the cuts and the scrambles.")] = 0,
    layers: Annotated[
        str | None,
        typer.Option(help="Only these, as in A,B: A rows, B fits and choices, C folds, C2 fills, "
                     "D provenance, E ledger, F smoke."),
    ] = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    quiet: o.Quiet = False,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Look for leaks: replace everything after t; nothing at or before t may change by one bit.

    The study's own code runs on its own last 1,500 bars of at most 8 instruments, again and
    again, each time with another future: cut off, along another path, with other instruments,
    blank. Features, side inputs, folds, scalers, fits, thresholds, choices, orders and fills must
    stay what they were. Ends PASS, or HALT (exit code 4) with the first value that changed and
    the fewest bars that show it. The gate asks for a clean audit.

    Example: touchstone audit study.yaml --bars data/1h --layers A,C
    """
    from touchstone.cli.studies import overrides
    from touchstone.cli.terminal import Terminal, console
    from touchstone.errors import RefusedError
    from touchstone.pipelines.audit_study import audit_study, told
    from touchstone.pipelines.study import read_study
    from touchstone.pipelines.workspace import Workspace

    asked = overrides(set_, None, (symbols, from_, to), bars, study)
    progress = Terminal(console(), -1 if quiet or json_ else 0)
    found = audit_study(read_study(study, asked), Workspace(out, ledger), (layers, seed), progress)
    typer.echo(json.dumps(found.facts, indent=1) if json_ else told(found))
    if found.word == "HALT":
        n = len(found.findings)
        raise RefusedError(
            f"HALT: {n} layer{'s' * (n > 1)} of the audit found a leak; the first: "
            f"{found.findings[0].sentence}"
        )
