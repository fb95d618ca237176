import pytest

from reports.example_result import example
from reports.test_card_page import CARDS
from reports.test_study_in_browser import CUT, OVERLAPS, SMALL
from touchstone.reports.card import render_card

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=CARDS)
def file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "card.html"
    path.write_text(render_card(CARDS[request.param](), example()))
    return path


@pytest.mark.parametrize("width", [360, 700, 1600])
def test_it_fits_and_nothing_overlaps(chromium, file, width):
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    said = []
    page.on("console", lambda m: said.append(m.text))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else 0)
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(CUT) == []
    assert said == []
    context.close()
