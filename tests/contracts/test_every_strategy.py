"""Promises that every strategy keeps. A new file in strategies/ is tested here with no new test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.outlooks import columns, random_outlook, rows_of
from touchstone.backtest import sweep
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.strategies import STRATEGIES, Intent, Targets, columns_of, is_short
from walks import random_panel

KINDS = STRATEGIES.kinds()
few = settings(max_examples=4, deadline=None)
seeds = st.integers(0, 10_000)


def variants():
    """Every kind as it comes, and short where it can be; a filter of each sort of decision."""
    for kind in KINDS:
        yield pytest.param(STRATEGIES.config(kind)(), id=kind)
        if "short" in STRATEGIES.config(kind).model_fields:
            yield pytest.param(STRATEGIES.parse({"kind": kind, "short": True}), id=f"{kind}-short")
    for inner in ("top_k", "score_weighted"):
        settings = {"strategy": {"kind": inner, "short": True}, "leave": True, "most": 0.02}
        yield pytest.param(
            STRATEGIES.parse({"kind": "regime_filter", **settings}), id=f"filtered-{inner}"
        )


every = pytest.mark.parametrize("config", [*variants()])
"""Every variant of every kind: the law is of all."""


def decide(config, outlook, hold_bars=8):
    one = config.candidates()[0]
    return STRATEGIES.part_of(one)(one, outlook, hold_bars)


def assert_same(one, other):
    assert columns(one).keys() == columns(other).keys()
    for name, column in columns(one).items():
        np.testing.assert_array_equal(column, columns(other)[name], err_msg=name)


def test_the_family_holds_those_of_the_design():
    assert {
        "threshold", "cost_aware", "top_k", "hysteresis", "regime_filter", "score_weighted"
    } <= set(KINDS)  # fmt: skip


@every
def test_config_survives_its_own_json_and_refuses_unknown_keys(config):
    assert STRATEGIES.parse(config.model_dump(mode="json", serialize_as_any=True)) == config
    with pytest.raises(ConfigError, match="no such key"):
        STRATEGIES.parse({"kind": config.kind, "max_postions": 3})


@every
def test_candidates_differ_and_are_their_own_only_candidate(config):
    candidates = config.candidates()
    assert len({c.fingerprint() for c in candidates}) == len(candidates) >= 1
    for one in candidates:
        assert one.candidates() == (one,)
        assert columns_of(one) == columns_of(config)
        assert is_short(one) == is_short(config)


@every
@few
@given(seeds)
def test_columns_fit_the_rows_and_can_be_traded(config, seed):
    decision = decide(config, random_outlook(config, seed), hold_bars=5)
    assert all(column.shape == (300,) for column in columns(decision).values())
    assert decision.enter.dtype == decision.leave.dtype == np.bool_
    rows = decision.enter
    assert rows.any(), "a law of entries needs some"
    assert not (decision.long & ~rows).any()
    if isinstance(decision, Targets):
        assert not np.isinf(decision.weight).any()
        assert 0 <= decision.buffer < 1
        return
    assert np.isfinite(decision.rank[rows]).all()
    assert ((decision.weight[rows] > 0) & (decision.weight[rows] <= 1)).all()
    assert (decision.up[rows] > 0).all()
    assert (decision.down[rows] > 0).all()
    assert decision.hold_bars >= 1
    assert decision.max_positions >= 1
    assert decision.min_hold_bars >= 0


@every
@few
@given(seeds)
def test_it_is_short_where_it_says_so_and_nowhere_else(config, seed):
    decision = decide(config, random_outlook(config, seed))
    sold = decision.enter & ~decision.long
    assert sold.any() == is_short(config)
    assert not (is_short(config) and not decision.long.any()), "it would be short of everything"


@every
@few
@given(seeds)
def test_a_row_without_a_score_is_neither_entered_nor_left(config, seed):
    outlook = random_outlook(config, seed)
    decision = decide(config, outlook)
    unknown = np.isnan(outlook.hit)
    assert not (decision.enter | decision.leave)[unknown].any()
    assert getattr(decision, "cover", None) is None or not decision.cover[unknown].any()


@every
@few
@given(seeds, st.integers(1, 12))
def test_a_row_reads_its_own_instant_alone_and_no_order_of_the_instruments(config, seed, n):
    """So no decision looks ahead, none depends on the past's length, nor on who stands first."""
    outlook = random_outlook(config, seed)
    rng = np.random.default_rng(seed)
    some = rng.permutation(np.unique(outlook.instant))[:n]
    rows = rng.permutation(np.flatnonzero(np.isin(outlook.instant, some)))
    seen = rows_of(outlook, rows)
    numbers = rng.permutation(1000)[seen.asset]  # and no number of theirs
    part, whole = decide(config, seen._replace(asset=numbers)), decide(config, outlook)
    for name, column in columns(whole).items():
        np.testing.assert_array_equal(column[rows], columns(part)[name], err_msg=name)


@every
@few
@given(seeds)
def test_a_row_is_decided_by_that_row_alone_unless_it_says_otherwise(config, seed):
    outlook = random_outlook(config, seed)
    whole = decide(config, outlook)
    alone = decide(config, outlook._replace(instant=np.arange(300)))
    same = all(
        np.array_equal(column, columns(alone)[name], equal_nan=column.dtype.kind == "f")
        for name, column in columns(whole).items()
    )
    assert same == (not getattr(config, "is_across", False))


@every
@few
@given(seeds)
def test_a_dearer_round_trip_enters_less_where_it_is_claimed(config, seed):
    outlook = random_outlook(config, seed)
    cheap, dear, ruinous = (
        decide(config, outlook._replace(round_trip=cost)).enter for cost in (0.0, 0.02, 0.2)
    )
    if getattr(config, "knows_costs", False):
        assert cheap.sum() > dear.sum() > ruinous.sum() == 0
        assert (dear <= cheap).all()
    else:
        np.testing.assert_array_equal(cheap, ruinous)


@every
def test_what_it_decides_an_account_can_follow(config):
    panel = random_panel(3, 100, 1, missing=0.1)
    outlook = random_outlook(config, 2, len(panel))._replace(instant=panel.available_at)
    decision = decide(config, outlook)
    account = AccountConfig(short=is_short(config))
    run = sweep(panel, [decision], account, CostsConfig())[0]
    assert np.isfinite(run.equity).all()
    assert run.trades.pnl.size > 0
    if is_short(config):
        assert (run.invested < 0).any(), "nothing was sold short"
        with pytest.raises(ConfigError, match=r"account\.short"):
            sweep(panel, [decision], AccountConfig(), CostsConfig())


@every
def test_it_says_what_it_needs_when_the_outlook_does_not_have_it(config):
    outlook = random_outlook(config, 0)
    if getattr(config, "is_across", False):
        with pytest.raises(ConfigError, match="instant"):
            decide(config, outlook._replace(instant=None))
    if columns_of(config):
        with pytest.raises(ConfigError, match="was not evaluated"):
            decide(config, outlook._replace(named={}))
    assert isinstance(decide(config, outlook), Intent | Targets)
