"""Families: parts are found by file name, and a wrong name is answered with the right one."""

import json
import re
import sys
from typing import Annotated, Literal

import pytest

from touchstone.config import Config
from touchstone.errors import ConfigError, UnknownPartError
from touchstone.registration import Family, PartOf


@pytest.fixture
def family(tmp_path, monkeypatch):
    """A family in a package made for the test: parts `round` and `square`, and one that lies."""
    package = tmp_path / "made_shapes"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from touchstone.registration import Family\nSHAPES = Family('shape', __name__)\n"
    )
    part = (
        "from typing import Literal\n"
        "from made_shapes import SHAPES\n"
        "from touchstone.config import Config\n"
        "class C(Config):\n"
        "    kind: Literal['{0}'] = '{0}'\n"
        "    size: int = 1\n"
        "@SHAPES.register(C)\n"
        "def part(config):\n"
        "    return '{0}', config.size\n"
    )
    (package / "round.py").write_text(part.format("round"))
    (package / "square.py").write_text(part.format("square"))
    (package / "liar.py").write_text(part.format("truthful"))
    (package / "_hidden.py").write_text("raise RuntimeError\n")
    (package / "layers").mkdir()
    (package / "layers" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("made_shapes").SHAPES
    for name in [n for n in sys.modules if n.split(".")[0] == "made_shapes"]:
        del sys.modules[name]


def test_kinds_are_the_files_and_import_none_of_them(family):
    assert family.kinds() == ["liar", "round", "square"]
    assert "made_shapes.round" not in sys.modules


def test_parse_gives_the_parts_own_config(family):
    config = family.parse({"kind": "round", "size": 3})
    assert family.part_of(config)(config) == ("round", 3)
    assert family.parse("square") == family.config("square")()
    assert family.parse(config) is config


def test_an_unknown_kind_names_the_nearest_and_all(family):
    with pytest.raises(
        UnknownPartError, match=r"no shape named 'rond'. Did you mean 'round'\?.*"
    ) as e:
        family.parse({"kind": "rond"})
    assert "liar, round, square" in str(e.value)


@pytest.mark.parametrize("settings", [{}, {"size": 3}, 3, None, ["round"]])
def test_settings_without_a_kind_are_told_how_it_is_written(family, settings):
    with pytest.raises(ConfigError, match=r"a shape is written \{kind: ...\}"):
        family.parse(settings)


@pytest.mark.parametrize("kind", ["../round", "_hidden", "layers", "made_shapes.round", "", None])
def test_nothing_but_a_file_of_the_folder_is_imported(family, kind):
    with pytest.raises(UnknownPartError):
        family.parse({"kind": kind})


def test_a_file_whose_kind_differs_from_its_name_is_told(family):
    with pytest.raises(ConfigError, match="the kind and the file's name must agree"):
        family.part("liar")


def test_a_plugin_registers_by_the_same_decorator(family):
    class Oval(Config):
        kind: Literal["oval"] = "oval"

    family.register(Oval)(lambda config: config.kind)
    assert "oval" in family.kinds()
    assert family.part_of(Oval())(Oval()) == "oval"

    class Study(Config):
        shape: Annotated[Config, PartOf(family)] = Oval()

    assert Study.parse({"shape": "oval"}) == Study()
    assert Study.parse({"shape": {"kind": "round"}}).shape.size == 1


def test_two_parts_cannot_claim_one_kind(family):
    class Round(Config):
        kind: Literal["round"] = "round"

    family.part("round")
    with pytest.raises(ConfigError, match="round"):
        family.register(Round)(print)


def test_the_key_may_have_another_name():
    class Here(Config):
        source: Literal["here"] = "here"

    family: Family[object] = Family("source", "touchstone.data.sources", key="source")
    family.register(Here)(3)
    assert family.part_of(family.parse({"source": "here"})) == 3
    with pytest.raises(ConfigError, match=r"\{source: ...\}"):
        family.parse({"kind": "here"})


def test_schema_lists_every_part_and_its_references_resolve(family):
    class Inner(Config):
        size: int = 1

    class Deep(Config):
        kind: Literal["deep"] = "deep"
        inner: Inner = Inner()

    family._parts["round"] = (Deep, None)
    family.kinds = lambda: ["round", "square"]

    class Study(Config):
        shape: Annotated[Config, PartOf(family)]

    schema = Study.model_json_schema()
    assert len(schema["properties"]["shape"]["anyOf"]) == 2
    text = json.dumps(schema)
    refs = set(re.findall(r'"\$ref": "#/\$defs/(\w+)"', text))
    assert "Inner" in refs
    assert refs <= set(schema["$defs"])
    assert text.count("$defs") == 1 + len(re.findall(r'"\$ref"', text))
