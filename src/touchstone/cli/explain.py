"""`explain`: what a run's model goes by, what would turn its decisions, and where it errs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError

if TYPE_CHECKING:
    from touchstone.reports.explain import PartName

Run: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run: its folder, its name, or the start of it; or the "
                   "folder of an artifact that a run here made."),
]  # fmt: skip
Model: TypeAlias = Annotated[
    str | None,
    typer.Option("--model", metavar="KIND", help="Another model of the study, as gru or gru 2; "
                 "that of the chosen candidate by default, or of the one that came closest."),
]  # fmt: skip
Rows: TypeAlias = Annotated[
    int,
    typer.Option("--rows", min=1, help="Test rows drawn, all folds together: more of them narrow "
                 "the intervals and take longer. Error slices always take all."),
]  # fmt: skip
Threshold: TypeAlias = Annotated[
    float | None,
    typer.Option("--threshold", metavar="P", help="Score from which on a row counts as accepted; "
                 "the best F1 on each fold's validation rows by default."),
]  # fmt: skip
Only: TypeAlias = Annotated[
    str | None,
    typer.Option("--only", metavar="PARTS", help="Some parts, comma-separated: permutation, shap, "
                 "gradients, attention, counterfactuals, robustness, errors. What was computed "
                 "before stays on the page."),
]  # fmt: skip


def explain(
    run: Run,
    model: Model = None,
    rows: Rows = 1500,
    threshold: Threshold = None,
    only: Only = None,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: Annotated[
        bool, typer.Option("--again", help="Compute once more what the cache holds.")
    ] = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Explain a run's model on test rows that it never saw: a page, and its figures as JSON.

    Which features it needs (permutation importance, SHAP, with intervals), where in the window it
    looks (attention), the smallest change that would turn a decision, what noise and attackers
    within that noise do to it, and the parts of the rows in which it errs. Each fold's model is
    asked about its own purged test before the seal; no sealed row is scored, and nothing is tried,
    so the trial ledger gets no candidate.

    Read it as what the model does, not as what moves the market; and choose nothing by it that a
    new run on new data does not confirm.

    Writes explain.html and explain.json into the run's folder. Finished parts are kept: after
    Ctrl-C the same command goes on, and a second call takes seconds.

    Example: touchstone explain quickstart
    """
    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines.explain import Wish
    from touchstone.pipelines.explain import explain as ask_model
    from touchstone.pipelines.explain_folds import Which
    from touchstone.pipelines.run import Ask
    from touchstone.pipelines.workspace import Workspace
    from touchstone.reports.explain import told

    wish = Wish(run, Which(model, rows, threshold), _parts(only))
    ask = Ask(Workspace(out, ledger), jobs or os.cpu_count() or 1, command_line(), again)
    found = ask_model(wish, ask, Terminal(console(), -1 if quiet or json_ else int(verbose)))
    if json_:
        typer.echo(found.file.read_text(), nl=False)
        return
    for line in told(found.result):
        typer.echo(line)
    typer.echo(f"page    {found.page}")
    typer.echo(f"result  {found.file}")


def _parts(only: str | None) -> "tuple[PartName, ...]":
    """The parts that are named, in their order."""
    from difflib import get_close_matches

    from touchstone.reports.explain import PARTS

    if only is None:
        return PARTS
    asked = [word.strip() for word in only.split(",") if word.strip()]
    for word in asked:
        if word not in PARTS:
            near = get_close_matches(word, PARTS, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"--only {word!r}: needs some of {', '.join(PARTS)}{meant}")
    if not asked:
        raise ConfigError(f"--only {only!r}: names no part; needs some of {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in asked)
