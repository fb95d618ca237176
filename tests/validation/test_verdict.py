"""Every combination of the rules, and the sentences."""

import itertools

import numpy as np
import pytest

from touchstone.validation.bootstrap import MeanTest
from touchstone.validation.deflated import Deflated
from touchstone.validation.verdict import Drawn, Evidence, Sealed, Search, judge, weigh

SOUND = Evidence(
    chosen=True,
    n_trades=20,
    n_days=60,
    n_days_with_return=10,
    days_per_year=365,
    test=MeanTest(0.05, 1.7, 0.001, 0.0006, 1.0, 3),
    sharpe=5.0,
    sharpe_interval=(0.1, 9.0),
    return_interval=(0.01, 0.7),
    deflated=Deflated(0.96, 8, 0.01, 0.1),
    surrogate_p=None,
    n_studies=1,
)

# In the order in which a reason hides the ones below it.
TOO_LITTLE = {
    "no_positive_candidate": {"chosen": False},
    "no_trades": {"n_trades": 0},
    "too_few_trades": {"n_trades": 19},
    "too_few_days": {"n_days": 59},
    "too_few_days_with_return": {"n_days_with_return": 9},
    "no_variance": {"test": MeanTest(1.0, None, 0.0, None, 1.0, 3)},
}


def with_p(p):
    return SOUND.test._replace(p=p)


WORDS = {  # (primary, secondary, looked before) -> word, reason
    (True, True, False): ("evidence", "both_conditions"),
    (True, False, False): ("weak", "primary_only"),
    (False, True, False): ("weak", "secondary_only"),
    (False, False, False): ("none", "neither_condition"),
    (True, True, True): ("exploratory", "looked_before"),
    (True, False, True): ("exploratory", "looked_before"),
    (False, True, True): ("exploratory", "looked_before"),
    (False, False, True): ("none", "neither_condition"),
}


@pytest.mark.parametrize("by_surrogates", [False, True])
@pytest.mark.parametrize(("case", "expected"), WORDS.items(), ids=str)
def test_words(case, expected, by_surrogates):
    primary, secondary, looked = case
    changes = {
        "test": with_p(0.05 if primary else 0.0505),
        "n_studies": 2 if looked else 1,
    }
    if by_surrogates:  # then the deflated Sharpe is a diagnostic and changes no word
        changes["surrogate_p"] = 0.05 if secondary else 0.10
        changes["deflated"] = Deflated(0.2 if secondary else 0.99, 8, 0.01, 0.1)
    else:
        changes["deflated"] = Deflated(0.9501 if secondary else 0.95, 8, 0.01, 0.1)
    found = judge(SOUND._replace(**changes))
    assert (found.word, found.reason) == expected
    assert (found.primary.met, found.secondary.met) == (primary, secondary)
    assert found.secondary.name == (
        "search-corrected p-value" if by_surrogates else "deflated Sharpe"
    )
    assert found.sharpe == 5.0
    assert found.primary_p == changes["test"].p


@pytest.mark.parametrize("first", TOO_LITTLE)
def test_too_little_to_judge_is_none_whatever_else_holds(first):
    """Every subset of the reasons under every state of everything else: the first is given."""
    below = list(TOO_LITTLE)[list(TOO_LITTLE).index(first) + 1 :]
    subsets = [c for n in range(len(below) + 1) for c in itertools.combinations(below, n)]
    deflations = (None, Deflated(None, 1, 1, 0), Deflated(0.99, 8, 0.01, 0.1))
    rest = itertools.product(subsets, deflations, (0.0005, 0.9), (None, 0.05, 0.5), (1, 2))
    for others, deflated, p, surrogate_p, n_studies in rest:
        evidence = SOUND._replace(test=with_p(p), deflated=deflated)
        evidence = evidence._replace(surrogate_p=surrogate_p, n_studies=n_studies)
        for name in (*reversed(others), first):
            evidence = evidence._replace(**TOO_LITTLE[name])
        found = judge(evidence)
        assert (found.word, found.reason) == ("none", first)
        assert (found.primary_p, found.primary.met) == (1.0, False)
        assert found.sharpe is found.sharpe_interval is found.return_interval is None


def test_a_condition_without_a_value_is_not_met():
    for deflated in (None, Deflated(None, 1, 1.0, 0.0)):
        found = judge(SOUND._replace(deflated=deflated))
        assert (found.word, found.secondary.value, found.secondary.met) == ("weak", None, False)


def every_verdict():
    for primary, secondary, looked in WORDS:
        yield SOUND._replace(
            test=with_p(0.01 if primary else 0.5),
            deflated=Deflated(0.99 if secondary else 0.5, 8, 0.01, 0.1),
            n_studies=3 if looked else 1,
        )
    for change in TOO_LITTLE.values():
        yield SOUND._replace(**change)
    yield SOUND._replace(n_days=0, n_trades=0)


@pytest.mark.parametrize("evidence", list(every_verdict()))
def test_sentences_are_plain(evidence):
    found = judge(evidence)
    for sentence in (found.sentence, found.limits):
        assert sentence.endswith(".")
        assert len(sentence) < 420
        assert not {"nan", "inf", "None", "{", "1 trades", "1 sealed days"} & set(sentence.split())
    starts = {"evidence": "Evidence", "weak": "Weak evidence", "exploratory": "Exploratory only"}
    assert found.sentence.startswith(starts.get(found.word, ("No evidence", "Too little")))


def test_no_trade_is_said_to_be_the_ideal_outcome_without_an_edge():
    assert "ideal outcome" in judge(SOUND._replace(n_trades=0)).sentence
    assert "ideal outcome" in judge(SOUND._replace(chosen=False)).sentence


def test_limits_say_what_the_days_can_find():
    assert "Sharpe of 5.6 with 80 % power" in judge(SOUND._replace(n_days=73)).limits
    assert "deflated Sharpe alone" in judge(SOUND).limits
    assert "surrogate markets, and that holds" in judge(SOUND._replace(surrogate_p=0.05)).limits


DRAWN = {
    Drawn(19, 19, 0): (0.05, "none of 19 surrogate markets did as well"),
    Drawn(199, 199, 2): (0.015, "2 of 199 surrogate markets did as well"),
    Drawn(199, 7, 3): (3 / 7, "3 of the first 7 surrogate markets did as well, which ended"),
    Drawn(19, 0, 0): (1.0, "no surrogate market was needed"),
}


@pytest.mark.parametrize(("drawn", "told"), DRAWN.items(), ids=str)
@pytest.mark.parametrize("primary", [0.01, 0.5])
def test_how_the_search_was_corrected_is_said_whatever_the_word(drawn, told, primary):
    p, text = told
    evidence = SOUND._replace(test=with_p(primary), surrogate_p=p, drawn=drawn)
    found = judge(evidence)
    assert f"search-corrected p-value {p:.4f}, needed <= 0.05; {text}" in found.sentence
    assert "deflated" not in found.sentence + found.limits
    for changed in (evidence, *(evidence._replace(**c) for c in TOO_LITTLE.values())):
        assert text in judge(changed).limits
        assert len(judge(changed).limits) < 420
    by_sharpe = judge(evidence._replace(surrogate_p=None, drawn=None))
    assert "surrogate" not in by_sharpe.sentence
    assert "deflated Sharpe" in by_sharpe.sentence
    assert "no surrogate markets were run" in by_sharpe.limits


def test_weigh_counts_and_computes():
    rng = np.random.default_rng
    daily = 0.01 * rng(1).normal(1, 1, 73)
    daily[::3] = 0.0
    search = Search(True, Deflated(0.99, 8, 0.01, 0.1), None, 1)
    evidence = weigh(Sealed(daily, 40, 365), search, rng(2))
    assert (evidence.n_days, evidence.n_days_with_return, evidence.n_trades) == (73, 48, 40)
    low, high = evidence.sharpe_interval
    assert low < evidence.sharpe < high
    assert evidence == weigh(Sealed(daily, 40, 365), search, rng(2))
    assert judge(evidence).word == "evidence"
    nothing = weigh(Sealed(np.zeros(73), 0, 365), search, rng(2))
    assert judge(nothing).reason == "no_trades"
    assert nothing.sharpe is None


def test_cash_is_taken_off_but_makes_no_day_one_with_a_return():
    daily = np.zeros(73)
    daily[:9] = 0.01
    search = Search(True, None, None, 1)
    evidence = weigh(Sealed(daily, 40, 365, cash=0.0001), search, np.random.default_rng(2))
    assert evidence.n_days_with_return == 9
    assert evidence.test.mean == pytest.approx(daily.mean() - 0.0001)
    varying = weigh(Sealed(daily, 40, 365, np.full(73, 0.0001)), search, np.random.default_rng(2))
    assert varying == evidence
