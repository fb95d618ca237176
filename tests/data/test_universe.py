"""Universes: who belonged when, as was known; names that changed; ids that stay."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.data.asset_ids import assign, ids_file, read_ids
from touchstone.data.formats import FolderConfig
from touchstone.data.universe import Universe, apply, read_universe
from touchstone.errors import ConfigError, DataError, SourceError
from touchstone.market import CALENDARS, Bars, Calendar, Panel, Timeframe
from touchstone.market.instrument import CalendarName

DAY = 86_400_000_000_000
FIRST = int(np.datetime64("2022-01-03").astype(np.int64))  # a Monday


def daily(symbol, n=10, first=0, price=100.0):
    time = (FIRST + first + np.arange(n)) * DAY
    flat = np.full(n, price)
    return Bars(symbol, time, flat, flat, flat, flat, np.ones(n))


def panel_of(*bars, calendar="24/7"):
    return Panel.from_bars(bars, Timeframe("1d"), Calendar(calendar))


def on(day):
    return str(np.datetime64(FIRST + day, "D"))


def universe(*listings):
    return Universe.parse({"instruments": tuple(listings)})


def inside(panel, symbol):
    """Days (0 = FIRST) on which a symbol is a member."""
    i = panel.symbols.index(symbol)
    rows = slice(*panel.offsets[i : i + 2])
    return (panel.time[rows][panel.members[rows]] // DAY - FIRST).tolist()


def test_membership_begins_and_ends_with_its_trading_days():
    seen = apply(
        universe(
            {"symbol": "A"},
            {"symbol": "B", "member": ({"since": on(2), "until": on(5)}, {"since": on(8)})},
            {"symbol": "C", "member": ()},
        ),
        panel_of(daily("A"), daily("B"), daily("C"), daily("NOBODY")),
    )
    assert seen.panel.symbols == ("A", "B", "C")
    assert inside(seen.panel, "A") == list(range(10))
    assert inside(seen.panel, "B") == [2, 3, 4, 8, 9]
    assert inside(seen.panel, "C") == []
    assert seen.findings[0].startswith("15 of 30 bars lie outside")


def test_what_was_told_late_counts_late():
    stay = {"since": on(2), "since_known": on(3), "until": on(5), "until_known": on(6)}
    seen = apply(universe({"symbol": "A", "member": (stay,)}), panel_of(daily("A")))
    assert inside(seen.panel, "A") == [4, 5, 6]
    early = {"since": on(2), "since_known": on(0), "until": on(5), "until_known": on(1)}
    seen = apply(universe({"symbol": "A", "member": (early,)}), panel_of(daily("A")))
    assert inside(seen.panel, "A") == [2, 3, 4]


def test_hours_belong_to_the_trading_day_of_their_market():
    # Sunday 23:00 UTC is Monday's trading day of foreign exchange.
    sunday = FIRST * DAY - 3_600_000_000_000
    time = sunday + np.arange(3) * 3_600_000_000_000
    flat = np.ones(3)
    bars = Bars("EURUSD", time, flat, flat, flat, flat, flat)
    panel = Panel.from_bars([bars], Timeframe("1h"), Calendar("FX"))
    told = {"symbol": "EURUSD", "kind": "forex", "member": ({"since": on(0)},)}
    assert apply(universe(told), panel).panel.members.all()


def test_an_instrument_keeps_its_bars_under_its_former_names():
    told = {"symbol": "META", "formerly": ({"symbol": "FB", "until": on(4)},)}
    old, new = daily("FB", 10, price=10.0), daily("META", 6, first=4, price=20.0)
    one = apply(universe(told), panel_of(old, new)).panel
    assert one.symbols == ("META",)
    assert one.close.tolist() == [10.0] * 4 + [20.0] * 6
    # whoever carries the new name back needs no old one
    carried = daily("META", 10, price=20.0)
    assert apply(universe(told), panel_of(old, carried)).panel.close.tolist() == [20.0] * 10
    # and the old name alone serves until the day it was given up
    assert apply(universe(told), panel_of(old)).panel.close.tolist() == [10.0] * 4


def test_a_name_that_passed_on_to_another():
    told = (
        {"symbol": "META", "formerly": ({"symbol": "FB", "until": on(4)},)},
        {"symbol": "FB"},
    )
    panel = panel_of(daily("FB", 10, price=10.0), daily("META", 6, first=4, price=20.0))
    seen = apply(universe(*told), panel).panel
    assert seen.symbols == ("FB", "META")
    assert np.diff(seen.offsets).tolist() == [6, 10]


def test_a_name_that_two_gave_up():
    told = (
        {"symbol": "ONE", "formerly": ({"symbol": "N", "until": on(3)},)},
        {"symbol": "TWO", "formerly": ({"symbol": "N", "until": on(7)},)},
        {"symbol": "N"},
    )
    seen = apply(universe(*told), panel_of(daily("N"))).panel
    assert seen.symbols == ("N", "ONE", "TWO")
    assert [len(seen.bars(i)) for i in range(3)] == [3, 3, 4]
    assert len(seen) == 10, "every bar belongs to one of them"


def test_calendars_have_one_list_of_names():
    assert set(get_args(CalendarName)) == set(CALENDARS)
    hours = FolderConfig.model_fields["calendar"].annotation
    assert set(get_args(hours)) == set(CALENDARS)


def test_two_renamings():
    names = ({"symbol": "A", "until": on(2)}, {"symbol": "B", "until": on(5)})
    bars = [daily(s, 10, price=p) for s, p in (("A", 1.0), ("B", 2.0))]
    bars.append(daily("C", 5, first=5, price=3.0))
    one = apply(universe({"symbol": "C", "formerly": names}), panel_of(*bars)).panel
    assert one.close.tolist() == [1.0] * 2 + [2.0] * 3 + [3.0] * 5


def test_side_columns_come_along():
    panel = panel_of(daily("A", 3), daily("B", 3)).map_side({"mood": np.arange(6.0)})
    seen = apply(universe({"symbol": "B"}), panel).panel
    assert seen.side["mood"].tolist() == [3, 4, 5]


def test_the_banner():
    panel = panel_of(daily("A"), daily("B", 4))
    today = apply(universe({"symbol": "A"}, {"symbol": "B"}), panel)
    assert "the universe is a list of today. None of its 2 instruments" in today.survivorship
    left = {"symbol": "B", "member": ({"since": on(0), "until": on(4)},)}
    assert apply(universe({"symbol": "A"}, left), panel).survivorship is None
    missing = apply(universe({"symbol": "A"}, left), panel_of(daily("A")))
    assert "1 of the 1 instruments that left the universe have no bars" in missing.survivorship
    assert missing.findings == (
        "1 that left the universe have no bars (B): what they did after is missing.",
    )


def test_who_belongs_on_a_day():
    told = universe(
        {"symbol": "A"},
        {"symbol": "B", "member": ({"since": on(2), "until": on(5), "until_known": on(6)},)},
    )
    said = [told.members_on(on(d)) for d in (1, 2, 6, 7)]
    assert said == [("A",), ("A", "B"), ("A", "B"), ("A",)]
    with pytest.raises(ConfigError, match="there is no such date"):
        told.members_on("2022-02-30")
    for text in ("", "2022", "2022-02", "NaT", "today", "now", "2022-2-3", "20220203"):
        with pytest.raises(ConfigError, match="needs a day as in 2023-03-14"):
            told.members_on(text)


def test_other_hours_are_told_where_a_class_was():
    told = universe({"symbol": "BTC/USD", "kind": "crypto"}, {"symbol": "A"})
    monday = panel_of(daily("BTC/USD", 5), daily("A", 5), calendar="XNYS")
    (_, *found) = ("", *apply(told, monday).findings)
    assert found == [
        "1 of the universe keep other hours than calendar: XNYS (BTC/USD: 24/7): gaps and annual "
        "figures are of the wrong hours; give each market a study of its own."
    ]
    assert apply(universe({"symbol": "A"}), panel_of(daily("A"))).findings == ()


def test_groups():
    told = universe(
        {"symbol": "B", "groups": ("banks", "big")}, {"symbol": "A", "groups": ("banks",)},
        {"symbol": "C"},
    )  # fmt: skip
    assert told.groups == {"banks": ("A", "B"), "big": ("B",)}
    seen = apply(told, panel_of(daily("A"), daily("B"), daily("C"))).panel
    assert seen.groups == {"A": "banks", "B": "banks"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("instruments: []", "at least one instrument"),
        ("instruments: [{symbol: A}, {symbol: A}]", "A: stands twice"),
        ("instruments: [{symbol: A, membr: []}]", "no such key. Did you mean 'member'"),
        ("instruments: [{symbol: A, member: [{since: 2022-02-30}]}]", "no such date|not YAML"),
        ("instruments: [{symbol: A, member: [{since: '2022-02-30'}]}]", "there is no such date"),
        ("instruments: [{symbol: A, member: [{since: 2022-03-01, until: 2022-02-01}]}]",
         "until 2022-02-01 is not after since 2022-03-01"),
        ("instruments: [{symbol: A, member: [{since: 2022-03-01}, {since: 2022-04-01}]}]",
         "A: stays overlap"),
        ("instruments: [{symbol: A, member: [{since: 2022-03-01, until_known: 2022-04-01}]}]",
         "until_known needs until"),
        ("instruments: [{symbol: A, formerly: [{symbol: B, until: 2022-03-01}, "
         "{symbol: C, until: 2022-02-01}]}]", "give the oldest name first"),
        ("instruments: [{symbol: A, formerly: [{symbol: ../b, until: 2022-03-01}]}]",
         "A: formerly '../b': needs"),
        ("instruments: [{symbol: A, formerly: [{symbol: N, until: 2022-03-01}]}, "
         "{symbol: B, formerly: [{symbol: N, until: 2022-03-01}]}]", "N: two instruments say"),
        ("instruments: {A: {}}", "instruments"),
        ("symbols: [A]", "symbols: no such key"),
    ],
)  # fmt: skip
def test_files_that_cannot_be(tmp_path, text, said):
    path = tmp_path / "universe.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as error:
        read_universe(path)
    assert str(path) in str(error.value)


def test_a_file_as_people_write_it(tmp_path):
    path = tmp_path / "universe.yaml"
    path.write_text(
        "instruments:\n"
        "  - {symbol: AAPL, groups: [technology], member: [{since: 2012-08-01}]}\n"
        "  - {symbol: BTC/USDT, kind: crypto, groups: [coins]}\n"
        "  - symbol: META\n"
        "    formerly: [{symbol: FB, until: 2022-06-09}]\n"
    )
    told = read_universe(path)
    assert told.symbols == ("AAPL", "BTC/USDT", "META")
    assert told.files == ("AAPL", "BTC/USDT", "FB", "META")
    assert told.left == ()
    assert told.instruments[1].hours.name == "24/7"
    assert date.fromisoformat(told.instruments[0].member[0].since) == date(2012, 8, 1)


def test_none_of_its_instruments_has_bars():
    with pytest.raises(SourceError, match="none of the universe's 1 instruments has bars"):
        apply(universe({"symbol": "Z"}), panel_of(daily("A")))


@given(
    stays=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)), max_size=3),
    delay=st.integers(0, 3),
)
def test_membership_equals_the_slow_reference(stays, delay):
    spans, after = [], 0
    for gap, length in stays:
        spans.append((after + gap, after + gap + length))
        after += gap + length
    member = tuple(
        {"since": on(a), "until": on(b), "since_known": on(a - 1 + delay)} for a, b in spans
    )
    panel = apply(universe({"symbol": "A", "member": member}), panel_of(daily("A", 40))).panel
    wanted = [d for d in range(40) if any(a + delay <= d < b for a, b in spans)]
    assert inside(panel, "A") == wanted


@given(end=st.integers(2, 9))
def test_a_later_change_moves_nothing_before_it(end):
    panel = panel_of(daily("A"), daily("B"))
    changed = universe(
        {"symbol": "A", "member": ({"since": on(1), "until": on(end)},)},
        {"symbol": "B", "member": ({"since": on(end)},)},
    )
    plain = universe({"symbol": "A", "member": ({"since": on(1)},)}, {"symbol": "B", "member": ()})
    before = panel.time < (FIRST + end) * DAY
    one, other = (apply(u, panel).panel.members for u in (changed, plain))
    np.testing.assert_array_equal(one[before], other[before])
    assert not np.array_equal(one, other)


# ids


def test_ids_are_sorted_when_made_and_then_only_added_to(tmp_path):
    path = ids_file(tmp_path / "universe.yaml")
    assert assign(path, ["MSFT", "AAPL"], {}) == ("AAPL", "MSFT")
    assert assign(path, ["AAPL", "ZZZ", "AAA"], {}) == ("AAPL", "MSFT", "AAA", "ZZZ")
    assert assign(path, ["AAPL"], {}) == ("AAPL", "MSFT", "AAA", "ZZZ"), "none is taken away"
    assert read_ids(path) == ("AAPL", "MSFT", "AAA", "ZZZ")


@settings(max_examples=25)
@given(batches=st.lists(st.lists(st.sampled_from("ABCDEFGH"), max_size=5), max_size=5))
def test_no_id_ever_moves(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("ids") / "u.ids.json"
    before: tuple[str, ...] = ()
    for batch in batches:
        after = assign(path, batch, {})
        assert after[: len(before)] == before
        assert set(after) == set(before) | set(batch)
        assert list(after[len(before) :]) == sorted(after[len(before) :])
        before = after


def test_a_renamed_instrument_keeps_its_id(tmp_path):
    path = tmp_path / "u.ids.json"
    assign(path, ["AAPL", "FB", "IBM"], {})
    assert assign(path, ["AAPL", "IBM", "META"], {"FB": "META"}) == ("AAPL", "META", "IBM")
    assert assign(path, ["AAPL", "IBM", "META"], {"FB": "META"}) == ("AAPL", "META", "IBM")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"version": 2, "symbols": []}', "version 2, this program reads 1"),
        ('{"version": 1, "symbols": "AAPL"}', "needs a list of symbols"),
        ('{"version": 1, "symbols": ["AAPL", "aapl"]}', "needs a list of symbols"),
        ('{"version": 1, "symbols": ["AAPL", "AAPL"]}', "AAPL has two ids"),
    ],
)
def test_a_broken_file_of_ids_is_never_written_over(tmp_path, text, said):
    path = tmp_path / "u.ids.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        assign(path, ["AAPL"], {})
    assert path.read_text() == text


def test_ids_need_symbols_and_a_place(tmp_path):
    with pytest.raises(DataError, match="'a b' is not a symbol"):
        assign(tmp_path / "u.ids.json", ["a b"], {})
    (tmp_path / "file").write_text("")
    with pytest.raises((DataError, SourceError, NotADirectoryError)):
        assign(tmp_path / "file" / "u.ids.json", ["A"], {})


def test_many_writers_agree(tmp_path):
    path = tmp_path / "u.ids.json"
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: assign(path, [f"S{i}", f"S{i + 1}", "A"], {}), range(6)))
    found = json.loads(path.read_text())["symbols"]
    assert sorted(found) == ["A", *(f"S{i}" for i in range(7))]
