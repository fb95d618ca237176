"""A page about the pipeline itself: one question, its answer, and the charts it stands on."""

from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import jinja2
from markupsafe import Markup

from touchstone.reports.charts.frame import Chart, Table


class Band(NamedTuple):
    """A broken condition (`broken`) or a warning (`warning`), above everything."""

    kind: str
    title: str
    text: str


class Section(NamedTuple):
    """One part of the page."""

    key: str
    short: str
    """In the list of sections."""
    title: str
    say: tuple[str, ...]
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


SAME: Final = (
    "The same seed and version give the same figures, whatever the number of worker processes and "
    "interruptions."
)


class Page(NamedTuple):
    """Everything that such a page holds, as plain text."""

    name: str
    seed: int | str
    """Or all of them, where there are several."""
    kicker: str
    headline: str
    deck: str
    figure: str
    unit: str
    under: str
    facts: tuple[str, ...]
    cannot: str
    """What this cannot show."""
    bands: tuple[Band, ...]
    sections: tuple[Section, ...]
    command: str
    """What was typed."""
    again: str = SAME
    """What the same command gives another time."""


def render(page: Page) -> str:
    """The page as HTML text, which needs no network and no script; every string is escaped."""
    return _template().render(page=page)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("touchstone.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = resources.files("touchstone.reports") / "templates" / "page.css"
    environment.globals.update(css=Markup(css.read_text(encoding="utf-8")), glosses={})
    return environment.get_template("measurement.html.jinja")
