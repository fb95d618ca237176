import pytest

from reports.example_result import RUN
from reports.test_study_page import PAGES
from touchstone.reports.study import render

pytestmark = pytest.mark.browser

OVERLAPS = """() => {
  const found = [];
  for (const area of document.querySelectorAll(".area, .row.axis .mark")) {
    const words = [...area.querySelectorAll(".t")].filter((t) => t.offsetParent);
    const boxes = words.map((t) => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < boxes.length; i++)
      for (let j = 0; j < i; j++) {
        const [a, b] = [boxes[i][1], boxes[j][1]];
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 1 && y > 3) found.push(`${boxes[i][0]} / ${boxes[j][0]}`);
      }
  }
  return found;
}"""
SMALL = """() => [...document.querySelectorAll("body *")].filter((e) => e.offsetParent
  && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 11).map((e) => e.outerHTML.slice(0, 80))"""
CUT = """() => [...document.querySelectorAll(".t, h1, h2, h3, p, dt, dd, li, .name, .value")]
  .filter((e) => e.offsetParent && !e.closest(".scroll, pre"))
  .filter((e) => { const b = e.getBoundingClientRect();
    return b.right > innerWidth + 1 || b.left < -1; }).map((e) => e.textContent)"""


@pytest.fixture(scope="module", params=PAGES)
def file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(PAGES[request.param](), RUN))
    return path


@pytest.fixture
def show(chromium):
    contexts = []

    def open_page(file, width, scheme="light", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda m: page.said.append(m.text))
        page.on("pageerror", lambda e: page.said.append(str(e)))
        page.on(
            "request", lambda r: page.said.append(r.url) if not r.url.startswith("file:") else 0
        )
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [360, 700, 1600])
def test_it_fits_and_nothing_overlaps(show, file, width):
    page = show(file, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(CUT) == []
    assert page.said == []


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(PAGES["pair"](), RUN))
    return path


def test_both_schemes(show, pair):
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = (show(pair, 800, scheme).evaluate(paper) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(252, 251, 248)", "rgb(21, 23, 26)")


def test_the_crosshair_follows_pointer_and_keys(show, pair):
    page = show(pair, 1200)
    area = page.locator("[data-cross]")
    area.scroll_into_view_if_needed()
    area.focus()
    page.keyboard.press("ArrowLeft")
    readout = page.locator("#equity .readout")
    assert "30\u00a0Dec\u00a02022" in readout.inner_text()
    assert "drawdown" in readout.inner_text()
    box = area.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 100)
    assert "ours" in readout.inner_text()
    assert page.locator(".cross:visible").count() == 2
    page.mouse.move(5, 5)
    assert page.locator(".cross:visible").count() == 0


def test_a_gloss_opens_by_keyboard(show, pair):
    page = show(pair, 1200)
    page.locator("table.measures .gloss", has_text="Sortino").first.focus()
    page.keyboard.press("Enter")
    tip = page.locator("#gloss-sortino")
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_whole_without_script_and_in_print(show, pair):
    page = show(pair, 1200, java_script_enabled=False)
    assert page.locator("#equity .area path.line.ours").count() == 2
    assert not page.locator(".readout").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#gloss-sharpe").is_visible()
    assert not page.locator("nav").is_visible()
