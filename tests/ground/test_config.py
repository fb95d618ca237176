"""Config: closed, kind to typos at any depth, and every leaf counts."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveInt, field_validator

from leaves import leaves
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import Family, PartOf

PARTS: Family[object] = Family("part", "touchstone.data.sources")  # any package: parts come below


class Inner(Config):
    size: PositiveInt = 3
    mode: Literal["fast", "exact"] = "fast"


class Red(Config):
    kind: Literal["red"] = "red"
    depth: PositiveInt = 2
    inner: Inner = Inner()


class Blue(Config):
    kind: Literal["blue"] = "blue"
    wide: bool = False
    name: str | None = None

    @field_validator("name")
    @classmethod
    def _no_space(cls, name: str | None) -> str | None:
        if name is not None and " " in name:
            raise ConfigError(f"name {name!r}: needs no space")
        return name


PARTS.register(Red)(object())
PARTS.register(Blue)(object())


class Study(Config):
    seed: int = 7
    rate: float = 0.5
    inner: Inner = Inner()
    several: tuple[Inner, ...] = (Inner(), Inner(size=5))
    part: Annotated[Config, PartOf(PARTS)] = Red()
    parts: tuple[Annotated[Config, PartOf(PARTS)], ...] = (Red(), Blue())
    named: Mapping[str, Inner] = {"a": Inner()}
    extra: Mapping[str, str] = {}


@pytest.mark.parametrize(
    ("settings", "path", "says"),
    [
        ({"sed": 1}, "sed", "Did you mean 'seed'"),
        ({"inner": {"sise": 1}}, "inner.sise", "Did you mean 'size'"),
        ({"several": [{}, {"mod": "fast"}]}, "several.1.mod", "Did you mean 'mode'"),
        ({"named": {"b": {"sizee": 1}}}, "named.b.sizee", "Did you mean 'size'"),
        ({"part": {"kind": "red", "dept": 1}}, "part.dept", "Did you mean 'depth'"),
        (
            {"part": {"kind": "red", "inner": {"siz": 1}}},
            "part.inner.siz",
            "Did you mean 'size'",
        ),
        ({"parts": ["red", {"kind": "blue", "wid": 1}]}, "parts.1.wid", "Did you mean 'wide'"),
        ({"parts": [{"kind": "bleu"}]}, "parts.0", "Did you mean 'blue'"),
        ({"part": {"depth": 1}}, "part", "a part is written {kind: ...}"),
        ({"part": 3}, "part", "a part is written {kind: ...}"),
        ({"inner": {"mode": "fsat"}}, "inner.mode", "'fast' or 'exact', got 'fsat'"),
        ({"inner": {"size": -1}}, "inner.size", "greater than 0, got -1"),
        ({"part": {"kind": "red", "depth": 0}}, "part.depth", "greater than 0, got 0"),
        ({"part": {"kind": "blue", "name": "a b"}}, "part.name", "name 'a b': needs no space"),
        ({"seed": "x"}, "seed", "got 'x'"),
        ({"inner": 3}, "inner", "got 3"),
    ],
)
def test_a_problem_is_told_with_its_path_and_the_way_out(settings, path, says):
    with pytest.raises(ConfigError) as caught:
        Study.parse(settings)
    assert [p for p, _ in caught.value.problems] == [path]
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        Study.parse({"sed": 1, "inner": {"size": 0}, "part": {"kind": "red", "a": 1, "b": 2}})
    assert sorted(p for p, _ in caught.value.problems) == [
        "inner.size",
        "part.a",
        "part.b",
        "sed",
    ]


class Several(Config):
    sizes: Annotated[tuple[PositiveInt, ...], Field(min_length=2)]


@pytest.mark.parametrize(
    ("sizes", "paths"), [([1, 0], ["sizes.1"]), ([0, 0], ["sizes.0", "sizes.1"]), ([1], ["sizes"])]
)
def test_items_that_are_refused_are_not_called_missing_too(sizes, paths):
    with pytest.raises(ConfigError) as caught:
        Several.parse({"sizes": sizes})
    assert [p for p, _ in caught.value.problems] == paths


def test_a_long_value_is_cut():
    with pytest.raises(ConfigError) as caught:
        Study.parse({"seed": "x" * 10_000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("settings", [None, 3, "red", ["seed"]])
def test_settings_must_be_keys_and_values(settings):
    with pytest.raises(ConfigError, match="needs keys and values"):
        Study.parse(settings)


@pytest.mark.parametrize("settings", [{1: 2}, {None: 1}, {"inner": {3: 4}}])
def test_a_key_that_is_no_word_is_refused(settings):
    with pytest.raises(ConfigError):
        Study.parse(settings)


def test_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Study().seed = 8


def test_a_config_passes_parse_as_it_is():
    study = Study()
    assert Study.parse(study) is study


def test_parts_survive_their_own_json():
    study = Study.parse({"part": {"kind": "blue", "wide": True}, "parts": ["blue", "red"]})
    assert Study.parse(study.model_dump(mode="json", serialize_as_any=True)) == study
    assert Study.model_validate_json(study.canonical()) == study


def test_every_leaf_changes_the_fingerprint():
    study = Study()
    changed = dict(leaves(study))
    assert set(changed) >= {
        "seed",
        "rate",
        "inner.size",
        "several.1.mode",
        "part.depth",
        "part.inner.size",
        "parts.1.wide",
        "parts.1.name",
        "named.a.size",
        "extra",
    }
    assert "part.kind" not in changed
    prints = [study.fingerprint(), *(c.fingerprint() for c in changed.values())]
    assert len(set(prints)) == len(prints)


def test_a_part_of_another_kind_changes_the_fingerprint():
    assert Study(part=Red()).fingerprint() != Study(part=Blue()).fingerprint()
    assert Study(parts=(Red(), Blue())).fingerprint() != Study(parts=(Blue(), Red())).fingerprint()


def test_fingerprint_is_the_same_however_the_config_was_built():
    assert Study.parse({"part": "red"}).fingerprint() == Study().fingerprint()
    assert len(Study().fingerprint()) == 12
