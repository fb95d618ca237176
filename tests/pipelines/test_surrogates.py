"""The search again on surrogate markets: resumable, uncounted, blind to the sealed rows."""

import json
from dataclasses import replace

import numpy as np
import pytest

import touchstone as ts
from small import small_study, touchstone
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.market.bars import FIELDS
from touchstone.pipelines import columns
from touchstone.pipelines.market import compared, search_market
from touchstone.pipelines.prepare import data_hash, load
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.seal import whole_span
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import read_study
from touchstone.pipelines.surrogates import surrogate_market, surrogates
from touchstone.simulation.surrogate import surrogate
from touchstone.validation.ledger import SqliteLedger
from touchstone.validation.surrogates import search_score, surrogate_test

BUDGET = 19
CHANGES = {
    "bars": {"source": "simulated", "market": {"n_instruments": 2, "n_bars": 4000, "ic": 0.0}},
    "models": [{"kind": "logistic"}],
    "lookback": 1,
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "25d", "test": "25d",
        "folds": 2, "sealed": "30d",
    },
    "costs": {"commission_bp": 0, "slippage_bp": 0},
    "surrogates": BUDGET,
}  # fmt: skip


class Market:
    """A study with its search done, and somewhere to keep its surrogates."""

    def __init__(self, folder, seed=8, **changes):
        self.study = read_study(str(small_study(folder, **(CHANGES | {"seed": seed} | changes))))
        self.bars = load(self.study, Silent())
        self.ledger = MemoryLedger()
        self.cache = StageCache(folder / "cache")
        self.prepared, _, self.comparison = search_market(self.study, self.bars, self.resources())

    def resources(self, jobs=1):
        return Resources(self.cache, lambda: self.ledger, Silent(), jobs)

    def tested(self, search=compared, jobs=1):
        return surrogates(self.study, self.prepared, self.comparison, search, self.resources(jobs))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A search that found by luck what is not there."""
    return Market(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def scores(small):
    """Surrogates' scores, one after the other, until three are as good, as the page says it."""
    study, prepared = small.study, small.prepared
    found, best = [], search_score(small.comparison.winner.returns)
    for number in range(BUDGET):
        if sum(score >= best for score in found) == 3:
            break
        made, _ = surrogate_market(prepared.loaded, prepared.folds.seal, study.config.seed, number)
        cache = StageCache(small.cache.root.parent / f"slow-{number}")
        resources = Resources(cache, MemoryLedger, Silent(), 1)
        winner = search_market(study, (made, data_hash(made)), resources).comparison.winner
        found.append(0.0 if winner is None else search_score(winner.returns))
    return found


def test_it_is_the_rule_over_the_searches_one_by_one(small, scores):
    best = search_score(small.comparison.winner.returns)
    assert best > 0
    assert len(set(scores)) > 3  # the surrogates differ
    assert 3 < len(scores) < BUDGET
    expected = surrogate_test(best, scores, BUDGET)
    before = small.ledger.candidates(whole_span(small.prepared))
    found = small.tested()
    assert found.test == expected
    told = found.told
    assert (told.p, told.score, told.scores) == (expected.p, best, expected.scores)
    assert (told.n_searched, told.n_exceedances) == (len(expected.scores), expected.n_exceedances)
    assert (told.n_garch, told.n_instruments) == (2, 2)
    assert small.ledger.candidates(whole_span(small.prepared)) == before  # no candidate more
    rows = [row for row in small.ledger.rows if row[0] == "surrogate"]
    assert len(rows) == 1
    assert rows[0][1:3] == (small.study.fingerprint, small.prepared.data)
    assert rows[0][3]["budget"] == BUDGET
    assert rows[0][3]["scores"] == list(expected.scores)


def test_it_goes_on_from_wherever_it_was_stopped(small, scores, tmp_path):
    """Stopped in the middle of each search in turn: what was done is done once."""
    whole = surrogate_test(search_score(small.comparison.winner.returns), scores, BUDGET)
    fresh = Market(tmp_path)
    searched = []

    def interrupted(study, bars, resources):
        if len(searched) in stops:
            stops.remove(len(searched))
            raise KeyboardInterrupt
        searched.append(bars[1])
        return compared(study, bars, resources)

    stops = [0, 1, 2]
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            fresh.tested(interrupted)
    assert fresh.tested(interrupted).test == whole
    assert len(searched) == len(set(searched)) == len(whole.scores)
    n_rows = len([row for row in fresh.ledger.rows if row[0] == "surrogate"])
    assert n_rows == 1  # a search that was stopped says nothing

    def never(*_):
        raise AssertionError("every score is in the cache")

    assert fresh.tested(never).test == whole
    assert not list(fresh.cache.root.glob(".making-*"))  # what the searches kept aside is gone


def test_other_processes_find_the_same(small, scores, tmp_path):
    expected = surrogate_test(search_score(small.comparison.winner.returns), scores, BUDGET)
    fresh = Market(tmp_path)
    assert fresh.tested(jobs=2).test == expected


def test_the_sealed_rows_play_no_part(small, scores):
    """Scrambled behind the seal, every surrogate before it is the same, and so is its score."""
    prepared, seed = small.prepared, small.study.config.seed
    panel, seal = prepared.panel, prepared.folds.seal
    after = panel.available_at > seal
    factor = np.exp(np.where(after, np.random.default_rng(3).normal(0, 1, len(panel)), 0.0))
    other = replace(panel, **{n: getattr(panel, n) * factor for n in FIELDS})
    for number in (0, 1):
        made = surrogate_market(prepared.loaded, seal, seed, number)[0]
        scrambled = surrogate_market(prepared.loaded._replace(panel=other), seal, seed, number)[0]
        for name in FIELDS:
            mine, theirs = getattr(made.panel, name), getattr(scrambled.panel, name)
            np.testing.assert_array_equal(mine[~after], theirs[~after])
            assert (mine[after] != theirs[after]).all()
        resources = Resources(small.cache, MemoryLedger, Silent(), 1)
        winner = compared(small.study, (scrambled, data_hash(scrambled)), resources).winner
        assert scores[number] == search_score(None if winner is None else winner.returns)


def test_only_bars_before_the_seal_are_made_anew_and_all_else_stays(small):
    prepared = small.prepared
    panel, seal = prepared.panel, prepared.folds.seal
    side = {"mood": np.arange(len(panel), dtype=float)}
    member = np.arange(len(panel)) % 7 > 0
    panel = replace(panel, side=side, member=member)
    made = surrogate_market(prepared.loaded._replace(panel=panel), seal, 3, 5)[0].panel
    early = panel.available_at <= seal
    alone = surrogate(panel.where(early), 3, 5).panel
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(made, name)[early], getattr(alone, name))
    for name in ("time", "offsets", "member"):
        np.testing.assert_array_equal(getattr(made, name), getattr(panel, name))
    np.testing.assert_array_equal(made.side["mood"], side["mood"])
    assert made.symbols == panel.symbols
    np.testing.assert_array_equal(made.volume[~early], panel.volume[~early])
    for i in range(panel.n_instruments):
        bars, real = made.bars(i), panel.bars(i)  # checks every law of bars
        seam = int(early[panel.asset_id == i].sum())
        np.testing.assert_allclose(
            bars.close[seam:] / bars.close[seam - 1], real.close[seam:] / real.close[seam - 1]
        )


def test_a_search_that_earned_nothing_needs_no_surrogate(tmp_path):
    dear = Market(tmp_path, costs={"commission_bp": 500, "slippage_bp": 5})
    assert dear.comparison.winner is None

    def never(*_):
        raise AssertionError("nothing to be searched")

    found = dear.tested(never)
    assert (found.test.p, found.told.n_searched, found.told.n_garch) == (1.0, 0, None)
    assert (found.drawn.budget, found.drawn.n_exceedances) == (BUDGET, 0)
    assert surrogates(
        read_study(str(small_study(tmp_path, **(CHANGES | {"surrogates": 0})))),
        dear.prepared, dear.comparison, never, dear.resources(),
    ) is None  # fmt: skip


def test_a_look_ahead_finds_as_much_where_nothing_is(tmp_path, monkeypatch):
    """A feature that knows the future makes any search look good, on surrogates no less."""
    true = columns.evaluate

    def peeking(plan, panel, **how):
        features = np.array(true(plan, panel, **how))
        for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
            features[a : b - 8, 0] = panel.close[a + 8 : b] / panel.close[a : b - 8] - 1
        return features

    monkeypatch.setattr(columns, "evaluate", peeking)
    found = Market(tmp_path).tested().test
    assert found.best > 4  # a t-value that nobody would doubt
    assert min(found.scores) > 4
    assert found.p > 0.05


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A market with an edge that surrogates cannot show."""
    out = tmp_path_factory.mktemp("edge")
    bars = {"source": "simulated", "market": {"n_instruments": 3, "n_bars": 5300, "ic": 0.4}}
    folds = CHANGES["folds"] | {"sealed": "65d"}
    path = small_study(out, **(CHANGES | {"bars": bars, "folds": folds}))
    return ts.run(str(path), out=out, jobs=1), out


def test_the_ledger_holds_one_row_of_it_and_no_candidate(finished):
    run, out = finished
    book = SqliteLedger(out / ".touchstone" / "ledger.sqlite", "test", "none", lambda: "now")
    assert book.verify() == ()
    kinds = [row.kind for row in book.rows()]
    assert [kinds.count(kind) for kind in ("sweep", "surrogate", "look")] == [1, 1, 1]
    assert kinds.index("surrogate") < kinds.index("look")
    assert kinds.count("fit") == 3  # two folds and the refit: those of the surrogates are theirs
    row = book.rows()[kinds.index("surrogate")]
    told = run.result.market.surrogates
    facts = json.loads(row.facts)
    assert row.config == run.result.fingerprint
    assert {k: facts[k] for k in ("p", "budget", "n_exceedances", "score", "scores")} == {
        "p": told.p, "budget": 19, "n_exceedances": 0, "score": told.score,
        "scores": list(told.scores),
    }  # fmt: skip
    assert run.result.market.ledger.n_candidates == len(run.result.market.candidates) == 2


def test_the_run_says_by_what_its_search_was_corrected(finished):
    run, _ = finished
    found = run.result.market
    assert found.verdict.word == "evidence"
    primary, secondary = found.verdict.conditions
    assert (secondary.name, secondary.value, secondary.met) == (
        "search-corrected p-value", 0.05, True,
    )  # fmt: skip
    assert "none of 19 surrogate markets did as well" in found.verdict.sentence
    assert "none of 19 surrogate markets did as well" in secondary.gloss
    assert "corrected by surrogate markets" in found.verdict.cannot_prove
    assert (found.surrogates.p, found.surrogates.n_searched) == (0.05, 19)
    page = run.report.read_text()
    assert "run again on 19\xa0surrogate markets" in page
    assert "Volatility paths: GARCH(1,1), fitted on all 3 instruments." in page
    assert primary.met


def test_the_budget_is_part_of_the_question_and_the_scores_are_not(finished, tmp_path):
    """Another budget is another study, and so another look; its searches are those done before."""
    run, _ = finished
    with_more = read_study(str(small_study(tmp_path, **(CHANGES | {"surrogates": 39}))))
    with_less = read_study(str(small_study(tmp_path, **CHANGES)))
    without = read_study(str(small_study(tmp_path, **(CHANGES | {"surrogates": 0}))))
    assert len({s.fingerprint for s in (with_more, with_less, without)}) == 3
    assert run.result.market.ledger.n_looks_studies == 1


def test_another_budget_searches_nothing_twice(scores, tmp_path):
    fresh = Market(tmp_path)
    done = fresh.tested().test
    more = fresh.study.config.model_copy(update={"surrogates": 39})

    def never(*_):
        raise AssertionError("every score is in the cache")

    again = surrogates(
        fresh.study._replace(config=more), fresh.prepared, fresh.comparison, never,
        fresh.resources(),
    )  # fmt: skip
    assert again.test == done._replace(budget=39)
    assert again.test.scores == tuple(scores)


def test_check_says_what_the_budget_costs_at_most(tmp_path):
    found = {}
    for budget in (0, BUDGET):
        path = small_study(tmp_path, **(CHANGES | {"surrogates": budget}))
        found[budget] = json.loads(touchstone("check", path, "--json")[1])
        code, text, _ = touchstone("check", path)
        assert code == 0
        assert ("19 at most, each the whole search again" in text) == (budget > 0)
    seconds = [found[budget]["core_seconds"] for budget in (0, BUDGET)]
    assert seconds[1] == pytest.approx(20 * seconds[0], rel=0.1)
