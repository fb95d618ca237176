"""`ensemble`: many models asked, one answer, compared with the best of them."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import asked
from touchstone.cli import options as o

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="ENSEMBLE.yaml", help="Who is asked, on which study.")
]


def ensemble(
    file: File,
    bars: o.Bars = None,
    set_: asked.Set = None,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: asked.Again = False,
    tracking: o.Tracking = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Combine a study's models in every way, and ask whether any beats the best of them.

    Members are fitted on the folds of a study; combinations only on validation rows, which no
    member was fitted to. On the test rows each is compared with the member that was best on
    validation rows. "better" is said by the code: a two-sided Ledoit-Wolf p of the difference of
    Sharpe ratios below 0.05 after Holm over all ensembles, and a positive difference. The best
    ensemble on validation rows is then taught to one small network (distil: null leaves that
    out). After Ctrl-C or a crash the same command goes on where it stood. The sealed rows stay
    closed.

    Example: touchstone ensemble examples/ensemble.yaml
    """
    from touchstone.cli.studies import command_line
    from touchstone.pipelines import ensemble as own
    from touchstone.pipelines.ensemble_config import read_ensemble
    from touchstone.pipelines.study import parse_overrides

    how = asked.How(out, ledger, jobs, again, tracking, quiet, verbose, json_)
    what = read_ensemble(file, parse_overrides(set_ or []), bars)
    asked.answer(own.ensemble, what, how, command_line())
