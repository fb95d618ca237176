"""The survivorship bias: worked, against a slow reference, on planted deaths and on real ones."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data import DATA
from small import touchstone
from touchstone.errors import DataError, TooFewBarsError
from touchstone.validation.survivorship import CLIP, Lives, survivorship_bias

DAYS, YEAR = 30, 25


def lives(closes, survives):
    """(n_days, n_instruments), NaN where there is no bar -> lives."""
    day, who = np.nonzero(~np.isnan(closes))
    year = np.where(np.arange(len(closes)) < YEAR, 2021, 2022)
    return Lives(day, who, closes[day, who], np.array(survives, bool), year)


def found(study, weighting, clipped):
    (one,) = (b for b in study.biases if (b.weighting, b.clipped) == (weighting, clipped))
    return one


def two():
    """One gains 1 % a day; the other falls to half on day 10, and that is its end."""
    closes = np.full((DAYS, 2), np.nan)
    closes[:, 0] = 100 * 1.01 ** np.arange(DAYS)
    closes[:11, 1] = 100
    closes[10, 1] = 70  # within the clip
    return lives(closes, [True, False])


def test_worked_bias():
    study = survivorship_bias(two(), 252, seed=1)
    assert (study.n_days, study.n_instruments, study.n_survivors) == (29, 2, 1)
    daily = found(study, "rebalanced", True)
    assert daily.survivors == pytest.approx(0.01 * 252)
    # ten days of the mean of both, then the survivor alone
    both = [(0.01 + 0.0) / 2] * 9 + [(0.01 - 0.3) / 2] + [0.01] * 19
    assert daily.all == pytest.approx(np.mean(both) * 252)
    assert daily.bias == pytest.approx(daily.survivors - daily.all)
    held = found(study, "held", False)
    worth = [(1.01**t + (1 if t < 10 else 0.7)) / 2 for t in range(DAYS)]
    assert held.all == pytest.approx(np.mean(np.diff(worth) / worth[:-1]) * 252)


def test_each_year_with_days_enough_stands_alone():
    years = survivorship_bias(two(), 252, seed=1).years
    assert [(y.weighting, y.year, y.n_days) for y in years] == [
        ("rebalanced", 2021, 24), ("held", 2021, 24),
    ]  # fmt: skip
    # nine days of half a per cent less, and the day of the fall; then both are the survivor
    assert years[0].bias == pytest.approx((9 * 0.005 + 0.155) / 24 * 252)


def test_what_holders_of_the_dead_get():
    plain, less = (found(survivorship_bias(two(), 252, 1, d), "rebalanced", True).all
                   for d in (0.0, -0.5))  # fmt: skip
    # day 10 gives 0.7 x 0.5 - 1 in place of -0.3
    assert plain - less == pytest.approx(252 / 29 * (0.7 - 0.35) / 2)


def test_who_is_still_traded_on_the_last_day_has_not_been_delisted_yet():
    closes = np.full((DAYS, 3), 100.0)
    closes[11:, 2] = np.nan
    later = lives(closes, [True, False, False])
    study = survivorship_bias(later, 252, 1, -0.3)
    assert (study.n_died_later, study.first_end) == (1, 10)
    # day 10: one of three loses 30 %; the last day: nobody loses anything
    assert found(study, "rebalanced", True).all == pytest.approx(-252 / 29 * 0.3 / 3)
    assert found(study, "held", True).all == pytest.approx(-252 / 29 * 0.3 / 3)


def test_who_ends_after_a_long_gap_is_delisted_too():
    closes = np.full((DAYS, 2), 100.0)
    closes[3:20, 1] = np.nan
    closes[21:, 1] = np.nan
    study = survivorship_bias(lives(closes, [True, False]), 252, 1, -0.3)
    assert study.n_left_out == 1
    assert found(study, "rebalanced", True).all == pytest.approx(-252 / 29 * 0.3 / 2)


def test_wild_moves_are_cut_alike_up_and_down():
    closes = np.full((DAYS, 3), 100.0)
    closes[5:, 1] = 1000.0  # up tenfold
    closes[7:, 2] = 10.0  # down to a tenth
    closes[20:, 2] = np.nan
    study = survivorship_bias(lives(closes, [True, True, False]), 252, 1)
    assert (study.n_cut_up, study.n_cut_down) == (1, 1)
    cut = found(study, "rebalanced", True)
    assert cut.survivors == pytest.approx(252 / 29 * (CLIP - 1) / 2)
    assert cut.all == pytest.approx(252 / 29 * (CLIP - 1 + 1 / CLIP - 1) / 3)
    wild = found(study, "rebalanced", False)
    assert wild.survivors == pytest.approx(252 / 29 * 9 / 2)


def test_a_move_across_a_long_gap_is_left_out():
    closes = np.full((DAYS, 2), 100.0)
    closes[5:12, 0] = np.nan
    closes[12:, 0] = 120.0
    closes[15:, 1] = np.nan
    study = survivorship_bias(lives(closes, [True, False]), 252, 1)
    assert study.n_left_out == 1
    assert found(study, "rebalanced", True).survivors == 0


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), loss=st.sampled_from([0.0, -0.3]))
def test_equals_the_slow_reference(seed, loss):
    rng = np.random.default_rng(seed)
    n = 6
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.25, (DAYS, n)), axis=0))
    survives = np.array([True, True, True, False, False, False])
    for i in (3, 4, 5):
        closes[rng.integers(8, DAYS - 1) :, i] = np.nan
    closes[: rng.integers(1, 8), 2] = np.nan
    study = survivorship_bias(lives(closes, survives), 252, 1, loss)
    for clipped in (True, False):
        daily, worth = {}, {}
        for name, members in (("survivors", (0, 1, 2)), ("all", range(n))):
            returns, money = [], {i: 1.0 for i in members if not np.isnan(closes[0, i])}
            path = [sum(money.values())]
            for t in range(1, DAYS):
                today = []
                for i in members:
                    if np.isnan(closes[t, i]) or np.isnan(closes[t - 1, i]):
                        continue
                    factor = closes[t, i] / closes[t - 1, i]
                    if clipped:
                        factor = min(max(factor, 1 / CLIP), CLIP)
                    if not survives[i] and np.isnan(closes[t + 1 :, i]).all():
                        factor *= 1 + loss
                    today.append(factor - 1)
                    if i in money:
                        money[i] *= factor
                returns.append(np.mean(today))
                path.append(sum(money.values()))
            daily[name] = np.mean(returns) * 252
            worth[name] = np.mean(np.diff(path) / path[:-1]) * 252
        for weighting, wanted in (("rebalanced", daily), ("held", worth)):
            got = found(study, weighting, clipped)
            assert got.survivors == pytest.approx(wanted["survivors"], abs=1e-9)
            assert got.all == pytest.approx(wanted["all"], abs=1e-9)


def test_planted_deaths_lie_in_the_interval_and_none_without():
    rng = np.random.default_rng(0)
    n, n_days = 200, 500
    logs = rng.normal(0, 0.02, (n_days, n))
    closes = 100 * np.exp(np.cumsum(logs, axis=0))
    survives = np.arange(n) >= 60
    for i in range(60):  # each loses 20 % on its last day
        end = rng.integers(50, n_days - 10)
        closes[end, i] = closes[end - 1, i] * 0.8
        closes[end + 1 :, i] = np.nan
    one = found(survivorship_bias(lives(closes, survives), 252, 3), "rebalanced", True)
    alive = (~np.isnan(closes)).sum(1).mean()
    expected = 60 * 0.2 / n_days / alive * 252
    assert one.interval[0] < expected < one.interval[1]
    assert one.interval[0] > 0
    # the same instruments, their ends drawn without regard to what they did
    closes = 100 * np.exp(np.cumsum(logs, axis=0))
    for i in range(60):
        closes[rng.integers(50, n_days - 10) :, i] = np.nan
    none = found(survivorship_bias(lives(closes, survives), 252, 3), "rebalanced", True)
    assert none.interval[0] < 0 < none.interval[1]


def test_order_of_rows_and_seed():
    given_, shuffled = two(), two()
    order = np.random.default_rng(0).permutation(given_.day.size)
    shuffled = Lives(*(c[order] for c in given_[:3]), *given_[3:])
    assert survivorship_bias(given_, 252, 1) == survivorship_bias(shuffled, 252, 1)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"survives": [True, True]}, DataError, "nobody dies among 2 instruments"),
        ({"survives": [False, False]}, DataError, "nobody lives on"),
        ({"close": np.nan}, DataError, "finite and positive"),
        ({"loss": -1.0}, DataError, "a delisting return lies above -1"),
        ({"days": 10}, TooFewBarsError, "10 days of closes: needs 20"),
        ({"twice": True}, DataError, "two closes on one day"),
        ({"years": True}, DataError, "years: needs one for each of 30 days"),
    ],
)
def test_what_cannot_be_measured(change, error, said):
    one = two()
    if "survives" in change:
        one = one._replace(survives=np.array(change["survives"]))
    if "close" in change:
        one = one._replace(close=one.close * change["close"])
    if "days" in change:
        keep = one.day < change["days"]
        one = Lives(*(c[keep] for c in one[:3]), one.survives, one.year[: change["days"]])
    if "twice" in change:
        one = Lives(*(np.r_[c, c[:1]] for c in one[:3]), *one[3:])
    if "years" in change:
        one = one._replace(year=one.year[1:])
    with pytest.raises(error, match=said):
        survivorship_bias(one, 252, 1, change.get("loss", 0.0))


# the command


def table(folder, name, **columns):
    pl.DataFrame(columns).write_parquet(folder / name)
    return folder / name


def panel_file(folder, n_days=40):
    days = pl.date_range(pl.date(2021, 1, 4), pl.date(2021, 12, 31), eager=True)
    days = days.filter(days.dt.weekday() < 6)[:n_days]
    rng = np.random.default_rng(1)
    frames = [
        pl.DataFrame(
            {
                "symbol": symbol,
                "timestamp": days[:n].cast(pl.Datetime("us", "UTC")),
                "close": 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n))),
            }
        )
        for symbol, n in (("A", n_days), ("B", n_days), ("DEAD", min(n_days, 20)))
    ]
    pl.concat(frames).write_parquet(folder / "panel.parquet")
    return folder / "panel.parquet"


def test_the_command_with_and_without_lifetimes(tmp_path):
    panel = panel_file(tmp_path)
    code, out, err = touchstone("study", "survivorship", "--panel", panel, "--json")
    assert code == 0, err
    found_ = json.loads(out)
    assert (found_["n_instruments"], found_["n_survivors"]) == (3, 2)
    assert found_["n_rows_closed"] == 2 + 2 + 1, "Martin Luther King's and Presidents' days"
    assert len(found_["biases"]) == 4
    ended = table(tmp_path, "l.parquet", symbol=["A", "B", "DEAD"],
                  ended_before_panel=[False, False, True])  # fmt: skip
    words = ("study", "survivorship", "--panel", panel, "--lifetimes", ended)
    assert json.loads(touchstone(*words, "--json")[1]) == found_
    code, out, _ = touchstone(*words)
    assert code == 0
    assert "3 instruments over 38 days, of which 1 (33 %) died" in out


def test_the_command_refuses_in_one_line(tmp_path):
    panel = panel_file(tmp_path)
    text = table(tmp_path, "t.parquet", symbol=["A"], timestamp=["2021-01-04"], close=[1.0])
    short = table(tmp_path, "s.parquet", symbol=["A"], ended_before_panel=[True])
    (tmp_path / "no.parquet").write_bytes(b"x")
    (tmp_path / "short").mkdir()
    for words, said in (
        (["--panel", tmp_path / "nothing.parquet"], "no such file"),
        (["--panel", tmp_path / "no.parquet"], "cannot be read as Parquet or CSV"),
        (["--panel", short], "no column timestamp, close"),
        (["--panel", text], "column timestamp is of type String: needs time"),
        (["--panel", panel, "--lifetimes", short], "no lifetime of 2 symbols of the panel (B"),
        (["--panel", panel, "--delisting-return", "-1"], "lies above -1"),
        (["--panel", panel_file(tmp_path / "short", 15)], "14 days"),
    ):
        code, out, err = touchstone("study", "survivorship", *words)
        assert code == 3, err
        assert said in err
        assert out == ""
        assert err.count("\n") == 1


@pytest.mark.real_data
@pytest.mark.parametrize("lifetimes", [True, False])
def test_real_listings(lifetimes):
    folder = DATA / "survivorship"
    if not folder.is_dir():
        pytest.skip(f"no market data in {folder}")
    words = ["--panel", folder / "us_daily_panel.parquet"]
    words += ["--lifetimes", folder / "lifetimes.parquet"] if lifetimes else []
    code, out, err = touchstone("study", "survivorship", *words, "--json")
    assert code == 0, err
    study = json.loads(out)
    assert study["n_instruments"] == 1333
    assert study["n_died_later"] == (37 if lifetimes else 0)
    assert study["first_end"] == 102, "the panel lacks whoever died in its first months"
    dead = study["n_instruments"] - study["n_survivors"]
    assert 0.27 < dead / 1333 < 0.35, "a third end before the panel does"
    cut = {b["weighting"]: b for b in study["biases"] if b["clipped"]}
    for one in cut.values():
        assert one["interval"][0] < one["bias"] < one["interval"][1]
        assert -0.05 < one["bias"] < 0.15, "some per cent a year"
    by_year = {(y["weighting"], y["year"]) for y in study["years"]}
    assert by_year == {(w, y) for w in ("rebalanced", "held") for y in (2015, 2016)}
    assert study["n_cut_up"] > 100
    assert study["n_cut_down"] > 100
