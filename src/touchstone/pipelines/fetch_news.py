"""News from a vendor into a store's folder `news`: each version of each article once."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from touchstone.data import articles
from touchstone.data.articles import Article
from touchstone.data.downloads.download import Ask
from touchstone.data.downloads.pages import checked_news
from touchstone.data.downloads.plan import Kept, Plan, Planned, cut, missing
from touchstone.data.downloads.schedule import OVERLAP_NS
from touchstone.data.http import Access
from touchstone.data.sources import vendor_of
from touchstone.data.vendors import FetchNews
from touchstone.errors import ConfigError
from touchstone.files import symbol_to_stem
from touchstone.pipelines.downloading import Means, Outcome, Work, failures, held, work_off
from touchstone.pipelines.progress import Progress

NEWS: Final = "news"
"""Folder of the articles, and what the plan calls their timeframe."""
_SPAN_NS: Final = 90 * 86_400_000_000_000


def fetch_news(
    folder: Path,
    source: str,
    wanted: tuple[Sequence[str], int, int | None],
    means: Means,
    progress: Progress,
) -> list[Outcome]:
    """Bring articles about symbols into `folder/news`; an edited one is a further row.

    Args:
        folder: the store.
        source: the vendor.
        wanted: (symbols, first time, first time after the last; None: now), ns UTC.
        means: how the vendor is reached.
        progress: who shows it.

    Raises:
        ConfigError: the source has no news.
        UnreachableError: no connection. What was complete by then is stored.
        DeniedError: the vendor lets us in nowhere.
    """
    vendor, symbols = vendor_of(source), sorted(set(wanted[0]))
    if vendor.news is None:
        raise ConfigError(f"source {source!r} has no news; alpaca has")
    open_news = vendor.news
    for symbol in symbols:
        symbol_to_stem(symbol)
    end = means.now() if wanted[2] is None else min(wanted[2], means.now())
    access = Access(means.keys(vendor.secrets), means.url)
    counts = dict.fromkeys(symbols, 0)
    with held(folder / NEWS) as holding:
        plan = holding.plan
        for symbol in symbols:
            _take_up(plan, symbol, (wanted[1], end))

        def finish(symbol: str) -> bool:
            done = [c for c in plan.chunks(NEWS, symbol) if c.state == "done"]
            found = [article for chunk in done for article in _kept(plan, chunk)]
            counts[symbol] += articles.append(folder / NEWS, found)
            plan.stored(done)
            return False

        work = Work(NEWS, symbols, lambda: _asking(open_news, access), finish)
        work_off(plan, work, means, access.secrets, progress)
        failed = failures(plan, NEWS)
    return [Outcome(s, NEWS, None, counts[s], 0, failed.get(s, ())) for s in symbols]


def _take_up(plan: Plan, symbol: str, span: tuple[int, int]) -> None:
    """What is missing of a span; ahead of what is there, two days more: articles are edited."""
    chunks = plan.chunks(NEWS, symbol)
    spans = [(c.start, c.end) for c in chunks]
    last = max((c.end for c in chunks if c.state == "stored"), default=None)
    pieces = missing(*span, spans)
    if last is not None and span[0] < last < span[1]:
        under_way = [(c.start, c.end) for c in chunks if c.state != "stored"]
        pieces = [p for p in pieces if p[0] < last]
        pieces += missing(max(span[0], last - OVERLAP_NS), span[1], under_way)
    plan.add(NEWS, [c for a, b in pieces for c in cut(symbol, a, b, _SPAN_NS)])


def _kept(plan: Plan, chunk: Planned) -> list[Article]:
    return [
        Article(*row)._replace(fetched_at=at)
        for at, content in plan.pages(chunk)
        for row in json.loads(content)
    ]


@contextmanager
def _asking(
    open_news: Callable[[Access], AbstractContextManager[FetchNews]], access: Access
) -> Iterator[Ask]:
    with open_news(access) as ask:

        def one(planned: Planned) -> Kept:
            page = ask(planned.chunk, planned.token)
            checked_news(page, planned.chunk)
            return Kept(json.dumps(page.articles).encode(), len(page.articles), None, page.token)

        yield one
