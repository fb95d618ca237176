"""The page of an explanation as a laptop and a phone show it: no network, no errors, no overlap."""

import pytest

from reports.test_study_in_browser import CUT, OVERLAPS, SMALL
from small import touchstone
from touchstone.pipelines.finished import find
from touchstone.reports.explain import ExplainResult
from touchstone.reports.explain_page import page as write

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(explained_workspace):
    found = {}
    folder = find(explained_workspace / "runs", "first").folder
    for model, rows in (("logistic", 400), ("gru", 100)):
        code, out, err = touchstone(
            "explain", "first", "--model", model, "--rows", rows, "--out", explained_workspace,
            "--jobs", 1, "-q",
        )  # fmt: skip
        assert code == 0, out + err
        line = next(x for x in out.splitlines() if x.startswith("page"))
        found[model] = folder / line.rsplit("/", 1)[1]
    return found


@pytest.mark.parametrize("model", ["logistic", "gru"])
def test_it_opens_without_network_fits_and_nothing_overlaps(chromium, pages, model):
    for width, scheme in ((380, "light"), (1280, "dark"), (700, "light")):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        page, said = context.new_page(), []
        page.on("console", lambda m, said=said: said.append(m.text))
        page.on("pageerror", lambda e, said=said: said.append(str(e)))
        page.on(
            "request",
            lambda r, said=said: said.append(r.url) if not r.url.startswith("file:") else None,
        )
        page.goto(pages[model].as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate(CUT) == []
        assert said == []
        assert page.locator(".strips").count() >= 2
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(21, 23, 26)" if scheme == "dark" else "rgb(252, 251, 248)")
        context.close()


def test_a_feature_of_any_name_stays_on_a_phone(chromium, pages, tmp_path):
    """Names are the user's own, and may be one long word."""
    result = ExplainResult.model_validate_json(pages["logistic"].with_suffix(".json").read_text())
    first = result.permutation.features[0].name
    long = result.model_dump_json().replace(f'"{first}"', f'"{first}{"_of_the_last_week" * 4}"')
    file = tmp_path / "long.html"
    file.write_text(write(ExplainResult.model_validate_json(long), "touchstone explain first"))
    context = chromium.new_context(viewport={"width": 380, "height": 900}, offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert page.evaluate(OVERLAPS) == []
    context.close()
