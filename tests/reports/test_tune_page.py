"""The page of a search: it stands alone, its titles say what the trials say, it fits a phone."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.example_tune import EXAMPLES, SPACE, nothing, result, search
from reports.test_study_in_browser import CUT, OVERLAPS, SMALL, show  # noqa: F401 (a fixture)
from touchstone.reports.tune import TrialFound, told
from touchstone.reports.tune_page import page
from touchstone.reports.tune_words import agreed, by_chance, is_better, place, records, top, value


def text_of(name):
    return page(EXAMPLES[name](), "touchstone tune <file>")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_stands_alone_and_knows_every_number(name):
    text = text_of(name)
    assert not re.findall(r"https?://|<script|\bnan\b|\bNaN\b|\bNone\b|\binf\b", text)
    assert "<file>" not in text
    assert "<note>" not in text
    assert "<b>no</b> rows" not in text
    keys = re.findall(r' id="([^"]+)"', text)
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_trial_stands_in_its_table_once(name):
    found = EXAMPLES[name]()
    text = text_of(name)
    for one in found.searches:
        n = f"all {len(one.trials)}\u00a0trial"
        (table,) = (t for t in text.split("<details")[1:] if n in t[:200] and _of(one) in t[:250])
        numbers = re.findall(r'<th scope="row" class="n">(\d+)</th>', table.split("</details")[0])
        assert numbers == [str(t.number) for t in one.trials]


def _of(one):
    names = {"gru": "GRU", "lightgbm": "LightGBM", "cnn_lstm": "CNN-LSTM"}
    return f"of {names.get(one.name, one.name)}<"


def test_pruned_and_failed_trials_are_drawn_each_in_its_own_way():
    found = search()
    text = page(result(found), "x").split('id="s0-history"')[1].split("<details")[0]
    drawn = [f"trial {t.number}: {t.state}" in text for t in found.trials]
    assert all(drawn)
    for state, kind in (("pruned", "small base"), ("failed", "failed"), ("complete", "before")):
        n = sum(t.state == state for t in found.trials) - (state == "complete")
        assert len(re.findall(rf'class="dot {kind}" d="M[\d.]+ [\d.]+h0.01"><title>', text)) == n


values = st.lists(
    st.none() | st.floats(-1, 1, allow_nan=False).map(lambda v: round(v, 3)), max_size=30
)


@given(values, st.sampled_from(["higher", "lower"]))
def test_the_staircase_is_the_running_best_and_the_top_are_not_beaten(found, direction):
    trials = tuple(
        TrialFound(number=i, state="complete" if v is not None else "failed", params={},
                   values=() if v is None else (v,), constraints={}, steps=(), reason="")
        for i, v in enumerate(found)
    )  # fmt: skip
    one = search(n=1).model_copy(update={"trials": trials})
    steps = {t.number for t in records(one, direction)}
    best = None
    for i, v in enumerate(found):
        beats = v is not None and (best is None or is_better(v, best, direction))
        assert (i in steps) == beats
        best = v if beats else best
    chosen = top(one, direction)
    others = [t for t in trials if t not in chosen and value(t) is not None]
    assert not any(is_better(value(o), value(t), direction) for o in others for t in chosen)


def test_agreement_is_found_where_it_was_planted_and_seldom_elsewhere():
    one, rng = search(), np.random.default_rng(3)

    def valued(values):
        trials = tuple(
            t.model_copy(update={"state": "complete", "values": (float(v),)})
            for t, v in zip(one.trials, values, strict=True)
        )
        return one.model_copy(update={"trials": trials})

    planted = valued([place(SPACE[2], t.params) for t in one.trials])
    assert "dropout" in {a.key for a in agreed(planted, "higher")}
    for n in (12, 60):  # few or many: nothing is there to agree about
        one = search(n=n)
        found = [bool(agreed(valued(rng.permutation(n)), "higher")) for _ in range(200)]
        assert sum(found) <= 20  # 5 % of 200, and the luck of it


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=3, max_size=9),
    st.sampled_from([0.0, 0.1, 0.3]),
)
def test_chance_is_the_share_of_all_draws(places, span):
    draws = list(combinations(places, 3))
    near = sum(max(d) - min(d) <= span + 1e-12 for d in draws)
    assert by_chance(places, 3, span) == pytest.approx(near / len(draws))


def test_the_title_says_which_version_goes_on():
    assert "The checkpoint goes on" in text_of("one")
    retrained = text_of("retrained")
    assert "seed 1000 goes on" in retrained
    assert "The checkpoint goes on" not in retrained


def test_what_few_trials_cannot_say_is_not_said():
    few = text_of("few")
    assert "Too few trials" in few
    assert "agree on" not in few
    assert "(fANOVA)" not in few


def test_what_was_watched_by_another_metric_is_not_drawn_as_the_objective():
    found = search()
    pruned = [t for t in found.trials if t.state == "pruned"]
    assert pruned
    for watched, n in (("pr_auc", len(pruned)), ("log_loss", 0)):
        text = page(result(found, watched=watched), "x")
        drawn = text.split('id="s0-history"')[1].split("<details")[0]
        assert len(re.findall(r": pruned [\d.]+, below", drawn)) == n
        assert len(re.findall(r": pruned, below", drawn)) == len(pruned) - n


def test_all_failed_stands_above_everything():
    text = text_of("none")
    assert 'class="banner broken"' in text
    assert "Of 4\u00a0trials none ended" in text
    assert "no study to take to a verdict" in text


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_terminal_tells_every_architecture_and_what_the_ledger_counts(name):
    found = EXAMPLES[name]()
    lines = told(found)
    for one in found.searches:
        (line,) = (x for x in lines if x.split()[:1] == [one.name])
        assert line.split()[1] == str(len(one.trials))
    assert any("84 candidates" in line for line in lines)


@pytest.mark.browser
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_fits_and_nothing_overlaps(show, tmp_path, name):  # noqa: F811  (a fixture)
    file = tmp_path / "page.html"
    file.write_text(text_of(name))
    for width, scheme in ((360, "dark"), (1280, "light")):
        shown = show(file, width, scheme)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.evaluate(OVERLAPS) == []
        assert shown.evaluate(SMALL) == []
        assert shown.evaluate(CUT) == []
        assert shown.said == []


def test_a_search_without_trials_still_has_a_page():
    empty = nothing().model_copy(update={"trials": ()})
    assert "Of 0" in page(result(empty), "x")


@pytest.mark.parametrize(
    ("sampler", "pruner", "any_number"),
    [("random", "none", True), ("grid", "none", True), ("tpe", "none", False),
     ("random", "median", False)],
)  # fmt: skip
def test_what_another_run_gives_is_promised_only_where_it_is_so(sampler, pruner, any_number):
    found = next(iter(EXAMPLES.values()))()
    found = found.model_copy(update={"sampler": sampler, "pruner": pruner})
    text = page(found, "touchstone tune x.yaml")
    assert ("whatever the number of worker processes" in text) is any_number
    assert ("with one worker process" in text) is not any_number
