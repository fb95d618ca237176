"""Finished runs with everything that the gate asks for beside them, as its pipelines write it."""

from small import small_study
from touchstone.pipelines.finished import find
from touchstone.pipelines.run import ledger_of, record_run
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.result import Diagnostic, to_json
from touchstone.validation.gate import AUDIT_LAYERS

EDGES = {
    "logistic": {"models": [{"kind": "logistic"}]},
    "trees": {"models": [{"kind": "lightgbm"}], "seed": 11},
    "threshold": {
        "models": [{"kind": "logistic"}],
        "strategy": {"kind": "threshold", "entry_threshold": [0.3], "max_positions": 4},
        "seed": 12,
    },
}
"""Three studies of a strong planted edge, each of another model, strategy or market."""
QUICK = {
    "bars": {"source": "simulated", "market": {"n_instruments": 6, "n_bars": 4800, "ic": 0.5}},
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "25d", "test": "30d",
        "folds": 1, "sealed": "65d",
    },
    "training": {"rows": 3000, "epochs": 2},
}  # fmt: skip


def edge_study(folder, name):
    """One of `EDGES` as a file."""
    return small_study(folder, **(QUICK | EDGES[name] | {"name": name}))


def book_of(out):
    """The workspace's ledger."""
    return ledger_of(Workspace(out))()


def run_of(out, name):
    """A finished run by its name."""
    return find(out / "runs", name)


def recorded(out, run):
    """The newest row about a run."""
    return book_of(out).written("run", run.result.fingerprint)[-1]


def audited(out, run, **changes):
    """The row that a leak audit of this run's study writes, which takes half a minute to earn."""
    row = recorded(out, run)
    facts = {
        "result": "PASS", "source": row["source"], "data": row["data"], "findings": [],
        "slice": {"symbols": ["S00", "S01"], "bars": 1500},
        "layers": {layer: {"checks": 9, "found": False, "notes": []} for layer in AUDIT_LAYERS},
    }  # fmt: skip
    book_of(out).record("audit", run.result.fingerprint, row["data"], facts | changes)


def with_diagnostics(out, run, **values):
    """The run as if its study had found these diagnostics: written, and recorded as it does."""
    market, row = run.result.market, recorded(out, run)
    found = {key: Diagnostic(value=value) for key, value in values.items()}
    changed = market.model_copy(update={"diagnostics": market.diagnostics | found})
    result = run.result.model_copy(update={"market": changed})
    record_run(book_of(out), row["source"], row["data"], result, row["artifact"])
    (run.folder / "result.json").write_bytes(to_json(result))
    return run_of(out, run.name)
