"""A table on disk that grows by what was learnt, and never changes what was known."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchstone.data.side_store import learn, load
from touchstone.data.side_table import SideTable
from touchstone.errors import DataError, SourceError

DAY_NS = 86_400_000_000_000


def seen(figures, day, symbols=None):
    """What a source shows on a day: event -> figure."""
    event = np.array([e * DAY_NS for e in figures], np.int64)
    known = np.full(event.size, day * DAY_NS)
    names = None if symbols is None else np.array(symbols, np.str_)
    return SideTable.of(event, known, {"x": np.array(list(figures.values()), np.float64)}, names)


def figures(table):
    """The newest figure of each event."""
    return {int(e) // DAY_NS: float(x) for e, x in
            zip(table.event_time, table.values["x"], strict=True) if not np.isnan(x)}  # fmt: skip


looks = st.lists(
    st.dictionaries(st.integers(0, 9), st.sampled_from([1.0, 2.0, float("nan")]), min_size=1),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks)
def test_every_moment_stays_as_it_was_seen(quick_folder, some):
    path = quick_folder / "x.parquet"
    path.unlink(missing_ok=True)
    shown, then = {}, []
    for day, look in enumerate(some, start=10):
        new = {e for e, x in look.items() if not np.isnan(x) and shown.get(e) != x}
        blank = {e for e, x in look.items() if np.isnan(x) and e not in shown}
        before = load(path) if path.exists() else None
        n_new = learn(path, seen(look, day))
        assert len(new) <= n_new <= len(new | blank)
        shown |= {e: x for e, x in look.items() if not np.isnan(x)}
        then.append((day, dict(shown)))
        if before is not None:
            same = load(path).as_of((day - 1) * DAY_NS)
            np.testing.assert_array_equal(same.values["x"], before.values["x"])
    for day, known in then:
        assert figures(load(path).as_of(day * DAY_NS)) == known
    if shown:
        assert learn(path, seen(shown, 99)) == 0, "as it was known"


def test_instruments_are_told_apart_and_a_study_reads_the_file(tmp_path):
    path = tmp_path / "x.parquet"
    learn(path, seen({1: 1.0, 2: 2.0}, 5, ["AAA", "BRK.B"]))
    assert learn(path, seen({1: 1.0, 2: 2.0}, 6, ["AAA", "BRK.B"])) == 0
    assert learn(path, seen({1: 1.5, 2: 2.0}, 7, ["AAA", "BRK.B"])) == 1
    assert learn(path, seen({1: 1.0}, 8, ["NEW"])) == 1
    table = load(path)
    assert table.symbols == ("AAA", "BRK.B", "NEW")
    np.testing.assert_array_equal(table.values["x"], [1, 2, 1.5, 1])


def test_the_past_and_other_columns_are_refused_and_the_file_stays(tmp_path):
    path = tmp_path / "x.parquet"
    learn(path, seen({1: 1.0}, 5))
    bytes_ = path.read_bytes()
    with pytest.raises(DataError, match="the past is not filled in"):
        learn(path, seen({1: 2.0}, 4))
    with pytest.raises(DataError, match="cannot take rows"):
        learn(path, seen({1: 2.0}, 6, ["AAA"]))
    assert path.read_bytes() == bytes_
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    with pytest.raises(SourceError, match=r"bad\.parquet"):
        learn(tmp_path / "bad.parquet", seen({1: 1.0}, 5))


def test_writers_at_once_lose_nothing(quick_folder):
    path = quick_folder / "x.parquet"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: learn(path, seen({i: float(i)}, 50, [f"S{i}"])), range(12)))
    assert len(load(path)) == 12


def test_an_empty_cell_beside_a_revision_takes_nothing_back(tmp_path):
    path = tmp_path / "x.parquet"

    def look(day, a, b):
        event, known = np.array([DAY_NS]), np.array([day * DAY_NS])
        return SideTable.of(event, known, {"a": np.array([a]), "b": np.array([b])})

    assert learn(path, look(5, 4.0, 1.0)) == 1
    assert learn(path, look(6, float("nan"), 2.0)) == 1
    assert learn(path, look(7, 4.0, 2.0)) == 0  # both are as they were known
    assert learn(path, look(8, 4.5, float("nan"))) == 1
    assert learn(path, look(9, 4.5, 2.0)) == 0
