"""Promises that every ensemble keeps. A new file in ensembles/combiners/ is tested as it is."""

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensembles.gathered import HOUR, configs, fit, gathered, halves, of
from ensembles.interference import leaks
from touchstone.ensembles import ENSEMBLES, Members, columns_of, recalibrates
from touchstone.ensembles.rows import base_rate, column_of, pool, take
from touchstone.errors import ArtifactError, ConfigError, DataError

CONFIGS = configs()
every = pytest.mark.parametrize("name", list(CONFIGS))
UNFITTED = {"mean", "mean-geometric", "vote", "vote-hard"}
"""Their weights say nothing of what came."""
every_fitted = pytest.mark.parametrize("name", [n for n in CONFIGS if n not in UNFITTED])
each_width = pytest.mark.parametrize("n_outcomes", [1, 3])
few = settings(max_examples=3, deadline=None)
seeds = st.integers(0, 10_000)
MANY = 6000
"""Rows where a law is about what was learnt."""
NO_LINEAR_POOL = {"mean-geometric", "vote-hard"}
"""Of those that do not recalibrate."""


@cache
def rows(n_outcomes, n_rows=1500):
    return halves(*gathered(0, n_outcomes, n_rows=n_rows))


@cache
def fitted(name, n_outcomes, n_rows=1500):
    return fit(CONFIGS[name], *rows(n_outcomes, n_rows)[0])


def log_loss(said, outcomes):
    came, row = column_of(outcomes.outcome, said.shape[1]), np.arange(len(said))
    p = said[row, came] if said.shape[1] == 3 else np.where(came == 0, said[:, 0], 1 - said[:, 0])
    return -np.average(np.log(np.maximum(p, 1e-6)), weights=outcomes.weight)


def test_the_family_holds_those_of_the_design():
    design = "vote mean weighted blend stack regime online bma moe hierarchy".split()
    assert set(design) <= set(ENSEMBLES.kinds())


@every
def test_config_survives_its_own_json_and_refuses_unknown_keys(name):
    config = CONFIGS[name]
    again = ENSEMBLES.parse(config.model_dump(mode="json", serialize_as_any=True))
    assert again == config
    assert again.fingerprint() == config.fingerprint()
    with pytest.raises(ConfigError, match="no such key"):
        ENSEMBLES.parse({"kind": config.kind, "lenght": 3})


@every
@each_width
def test_says_probabilities(name, n_outcomes):
    combined, (_, (members, outcomes)) = fitted(name, n_outcomes), rows(n_outcomes)
    for came in (None, outcomes):
        said = combined.combine(members, came)
        assert said.shape == members.score.shape[1:]
        assert ((said >= 0) & (said <= 1)).all()
        if n_outcomes == 3:
            np.testing.assert_allclose(said.sum(1), 1, rtol=0, atol=1e-12)


@every
@each_width
def test_one_row_alone_is_combined_as_among_others(name, n_outcomes):
    combined, (_, (members, outcomes)) = fitted(name, n_outcomes), rows(n_outcomes)
    for row in (0, 17):
        alone, _ = take(members, outcomes, np.array([row]))
        np.testing.assert_array_equal(combined.combine(alone)[0], combined.combine(members)[row])


@every
@each_width
def test_members_of_one_mind_say_what_one_of_them_does_alone(name, n_outcomes):
    (members, outcomes), (fresh, later) = rows(n_outcomes)
    same = [1, 1, 1, 1, 1]
    many = [
        Members(np.ascontiguousarray(m.score[same]), m.instant, m.asset, m.named)
        for m in (members, fresh)
    ]
    alone = fit(CONFIGS[name], of(members, [1]), outcomes)
    together = fit(CONFIGS[name], many[0], outcomes)
    for came in (None, later):
        said, one = together.combine(many[1], came), alone.combine(of(fresh, [1]), came)
        np.testing.assert_allclose(said, one, rtol=0, atol=1e-6)
        if not recalibrates(CONFIGS[name]) and name != "vote-hard":
            np.testing.assert_allclose(said, fresh.score[1], rtol=0, atol=1e-12)


@every
@each_width
def test_the_order_of_the_members_does_not_matter(name, n_outcomes):
    (members, outcomes), (fresh, later) = rows(n_outcomes)
    order = np.array([3, 0, 4, 2, 1])
    other = fit(CONFIGS[name], of(members, order), outcomes)
    whole = fitted(name, n_outcomes)
    # The gate of moe ends where a gradient is small, the others at one point.
    near = {"rtol": 0, "atol": 2e-4 if CONFIGS[name].kind == "moe" else 1e-6}
    np.testing.assert_allclose(
        other.combine(of(fresh, order), later), whole.combine(fresh, later), **near
    )
    np.testing.assert_allclose(
        other.weights(of(fresh, order), later), whole.weights(fresh, later)[:, order], **near
    )


@every
@each_width
def test_weights_are_shares_and_make_the_score_unless_it_says_otherwise(name, n_outcomes):
    combined, (_, (members, outcomes)) = fitted(name, n_outcomes), rows(n_outcomes)
    for came in (None, outcomes):
        weight = combined.weights(members, came)
        assert weight.shape == (members.score.shape[1], len(members.score))
        assert np.isfinite(weight).all()
        if recalibrates(CONFIGS[name]):
            continue
        assert (weight >= 0).all()
        np.testing.assert_allclose(weight.sum(1), 1, rtol=0, atol=1e-12)
        if name not in NO_LINEAR_POOL:
            said = combined.combine(members, came)
            np.testing.assert_allclose(pool(members.score, weight), said, rtol=0, atol=1e-12)


@every
def test_the_same_arguments_give_the_same_bits_and_change_nothing(name):
    (members, outcomes), (fresh, later) = rows(3)
    held = [a.copy() for a in (members.score, *members.named.values(), *outcomes)]
    again = fit(CONFIGS[name], members, outcomes)
    assert again.files() == fitted(name, 3).files()
    np.testing.assert_array_equal(
        again.combine(fresh, later), fitted(name, 3).combine(fresh, later)
    )
    for before, after in zip(
        held, (members.score, *members.named.values(), *outcomes), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def digest():
    """Of all files and combined scores of all kinds."""
    found = hashlib.sha256()
    for name in CONFIGS:
        found.update(b"".join(fitted(name, 3).files().values()))
        found.update(fitted(name, 3).combine(*rows(3)[1]).tobytes())
    return found.hexdigest()


def test_another_process_gives_the_same_bits():
    code = "from contracts.test_every_ensemble import digest; print(digest())"
    here = Path(__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == digest()


@every
@each_width
def test_its_files_give_it_back(name, n_outcomes):
    combined, (_, (members, outcomes)) = fitted(name, n_outcomes), rows(n_outcomes)
    files = combined.files()
    assert all(isinstance(data, bytes) for data in files.values())
    again = ENSEMBLES.part_of(CONFIGS[name]).restore(CONFIGS[name], files)
    assert again.files() == files
    for came in (None, outcomes):
        for f in ("combine", "weights"):
            np.testing.assert_array_equal(
                getattr(again, f)(members, came), getattr(combined, f)(members, came)
            )


@every
def test_refuses_files_that_it_did_not_write(name):
    config = CONFIGS[name]
    part, files = ENSEMBLES.part_of(config), fitted(name, 3).files()
    other = fitted("mean" if config.kind != "mean" else "bma", 3).files()
    for wrong in ({}, dict.fromkeys(files, b"{"), dict.fromkeys(files, b"{}"), other):
        with pytest.raises(ArtifactError):
            part.restore(config, wrong)
    for missing in files:
        with pytest.raises(ArtifactError):
            part.restore(config, {k: v for k, v in files.items() if k != missing})


def nan_score(m, o):
    score = m.score.copy()
    score[1, 7, 0] = np.nan
    return m._replace(score=score), o


FAULTS = {
    "finite": nan_score,
    r"probabilities in \[0, 1\]": lambda m, o: (m._replace(score=m.score * 3), o),
    "sum to one": lambda m, o: (m._replace(score=m.score / 2), o),
    "needs one of each": lambda m, o: take(m, o, np.arange(0)),
    "1 or 3 outcomes": lambda m, o: (m._replace(score=m.score[:, :, :2]), o),
    "of one kind": lambda m, o: (m, o._replace(outcome=np.ones_like(o.outcome))),
    "no later than the row": lambda m, o: (m, o._replace(known=m.instant)),
    "weight needs to be positive": lambda m, o: (m, o._replace(weight=o.weight * 0)),
    "outcomes.realised of row": lambda m, o: (m, o._replace(realised=o.realised * np.inf)),
    "outcomes.known has shape": lambda m, o: (m, o._replace(known=o.known[1:])),
    "all different": lambda m, o: (m._replace(name=("a", "a", "b", "c", "d")), o),
}


@every
@pytest.mark.parametrize("said", FAULTS)
@pytest.mark.filterwarnings("ignore:invalid value encountered in multiply")
def test_refuses_rows_that_nothing_can_be_fitted_on(name, said):
    with pytest.raises(DataError, match=said):
        fit(CONFIGS[name], *FAULTS[said](*rows(3)[0]))


@every
def test_refuses_scores_that_it_cannot_combine(name):
    combined, (members, outcomes) = fitted(name, 3), rows(3)[1]
    one, _ = halves(*gathered(0, 1))
    for f in (combined.combine, combined.weights):
        with pytest.raises(DataError, match="was fitted to"):
            f(of(members, [0, 1, 2, 3]))
        with pytest.raises(DataError, match="was fitted to"):
            f(one[0])
        with pytest.raises(DataError, match="finite"):
            f(nan_score(members, outcomes)[0])


@every
def test_a_column_that_it_needs_is_asked_for_by_name(name):
    config, ((members, outcomes), (fresh, _)) = CONFIGS[name], rows(3)
    blind = members._replace(named={})
    if columns_of(config):
        with pytest.raises(ConfigError, match="was not evaluated"):
            fit(config, blind, outcomes)
        with pytest.raises(ConfigError, match="was not evaluated"):
            fitted(name, 3).combine(fresh._replace(named={}))
    else:
        assert fit(config, blind, outcomes).files() == fitted(name, 3).files()


@every
@each_width
@few
@given(seed=seeds)
def test_no_combined_score_knows_the_future(name, n_outcomes, seed):
    """Scores, columns and outcomes after an instant, or known after it, change nothing up to it."""
    assert leaks(fitted(name, n_outcomes), *rows(n_outcomes)[1], seed) == 0


@every
def test_without_outcomes_a_row_is_combined_by_itself(name):
    members, outcomes = rows(3)[1]
    order = np.random.default_rng(0).permutation(members.instant.size)
    mixed, _ = take(members, outcomes, order)
    combined = fitted(name, 3)
    np.testing.assert_array_equal(combined.combine(mixed), combined.combine(members)[order])


@every
@each_width
def test_one_member_is_enough(name, n_outcomes):
    (members, outcomes), (fresh, later) = rows(n_outcomes)
    settings = CONFIGS[name].model_dump(mode="json", serialize_as_any=True)
    if CONFIGS[name].kind == "hierarchy":
        settings["groups"] = {}
    config = ENSEMBLES.parse(settings)
    combined = fit(config, of(members, [0]), outcomes)
    assert combined.combine(of(fresh, [0]), later).shape == fresh.score.shape[1:]
    if not recalibrates(config):
        np.testing.assert_array_equal(combined.weights(of(fresh, [0]), later), 1)


@every_fitted
@each_width
def test_a_member_that_knows_nothing_counts_for_little(name, n_outcomes):
    members, outcomes = rows(n_outcomes, MANY)[1]
    for came in (None, outcomes):
        weight = np.abs(fitted(name, n_outcomes, MANY).weights(members, came)).mean(0)
        assert weight[-1] < weight.max() / 5
        assert weight[-1] < 0.1


@every_fitted
@each_width
def test_what_is_fitted_beats_what_is_not_on_fresh_rows(name, n_outcomes):
    fresh, later = rows(n_outcomes, MANY)[1]
    said = fitted(name, n_outcomes, MANY).combine(fresh, later)
    mean = fitted("mean", n_outcomes, MANY).combine(fresh)
    assert log_loss(said, later) < log_loss(mean, later)


def told(members, k, score):
    """The members with what one of them says in place of what it said."""
    other = members.score.copy()
    other[k] = score
    return members._replace(score=other)


@every_fitted
@each_width
def test_a_member_that_knows_the_outcome_is_followed(name, n_outcomes):
    truth = [np.where(m[1].outcome[:, None] == [-1, 0, 1], 0.98, 0.01) for m in rows(n_outcomes)]
    (members, outcomes), (fresh, later) = rows(n_outcomes)
    knows = [
        told(m, 2, t if n_outcomes == 3 else t[:, 2:])
        for m, t in zip((members, fresh), truth, strict=True)
    ]
    combined = fit(CONFIGS[name], knows[0], outcomes)
    said, alone = combined.combine(knows[1], later), knows[1].score[2]
    assert log_loss(said, later) < log_loss(alone, later) + 0.05
    weight = np.abs(combined.weights(knows[1], later)).mean(0)
    assert int(weight.argmax()) == 2
    if not recalibrates(CONFIGS[name]):
        assert weight[2] > 0.9


@every_fitted
@each_width
def test_a_member_that_always_says_the_same_does_no_harm(name, n_outcomes):
    """The base rate, said of every row: no column of a regression, and no weight, breaks on it."""
    (members, outcomes), (fresh, later) = rows(n_outcomes, MANY)
    usual = base_rate(members, outcomes)
    dull = [told(m, 4, usual) for m in (members, fresh)]
    combined = fit(CONFIGS[name], dull[0], outcomes)
    said = combined.combine(dull[1], later)
    assert np.isfinite(combined.weights(dull[1], later)).all()
    blind = fitted(name, n_outcomes, MANY).combine(fresh, later)
    assert log_loss(said, later) < log_loss(blind, later) + 0.01


@every
def test_neither_the_unit_of_the_weights_nor_the_instruments_numbers_matter(name):
    (members, outcomes), (fresh, later) = rows(3)
    numbers = np.array([901, 13, 500])
    other = fit(
        CONFIGS[name],
        members._replace(asset=numbers[members.asset]),
        outcomes._replace(weight=outcomes.weight * 7.0),
    )
    said = other.combine(fresh._replace(asset=numbers[fresh.asset]), later)
    np.testing.assert_allclose(said, fitted(name, 3).combine(fresh, later), rtol=0, atol=1e-6)


class KnowsTooEarly:
    """Learns from an outcome as soon as its row is over: an hour after it, whenever it is known."""

    def __init__(self, inner):
        self.combine = lambda m, o: inner.combine(m, o._replace(known=m.instant + HOUR))
        self.weights = lambda m, o: inner.weights(m, o._replace(known=m.instant + HOUR))


class OffByOne:
    """Takes outcomes that are known by the next bar's close."""

    def __init__(self, inner):
        def early(m, o):
            return o._replace(known=np.maximum(o.known - HOUR, m.instant + 1))

        self.combine = lambda m, o: inner.combine(m, early(m, o))
        self.weights = lambda m, o: inner.weights(m, early(m, o))


class FittedAgain:
    """Fits its weights to the rows that it combines."""

    def __init__(self, inner):
        self.combine = lambda m, o: fit(CONFIGS["weighted"], m, o).combine(m)
        self.weights = inner.weights


class Centred:
    """Cuts the regimes at quantiles of the rows that it combines."""

    def __init__(self, inner):
        self.combine = lambda m, o: inner.combine(m, o) * np.ptp(m.named["std(ret, 24)"][5:])
        self.weights = inner.weights


@pytest.mark.parametrize("fault", [KnowsTooEarly, OffByOne, FittedAgain, Centred])
def test_a_combination_that_reads_ahead_is_caught(fault):
    config = ENSEMBLES.parse({"kind": "online", "share": 0.01, "half_life": 50})
    members, outcomes = rows(3)[1]
    members = members._replace(named={e: np.nan_to_num(c) for e, c in members.named.items()})
    inner = fit(config, *rows(3)[0])
    assert leaks(inner, members, outcomes, 1) == 0
    assert leaks(fault(inner), members, outcomes, 1) > 0
