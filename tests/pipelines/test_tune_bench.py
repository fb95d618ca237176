"""A bench comes to a worker as it was, its market once for all of them, its secrets in no file."""

import pickle

import pytest

from searches import tune_file
from touchstone.data.cache import StageCache
from touchstone.errors import DataError
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.tune_bench import _unpacked, at_home, bare, packed, with_secrets
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.tune_trial import Bench, attempt
from touchstone.pipelines.tune_trials import _sent
from touchstone.tuning.search import begin
from touchstone.tuning.space import space_of
from touchstone.tuning.storage import Place, place_of
from tuning.searches import a_search

SECRETS = (("password", "hunter2hunter2"),)


def test_benches_of_one_market_share_it(tmp_path):
    cache = StageCache(tmp_path)
    place = Place("postgresql://me@host/db", shared=True, secrets=SECRETS)
    searches = [a_search(tmp_path, name=name, place=place) for name in "ab"]
    benches = [Bench("asked", {"market": 1}, one, cache, print, None) for one in searches]
    places = [packed(bench) for bench in benches]
    assert places[0].market == places[1].market
    assert len(cache.keys("benches")) == 3
    for bench, one in zip(benches, places, strict=True):
        found = _unpacked(one)
        assert found.cache.root == cache.root
        assert found._replace(cache=bench.cache) == bench
    assert packed(benches[0]) == places[0]
    assert not any(b"hunter2" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    cache.clear()
    with pytest.raises(DataError, match="cleared"):
        _unpacked(places[0])


@pytest.fixture
def bench(tmp_path):
    """Of the tiny search; its market lies in a cache that another machine does not see."""
    asked = read_tune(tune_file(tmp_path))
    (model,) = asked.study.config.models
    study, cache = asked.alone(model), StageCache(tmp_path / "here")
    prepared = prepare(study, *load(study, Silent(), cache), cache, Silent())
    space = space_of(model, study.config.training, {}, "space")
    search = a_search(tmp_path, space=space, n_trials=1)
    return Bench(asked, _sent(prepared), search, StageCache(tmp_path / "there"), MemoryLedger, None)


def test_a_machine_that_has_nothing_makes_the_market_itself_and_runs_trials(bench, tmp_path):
    place = place_of(f"sqlite:///{tmp_path}/trials.db", tmp_path)
    bench = bench._replace(search=bench.search._replace(place=place))
    begin(bench.search, alone=False)
    with pytest.raises(DataError, match="the cache was cleared"):
        attempt(bench)
    begin(bench.search, alone=True)
    assert attempt(at_home(pickle.loads(pickle.dumps(bench)))).state == "complete"


def test_a_machine_that_does_not_see_the_trials_says_how_it_would(bench):
    with pytest.raises(DataError, match=r"does not see the trials.*--storage postgresql"):
        at_home(bench)
    without, secrets = bare(with_secrets(bench, SECRETS))
    assert (without.search.place.secrets, secrets) == ((), SECRETS)
