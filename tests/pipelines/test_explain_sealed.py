"""What lies behind the seal changes no byte of an explanation, whatever the model."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from small import write_bars
from touchstone.data.cache import StageCache
from touchstone.pipelines import explain as verb
from touchstone.pipelines.explain_folds import Reopened, Which, restored
from touchstone.pipelines.explain_methods import lending, permutation
from touchstone.pipelines.finished import Finished
from touchstone.pipelines.learn import Task, learn
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import parse_study
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.explain import PARTS
from touchstone.reports.explain_page import page
from touchstone.simulation.planted import MarketConfig, simulate
from touchstone.validation.ledger import SqliteLedger

STUDY = {
    "name": "sealed",
    "bars": {"source": "parquet", "path": "bars", "timeframe": "1h", "calendar": "24/7"},
    "features": {
        "set": "none",
        "extra": {
            "volume_now": "log(volume) - mean(log(volume), 24)",
            "move": "close / lag(close, 1) - 1",
            "hour": "sin(pi * hour / 12)",
        },
    },
    "lookback": 4,
    "label": {
        "kind": "triple_barrier", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    },
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "8d", "test": "12d",
        "folds": 2, "sealed": "10d",
    },
    "models": [{"kind": "logistic", "max_iterations": 10}, {"kind": "gru", "hidden": 4}],
    "training": {"rows": 400, "epochs": 1},
    "strategy": {"kind": "cost_aware", "margin_bp": [0], "max_positions": 2},
}  # fmt: skip
WHICH = Which(rows=80)


def resources_of(folder):
    """Of a workspace."""
    workspace = Workspace(folder)
    return Resources(StageCache(workspace.cache), ledger_of(workspace), Silent(), 1)


def reopened(folder, place, **changes):
    """The study on the bars of a folder."""
    study, resources = parse_study(STUDY | changes, folder, "sealed"), resources_of(folder)
    loaded, data = load(study, Silent(), resources.cache)
    prepared = prepare(study, loaded, data, resources.cache, Silent())
    return Reopened(Finished(Path("sealed"), None), study, prepared, place, is_chosen=True)


def opened(folder, place):
    """With its models fitted: (reopened, restored)."""
    of = reopened(folder, place)
    return of, restored(of, WHICH, resources_of(folder))


def told(folder, place):
    """`explain.json` of one model, every part made anew."""
    of, asked = opened(folder, place)
    wish = verb.Wish("sealed", WHICH)
    with Silent().stage("all", 1) as step:
        found = {part: verb._METHODS[part].make(of, asked, step) for part in PARTS}
    return verb._result(of, asked, wish, found).model_dump_json()


def scrambled(folder, seal):
    """Every bar that ends behind the seal becomes another one."""
    rng, n_changed = np.random.default_rng(0), 0
    for file in sorted(folder.glob("*.parquet")):
        bars = pl.read_parquet(file)
        late = bars["timestamp"].cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy() + HOUR > seal
        n_changed += int(late.sum())
        other = np.where(late, np.exp(np.cumsum(0.05 * rng.standard_normal(late.size) * late)), 1.0)
        price = [pl.col(n) * other for n in ("open", "high", "low", "close")]
        bars.with_columns(*price, pl.col("volume") * other[::-1] ** late).write_parquet(file)
    return n_changed


HOUR = 3_600_000_000_000


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Two workspaces whose bars differ behind the seal alone."""
    panel, _ = simulate(MarketConfig(n_instruments=2, n_bars=1500, ic=0.4), 5)
    true, other = tmp_path_factory.mktemp("true"), tmp_path_factory.mktemp("other")
    for folder in (true, other):
        write_bars(folder / "bars", panel)
    of, _ = opened(true, 0)
    assert scrambled(other / "bars", of.prepared.folds.seal) > 2 * 200
    return true, other


@pytest.mark.parametrize("place", [0, 1])
def test_sealed_bars_change_no_byte(twins, place):
    true, other = (told(folder, place) for folder in twins)
    assert true == other
    assert opened(twins[0], place)[0].prepared.data != opened(twins[1], place)[0].prepared.data


def test_a_winner_of_a_search_is_asked_as_it_was_refitted(twins):
    """Its fits last the epochs that the search found, and are drawn by their own seed."""
    refit = {"seed": 9, "epochs": [2, 1]}
    of = reopened(twins[0], 0, models=STUDY["models"][1:], refit=refit)
    resources, folds = resources_of(twins[0]), of.prepared.folds.folds
    tasks = [
        Task(of.model, fold, f"fold {i + 1}", epochs)
        for i, (fold, epochs) in enumerate(zip(folds, refit["epochs"], strict=True))
    ]
    fits = learn(of.study, of.prepared, tasks, resources)
    before = fits_counted(twins[0])
    asked = restored(of, WHICH, resources)
    assert fits_counted(twins[0]) == before > 0
    for one, fit in zip(asked.exposed, fits, strict=True):
        assert one.subject.fitted.files() == fit.restore(of.model).files()


def fits_counted(folder):
    """Fits in the ledger of a workspace."""
    book = SqliteLedger(folder / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")
    return sum(row.kind == "fit" for row in book.rows())


def test_a_test_too_short_for_its_days_to_change_places_is_left_out_and_told(twins):
    of, asked = opened(twins[0], 0)
    first, second = asked.exposed
    short = first._replace(subject=first.subject._replace(horizon=10_000))
    with Silent().stage("permutation", 1) as step:
        one = asked._replace(exposed=(short, second))
        found = permutation(of, one, step)
        assert found.n_rows == second.subject.rows.size
        assert [note[:40] for note in lending(one)[1]] == [
            "permutation importance leaves out fold 1"
        ]
        none = asked._replace(exposed=(short, short))
        assert permutation(of, none, step) is None
    result = verb._result(of, none, verb.Wish("sealed", WHICH), {})
    assert [n.split(":")[0] for n in result.notes] == [
        "permutation importance leaves out fold 1"
    ] * 2
    assert "lengthen the test" in page(result, "touchstone explain sealed")
    with pytest.raises(verb.ConfigError, match="lengthen the test"):
        verb._refuse(of, none, verb.Wish("sealed", WHICH, only=("permutation",)))
    verb._refuse(of, none, verb.Wish("sealed", WHICH))  # the whole page does without it
