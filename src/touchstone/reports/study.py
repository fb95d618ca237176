"""The study report: one self-contained HTML page from a result and the facts of its run."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from touchstone.reports.figures import moment, sentence
from touchstone.reports.glosses import GLOSSES, term
from touchstone.reports.result import StudyResult
from touchstone.reports.sections import chosen, costs, data, money, skill, verdict, where

MAX_BYTES = 3_000_000
"""A page is never larger; charts are thinned, numbers are not."""


class RunFacts(NamedTuple):
    """What differs from run to run, and so stands on the page and not in `result.json`."""

    command: str
    """What was typed."""
    versions: Mapping[str, str]
    """Package -> version, Python and the operating system among them."""
    stages: tuple[tuple[str, float], ...]
    """(name, seconds), in the order they ran."""
    started: str
    """When the run began: YYYY-MM-DDTHH:MMZ, or any words."""
    host: str
    """Machine, cores, accelerator, in words."""
    git: str = "none"
    """Commit of the user's folder; `none` outside a checkout."""
    overrides: tuple[str, ...] = ()
    """Who promoted its artifact against the verdict, and why; stands in red on the page."""


def render(result: StudyResult, run: RunFacts) -> str:
    """The page as HTML text, at most 3 MB, which needs no network and no script to be read.

    Every string of the result and of the run is escaped; nothing of them is taken as HTML.
    """
    market = result.market
    first = verdict.view(result)
    own = tuple(verdict.Band("broken", "Promoted by override", told) for told in run.overrides)
    return template("study.html.jinja").render(
        result=result,
        run=run,
        started=_started(run.started),
        verdict=first._replace(bands=(*own, *first.bands)),
        money=money.view(market),
        costs=costs.view(market),
        skill=skill.view(market),
        where=where.view(market),
        chosen=chosen.view(market),
        data=data.view(result),
        stages=data.seconds(run.stages),
    )


def _started(text: str) -> str:
    try:
        return moment(text)
    except (ValueError, IndexError):
        return text


@cache
def template(name: str) -> jinja2.Template:
    """One of the page templates, with the style and the words that all pages share."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("touchstone.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates = resources.files("touchstone.reports") / "templates"
    environment.globals.update(
        css=Markup((templates / "page.css").read_text(encoding="utf-8")),
        card_css=Markup((templates / "card.css").read_text(encoding="utf-8")),
        script=Markup((templates / "page.js").read_text(encoding="utf-8")),
        glosses=GLOSSES,
        term=term,
        sentence=sentence,
    )
    return environment.get_template(name)
