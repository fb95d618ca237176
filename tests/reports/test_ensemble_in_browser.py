"""The page of an ensemble as a laptop and a phone show it: no network, no errors, no overlap."""

from pathlib import Path

import pytest

from reports.test_study_in_browser import CUT, OVERLAPS, SMALL
from small import touchstone

pytestmark = pytest.mark.browser
TINY = Path(__file__).parents[2] / "examples" / "ensemble_tiny.yaml"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    out = tmp_path_factory.mktemp("ensemble")
    code, _, err = touchstone(
        "ensemble", TINY, "--set", "ensembles=[mean, regime, stack]", "--out", out, "--jobs", 1,
        "--tracking", "off", "-q",
    )  # fmt: skip
    assert code == 0, err
    (folder,) = (out / "ensembles").iterdir()
    return folder / "report.html"


@pytest.mark.parametrize("width", [380, 700, 1280])
def test_it_opens_without_network_fits_and_nothing_overlaps(chromium, page_file, width):
    context = chromium.new_context(viewport={"width": width, "height": 900}, offline=True)
    page, said = context.new_page(), []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(CUT) == []
    assert said == []
    for name in ("better", "figures", "weights-all", "diversity", "pruning", "student-all", "how"):
        assert page.locator(f"#{name}").count() == 1, name
    context.close()
