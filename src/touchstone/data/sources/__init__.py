"""Where bars come from: a source's config and a request in, checked bars out. One file each.

A part is `load(config, request) -> Loaded`. It keeps going without an instrument that cannot be
read and returns it as a `Reject`; it raises `SourceError` only where nothing is left.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from touchstone.data.loading import Loaded as Loaded
from touchstone.data.loading import Reject as Reject
from touchstone.data.loading import Request as Request
from touchstone.registration import Family

Source: TypeAlias = Callable[[Any, Request], Loaded]
SOURCES: Family[Source] = Family("source of bars", __name__, key="source")
