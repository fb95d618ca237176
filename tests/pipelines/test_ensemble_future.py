"""Bars behind a moment change nothing of an ensemble before it: no weight, no choice, no score."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.ensembles import ENSEMBLES, Combined
from touchstone.errors import ConfigError, DataError
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.ensemble import find
from touchstone.pipelines.ensemble_compare import compare_all, contenders
from touchstone.pipelines.ensemble_config import Ensembles, read_ensemble
from touchstone.pipelines.ensemble_markets import Compared, Rival
from touchstone.pipelines.ensemble_members import read_expressions
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import parse_overrides

TINY = Path(__file__).parents[2] / "examples" / "ensemble_tiny.yaml"


def asked(*settings) -> Ensembles:
    return read_ensemble(TINY, parse_overrides(["distil=null", *settings]))


def found_of(ask: Ensembles, panel, folder: Path):
    """Everything that is found of a panel: the market, what was found, what was fitted."""
    data, ledger = panel.content_hash(), MemoryLedger()
    loaded = Loaded(panel, (), (), f"future:{data[:16]}", None)
    resources = Resources(StageCache(folder), lambda: ledger, Silent(), 1)
    prepared = prepare(ask.study, loaded, data, resources.cache, Silent())
    return prepared, *find(ask, prepared, ledger, resources)


def scrambled(panel, moment: int):
    """The bars that close after a moment are others: prices turned upside down, volumes swapped."""
    late = np.flatnonzero(panel.available_at > moment)
    changed = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close")}
    volume = panel.volume.copy()
    for k in range(panel.n_instruments):
        mine = late[panel.asset_id[late] == k]
        level = panel.close[mine[0]] ** 2
        high, low = level / panel.low[mine], level / panel.high[mine]
        changed["open"][mine], changed["close"][mine] = (
            level / panel.open[mine], level / panel.close[mine],
        )  # fmt: skip
        changed["high"][mine], changed["low"][mine] = high, low
        volume[mine] = panel.volume[mine][::-1]
    return replace(panel, **changed, volume=volume)


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The market as it was and with another end, from the middle of the last test rows on."""
    ask, folder = asked(), tmp_path_factory.mktemp("future")
    panel = load(ask.study, Silent())[0].panel
    one = found_of(ask, panel, folder)
    test = one[0].folds.folds[-1].test
    moment = int(np.median(panel.available_at[test]))
    return ask, moment, one, found_of(ask, scrambled(panel, moment), folder)


def told(combined: Combined):
    """What was fitted, as bytes; of the pruned mean its selection."""
    return combined.files() or getattr(combined, "selection", None)


def test_the_end_that_was_planted_is_another(twice):
    _, moment, (prepared, _, fitted), (other, _, refitted) = twice
    late = prepared.panel.available_at[prepared.folds.folds[-1].test] > moment
    assert not np.array_equal(prepared.labels.outcome, other.labels.outcome)
    changed = fitted.learned[0][-1].test != refitted.learned[0][-1].test
    assert changed[late].any()


def test_no_weight_and_no_choice_knows_the_test_rows(twice):
    ask, _, (_, one, fitted), (_, other, refitted) = twice
    assert set(fitted.combined) == {*ENSEMBLES.kinds(), "pruned"}
    for name, folds in fitted.combined.items():
        for a, b in zip(folds, refitted.combined[name], strict=True):
            np.testing.assert_array_equal(a.validate, b.validate, name)
            assert str(told(a.combined)) == str(told(b.combined)), name
    assert one.compared.best == other.compared.best
    assert one.compared.validated == other.compared.validated  # and so every setting, and teacher
    assert [c.name for c in one.compared.contenders] == [c.name for c in other.compared.contenders]
    assert ask.config.choose_by == "pr_auc"


def test_no_combined_score_before_the_moment_knows_what_came_after(twice):
    _, moment, (prepared, _, fitted), (_, _, refitted) = twice
    n_changed = 0
    for name, folds in fitted.combined.items():
        for number, (a, b) in enumerate(zip(folds, refitted.combined[name], strict=True)):
            early = prepared.panel.available_at[prepared.folds.folds[number].test] <= moment
            assert early.any()
            np.testing.assert_array_equal(a.test[early], b.test[early], name)
            np.testing.assert_array_equal(a.weights[early], b.weights[early], name)
            n_changed += not np.array_equal(a.test, b.test)
    assert n_changed == len(fitted.combined)  # in the last fold, behind the moment


def test_no_best_member_where_validation_rows_tell_none(twice):
    """Planted: validation rows without a single target reached."""
    ask, _, (prepared, _, fitted), _ = twice
    outcome = prepared.labels.outcome.copy()
    rows = prepared.folds.folds[0].validate
    outcome[rows] = np.where(outcome[rows] == 1, 0, outcome[rows])
    barren = prepared._replace(labels=prepared.labels._replace(outcome=outcome))
    who = contenders(ask, fitted.learned, {})
    with pytest.raises(DataError, match="choose_by pr_auc: no member has one"):
        compare_all(ask, barren, who, MemoryLedger())


def test_a_column_that_cannot_be_read_is_refused_before_anything_is_fitted(twice):
    panel = twice[2][0].panel
    with pytest.raises(ConfigError, match=r"ensembles: regime: .*nope"):
        read_expressions(asked("ensembles=[{kind: regime, column: 'std(nope, 3)'}]"), panel)
    read_expressions(asked(), panel)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("members.0.name=mean", "an ensemble is called mean"),
        ("members.0.name=pruned", "an ensemble is called pruned"),
        ("ensembles=[{kind: hierarchy, groups: {a: [nobody]}}]", "no member is left for group 'a'"),
        ("ensembles=[{kind: bma, temper: inf}]", "less than or equal to"),
        ("ensembles=[{kind: weighted, diversity: inf}]", "less than or equal to"),
    ],
)
def test_what_no_market_can_mend_is_refused_as_it_is_read(setting, words):
    with pytest.raises(ConfigError, match=words):
        asked(setting)


def test_a_win_by_regime_is_corrected_for_those_named_beforehand_and_for_no_others():
    def told(regime, moe, hierarchy, difference=1.0):
        p = {"regime": regime, "moe": moe, "hierarchy": hierarchy}
        rivals = [Rival(n, 2.0, difference, v, 1.0, False, 0.0, 1.0) for n, v in p.items()]
        return Compared("one", "one", (), [list(r) for r in rivals], 9).by_regime

    assert told(0.03, 0.04, 0.5) == []  # 2 x 0.03 is above 0.05
    assert told(0.02, 0.04, 0.5) == ["regime", "moe"]
    assert told(0.02, 0.2, 0.001) == ["regime"]  # a hierarchy without groups is none of them
    assert told(0.02, 0.04, 0.5, difference=-1.0) == []
