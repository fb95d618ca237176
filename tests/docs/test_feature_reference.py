"""docs/features.md is what the catalogue says."""

from pathlib import Path

from touchstone.features.catalogue import catalogue
from touchstone.features.primitives import DERIVED, INPUTS, PRIMITIVES
from touchstone.reports.features import feature_reference

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
AGAIN = """write it anew: python -c "from touchstone.reports.features import feature_reference as f;
open('docs/features.md', 'w').write(f())" """


def test_the_page_is_what_the_catalogue_says():
    assert PAGE.read_text() == feature_reference(), AGAIN


def test_the_page_has_every_feature_and_every_word():
    page = feature_reference()
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    words = {row.partition("(")[0] for row in rows}
    assert words == {*catalogue(), *INPUTS, *PRIMITIVES, *DERIVED}
    assert all(f"| `{name}` | `{entry.text}` |" in page for name, entry in catalogue().items())
