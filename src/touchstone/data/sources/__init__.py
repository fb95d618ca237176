"""Where bars come from: a source's config and a request in, checked bars out. One file each.

A part is `load(config, request) -> Loaded`. It keeps going without an instrument that cannot be
read and returns it as a `Reject`; it raises `SourceError` only where nothing is left. No part
touches the network when it loads: those that are vendors (`data.vendors`) read the store that
`touchstone data fetch` filled, and have besides `connect(config, access) -> Fetch`, pages of bars.
"""

from typing import Any, Protocol

from touchstone.data.loading import Loaded as Loaded
from touchstone.data.loading import Reject as Reject
from touchstone.data.loading import Request as Request
from touchstone.data.vendors import Vendor as Vendor
from touchstone.errors import ConfigError
from touchstone.registration import Family


class Source(Protocol):
    """Gives bars to a study."""

    def __call__(self, config: Any, request: Request, /) -> Loaded:
        """The bars that the config and the request ask for, and what was left out."""


SOURCES: Family[Source] = Family("source of bars", __name__, key="source")


def vendor_of(kind: str) -> Vendor:
    """The source of that name, which must be one that can be fetched.

    Raises:
        ConfigError: it reads files or makes its bars.
    """
    part = SOURCES.part(kind)
    if isinstance(part, Vendor):
        return part
    raise ConfigError(f"source {kind!r} is not fetched: it reads what is at hand, or makes it")
