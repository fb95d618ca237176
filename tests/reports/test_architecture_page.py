"""The page of an architecture search: it stands alone, says what was found, and fits a phone."""

import re

import pytest

from reports.example_architecture import EXAMPLES, result
from reports.test_study_in_browser import CUT, OVERLAPS, SMALL, show  # noqa: F401 (a fixture)
from touchstone.reports.architecture import ArchitectureResult, sentence_of, told
from touchstone.reports.architecture_page import page


def text_of(name):
    return page(EXAMPLES[name](), "touchstone tune <file>")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_stands_alone_and_knows_every_number(name):
    text = text_of(name)
    assert not re.findall(r"https?://|<script|\bnan\b|\bNaN\b|\bNone\b|\binf\b", text)
    assert "<file>" not in text
    assert "<of>" not in text
    keys = re.findall(r' id="([^"]+)"', text)
    assert len(keys) == len(set(keys))
    one = EXAMPLES[name]()
    assert ArchitectureResult.model_validate_json(one.model_dump_json()) == one
    assert sentence_of(one) in re.search(r"<h1>(.*?)</h1>", text, re.DOTALL).group(1)
    assert told(one)[-1].startswith(sentence_of(one))
    for cell in one.cells:  # each once in its table
        shown = cell.name.replace(" ", "\u00a0")
        n = len(re.findall(rf'<th scope="row">{shown}( \(winner\))?</th>', text))
        assert n == 1, cell.name


def test_of_several_searches_the_mean_is_judged_and_one_cell_wins():
    assert sentence_of(result()) == "The found cell does not beat a random cell of the same size"
    several = text_of("three searches")
    verdict = "The 3 found cells, in the mean, do not beat random cells of the same size"
    assert verdict in several
    assert "The found cell" not in several
    assert "The best on validation rows of 3 found cells." in several
    assert "the winning cell" not in text_of("beats").lower()
    better = EXAMPLES["three searches"]().model_copy(
        update={"compared": EXAMPLES["beats"]().compared}
    )
    assert sentence_of(better).startswith("The 3 found cells, in the mean, beat random cells")


def test_the_random_cell_that_validation_rows_choose_stands_beside_the_winner():
    one = result()
    assert one.drawn.name == "random 6"
    assert "that is random 6, with PR-AUC 0.320 on test rows" in page(one, "x")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["three searches", "four nodes"])
def test_it_fits_and_nothing_overlaps(show, tmp_path, name):  # noqa: F811  (a fixture)
    file = tmp_path / "page.html"
    file.write_text(text_of(name))
    for width, scheme in ((360, "dark"), (380, "light"), (1280, "light")):
        shown = show(file, width, scheme)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.evaluate(OVERLAPS) == []
        assert shown.evaluate(SMALL) == []
        assert shown.evaluate(CUT) == []
        assert shown.said == []
