"""Families of interchangeable parts: the folder is the catalogue, the decorator the registration.

A family owns one folder. Each module in it that does not start with an underscore is one part,
and the part's config carries that module's name as its `kind`:

    labels/triple_barrier.py     TripleBarrierConfig(kind="triple_barrier")
                                 @LABELS.register(TripleBarrierConfig)

(`key` names that field where a study says otherwise: `bars: {source: parquet}`.)
A config elsewhere holds a part with `label: Annotated[Config, PartOf(LABELS)]`. A user's plugin
registers by the same decorator, from any file that was imported before the study is parsed.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from touchstone.config import Config
from touchstone.errors import ConfigError, UnknownPartError

Part = TypeVar("Part")
AnyPart = TypeVar("AnyPart")


class Family(Generic[Part]):
    """All parts of one sort, found by the name of their file and imported when first asked for."""

    def __init__(self, noun: str, package: str, key: str = "kind") -> None:
        self.noun = noun
        self.package = package
        self.key = key
        self._parts: dict[str, tuple[type[Config], Part]] = {}

    def kinds(self) -> list[str]:
        """Names of all parts, sorted, without importing any of them."""
        return sorted(self._files() | self._parts.keys())

    def register(self, config: type[Config]) -> Callable[[AnyPart], AnyPart]:
        """Decorate a part with the config that chooses it.

        Raises:
            ConfigError: the kind belongs to another part: a plugin never replaces one unseen.
        """
        kind = config.model_fields[self.key].default
        if config.__module__ != f"{self.package}.{kind}":
            held = self._parts.get(kind)
            again = held is not None and held[0].__module__ == config.__module__
            if kind in self._files() or (held is not None and not again):
                raise ConfigError(
                    f"{config.__module__}: there is a {self.noun} of kind {kind!r} already: "
                    "choose another name"
                )

        def keep(part: AnyPart) -> AnyPart:
            self._parts[kind] = (config, part)  # type: ignore[assignment]
            return part

        return keep

    def parse(self, settings: object) -> Config:
        """Settings as read from a file -> the part's own checked config; a config passes as is."""
        if isinstance(settings, Config):
            return settings
        if isinstance(settings, str):
            settings = {self.key: settings}
        if not isinstance(settings, Mapping) or self.key not in settings:
            raise ConfigError(
                f"a {self.noun} is written {{{self.key}: ...}}, got {settings!r}. "
                f"Known: {', '.join(self.kinds())}."
            )
        return self._load(str(settings[self.key]))[0].parse(settings)

    def part(self, kind: str) -> Part:
        """The part itself: a function or a class."""
        return self._load(kind)[1]

    def config(self, kind: str) -> type[Config]:
        """The part's config class."""
        return self._load(kind)[0]

    def part_of(self, config: Config) -> Part:
        """The part that a config chooses."""
        return self.part(str(getattr(config, self.key)))

    def _files(self) -> set[str]:
        path = importlib.import_module(self.package).__path__
        return {m.name for m in pkgutil.iter_modules(path) if m.name[0] != "_" and not m.ispkg}

    def _load(self, kind: str) -> tuple[type[Config], Part]:
        if kind in self._parts:
            return self._parts[kind]
        if kind not in self.kinds():
            near = difflib.get_close_matches(kind, self.kinds(), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UnknownPartError(
                f"no {self.noun} named {kind!r}.{hint} Known: {', '.join(self.kinds())}."
            )
        importlib.import_module(f"{self.package}.{kind}")
        if kind not in self._parts:
            raise ConfigError(
                f"{self.package}.{kind} registers no {self.noun} of kind {kind!r}: "
                f"the kind and the file's name must agree."
            )
        return self._parts[kind]


@dataclass(frozen=True)
class PartOf:
    """Marks a config's field as one part of a family: parsed, dumped and documented by its kind."""

    family: Family[Any]
    without: tuple[str, ...] = ()
    """Kinds that the field's own validator refuses, as a part that would hold itself: an editor is
    not offered them, and a schema that offered them had no end."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Parse by kind; dump the part's own fields."""
        return core_schema.no_info_plain_validator_function(
            self.family.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _dump, when_used="always"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Any of the family's configs, for editors."""
        kinds = (kind for kind in self.family.kinds() if kind not in self.without)
        configs = [self.family.config(kind) for kind in kinds]
        # through the handler, so that the definitions of what a part holds end at the root
        return {"anyOf": [dict(handler(c.__pydantic_core_schema__)) for c in configs]}


def kind_of(part: Config) -> str:
    """The kind of a part."""
    return str(getattr(part, "kind", "part"))


def numbered(names: Sequence[str]) -> tuple[str, ...]:
    """The same, numbered where one comes again.

    >>> numbered(["gru", "mlp", "gru"])
    ('gru', 'mlp', 'gru 2')
    """
    counts = [names[: i + 1].count(name) for i, name in enumerate(names)]
    return tuple(f"{n} {k}" if k > 1 else n for n, k in zip(names, counts, strict=True))


def _dump(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", serialize_as_any=True)
