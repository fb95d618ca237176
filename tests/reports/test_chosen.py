"""Section 6 says by what the search was corrected, and why a diagnostic has no number."""

import pytest

from reports.example_result import example, market
from touchstone.reports.result import Diagnostic, SurrogateSearch, from_json, to_json
from touchstone.reports.sections.chosen import view
from touchstone.reports.sections.verdict import view as first_screen

SEARCHED = SurrogateSearch(
    p=0.05, budget=19, n_searched=19, n_exceedances=0, score=3.1, scores=(0.0,) * 19,
    n_instruments=6, n_garch=6,
)  # fmt: skip
ENDED = {"p": 3 / 7, "n_searched": 7, "n_exceedances": 3, "scores": (4.0,) * 3 + (0.0,) * 4}
NOTHING = {"p": 1.0, "n_searched": 0, "score": 0.0, "scores": (), "n_garch": None}

SAID = {
    "none as good": (
        {},
        ("on 19 surrogate markets", "on none of them", "p-value is 0.050", "search scored 3.10"),
    ),
    "ended early": (
        ENDED,
        ("on 7 surrogate markets", "on 3 of them, which ended the search among 19", "is 0.43"),
    ),
    "garch": ({}, ("GARCH(1,1), fitted on all 6 instruments",)),
    "mixed": ({"n_garch": 4}, ("GARCH(1,1) on 4 of 6 instruments, exponential means on the oth",)),
    "exponential": ({"n_garch": 0}, ("exponential means on all 6 instruments", "no GARCH(1,1)")),
    "one": ({"n_garch": 1, "n_instruments": 1}, ("fitted on the one instrument",)),
    "nothing": (NOTHING, ("None had to be searched", "earned nothing")),
}


@pytest.mark.parametrize(("changes", "said"), SAID.values(), ids=SAID)
def test_how_the_search_was_corrected(changes, said):
    told = view(market(surrogates=SEARCHED.model_copy(update=changes))).corrected
    plain = told.replace("\xa0", " ")
    assert all(text in plain for text in said), plain
    assert "deflated" not in plain


def test_without_surrogates_the_deflated_sharpe_is_named():
    assert "the deflated Sharpe" in view(market()).corrected
    assert b"surrogates" not in to_json(example())  # as before they could be asked for


def test_the_pair_shows_both_searches():
    twin = market(seed=8, edge=0.003, word="none", surrogates=SEARCHED.model_copy(update=NOTHING))
    result = example(market=market(surrogates=SEARCHED), null_twin=twin)
    assert ("Search-corrected p", "0.050", "1.0") in first_screen(result).pair.rows
    assert "Search-corrected p" not in str(first_screen(example()).pair)
    assert from_json(to_json(result)) == result


def test_a_diagnostic_without_a_number_says_why():
    found = {
        "pbo": Diagnostic(gloss="Of the search.", reason="fewer than two candidates traded"),
        "control_rank": Diagnostic(value=0.955, gloss="Beaten."),
        "superior_ability_p": Diagnostic(value=0.0005),
        "expectancy_lower": Diagnostic(value=-0.0012),
        "better_than_buy_and_hold": Diagnostic(value=-0.52),
    }
    rows = {row.key: row for row in view(market(diagnostics=found)).diagnostics}
    assert rows["pbo"].value == "–"
    assert rows["pbo"].gloss.endswith("not defined here: fewer than two candidates traded")
    told = {key: row.value.replace("\u202f", " ") for key, row in rows.items()}
    assert told == {
        "pbo": "–", "control_rank": "95.5 %", "superior_ability_p": "0.0005",
        "expectancy_lower": "−0.120 %", "better_than_buy_and_hold": "−0.52",
    }  # fmt: skip


@pytest.mark.parametrize(("n", "said"), [(1, "One candidate was compared"),
                                         (2, "Two candidates were compared")])  # fmt: skip
def test_candidates_are_counted_in_whole_words(n, said):
    candidates = market().candidates
    assert len(candidates) >= n
    chart = view(market(candidates=candidates[:n])).candidates
    assert chart.title.startswith(said)


@pytest.mark.parametrize(("n", "said"), [(1, "One fold forward"), (2, "Two folds forward")])
def test_folds_are_counted_in_whole_words(n, said):
    tests = [f for f in market().folds if f.name != "final"]
    folds = tuple((tests * 2)[:n])
    assert view(market(folds=folds)).folds.title.startswith(said)
