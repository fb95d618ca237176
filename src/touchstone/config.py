"""The one base of every config: frozen, closed to unknown keys, hashable as text, kind to typos."""

import difflib
import hashlib
import reprlib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from touchstone.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """Where a search may look for a field's value: `Annotated[int, Range(32, 256, step=32)]`."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """Marks a field whose every value a search may try: `Annotated[bool, Choice()]`, a Literal."""


class Config(BaseModel):
    """What a part may be told. It lives in the file of the part it configures."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def canonical(self) -> str:
        """The config as JSON text, its parts included whatever the type of their field."""
        return self.model_dump_json(serialize_as_any=True)

    def fingerprint(self) -> str:
        """First 12 hex digits of the SHA-256 of `canonical()`: names runs and artifacts."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:12]

    @classmethod
    def parse(cls, settings: object) -> Self:
        """Settings as read from a file -> the checked config.

        Raises:
            ConfigError: one line per problem: the key's path, what is wrong, the nearest known key.
        """
        if isinstance(settings, cls):
            return settings
        if not isinstance(settings, Mapping):
            raise ConfigError(f"needs keys and values, got {reprlib.repr(settings)}")
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            found = [dict(e) for e in error.errors()]
            problems = tuple(p for e in found if not _follows(e, found) for p in _problems(cls, e))
            text = "\n".join(
                f"{path}: {message}" if path else message for path, message in problems
            )
            raise ConfigError(text, problems) from None


def _follows(error: dict[str, Any], found: list[dict[str, Any]]) -> bool:
    """Whether a tuple is called too short only because items of it were refused: these are told."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(e["loc"]) > len(loc) and e["loc"][: len(loc)] == loc for e in found
    )


def _problems(cls: type[BaseModel], error: dict[str, Any]) -> list[tuple[str, str]]:
    loc = tuple(p for p in error["loc"])
    path = ".".join(str(p) for p in loc)
    inner = error.get("ctx", {}).get("error")
    if isinstance(inner, ConfigError) and inner.problems:
        return [(f"{path}.{p}" if p else path, message) for p, message in inner.problems]
    if error["type"] == "extra_forbidden":
        known = _keys_at(cls, loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return [(path, f"no such key.{hint} Known here: {', '.join(known)}")]
    if inner is not None:
        return [(path, str(inner))]
    got = "" if error["type"] == "missing" else f", got {reprlib.repr(error['input'])}"
    return [(path, f"{error['msg']}{got}")]


def _keys_at(cls: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """The keys that a config knows at a path, following fields, tuples and mappings of configs."""
    here: Any = cls
    for step in loc:
        here = _entered(here, step)
    return sorted(here.model_fields) if _is_config(here) else []


def _entered(annotation: Any, step: Any) -> Any:
    """The type one step into a type: a config's field, a container's item; None if unknown."""
    if _is_config(annotation):
        field = annotation.model_fields.get(str(step))
        return _alone(field.annotation) if field else None
    if typing.get_origin(annotation) in (tuple, list, dict, Mapping):
        items = [a for a in typing.get_args(annotation) if a is not ...]
        return _alone(items[-1])
    return None


def _alone(annotation: Any) -> Any:
    """X of `Annotated[X, ...]` and of `X | None`."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _alone(args[0])
    if origin in (typing.Union, types.UnionType):
        return next((_alone(a) for a in args if a is not type(None)), None)
    return annotation


def _is_config(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
