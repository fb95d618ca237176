"""Counts and rates behind the figures of skill, against the rows they came from."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from reports.example_result import example
from touchstone.reports.measured import PrPoint, Skill
from touchstone.reports.skill_images import confusion, roc_points, skill_images


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(20, 300))
def test_roc_and_confusion_are_those_of_the_rows(seed, n):
    rng = np.random.default_rng(seed)
    hit = rng.random(n) < 0.3
    hit[:2] = True, False
    score = np.round(hit * rng.random() + rng.random(n), 2)
    precision, recall, _ = precision_recall_curve(hit, score)
    curve = [PrPoint(recall=r, precision=p) for p, r in zip(precision, recall, strict=True)]
    points = roc_points(curve, float(hit.mean()))
    wrong, right, _ = roc_curve(hit, score, drop_intermediate=False)
    for x, y in zip(wrong, right, strict=True):
        if y > 0:  # with no hit a precision-recall curve does not tell how many were wrong
            assert min(abs(a - x) + abs(b - y) for a, b in points) < 1e-9

    taken = score >= 0.6
    skill = Skill(
        n_rows=n, n_selected=int(taken.sum()), base_rate=float(hit.mean()),
        precision=float(hit[taken].mean()) if taken.any() else None,
    )  # fmt: skip
    counts = [np.sum(a & b) for a in (taken, ~taken) for b in (hit, ~hit)]
    assert list(confusion(skill)) == counts


def test_the_same_bytes_twice_and_nothing_of_nothing():
    skill = example().market.skill
    found = skill_images(skill)
    assert set(found) == {"calibration", "precision_recall", "roc", "confusion"}
    assert found == skill_images(skill)
    assert all(image.startswith(b"\x89PNG") for image in found.values())
    assert skill_images(None) == skill_images(Skill()) == {}
    assert roc_points((), 0.0) == []
    assert confusion(Skill(n_rows=5)) is None
