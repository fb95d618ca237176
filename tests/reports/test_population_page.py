"""The page of a population: it stands alone, says what the result says, and fits a phone."""

import re

import pytest

from reports.example_population import EXAMPLES, found, result
from reports.test_study_in_browser import CUT, OVERLAPS, SMALL, show  # noqa: F401 (a fixture)
from touchstone.reports.population import PopulationResult
from touchstone.reports.population_page import in_order, page, told


def text_of(name):
    return page(EXAMPLES[name](), "touchstone tune <file>")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_stands_alone_and_knows_every_number(name):
    text = text_of(name)
    assert not re.findall(r"https?://|<script|\bnan\b|\bNaN\b|\bNone\b|\binf\b", text)
    assert "<file>" not in text
    assert "<in>" not in text
    keys = re.findall(r' id="([^"]+)"', text)
    assert len(keys) == len(set(keys))
    assert "A schedule, no recipe" in text
    assert "the interval knows of other days, not of other seeds" in text


SAID = {
    "not told apart": "is not told apart from the best fixed settings",
    "better": "in this run the population beats the best fixed settings",
    "worse": "in this run the best fixed settings beat the population",
    "the same": "taking over changed nothing",
}


@pytest.mark.parametrize("name", SAID)
def test_the_headline_is_what_the_interval_says(name):
    heading = re.search(r"<h1>(.*?)</h1>", text_of(name), re.DOTALL).group(1)
    assert SAID[name] in heading
    (line,) = told(EXAMPLES[name]())
    assert name in line


def test_a_title_says_the_rows_that_are_drawn():
    """The chart is of validation rows; what test rows say stands beside it, in words."""
    text = text_of("not told apart")
    assert "0.196 beside 0.176 on the rows that chose; on test rows not told apart" in text
    assert "on test rows worse" in text_of("worse")
    assert "Training failed once" in text


def test_who_was_left_out_is_told():
    assert "lightgbm has no weights" in text_of("two, some left out")
    assert told(EXAMPLES["two, some left out"]())[-1].startswith("left out: lightgbm")


def test_every_member_of_every_generation_is_drawn_and_every_copy_dashed():
    one = found()
    chart = page(result(one), "x").split('id="lives-0"')[1].split("</figure>")[0]
    plot = chart.split('class="plot')[1]
    known = [life for life in one.lives if life.value is not None]
    assert len(re.findall(r'class="dot base small"', plot)) == len(known)
    by = {(life.generation, life.member): life for life in one.lives}
    copies = [
        life for life in known
        if life.source not in (None, life.member)
        and by[life.generation - 1, life.source].value is not None
    ]  # fmt: skip
    assert copies
    assert len(re.findall(r"line base thin equal_weight", plot)) == len(copies)


def test_the_winners_schedule_stands_in_its_table_generation_by_generation():
    one = found()
    text = page(result(one), "x")
    table = text.split("<caption>The winner\u2019s schedule")[1].split("</table>")[0]
    rows = re.findall(r"<tr.*?>(.*?)</tr>", table, re.DOTALL)[1:]
    assert len(rows) == len(one.ancestors) == one.winner.generation + 1


def test_lower_is_better_where_the_objective_says_so():
    low = found().model_copy(update={"name": "low"})
    worse = low.winner.model_copy(update={"value": low.winner.value + 1})
    high = found().model_copy(update={"name": "high", "winner": worse})
    both = result(high, low, objective="log_loss", direction="lower")
    assert [one.name for one in in_order(both)] == ["low", "high"]
    assert [one.name for one in in_order(result(high, low))] == ["high", "low"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_result_is_read_as_it_was_written(name):
    one = EXAMPLES[name]()
    assert PopulationResult.model_validate_json(one.model_dump_json()) == one


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 380])
def test_it_fits_and_nothing_overlaps(show, width, tmp_path):  # noqa: F811  (a fixture)
    file = tmp_path / "page.html"
    file.write_text(text_of("two, some left out"))
    shown = show(file, width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate(OVERLAPS) == []
    assert shown.evaluate(SMALL) == []
    assert shown.evaluate(CUT) == []
    assert shown.said == []
    ticks = shown.evaluate(
        "[...document.querySelectorAll('.ytick')].map(t => t.getBoundingClientRect().left)"
    )
    assert min(ticks) >= 0
