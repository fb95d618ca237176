"""News: what every bar could know of it, by a closed form and on days that a person can check."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.data.cache import StageCache
from touchstone.data.news.aggregates import aggregate
from touchstone.data.news.items import NewsColumns, Reading, read_items
from touchstone.data.news.novelty import novelty
from touchstone.data.news.scoring import STAGE, scores_of
from touchstone.data.scorers import SCORERS
from touchstone.data.side import SIDES, Place
from touchstone.errors import ConfigError, DataError, SourceError
from touchstone.market import Bars, Calendar, Panel, Timeframe
from walks import HOUR_NS, START_NS, flat, panel_of, random_walk

MINUTE_NS = HOUR_NS // 60
HALF_LIFE, MAX_AGE = 6 * HOUR_NS, 20 * HOUR_NS


def ns(text):
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return int(moment.astimezone(UTC).timestamp()) * 10**9


def items_of(rows, symbols=("AAA", "BBB")):
    """Rows (symbol, id, created, updated, text) in minutes after the first bar's start."""

    def time(k):
        return pl.Series([START_NS + r[k] * MINUTE_NS for r in rows]).cast(pl.Datetime("ns", "UTC"))

    frame = pl.DataFrame({
        "symbol": [r[0] for r in rows], "id": [r[1] for r in rows], "created_at": time(2),
        "updated_at": time(3), "text": [r[4] for r in rows],
    })  # fmt: skip
    return read_items(
        frame, Reading(NewsColumns(), None, MINUTE_NS, "published", "moment", symbols)
    )


PANEL = panel_of(
    *[Bars(s, *(getattr(random_walk(n, 2), c) for c in
                ("time", "open", "high", "low", "close", "volume")))
      for s, n in (("AAA", 30), ("BBB", 18), ("ZZZ", 5))]
)  # fmt: skip

story = st.tuples(
    st.sampled_from(["AAA", "BBB"]),
    st.integers(0, 4),
    st.integers(-300, 1800),
    st.sampled_from([0, 0, 0, 7, 400]),
    st.sampled_from(["up", "down", "flat", "more", "less", "soon"]),
).map(lambda r: (r[0], r[1], r[2], r[2] + r[3], r[4]))
stories = st.lists(story, min_size=1, max_size=25)
SCORE = {"up": 0.9, "down": -0.8, "flat": 0.0, "more": 0.3, "less": -0.2, "soon": 0.1}
FRESH = {"up": 1.0, "down": 0.5, "flat": 0.25, "more": 0.0, "less": 1.0, "soon": 0.75}


def aggregated(rows):
    """Aggregates of stories scored by their word; novelty is that of an item's first version."""
    items = items_of(rows)
    scores = np.array([[SCORE[t]] for t in items.texts])
    first = {int(i): FRESH[t] for i, t, f in
             zip(items.item, items.texts, items.first, strict=True) if f}  # fmt: skip
    fresh = np.array([first[int(i)] for i in items.item])
    return aggregate(items, scores, fresh, (HALF_LIFE, MAX_AGE), PANEL)


def reference(rows):
    """(mean, items, dispersion, novelty) a bar, from every row of the file at every bar."""
    order = sorted(range(len(rows)), key=lambda j: (rows[j][3], rows[j][2], j))
    out = np.full((len(PANEL), 4), np.nan)
    for i, at in enumerate(PANEL.available_at.tolist()):
        newest, first = {}, {}
        for j in order:
            symbol, id_, created, updated, word = rows[j]
            known = START_NS + (updated + 1) * MINUTE_NS
            if symbol == PANEL.symbols[PANEL.asset_id[i]] and known <= at:
                newest[id_] = word
                first.setdefault(id_, (START_NS + created * MINUTE_NS, word))
        if not newest or at - max(e for e, _ in first.values()) > MAX_AGE:
            continue
        w = np.array([0.5 ** ((at - first[k][0]) / HALF_LIFE) for k in newest])
        s = np.array([SCORE[word] for word in newest.values()])
        mean = w @ s / w.sum()
        fresh = w @ np.array([FRESH[first[k][1]] for k in newest]) / w.sum()
        out[i] = mean, w.sum(), np.sqrt(w @ (s - mean) ** 2 / w.sum()), fresh
    return out


@settings(max_examples=60)
@given(stories)
def test_aggregates_are_the_closed_form(rows):
    found = aggregated(rows)
    mine = np.stack([found.mean[:, 0], found.items, found.dispersion[:, 0], found.novelty], axis=1)
    np.testing.assert_allclose(mine, reference(rows), rtol=1e-9, atol=1e-7)


@settings(max_examples=60)
@given(stories, stories, st.integers(0, 30))
def test_items_known_later_change_no_bit_before(rows, others, hour):
    """More, fewer, edited and rescored items after T: nothing known at or before T moves."""
    until = hour * 60
    past = [r for r in rows if r[3] + 1 <= until]
    future = [r for r in others if r[3] + 1 > until]
    if not past:
        return
    one, two = (
        aggregated([*past, *(r for r in rows if r[3] + 1 > until)]),
        aggregated(past + future),
    )
    before = PANEL.available_at <= START_NS + until * MINUTE_NS
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a[before], b[before])


@settings(max_examples=40)
@given(stories, st.randoms(use_true_random=False))
def test_how_rows_lie_in_a_file_moves_no_bit(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    for a, b in zip(aggregated(rows), aggregated(mixed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_halve_and_an_edit_replaces_what_it_edits():
    rows = [("AAA", 1, 0, 0, "up"), ("AAA", 2, 360, 360, "down"), ("AAA", 1, 0, 719, "flat")]
    found = aggregated(rows)
    # bar 5 closes at 6:00; the second item is known at 6:01
    assert found.mean[5, 0] == 0.9
    assert found.items[5] == 0.5
    # bar 11 closes at 12:00 with weights 1/4 and 1/2; the edit is known at that very minute
    np.testing.assert_allclose(found.mean[10, 0], (1 * 0.9 + 2 * -0.8) / 3)
    np.testing.assert_allclose(found.mean[11, 0], 2 * -0.8 / 3)
    np.testing.assert_allclose(found.items[11], 0.75)


def test_novelty_is_the_share_of_words_not_heard_lately():
    rows = [
        ("AAA", 1, 0, 0, "Profit rose at Acme"),
        ("AAA", 2, 1, 1, "profit ROSE, again!"),
        ("BBB", 3, 2, 2, "Profit rose"),
        ("AAA", 4, 10_000, 10_000, "profit rose"),
        ("AAA", 1, 0, 10_001, "Profit fell at Acme"),
        ("AAA", 5, 10_002, 10_002, "!?"),
    ]
    items = items_of(rows)
    found = dict(zip(zip(items.texts, items.first, strict=True),
                     novelty(items, 24 * HOUR_NS), strict=True))  # fmt: skip
    assert found["Profit rose at Acme", True] == 1
    assert found["profit ROSE, again!", True] == pytest.approx(1 / 3)
    assert found["Profit rose", True] == 1, "the other instrument has not heard it"
    assert found["profit rose", True] == 1, "a week later"
    assert found["Profit fell at Acme", False] == 1, "a version keeps its item's"
    assert found["!?", True] == 0


# ---- calendars: which bar is the first that knows ------------------------------------------------


def session_bars(calendar, timeframe, days, hours=()):
    """Flat bars of the given dates: daily at 00:00 UTC, or at the given starts."""
    starts = hours or [f"{day}T00:00+00:00" for day in days]
    time = np.array([ns(s) for s in starts], np.int64)
    still = np.ones(time.size)
    bars = Bars("AAA", time, *[still] * 5)
    return Panel.from_bars([bars], Timeframe(timeframe), Calendar(calendar))


def first_to_know(panel, published, tmp_path, **settings):
    """The start of the first bar that knows an item, or None."""
    frame = pl.DataFrame(
        {"symbol": ["AAA"], "created_at": [published], "headline": ["good profit"]}
    )
    path = tmp_path / "news.csv"
    frame.write_csv(path)
    config = SIDES.parse({"kind": "news", "path": str(path), **settings})
    column = SIDES.part_of(config)(config, panel, Place()).columns[""]
    known = np.flatnonzero(~np.isnan(column))
    if not known.size:
        return None
    return str(np.datetime64(int(panel.time[known[0]]), "ns").astype("datetime64[m]"))


WEEK = ("2013-11-27", "2013-11-29", "2013-12-02", "2013-12-03")  # Thursday is Thanksgiving


@pytest.mark.parametrize(
    ("published", "first", "why"),
    [
        ("2013-11-27T09:00-05:00", "2013-11-27", "before the open, the same session"),
        ("2013-11-27T15:58-05:00", "2013-11-27", "two minutes before the close"),
        ("2013-11-27T15:59-05:00", "2013-11-27", "known at the very close"),
        ("2013-11-27T15:59:01-05:00", "2013-11-29", "processed a second after the close"),
        ("2013-11-27T20:00-05:00", "2013-11-29", "evening, and Thursday is a holiday"),
        ("2013-11-28T12:00-05:00", "2013-11-29", "on the holiday"),
        ("2013-11-29T12:30-05:00", "2013-11-29", "Friday closes early, at 13:00"),
        ("2013-11-29T14:00-05:00", "2013-12-02", "after the early close: Monday's"),
        ("2013-11-30T12:00-05:00", "2013-12-02", "on the weekend"),
        ("2013-12-01T23:59-05:00", "2013-12-02", "Sunday night"),
        ("2013-12-02T23:30+00:00", "2013-12-03", "UTC evening is after the close in New York"),
    ],
)  # fmt: skip
def test_daily_bars_of_new_york(published, first, why, tmp_path):
    panel = session_bars("XNYS", "1d", WEEK)
    assert first_to_know(panel, published, tmp_path) == f"{first}T00:00", why


@pytest.mark.parametrize(
    ("day", "published", "same"),
    [
        # clocks go forward on 2014-03-09: 16:00 New York is 21:00 UTC before, 20:00 UTC after
        ("2014-03-07", "2014-03-07T20:30+00:00", True),
        ("2014-03-10", "2014-03-10T20:30+00:00", False),
        # and back on 2014-11-02
        ("2014-10-31", "2014-10-31T20:30+00:00", False),
        ("2014-11-03", "2014-11-03T20:30+00:00", True),
    ],
)
def test_daily_bars_follow_the_clocks_of_new_york(day, published, same, tmp_path):
    later = str(np.datetime64(day) + np.timedelta64(3 if same is False and day[8:] == "31" else 1))
    panel = session_bars("XNYS", "1d", (day, later))
    first = first_to_know(panel, published, tmp_path)
    assert first == f"{day if same else later}T00:00"


def test_hourly_bars_of_new_york_end_with_an_early_close(tmp_path):
    hours = [f"2013-11-29T{h}:00-05:00" for h in ("11", "12")] + ["2013-12-02T09:00-05:00"]
    panel = session_bars("XNYS", "1h", (), hours)
    for published, first in (
        ("2013-11-29T11:30-05:00", "2013-11-29T16:00"),  # the bar of 11:00 in New York
        ("2013-11-29T11:59:30-05:00", "2013-11-29T17:00"),
        ("2013-11-29T12:59-05:00", "2013-11-29T17:00"),  # known at the close of 13:00
        ("2013-11-29T13:30-05:00", "2013-12-02T14:00"),
    ):
        assert first_to_know(panel, published, tmp_path) == first


def test_currencies_trade_from_sunday_evening(tmp_path):
    hours = ["2014-03-07T21:00+00:00", "2014-03-09T21:00+00:00", "2014-03-09T22:00+00:00"]
    panel = session_bars("FX", "1h", (), hours)
    for published, first in (
        ("2014-03-07T21:30+00:00", "2014-03-07T21:00"),  # Friday's last hour, 16:00 in New York
        ("2014-03-08T12:00+00:00", "2014-03-09T21:00"),  # Saturday: Sunday's first bar
        ("2014-03-09T21:59:30+00:00", "2014-03-09T22:00"),
    ):
        assert first_to_know(panel, published, tmp_path) == first


def test_daily_bars_of_currencies_are_known_when_their_date_ends_in_utc(tmp_path):
    panel = session_bars("FX", "1d", ("2014-03-07", "2014-03-10", "2014-03-11"))
    for published, first in (
        ("2014-03-07T23:58+00:00", "2014-03-07"),  # after New York's close, before the date's end
        ("2014-03-08T12:00+00:00", "2014-03-10"),  # Saturday
        ("2014-03-09T21:30+00:00", "2014-03-10"),  # Sunday evening: Monday's session has begun
        ("2014-03-10T23:59:30+00:00", "2014-03-11"),
    ):
        assert first_to_know(panel, published, tmp_path) == f"{first}T00:00"


def test_nights_and_weekends_count_as_age(tmp_path):
    panel = session_bars("XNYS", "1d", WEEK)
    told = "2013-11-27T12:00-05:00"
    assert first_to_know(panel, told, tmp_path, max_age="3h") is None
    assert first_to_know(panel, told, tmp_path, max_age="4h") == "2013-11-27T00:00"


# ---- files ---------------------------------------------------------------------------------------

NEWS = {
    "id": ["a", "a", "b", "c", "d"],
    "symbol": ["AAA", "AAA", "BRK-B", "", "AAA"],
    "created_at": ["2022-01-01T05:00Z"] * 2 + ["2022-01-01T06:00Z"] * 3,
    "updated_at": [None, "2022-01-01T09:00Z", None, None, None],
    "fetched_at": ["2022-01-01T07:30Z"] * 5,
    "headline": ["Profit is great", "Terrible loss", "fine", "good", None],
    "summary": ["", None, "and good", "x", " "],
}


def joined(tmp_path, told=NEWS, symbols=("AAA",), **settings):
    path = tmp_path / "news.parquet"
    pl.DataFrame(told).write_parquet(path)
    config = SIDES.parse({"kind": "news", "path": "news.parquet", **settings})
    walks = [flat(20)] * len(symbols)
    panel = panel_of(*[
        Bars(s, *(getattr(b, c) for c in ("time", "open", "high", "low", "close", "volume")))
        for s, b in zip(symbols, walks, strict=True)
    ])  # fmt: skip
    return SIDES.part_of(config)(config, panel, Place(tmp_path, StageCache(tmp_path / "cache")))


def test_an_edited_text_counts_from_its_edit(tmp_path):
    sentiment = joined(tmp_path).columns[""]
    assert np.isnan(sentiment[:5]).all()
    assert (sentiment[5:9] > 0.5).all(), "as it was published"
    assert (sentiment[9:] < -0.4).all(), "from 09:01 on as it was edited"


def test_news_told_by_date_counts_from_the_end_of_its_date(tmp_path):
    days = ["2013-11-26", "2013-11-27"]
    panel = session_bars("XNYS", "1d", WEEK)
    one = {"symbol": ["AAA"] * 2, "text": ["good"] * 2}
    midnights = [f"{day}T00:00Z" for day in days]
    for created, said in (
        (days, {"timezone": "UTC"}),
        (days, {"timezone": "UTC", "midnight": "moment"}),
        (midnights, {}),
        ([*days[:1], "2013-11-27T00:00"], {"timezone": "UTC"}),
    ):
        pl.DataFrame({**one, "created_at": created}).write_csv(tmp_path / "news.csv")
        config = SIDES.parse({"kind": "news", "path": "news.csv", **said})
        found = SIDES.part_of(config)(config, panel, Place(tmp_path))
        # the 26th is over 21 hours before the close of the 27th, the 27th 42 before the 29th's
        np.testing.assert_allclose(
            found.columns["count"][:2],
            [0.5 ** (21 / 24), 0.5 ** (66 / 24) + 0.5 ** (42 / 24)],
        )
        assert any("100 % of the items are stamped 00:00:00" in f for f in found.findings)
    pl.DataFrame({**one, "created_at": midnights}).write_csv(tmp_path / "news.csv")
    config = SIDES.parse({"kind": "news", "path": "news.csv", "midnight": "moment"})
    found = SIDES.part_of(config)(config, panel, Place(tmp_path))
    np.testing.assert_allclose(found.columns["count"][0], 0.5 ** (45 / 24) + 0.5 ** (21 / 24))
    some = {**NEWS, "created_at": ["2022-01-01T00:00Z", *NEWS["created_at"][1:]]}
    told = " ".join(joined(tmp_path, some).findings)
    assert "50 % of the items are stamped 00:00:00" in told
    with pytest.raises(SourceError, match="holds dates without a zone: state timezone"):
        joined(tmp_path, {**NEWS, "created_at": ["2022-01-01"] * 5})


def test_news_received_live_counts_from_its_receipt(tmp_path):
    sentiment = joined(tmp_path, known_from="fetched").columns[""]
    assert np.isnan(sentiment[:7]).all()
    assert sentiment[7] > 0.5


def test_what_is_left_out_is_told(tmp_path):
    found = joined(tmp_path, symbols=("AAA", "BRK.B", "CCC"))
    told = " ".join(found.findings)
    assert "2 items from 2022-01-01 to 2022-01-01, scored by vader" in told
    assert "1 later versions of items" in told
    assert "left out: 1 row without a text." in told
    assert "left out: 1 row without an instrument." in told
    assert "no news about 1 of 3 instruments (CCC)" in told
    one = {k: v[:1] for k, v in NEWS.items()}
    early = {**one, "created_at": ["2013-01-01T05:00Z"]}
    assert "100 % of the items are older than their scorer" in " ".join(
        joined(tmp_path, early).findings
    )


def test_the_market_hears_everything_once(tmp_path):
    twice = {k: [*v, v[0]] for k, v in NEWS.items()}
    twice["symbol"][-1] = "BRK-B"
    found = joined(tmp_path, twice, symbols=("AAA", "CCC"), about="market")
    both = found.columns["count"].reshape(2, 20)
    np.testing.assert_array_equal(both[0], both[1])
    assert 2.5 < both[0][6] < 3, "a, b and c, an hour or two old"


def test_what_stands_twice_is_no_later_version():
    edited = ("AAA", 1, 0, 7, "down")
    rows = [("AAA", 1, 0, 0, "up"), edited, ("AAA", 2, 0, 0, "up"), ("BBB", 1, 0, 0, "up")]
    once, twice = items_of(rows), items_of([*rows, *rows[::-1], edited])
    assert twice.texts == once.texts
    assert int(twice.first.sum()) == 3
    for name in ("offsets", "item", "first", "event_time", "knowledge_time"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(once, name))
    market = items_of(rows, None)
    assert market.item.size == 3, "of the market, the first and the last row are one"


def test_a_list_of_symbols_is_an_item_of_each(tmp_path):
    columns = {"symbols": [["AAA", "BBB"], ["BBB"]], "created_at": ["2022-01-01T05:00Z"] * 2,
               "text": ["good", "bad"]}  # fmt: skip
    found = joined(tmp_path, columns, symbols=("AAA", "BBB"))
    sentiment = found.columns[""].reshape(2, 20)
    assert sentiment[0][8] > 0.4
    assert abs(sentiment[1][8]) < 0.2


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (
            {"created_at": None},
            {},
            r"news.parquet: no column created_at .*state columns.created_at",
        ),
        ({"headline": None}, {}, "no column text or headline"),
        ({"symbol": None}, {}, "no column symbol"),
        (
            {},
            {"columns": {"text": "headlines"}},
            "columns.text says 'headlines': did you mean 'hea",
        ),
        ({"created_at": ["2022-01-01 05:00"] * 5}, {}, "row 0: .*names no time zone"),
        ({"updated_at": [None, "soon", None, None, None]}, {}, "row 1: time 'soon' cannot be read"),
        (
            {
                "symbol": ["", "AAA", "", "AAA", ""],
                "created_at": ["2022-01-01T05:00Z"] * 3 + ["x"] * 2,
                "headline": ["a"] * 5,
            },
            {},
            "row 3: time 'x' cannot be read",
        ),
        ({"symbol": ["QQQ"] * 5}, {}, "none of its 5 rows .*4 rows about instruments without"),
        ({"fetched_at": None}, {"known_from": "fetched"}, "no column fetched_at"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(tmp_path, change, settings, message):
    columns = {k: v for k, v in {**NEWS, **change}.items() if v is not None}
    with pytest.raises(SourceError, match=message):
        joined(tmp_path, columns, **settings)


def test_a_config_that_cannot_be():
    for wrong, message in (
        ({"half_life": "0h"}, "above zero"),
        ({"processing_delay": "-1m"}, "as in 24h"),
        ({"half_life": "1m", "max_age": "7d"}, "more than 100 half-lives"),
        ({"scorer": {"kind": "vadar"}}, "Did you mean 'vader'"),
    ):
        with pytest.raises(ConfigError, match=message):
            SIDES.parse({"kind": "news", "path": "x", **wrong})


class Counting:
    """VADER, counting what it is asked."""

    columns = ("",)
    released = None

    def __init__(self, version="one", factor=1.0):
        self.version, self.factor, self.asked = version, factor, []

    def score(self, texts):
        self.asked += texts
        return self.factor * SCORERS.part("vader")(None, None).score(texts)


def test_a_text_is_scored_once_a_version_and_a_new_version_replaces_nothing(tmp_path):
    cache = StageCache(tmp_path)
    one = Counting()
    first = scores_of(one, ["good", "bad", "good"], cache)
    assert sorted(one.asked) == ["bad", "good"]
    again = scores_of(one, ["ugly", "good"], cache)
    assert one.asked[2:] == ["ugly"]
    assert again[1] == first[0]
    two = Counting("two", 0.5)
    np.testing.assert_array_equal(scores_of(two, ["good", "bad", "good"], cache), first / 2)
    assert sorted(two.asked) == ["bad", "good"]
    np.testing.assert_array_equal(scores_of(Counting(), ["good", "bad", "good"], cache), first)
    assert len(cache.entries()) == 2
    told = {cache.load(e.stage, e.key)["version"].tobytes().decode() for e in cache.entries()}
    assert told == {"one", "two"}, "each says by what it was scored"
    assert {e.stage for e in cache.entries()} == {STAGE}
    np.testing.assert_array_equal(scores_of(one, ["good"], None), first[:1])


def test_a_scorer_that_gives_no_number_is_refused():
    with pytest.raises(DataError, match="a text has no score"):
        scores_of(Counting(factor=np.nan), ["good"], None)
