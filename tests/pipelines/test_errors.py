"""Slices against sums by hand, the correction on a market of luck, the worst mistakes."""

import json

import numpy as np
import polars as pl
import pytest

import touchstone as ts
from small import small_study, touchstone
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.market import Timeframe
from touchstone.pipelines.errors import Closed, _slices, _tested, errors
from touchstone.pipelines.finished import reopened
from touchstone.pipelines.market import before_the_seal, search_market
from touchstone.pipelines.parts import _hours, divisions
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.skill import Judged, judged
from touchstone.validation.slices import Division


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("errors")
    study = small_study(out, models=[{"kind": "logistic"}])
    return ts.run(str(study), out=out, jobs=1)


@pytest.fixture(scope="module")
def searched(run):
    cache = StageCache(run.folder.parents[1] / ".touchstone" / "cache")
    study, loaded, data = reopened(run, cache, Silent())
    return study, search_market(study, (loaded, data), Resources(cache, MemoryLedger, Silent(), 1))


def test_every_division_sees_every_trade_and_every_judged_row_once(run):
    market = run.result.market
    for group in ("symbol", "year", "month", "hour", "weekday", "regime", "trend"):
        slices = [s for s in market.where if s.group == group]
        assert sum(s.n_trades for s in slices) == market.sealed.n_trades
        assert sum(s.n_rows for s in slices) == market.skill.n_rows
        whole = sum(s.brier * s.n_rows for s in slices if s.n_rows) / market.skill.n_rows
        assert whole == pytest.approx(market.skill.brier)
        base = sum(s.base_rate * s.n_rows for s in slices if s.n_rows) / market.skill.n_rows
        assert base == pytest.approx(market.skill.base_rate)


def test_slices_of_trades_are_those_of_the_exported_table(run):
    trades = run.trades.filter(pl.col("segment") == "sealed").with_columns(
        net=pl.col("pnl") / (pl.col("quantity") * pl.col("entry_price")) * 1e4,
        # decided at the close of the bar before, which is the instant of the fill at the open
        hour=pl.col("entry_time").dt.hour(),
        weekday=pl.col("entry_time").dt.weekday(),
    )
    slices = {(s.group, s.name): s for s in run.result.market.where}
    for (symbol,), table in trades.group_by("symbol"):
        found = slices["symbol", symbol]
        assert found.n_trades == table.height
        assert found.net_return_bp_per_trade == pytest.approx(table["net"].mean())
        low, high = found.interval
        assert low < table["net"].mean() < high
    for (hour,), table in trades.group_by("hour"):
        assert slices["hour", f"{hour:02d}"].n_trades == table.height
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    for (weekday,), table in trades.group_by("weekday"):
        assert slices["weekday", days[weekday - 1]].n_trades == table.height


def test_regimes_are_known_at_the_close_and_trends_are_what_prices_did(searched):
    _, found = searched
    prepared, where = found.prepared, found.comparison.segment
    by_group = {d.group: d for d in divisions(prepared, where)}
    close, offsets = prepared.panel.close, prepared.panel.offsets
    trend = by_group["trend"]
    for at in np.random.default_rng(1).integers(0, where.rows.size, 200):
        row = where.rows[at]
        start = offsets[prepared.panel.asset_id[row]]
        before = close[max(start, row - 48) : row + 1]
        moves = np.diff(before) / before[:-1]
        if moves.size < 48:
            continue
        z = (before[-1] / before[0] - 1) / (moves.std(ddof=0) * 48**0.5)
        loose = (before[-1] / before[0] - 1) / (moves.std(ddof=1) * 48**0.5)
        name = ["falling", "sideways", "rising"][int(np.searchsorted([-0.5, 0.5], z))]
        other = ["falling", "sideways", "rising"][int(np.searchsorted([-0.5, 0.5], loose))]
        assert trend.names[trend.part[at]] in (name, other)


def test_daily_bars_have_no_hours_to_be_divided_by():
    """New York closes at 20 or 21 UTC: those parts would tell summer from winter."""
    decided = np.array([20, 21, 44])
    assert _hours(Timeframe("1d"), decided) == []
    (by_hour,) = _hours(Timeframe("1h"), decided)
    assert by_hour.part.tolist() == [20, 21, 20]


def judged_rows(n_days, source, a_day=20):
    n = n_days * a_day
    p = source.uniform(0.1, 0.5, n)
    none = np.zeros(n)
    return Judged(
        np.column_stack([1 - p, none, p]),
        np.where(source.random(n) < p, 1, -1).astype(np.int8),
        np.zeros(n, np.int8),
        none,
        none,
        np.repeat(np.arange(n_days), a_day),
        none,
        none,
        np.zeros(n, bool),
        np.arange(n),
    )


def luck(seed, effect=0.0):
    """60 days of trades that are alike in every hour, but for one if an effect is planted."""
    source = np.random.default_rng(seed)
    rows = judged_rows(60, source)
    hour = source.integers(0, 20, rows.p.size)
    net = source.normal(0, 0.01, rows.p.size) + 0.004 * source.normal(size=60)[rows.stretch]
    net[hour == 7] += effect
    closed = Closed(np.arange(net.size), rows.stretch, rows.stretch, net, rows.hit)
    division = Division("hour", tuple(f"{h:02d}" for h in range(20)), hour)
    return _tested(tuple(_slices(division, closed, rows, source)))


def test_where_all_parts_are_alike_the_correction_leaves_none_to_be_mined():
    """Twenty hours, each as good as the other: by luck one in twenty looks unlike the rest."""
    tests = [luck(seed)[1] for seed in range(60)]
    assert all(t.n_tested == t.n_slices == 20 for t in tests)
    nominal = np.mean([t.n_nominal for t in tests])
    assert 0.5 < nominal < 1.6
    assert tests[0].expected_by_luck == pytest.approx(1.0)
    assert sum(bool(t.survivors) for t in tests) <= 9  # 5 % of 60 is 3; 99.9 % stay below 10


def test_a_planted_hour_survives_the_correction():
    slices, tests = luck(1, effect=0.01)
    assert tests.survivors == ("hour 07",)
    found = next(s for s in slices if s.name == "07")
    assert found.p_value < found.adjusted_p < 0.01


def test_false_negatives_reached_the_target_were_not_entered_and_had_the_least_probability(
    searched,
):
    study, found = searched
    prepared, comparison = found.prepared, found.comparison
    where, winner = comparison.segment, comparison.closest
    probability = comparison.views[winner.place].probability
    wished = comparison.intent(winner).enter
    rows = judged(prepared, where, probability, wished)
    told = before_the_seal(study, prepared, comparison).errors.false_negatives
    assert len(told) == 5
    panel, labels = where.panel, prepared.labels
    times = np.array([np.datetime64(f.time.removesuffix("Z"), "ns").astype(np.int64) for f in told])
    for miss, time in zip(told, times, strict=True):
        i = panel.symbols.index(miss.symbol)
        at = int(np.flatnonzero((panel.available_at == time) & (panel.asset_id == i))[0])
        row = where.rows[at]
        assert labels.outcome[row] == 1
        assert not wished[at]
        assert miss.probability == probability[at, -1]
        assert miss.realised == labels.realised[row]
        # The bars agree with the panel, and a bar up to the exit went above the target.
        assert miss.open[miss.entry_bar] == panel.open[at + 1]
        span = slice(miss.entry_bar, miss.exit_bar + 1)
        assert max(miss.high[span]) > miss.upper
        assert min(miss.low[miss.entry_bar : miss.exit_bar]) > miss.lower
    spans = [(f.symbol, t, f.exit_bar - f.entry_bar) for f, t in zip(told, times, strict=True)]
    for i, (symbol, time, length) in enumerate(spans):
        for other, later, _ in spans[:i] + spans[i + 1 :]:
            assert symbol != other or not 0 <= later - time <= length * 3_600_000_000_000
    missed = rows.hit & ~rows.selected
    assert told[0].probability == rows.p[missed].min()


def test_without_a_trade_the_probabilities_are_sliced_all_the_same(searched):
    study, found = searched
    prepared, comparison = found.prepared, found.comparison
    where = comparison.segment
    probability = comparison.views[0].probability
    rows = judged(prepared, where, probability, np.zeros(where.rows.size, bool))
    told = errors(study.config, prepared, where, rows, None)
    assert told.tests is None
    assert told.false_positives == ()
    assert len(told.false_negatives) == 5
    assert all(s.n_trades == 0 and s.brier is not None for s in told.where)


def test_the_terminal_prints_slices_tests_and_mistakes_as_json(run):
    code, text, _ = touchstone("runs", "show", run.folder, "--json")
    market = json.loads(text)["market"]
    assert code == 0
    assert market["where_tests"]["n_tested"] <= market["where_tests"]["n_slices"]
    assert {"p_value", "adjusted_p", "brier_interval"} <= market["where"][0].keys()
    assert market["worst_false_negatives"]
