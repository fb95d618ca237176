"""Downloads that are stopped anywhere go on; a second telling is compared, never mixed in."""

import dataclasses
import itertools
import threading
import time
from contextlib import closing

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from downloads import Clock, adjusted, changed, config, means, walk
from touchstone.data import articles
from touchstone.data.downloads.pages import last_complete
from touchstone.data.downloads.plan import Plan
from touchstone.data.downloads.revisions import RevisionLog
from touchstone.data.sources.alpaca import AlpacaConfig
from touchstone.data.store import BarStore
from touchstone.errors import ConfigError, DataError
from touchstone.files import lock
from touchstone.market import Calendar, Timeframe
from touchstone.pipelines.fetch import fetch, update
from touchstone.pipelines.fetch_news import fetch_news
from touchstone.pipelines.progress import Silent
from vendor_server import Answer, VendorServer, article
from walks import HOUR_NS, START_NS

HOURLY = Timeframe("1h")
FIELDS = ("time", "open", "high", "low", "close", "volume")
RAW = {"adjustment": "raw"}
N_PAGES = 34  # 850 bars of two symbols in chunks of 200 and pages of 60


@pytest.fixture
def server():
    bars = {s: walk(s, 900, i) for i, s in enumerate(("AAA", "BBB"))}
    with VendorServer(bars, page=60) as server:
        yield server


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    """Chunks of 200 bars, so that a download has many of them."""
    monkeypatch.setattr(AlpacaConfig, "span_ns", property(lambda _: 200 * HOUR_NS))


def run(folder, server, hours, symbols=("AAA", "BBB"), start=0, **settings):
    wanted = (symbols, START_NS + start * HOUR_NS, None)
    made = fetch(folder, config(**settings), wanted, means(server, hours), Silent())
    return {outcome.symbol: outcome for outcome in made}


def same(folder, symbol, true):
    """The store's bars are those of `true`, up to the last one stored."""
    found = BarStore(folder).read(symbol, HOURLY)
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(found, field), getattr(true, field)[: len(found)])
    return len(found)


def test_nothing_is_asked_for_twice(server, quick_folder):
    run(quick_folder, server, 850.5)
    n = len(server.asked)
    wishes = {tuple(sorted(a.parameters.items())) for a in server.asked}
    assert len(wishes) == n == N_PAGES
    outcomes = run(quick_folder, server, 850.5)
    assert len(server.asked) == n
    assert all((o.n_new, o.n_revisions, o.reasons) == (0, 0, ()) for o in outcomes.values())
    assert [same(quick_folder, s, server.bars[s]) for s in ("AAA", "BBB")] == [850, 850]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.tuples(st.integers(20, 300), st.integers(40, 900)),
    threads=st.integers(1, 5),
    start=st.integers(0, 300),
)
def test_no_cut_of_time_or_pages_changes_what_is_stored(server, quick_folder, cut, threads, start):
    server.page, span = cut
    AlpacaConfig.span_ns = property(lambda _: span * HOUR_NS)  # put back by `short_chunks`
    folder = quick_folder / f"{cut} {threads} {start}"
    wanted = (("AAA", "BBB"), START_NS + start * HOUR_NS, None)
    fetch(folder, config(), wanted, means(server, 850.5, threads=threads), Silent())
    for symbol in ("AAA", "BBB"):
        found, true = BarStore(folder).read(symbol, HOURLY), server.bars[symbol]
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(found, field), getattr(true, field)[start:850])


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bad=st.sets(st.integers(0, 5), min_size=1, max_size=5),
    adjustment=st.sampled_from(["raw", "all"]),
)
def test_whatever_fails_at_first_no_hole_is_stored_and_the_rest_follows(
    server, quick_folder, bad, adjustment
):
    folder = quick_folder / f"{bad} {adjustment}"
    starts = sorted(
        {
            *range(
                START_NS // (200 * HOUR_NS) * 200 * HOUR_NS, START_NS + 850 * HOUR_NS, 200 * HOUR_NS
            )
        }
    )
    dead = {f"{np.datetime64(max(START_NS, starts[i]), 'ns')}Z" for i in bad if i < len(starts)}
    server.mischief = lambda asked, answer: (
        Answer({}, 422) if asked.parameters["start"] in dead else answer
    )
    run(folder, server, 850.5, ("AAA",), adjustment=adjustment)
    true = server.bars["AAA"]
    if BarStore(folder).rows():
        found = BarStore(folder).read("AAA", HOURLY)
        at = int(np.searchsorted(true.time, found.time[0]))
        np.testing.assert_array_equal(found.time, true.time[at : at + len(found)])
    server.mischief = lambda _, answer: answer
    run(folder, server, 850.5, ("AAA",), adjustment=adjustment)
    assert same(folder, "AAA", true) == 850


def test_threads_work_side_by_side_and_no_more_than_told(server, quick_folder):
    under_way, most, together = [0], [0], threading.Lock()

    def count(_, answer):
        with together:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.01)
        with together:
            under_way[0] -= 1
        return answer

    server.mischief = count
    run(quick_folder, server, 850.5)
    assert 2 <= most[0] <= 3


def test_the_rate_holds_over_all_threads(server, quick_folder):
    clock = Clock()
    wanted = (("AAA", "BBB"), START_NS, None)
    fetch(quick_folder, config(), wanted, means(server, 850.5, clock=clock, rate=10), Silent())
    assert clock.now >= (N_PAGES - 10) * 6, "ten a minute"


class Stop(BaseException):
    """What an interrupt does: no error of ours, nothing catches it."""


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, 25), min_size=1, max_size=4))
def test_stopped_at_any_page_it_goes_on_and_keeps_what_it_had(server, quick_folder, stops):
    folder = quick_folder / f"{stops}"
    server.asked.clear()

    kept = Plan.keep
    for stop in stops:
        left = itertools.count(stop, -1)

        def keep(self, *args, left=left):
            out = kept(self, *args)
            if next(left) == 0:
                raise Stop
            return out

        Plan.keep = keep
        try:
            wanted = (("AAA", "BBB"), START_NS, None)
            fetch(folder, config(**RAW), wanted, means(server, 850.5), Silent())
        except Stop:
            pass
        finally:
            Plan.keep = kept
        assert BarStore(folder).verify() == ()
    run(folder, server, 850.5, **RAW)
    assert [same(folder, s, server.bars[s]) for s in ("AAA", "BBB")] == [850, 850]
    # a stop loses what is under way, one page a thread, and nothing that was kept
    assert len(server.asked) <= N_PAGES + 3 * len(stops)


def test_a_hole_is_never_stored(server, quick_folder):
    bad = [True]

    def mischief(asked, answer):
        in_second = "2022-01-1" in asked.parameters["start"] and asked.symbol == "AAA"
        return Answer({"message": "no"}, 422) if in_second and bad[0] else answer

    server.mischief = mischief
    outcomes = run(quick_folder, server, 850.5)
    assert outcomes["AAA"].reasons
    first = same(quick_folder, "AAA", server.bars["AAA"])
    assert 0 < first < 850, "what lies before the hole is stored, what lies beyond waits"
    bad[0] = False
    n = len(server.asked)
    assert run(quick_folder, server, 850.5)["AAA"].reasons == ()
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 850
    assert len(server.asked) - n <= 10, "only what had failed"


def test_a_longer_past_joins_without_a_hole(server, quick_folder):
    run(quick_folder, server, 850.5, start=500, **RAW)
    assert BarStore(quick_folder).rows()[0].first == START_NS + 500 * HOUR_NS
    n = len(server.asked)
    run(quick_folder, server, 850.5, start=100, **RAW)
    assert BarStore(quick_folder).rows()[0].first == START_NS + 100 * HOUR_NS
    starts = [a.parameters["start"] for a in server.asked[n:]]
    assert max(starts) < str(np.datetime64(START_NS + 500 * HOUR_NS, "ns")), "only the new past"
    run(quick_folder, server, 850.5, start=0, **RAW)
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 850


def test_an_update_compares_two_days_and_tells_what_changed(server, quick_folder):
    run(quick_folder, server, 500.5, **RAW)
    before = BarStore(quick_folder).read("AAA", HOURLY)
    true = server.bars["AAA"]
    gone = dataclasses.replace(true, **{f: np.delete(getattr(true, f), 490) for f in FIELDS})
    server.bars["AAA"] = changed(gone, [480, 485, 400], 1.02)  # row 400 lies before the overlap
    n = len(server.asked)
    outcomes = {o.symbol: o for o in update(quick_folder, means(server, 600.5), Silent())}
    assert outcomes["AAA"].n_revisions == 3
    assert (outcomes["BBB"].n_revisions, outcomes["BBB"].n_new) == (0, 100)
    told = {r.time: r for r in RevisionLog(quick_folder / "revisions.sqlite").rows("AAA")}
    assert sorted(told) == [START_NS + h * HOUR_NS for h in (480, 485, 490)]
    row = told[START_NS + 480 * HOUR_NS]
    assert row.old[3] == before.close[480]
    assert row.new[3] == server.bars["AAA"].close[480] == row.old[3] * 1.02
    assert row.fetched_at == START_NS + int(600.5 * HOUR_NS)
    assert told[START_NS + 490 * HOUR_NS].new is None
    after = BarStore(quick_folder).read("AAA", HOURLY)
    assert after.close[480] == row.new[3]
    assert after.time[490] == START_NS + 490 * HOUR_NS, "what was seen and withdrawn stays"
    assert min(a.parameters["start"] for a in server.asked[n:]) == "2022-01-19T19:00:00.000000000Z"
    again = update(quick_folder, means(server, 600.5), Silent())
    assert [o.n_revisions for o in again] == [0, 0], "a withdrawal is told once"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("place", "name"), [(RevisionLog, "append"), (BarStore, "write"), (Plan, "stored")]
)
def test_stopped_between_comparing_and_storing(server, quick_folder, place, name, after):
    run(quick_folder, server, 500.5, ("AAA",), **RAW)
    was = server.bars["AAA"].close[480]
    server.bars["AAA"] = changed(server.bars["AAA"], [480], 1.02)
    true = getattr(place, name)

    def stopping(self, *words):
        if after:
            true(self, *words)
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, stopping)
        with pytest.raises(Stop):
            update(quick_folder, means(server, 600.5), Silent())
    store, log = BarStore(quick_folder), RevisionLog(quick_folder / "revisions.sqlite")
    assert store.read("AAA", HOURLY).close[480] == was or len(log.rows()) == 1, "logged before"
    (outcome,) = update(quick_folder, means(server, 620.5), Silent())
    assert outcome.reasons == ()
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 620
    (row,) = log.rows()
    assert (row.old[3], row.new[3]) == (was, server.bars["AAA"].close[480])


def test_a_split_is_never_joined_to_bars_from_before_it(server, quick_folder):
    run(quick_folder, server, 500.5, ("AAA",))
    server.bars["AAA"] = adjusted(server.bars["AAA"], 490, 0.5)
    (outcome,) = update(quick_folder, means(server, 600.5), Silent())
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 600
    assert outcome.reasons == ()
    assert outcome.n_revisions == 490, "each bar before the split has another price now"
    assert len(RevisionLog(quick_folder / "revisions.sqlite").rows()) == 490


def test_a_split_that_the_vendor_adjusts_for_late_is_seen(server, quick_folder):
    """Days after it, when the last two days lie behind it, history is adjusted at last."""
    run(quick_folder, server, 500.5, ("AAA",), adjustment="split")
    (outcome,) = update(quick_folder, means(server, 600.5), Silent())
    assert (outcome.n_new, outcome.n_revisions) == (100, 0)
    server.bars["AAA"] = adjusted(server.bars["AAA"], 510, 0.5)
    (outcome,) = update(quick_folder, means(server, 620.5), Silent())
    assert (outcome.reasons, outcome.n_revisions) == ((), 510)
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 620


def test_a_split_whose_history_cannot_be_had_ends_and_waits(server, quick_folder):
    run(quick_folder, server, 500.5, ("AAA",))
    before = BarStore(quick_folder).rows()
    server.bars["AAA"] = adjusted(server.bars["AAA"], 490, 0.5)
    server.mischief = lambda asked, answer: (
        Answer({}, 422) if asked.parameters["start"] < "2022-01-05" else answer
    )
    for _ in range(2):
        (outcome,) = update(quick_folder, means(server, 600.5), Silent())
        assert outcome.reasons == ("Alpaca answers 422: {}",)
        assert BarStore(quick_folder).rows() == before, "the old ones stand"
    server.mischief = lambda _, answer: answer
    (outcome,) = update(quick_folder, means(server, 600.5), Silent())
    assert (outcome.reasons, same(quick_folder, "AAA", server.bars["AAA"])) == ((), 600)


def test_an_update_goes_on_with_what_is_stored_though_all_of_it_failed(server, quick_folder):
    """After a split the whole history is asked for; where all of that fails, it is asked again."""
    run(quick_folder, server, 500.5, ("AAA",), adjustment="split")
    server.bars["AAA"] = adjusted(server.bars["AAA"], 500, 0.5)
    n = len(server.asked)
    server.mischief = lambda asked, answer: Answer({}, 503) if asked.n > n + 1 else answer
    assert update(quick_folder, means(server, 510.5), Silent())[0].reasons != ()
    server.mischief = lambda _, answer: answer
    assert [o.reasons for o in update(quick_folder, means(server, 520.5), Silent())] == [()]
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 520


def test_an_update_leaves_alone_what_never_was(server, quick_folder):
    run(quick_folder, server, 500.5, ("AAA", "NOPE"))
    assert [o.symbol for o in update(quick_folder, means(server, 600.5), Silent())] == ["AAA"]
    (named,) = update(quick_folder, means(server, 600.5), Silent(), ("NOPE",))
    assert named.reasons


def test_a_longer_past_of_adjusted_bars_is_fetched_whole(server, quick_folder):
    run(quick_folder, server, 500.5, ("AAA",), start=300)
    server.bars["AAA"] = adjusted(server.bars["AAA"], 400, 0.5)
    run(quick_folder, server, 500.5, ("AAA",), start=0)
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 500


def test_adjusted_pages_that_waited_are_not_joined_to_new_ones(server, quick_folder):
    server.mischief = lambda asked, answer: Answer({}, 503) if asked.n > 1 else answer
    wanted = (("AAA",), START_NS, None)
    reach = means(server, 850.5, threads=1)
    (outcome,) = fetch(quick_folder, config(), wanted, reach, Silent())
    assert outcome.reasons
    with closing(Plan(quick_folder / "plan.sqlite")) as plan:
        assert {c.state for c in plan.chunks()} == {"failed"}
        assert sum(c.n_pages for c in plan.chunks()) == 2
    server.bars["AAA"] = adjusted(server.bars["AAA"], 800, 0.5)
    server.mischief = lambda _, answer: answer
    run(quick_folder, server, 870.5, ("AAA",))
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 870


def test_a_vendor_that_lost_its_past_changes_nothing(server, quick_folder):
    run(quick_folder, server, 500.5, ("AAA",), **RAW)
    before = BarStore(quick_folder).rows()
    server.mischief = lambda *_: Answer({"bars": {}, "next_page_token": None})
    (outcome,) = update(quick_folder, means(server, 600.5), Silent())
    assert "now lacks 49 of 49 bars" in outcome.reasons[0]
    assert BarStore(quick_folder).rows() == before
    server.mischief = lambda _, answer: answer
    (outcome,) = update(quick_folder, means(server, 600.5), Silent())
    assert outcome.reasons == ()
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 600


@pytest.mark.parametrize("adjustment", ["raw", "split"])
@pytest.mark.parametrize("how", ["torn", "gone"])
@pytest.mark.parametrize("again", ["fetch", "update"])
def test_a_damaged_file_is_fetched_anew(server, quick_folder, adjustment, how, again):
    """The same command is the way out, also where it is stopped on the way."""

    def once():
        if again == "fetch":
            return run(quick_folder, server, 510.5, ("AAA",), adjustment=adjustment)["AAA"]
        return update(quick_folder, means(server, 510.5), Silent())[0]

    run(quick_folder, server, 500.5, ("AAA",), adjustment=adjustment)
    store = BarStore(quick_folder)
    path = quick_folder / store.rows()[0].file
    path.unlink() if how == "gone" else path.write_bytes(path.read_bytes()[:-9])
    assert len(store.verify()) == 1
    n = len(server.asked)
    server.mischief = lambda asked, answer: Answer({}, 503) if asked.n > n + 3 else answer
    assert once().reasons != ()
    server.mischief = lambda _, answer: answer
    assert once().reasons == ()
    assert store.verify() == ()
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 510
    n = len(server.asked)
    once()
    assert len(server.asked) - n <= 4


def test_a_damaged_file_is_kept_where_the_vendor_has_less_now(server, quick_folder):
    run(quick_folder, server, 500.5, ("AAA",), **RAW)
    (row,) = BarStore(quick_folder).rows()
    (quick_folder / row.file).write_bytes(b"torn")
    whole = server.bars["AAA"]
    late = {n: getattr(whole, n)[100:] for n in FIELDS}
    server.bars["AAA"] = dataclasses.replace(whole, **late)
    (outcome,) = update(quick_folder, means(server, 500.5), Silent())
    assert "of its 500 bars the vendor has 400 now" in outcome.reasons[0]
    assert BarStore(quick_folder).rows() == (row,)
    assert (quick_folder / row.file).read_bytes() == b"torn"


def test_other_marks_are_refused_before_anything_is_asked(server, quick_folder):
    run(quick_folder, server, 300.5, ("AAA",))
    n = len(server.asked)
    for other in ({"feed": "iex"}, {"adjustment": "raw"}):
        with pytest.raises(DataError, match="never mix"):
            run(quick_folder, server, 400.5, ("AAA",), **other)
    assert len(server.asked) == n


def test_pages_of_another_wish_are_given_up(server, quick_folder):
    """A download of one feed that was cut short leaves nothing to one of another."""
    server.mischief = lambda asked, answer: Answer({}, 503) if asked.n > 2 else answer
    run(quick_folder, server, 850.5, ("AAA",))
    server.mischief = lambda _, answer: answer
    server.bars["AAA"] = adjusted(server.bars["AAA"], 900, 0.5)  # what the other feed prints
    n = len(server.asked)
    assert run(quick_folder, server, 850.5, ("AAA",), feed="iex")["AAA"].reasons == ()
    assert {a.parameters["feed"] for a in server.asked[n:]} == {"iex"}
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 850


def test_many_updates_leave_one_chunk(server, quick_folder):
    for hours in range(300, 400, 7):
        run(quick_folder, server, hours + 0.5) if hours == 300 else update(
            quick_folder, means(server, hours + 0.5), Silent()
        )
    plan = Plan(quick_folder / "plan.sqlite")
    assert [c.state for c in plan.chunks("1h", "AAA")] == ["stored"]
    plan.close()
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 398


def test_the_plan_is_scaffolding(server, quick_folder):
    run(quick_folder, server, 300.5, **RAW)
    for path in quick_folder.glob("plan.sqlite*"):
        path.unlink()
    outcomes = run(quick_folder, server, 400.5, **RAW)
    assert all((o.n_revisions, o.n_new) == (0, 100) for o in outcomes.values())
    assert same(quick_folder, "AAA", server.bars["AAA"]) == 400


def test_two_downloads_do_not_meet(server, quick_folder):
    with (
        lock(quick_folder / ".download.lock"),
        pytest.raises(DataError, match="another process is at work"),
    ):
        run(quick_folder, server, 300.5)


def test_symbols_that_are_none(server, quick_folder):
    for symbol in ("../../etc", "aapl", "A\nB", "А", ""):  # a Cyrillic A
        with pytest.raises(DataError, match="is not a symbol"):
            run(quick_folder, server, 300.5, (symbol,))
    with pytest.raises(ConfigError, match="nothing to fetch"):
        run(quick_folder, server, 300.5, ())
    with pytest.raises(ConfigError, match="nothing to fetch"):
        run(quick_folder, server, 300.5, start=400)
    assert server.asked == []


@pytest.mark.parametrize(
    ("now", "timeframe", "calendar", "last"),
    [
        ("2022-03-10T15:30", "1h", "24/7", "2022-03-10T14:00"),
        ("2022-03-10T15:00", "1h", "24/7", "2022-03-10T14:00"),
        ("2022-03-10T14:59:59", "1h", "24/7", "2022-03-10T13:00"),
        ("2022-03-10T15:30", "1d", "24/7", "2022-03-09"),
        ("2022-03-10T20:59", "1d", "XNYS", "2022-03-09"),  # New York closes at 21:00 UTC
        ("2022-03-10T21:00", "1d", "XNYS", "2022-03-10"),
        ("2022-03-15T20:00", "1d", "XNYS", "2022-03-15"),  # and at 20:00 in summer
        ("2021-11-26T18:00", "1d", "XNYS", "2021-11-26"),  # the day after Thanksgiving: 13:00
    ],
)
def test_the_last_bar_that_is_complete(now, timeframe, calendar, last):
    now_ns = int(np.datetime64(now, "ns").astype(np.int64))
    frame = Timeframe(timeframe)
    end = last_complete(now_ns, frame, Calendar(calendar), 0)
    grid = np.arange(end - end % frame.ns - 5 * frame.ns, end, frame.ns)
    assert np.datetime64(int(grid[grid < end][-1]), "ns") == np.datetime64(last, "ns")


def minutes(n):
    return START_NS + n * 60 * 10**9


def news(folder, server, hours, symbols=("AAA", "BBB"), start=0):
    wanted = (symbols, START_NS + start * HOUR_NS, None)
    return fetch_news(folder, "alpaca", wanted, means(server, hours), Silent())


def test_news_come_once_and_an_edit_is_a_further_row(quick_folder):
    written = [article(i, ["AAA", "BBB"][: 1 + i % 2], minutes(90 * i)) for i in range(100)]
    with VendorServer({}, page=7, articles=written) as server:
        assert [o.n_new for o in news(quick_folder, server, 100)] == [67, 33]
        assert [o.n_new for o in news(quick_folder, server, 100)] == [0, 0]
        server.articles[66] = article(66, ["AAA"], minutes(90 * 66), minutes(90 * 66 + 5), "edited")
        server.articles.append(article(500, ["AAA"], minutes(101 * 60)))
        outcomes = news(quick_folder, server, 120)
        assert all(o.reasons == () for o in outcomes)
    rows = articles.read(quick_folder / "news")
    both = [r for r in rows if (r.id, r.symbol) == ("66", "AAA")]
    assert [(r.headline, r.updated_at) for r in both] == [
        ("headline 66", minutes(90 * 66)),
        ("edited", minutes(90 * 66 + 5)),
    ]
    assert both[0].fetched_at == START_NS + 100 * HOUR_NS
    assert both[1].fetched_at == START_NS + 120 * HOUR_NS
    assert "500" in {r.id for r in rows}
    assert len({r.version for r in rows}) == len(rows)


def test_the_table_of_news_has_the_columns_that_its_readers_know(quick_folder):
    with VendorServer({}, articles=[article(1, ["AAA"], minutes(1))]) as server:
        news(quick_folder, server, 10, ("AAA",))
    (path,) = (quick_folder / "news").glob("*.parquet")
    schema = {f.name: str(f.type) for f in pq.read_schema(path)}
    times = dict.fromkeys(("created_at", "updated_at", "fetched_at"), "timestamp[ns, tz=UTC]")
    texts = dict.fromkeys(("id", "symbol", "headline", "summary", "source"), "string")
    assert schema == times | texts


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"symbols": ["ZZZ"]}, "is about"),
        ({"updated_at": "2021-01-01T00:00:00Z"}, "before it was written"),
        ({"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}, "not asked"),
        ({"created_at": "yesterday"}, "Alpaca's time"),
        ({"headline": 3}, "something else than text"),
        ({"id": None}, "no id"),
        ({"id": "\x1b[2J\n", "symbols": []}, r"article '\x1b[2J\n' is about"),
    ],
)
def test_news_that_cannot_be_are_refused(quick_folder, change, says):
    with VendorServer({}, articles=[article(1, ["AAA", "BBB"], minutes(1))]) as server:

        def mischief(asked, answer):
            if asked.symbol != "AAA":
                return answer
            return Answer({"news": [{**answer.body["news"][0], **change}], "next_page_token": None})

        server.mischief = mischief
        first, second = news(quick_folder, server, 10)
    assert says in first.reasons[0]
    assert (second.reasons, second.n_new) == ((), 1)


def test_half_a_surrogate_pair_is_kept_out_of_the_table(quick_folder):
    with VendorServer({}, articles=[article(1, ["AAA"], minutes(1), None, "a\ud800b")]) as server:
        (outcome,) = news(quick_folder, server, 10, ("AAA",))
    assert outcome.n_new == 1
    assert articles.read(quick_folder / "news")[0].headline == "a?b"


def test_a_source_without_news_says_so(quick_folder):
    with pytest.raises(ConfigError, match="no news; alpaca has"):
        fetch_news(quick_folder, "yahoo", (("AAA",), 0, None), means("http://x", 1), Silent())
