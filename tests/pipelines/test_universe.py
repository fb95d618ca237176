"""A study within a universe: who is no member is neither learned from nor entered on."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from small import small_study, touchstone, write_bars
from touchstone.data.asset_ids import read_ids
from touchstone.data.cache import StageCache
from touchstone.errors import ConfigError
from touchstone.features import FeaturesConfig, compile_features, evaluate
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import read_study
from touchstone.registry import artifact
from touchstone.simulation import MarketConfig, simulate

DAY = 86_400_000_000_000


def day(panel, share):
    """The date at a share of a panel's time."""
    first, last = int(panel.time.min()), int(panel.time.max())
    return str(np.datetime64(int(first + share * (last - first)), "ns").astype("datetime64[D]"))


def in_universe(tmp_path, panel, listings, **changes):
    """A study of a panel's bars within a universe."""
    write_bars(tmp_path / "bars", panel)
    (tmp_path / "universe.yaml").write_text(yaml.safe_dump({"instruments": listings}))
    bars = {"source": "parquet", "path": "bars"}
    return small_study(tmp_path, bars=bars, universe="universe.yaml", **changes)


@pytest.fixture(scope="module")
def market():
    return simulate(MarketConfig(n_instruments=6, n_bars=6000, ic=0.4), 5)[0]


@pytest.fixture(scope="module")
def ran(market, tmp_path_factory):
    """A run in which one instrument leaves half way and one joins then."""
    tmp_path = tmp_path_factory.mktemp("universe")
    half = day(market, 0.5)
    first, second, *others = market.symbols
    listings = [
        {"symbol": first, "groups": ["left"],
         "member": [{"since": day(market, 0), "until": half}]},
        {"symbol": second, "groups": ["joined"], "member": [{"since": half}]},
        *({"symbol": s, "groups": ["stayed"]} for s in others),
    ]  # fmt: skip
    study = in_universe(tmp_path, market, listings, models=[{"kind": "logistic"}])
    code, out, err = touchstone("run", study, "--json", "--jobs", 1, "--out", tmp_path)
    assert code == 0, err
    return tmp_path, study, json.loads(out), half


def test_rows_outside_are_neither_learned_from_nor_entered_on(ran, market):
    tmp_path, path, _, half = ran
    study = read_study(str(path))
    prepared = prepare(study, *load(study, Silent()), StageCache(tmp_path / "c"), Silent())
    panel = prepared.panel
    outside = np.flatnonzero(~panel.members)
    assert outside.size > 0.3 * 2 * len(panel) / 6
    for fold in (*prepared.folds.folds, prepared.folds.final):
        for rows in (fold.train, fold.validate, fold.test):
            assert not np.isin(outside, rows).any()
    first, second = market.symbols[:2]
    trades = _trades(tmp_path)
    assert trades.height > 20
    entered = trades.select("symbol", "entry_time").rows()
    late = np.datetime64(half)
    assert all(s != first or np.datetime64(t.replace(tzinfo=None)) < late for s, t in entered)
    assert all(s != second or np.datetime64(t.replace(tzinfo=None)) >= late for s, t in entered)


def _trades(tmp_path):
    (folder,) = (tmp_path / "runs").iterdir()
    tables = [pl.read_parquet(p) for p in folder.glob("*trades*.parquet")]
    assert tables, sorted(p.name for p in folder.iterdir())
    return pl.concat(tables, how="diagonal")


def test_the_report_knows_groups_and_no_banner(ran):
    _, _, result, _ = ran
    groups = {s["name"] for s in result["market"]["where"] if s["group"] == "group"}
    assert groups <= {"left", "joined", "stayed"}
    assert "stayed" in groups
    assert result["market"]["data"]["survivorship"] is None
    said = result["market"]["data"]["findings"]
    assert any("lie outside their instrument's membership" in text for text in said)


def test_ids_lie_beside_the_universe_and_order_the_artifact(ran, market):
    tmp_path, *_ = ran
    assert read_ids(tmp_path / "universe.ids.json") == tuple(sorted(market.symbols))
    (folder,) = (tmp_path / "runs").iterdir()
    kept = artifact.load(folder / "artifact")
    assert kept.manifest.symbols == tuple(sorted(market.symbols))
    assert artifact.reproduce(kept) < 1e-6


def test_a_list_of_today_carries_the_banner(market, tmp_path):
    path = in_universe(tmp_path, market, [{"symbol": s} for s in market.symbols])
    loaded, _ = load(read_study(str(path)), Silent())
    assert loaded.survivorship.startswith("Survivorship: the universe is a list of today.")
    assert loaded.panel.members.all()


def test_what_the_command_says_of_a_universe(market, tmp_path):
    in_universe(tmp_path, market, [{"symbol": s, "groups": ["made"]} for s in market.symbols])
    path = tmp_path / "universe.yaml"
    code, out, err = touchstone("universe", "show", path)
    assert code == 0, err
    assert "6 instruments, 0 of which left" in out
    assert "no asset ids yet" in out
    assert "a list of today" in out
    assert touchstone("universe", "ids", path)[0] == 0
    found = json.loads(touchstone("universe", "show", path, "--on", "2022-01-03", "--json")[1])
    assert found["members"] == list(market.symbols)
    assert found["groups"] == {"made": list(market.symbols)}
    assert found["ids"] == {s: i for i, s in enumerate(sorted(market.symbols))}
    assert touchstone("universe", "show", tmp_path / "nothing.yaml")[0] == 2
    assert touchstone("universe", "show", path, "--on", "tomorrow")[0] == 2


def test_a_symbol_that_comes_later_shifts_no_id(market, tmp_path):
    later = [{"symbol": s} for s in market.symbols[1:]]
    path = in_universe(tmp_path, market, later)
    before, data = load(read_study(str(path)), Silent())
    path = in_universe(tmp_path, market, [*later, {"symbol": market.symbols[0]}])
    after, more = load(read_study(str(path)), Silent())
    assert after.asset_ids == (*before.asset_ids, market.symbols[0])
    assert data != more


def test_what_is_told_wrongly_is_refused_early(market, tmp_path):
    path = in_universe(tmp_path, market, [{"symbol": s} for s in market.symbols])
    with pytest.raises(ConfigError, match="symbols: NOSUCH stand not in the universe of 6"):
        load(read_study(str(path), {"symbols": ("NOSUCH",)}), Silent())
    some, _ = load(read_study(str(path), {"symbols": market.symbols[:2]}), Silent())
    assert some.panel.symbols == market.symbols[:2]
    assert len(some.asset_ids) == 6
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file"):
        load(read_study(str(path), {"universe": "nowhere.yaml"}), Silent())


def test_the_place_of_a_universe_is_no_part_of_the_question(market, tmp_path):
    path = in_universe(tmp_path, market, [{"symbol": s} for s in market.symbols])
    one = read_study(str(path))
    (tmp_path / "other").mkdir()
    (tmp_path / "universe.yaml").rename(tmp_path / "other" / "u.yaml")
    other = read_study(str(path), {"universe": "other/u.yaml"})
    assert one.fingerprint == other.fingerprint
    assert load(other, Silent())[1]


def test_what_changes_behind_the_seal_moves_nothing_before_it(market, tmp_path):
    """Two universes that differ from a day after the seal on, through features, folds and rows."""
    late = day(market, 0.9)
    first, second, *others = market.symbols
    stay = [{"symbol": s} for s in others]
    versions = {
        "leaves": [{"symbol": first, "member": [{"since": day(market, 0), "until": late}]},
                   {"symbol": second, "member": [{"since": late}]}],
        "stays": [{"symbol": first, "member": [{"since": day(market, 0)}]},
                  {"symbol": second, "member": []}],
    }  # fmt: skip
    extra = {"extra": {"across": "cross_rank(close)"}}
    made = {}
    for name, listings in versions.items():
        folder = tmp_path / name
        folder.mkdir()
        path = in_universe(folder, market, [*listings, *stay], features=extra)
        study = read_study(str(path))
        made[name] = prepare(study, *load(study, Silent()), StageCache(folder / "c"), Silent())
    one, other = made["leaves"], made["stays"]
    assert one.folds.seal == other.folds.seal
    seal = np.datetime64(one.folds.seal, "ns")
    assert seal < np.datetime64(late)
    before = one.panel.available_at < np.datetime64(late, "ns").astype(np.int64)
    np.testing.assert_array_equal(one.features[before], other.features[before])
    assert not np.array_equal(one.features[~before], other.features[~before], equal_nan=True)
    for mine, its in zip(one.folds.folds, other.folds.folds, strict=True):
        for rows in ("train", "validate", "test"):
            np.testing.assert_array_equal(getattr(mine, rows), getattr(its, rows))
    np.testing.assert_array_equal(one.folds.final.train, other.folds.final.train)
    assert not np.array_equal(one.folds.final.test, other.folds.final.test)


def test_ranks_across_instruments_do_not_see_who_joins_later(market):
    plan = compile_features(
        FeaturesConfig.parse({"set": "none", "extra": {"r": "cross_rank(close)"}}), ()
    )
    joins = market.symbols[0]
    member = market.asset_id != 0
    other = np.where(member, 1.0, np.exp(np.random.default_rng(0).normal(0, 1, len(market))))
    fields = ("open", "high", "low", "close")
    moved = replace(market, **{n: getattr(market, n) * other for n in fields})
    one, two = (evaluate(plan, replace(p, member=member))[member] for p in (market, moved))
    np.testing.assert_array_equal(one, two)
    seen, changed = (evaluate(plan, p)[member] for p in (market, moved))
    assert (seen != changed).any(), f"without a universe {joins} counts"


@given(
    begun=st.lists(st.integers(1, 10), min_size=1, max_size=12),
    end=st.integers(0, 10),
    n=st.integers(1, 12),
)
def test_numbers_of_a_fit_put_who_is_known_first(begun, end, n):
    first = np.array(begun, np.int64)
    number = known_first(first, end)
    assert sorted(number.tolist()) == list(range(first.size))
    known = first <= end
    assert set(number[known]) == set(range(int(known.sum())))
    assert (np.diff(number[known]) > 0).all(), "in the order of their ids"
    # an instrument added behind never moves one that is known
    more = np.r_[first, n]
    np.testing.assert_array_equal(known_first(more, end)[: first.size][known], number[known])


def test_without_a_universe_numbers_are_those_of_the_first_bar():
    begun = np.array([1, 3, 5, 7], np.int64)
    np.testing.assert_array_equal(known_first(begun, 4), [0, 1, 2, 3])


def test_side_data_under_a_former_name_are_the_instruments(market, tmp_path):
    """Bars of FB become META's; so do its news and its figures, unless the name is somebody's."""
    first, second, *others = market.symbols
    when = day(market, 0.5)
    listings = [{"symbol": "META", "formerly": [{"symbol": first, "until": when}]},
                *({"symbol": s} for s in (second, *others))]  # fmt: skip
    time = np.arange(market.time.min(), market.time.max(), DAY)
    stamps = pl.Series(time).cast(pl.Datetime("ns", "UTC"))
    times = {"event_time": stamps, "knowledge_time": stamps, "created_at": stamps}
    told = pl.DataFrame({**times, "value": np.arange(float(time.size))})
    told = told.with_columns(symbol=pl.lit(first), headline=pl.lit("great profit"))
    told.drop("created_at", "headline").write_parquet(tmp_path / "mood.parquet")
    told.select("symbol", "created_at", "headline").write_parquet(tmp_path / "news.parquet")
    side = {"mood": {"kind": "table", "path": "mood.parquet"},
            "news": {"kind": "news", "path": "news.parquet"}}  # fmt: skip
    path = in_universe(tmp_path, market, listings, side=side)
    panel = load(read_study(str(path)), Silent())[0].panel
    mine = panel.asset_id == panel.symbols.index("META")
    for name in ("mood", "news"):
        known = np.isfinite(panel.side[name])
        assert known[mine][24:].all()
        assert not known[~mine].any()
    path = in_universe(tmp_path, market, [*listings, {"symbol": first}], side=side)
    panel = load(read_study(str(path)), Silent())[0].panel
    assert not np.isfinite(panel.side["mood"][panel.asset_id == panel.symbols.index("META")]).any()


def test_who_was_not_asked_for_is_not_said_to_lack_bars(market, tmp_path):
    first, *others = market.symbols
    stay = [{"since": day(market, 0), "until": day(market, 0.5)}]
    listings = [{"symbol": first, "member": stay}, *({"symbol": s} for s in others)]
    path = in_universe(tmp_path, market, listings)
    whole, _ = load(read_study(str(path)), Silent())
    assert whole.survivorship is None
    some, _ = load(read_study(str(path), {"symbols": tuple(others)}), Silent())
    assert not any("have no bars" in text for text in some.findings)
    assert "1 of the 1 instruments that left the universe are not among" in some.survivorship
