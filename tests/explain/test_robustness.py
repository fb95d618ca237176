"""Noise of no size changes nothing; what knows more does more harm; no value moves too far."""

import numpy as np
import pytest

from explain.subjects import NAMES, subject
from touchstone.errors import ConfigError
from touchstone.explain.changed import scored, usual
from touchstone.explain.gradients import logit_gradient
from touchstone.explain.robustness import (
    Exposed,
    attacked,
    attacks_on,
    robustness,
)
from touchstone.metrics import classification as c
from touchstone.seeding import generator

SHARES = (0.0, 0.1, 0.3)


def exposed(kind, n=300):
    of = subject(kind, n=n)
    said = scored(of.fitted, of.windows.gather(of.rows), of.windows.ids(of.rows))
    return Exposed(of, float(np.quantile(said, 0.7)))


@pytest.fixture(scope="module", params=["gru", "lightgbm", "logistic"])
def curve(request):
    one = exposed(request.param)
    return one, robustness([one], 0.002, SHARES, held=("moves",))


def by_way(found, share):
    return {p.attack: p for p in found.points if p.share == share}


def test_no_size_is_the_model_as_it_is(curve):
    one, found = curve
    of = one.subject
    said = scored(of.fitted, of.windows.gather(of.rows), of.windows.ids(of.rows))
    hit, taken = of.outcome == 1, said >= one.threshold
    for point in by_way(found, 0.0).values():
        assert (point.n_flipped, point.moved) == (0, 0.0)
        assert point.pr_auc.value == c.pr_auc(said, hit)
        assert point.accuracy.value == pytest.approx(np.mean(taken == hit))
        assert point.net.value == pytest.approx(of.realised[taken].mean() - 0.002)
        assert point.n_accepted == taken.sum()
        low, high = point.accuracy.interval
        assert low < point.accuracy.value < high


def test_an_attacker_does_more_harm_than_chance_and_ten_steps_no_less_than_one(curve):
    _, found = curve
    for share in SHARES[1:]:
        here = by_way(found, share)
        chance = here.pop("random")
        assert here
        for point in here.values():
            assert point.pr_auc.value < chance.pr_auc.value
            assert point.accuracy.value < chance.accuracy.value
        if "pgd" in here:
            assert here["pgd"].accuracy.value <= here["fgsm"].accuracy.value + 1e-9
            assert here["pgd"].pr_auc.value <= here["fgsm"].pr_auc.value + 5e-3


def test_more_of_it_does_more_harm(curve):
    _, found = curve
    for way in {p.attack for p in found.points} - {"random"}:
        fall = [p.pr_auc.value for p in found.points if p.attack == way]
        assert fall == sorted(fall, reverse=True)
        assert [p.share for p in found.points if p.attack == way] == list(SHARES)


@pytest.mark.parametrize(
    ("kind", "way"),
    [("gru", "random"), ("gru", "fgsm"), ("gru", "pgd"), ("lightgbm", "greedy")],
)
def test_no_value_moves_further_than_its_radius_and_the_still_stay(kind, way):
    of = subject(kind, n=40)
    windows, ids, hit = of.windows.gather(of.rows), of.windows.ids(of.rows), of.outcome == 1
    radius = 0.3 * usual(of).noise
    radius[3] = 0.0
    moved = attacked(of, windows, ids, hit, (way, radius)) - windows
    assert (np.abs(moved) <= radius + 1e-5).all()
    assert (moved[:, :, radius == 0] == 0).all()
    assert np.abs(moved).max() > 0.9 * radius.max()
    if way in ("random", "fgsm"):  # the control is as large as the attack
        assert np.abs(moved[:, :, 0]) == pytest.approx(radius[0], abs=1e-5)


def test_each_row_is_moved_against_what_came_of_it_and_pgd_never_less_than_fgsm():
    of = subject("gru", n=60)
    windows, ids, hit = of.windows.gather(of.rows), of.windows.ids(of.rows), of.outcome == 1
    radius = 0.2 * usual(of).noise
    clean = scored(of.fitted, windows, ids)
    harm = {
        way: np.where(hit, -1, 1)
        * (scored(of.fitted, attacked(of, windows, ids, hit, (way, radius)), ids) - clean)
        for way in ("random", "fgsm", "pgd")
    }
    assert (harm["fgsm"] > 0).mean() > 0.95
    assert (harm["pgd"] >= harm["fgsm"]).all()
    assert (harm["pgd"] >= 0).all()
    assert abs(harm["random"].mean()) < harm["fgsm"].mean() / 3


def test_pgd_is_the_worst_of_all_places_that_it_passes():
    """Written slowly: every place of the descent is scored, and none does a row more harm."""
    of = subject("gru", n=60)
    windows, ids, hit = of.windows.gather(of.rows), of.windows.ids(of.rows), of.outcome == 1
    radius = (6 * usual(of).noise).astype(np.float32)  # so wide that steps overshoot
    sign = np.where(hit, -1, 1).astype(np.float32)
    harm = lambda moved: sign * scored(of.fitted, moved, ids)  # noqa: E731  short
    rng = generator(of.seed, "pgd", of.name, int(of.rows[0]))
    move = radius * rng.uniform(-1, 1, windows.shape).astype(np.float32)
    passed = [harm(windows + move)]
    for _ in range(10):
        _, slope = logit_gradient(of.fitted, windows + move, ids)
        step = radius * np.float32(0.25) * np.sign(slope) * sign[:, None, None]
        move = np.clip(move + step, -radius, radius)
        passed.append(harm(windows + move))
    assert (np.max(passed, 0) > passed[-1]).any()  # the last place is not the worst of every row
    got = harm(attacked(of, windows, ids, hit, ("pgd", radius.astype(np.float64))))
    assert (got >= np.max(passed, 0) - 2e-6).all()  # scores are rounded to 1e-6


def test_the_same_twice_and_in_any_company():
    """A row's random move follows from the row alone."""
    of = subject("logistic", n=40)
    windows, ids, hit = of.windows.gather(of.rows), of.windows.ids(of.rows), of.outcome == 1
    radius = usual(of).noise
    whole = attacked(of, windows, ids, hit, ("random", radius))
    some = of._replace(rows=of.rows[5:9])
    part = attacked(some, windows[5:9], ids[5:9], hit[5:9], ("random", radius))
    assert np.array_equal(part, whole[5:9])


def test_two_folds_are_judged_together_and_the_steps_are_told():
    one = exposed("logistic", n=200)
    whole = one.subject
    halves = [
        Exposed(
            whole._replace(
                name=f"fold {i}", **{n: getattr(whole, n)[part] for n in
                ("rows", "outcome", "realised", "instant", "day")}
            ),
            one.threshold,
        )
        for i, part in enumerate((slice(0, 100), slice(100, None)))
    ]  # fmt: skip
    told = []
    found = robustness(halves, 0.002, (0.0, 0.2), advance=told.append)
    assert found.n_rows == 200
    assert told == [f"fold {i}, {way}" for i in (0, 1) for way in attacks_on(whole)]
    alone = robustness([one], 0.002, (0.0, 0.2))
    assert [p.pr_auc for p in found.points if p.attack == "greedy"] == [
        p.pr_auc for p in alone.points if p.attack == "greedy"
    ]


def test_bad_sizes_are_refused():
    one = exposed("logistic", n=40)
    for shares in ((0.1, 0.2), (0.0, 0.2, 0.1), (0.0, 0.0)):
        with pytest.raises(ConfigError, match="rise from 0"):
            robustness([one], 0.0, shares)
    with pytest.raises(ConfigError, match="every feature is held"):
        robustness([one], 0.0, (0.0, 0.1), held=NAMES)
