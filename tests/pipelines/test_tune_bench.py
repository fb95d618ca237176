"""A bench comes to a worker as it was, and the market lies in the cache once for all of them."""

import pytest

from touchstone.data.cache import StageCache
from touchstone.errors import DataError
from touchstone.pipelines.tune_bench import _unpacked, packed
from touchstone.pipelines.tune_trial import Bench


def test_benches_of_one_market_share_it(tmp_path):
    cache = StageCache(tmp_path)
    benches = [Bench("asked", {"market": 1}, name, tmp_path, print, None) for name in "ab"]
    places = [packed(bench._replace(cache=cache)) for bench in benches]
    assert places[0].market == places[1].market
    assert len(cache.keys("benches")) == 3
    for bench, place in zip(benches, places, strict=True):
        found = _unpacked(place)
        assert found.cache.root == cache.root
        assert found._replace(cache=bench.cache) == bench
    assert packed(benches[0]._replace(cache=cache)) == places[0]
    cache.clear()
    with pytest.raises(DataError, match="cleared"):
        _unpacked(places[0])
