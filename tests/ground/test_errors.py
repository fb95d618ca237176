"""The error tree is what its drawing says, and each class has the exit code it should."""

import re

import pytest

from touchstone import errors

ALL = {
    n: c for n, c in vars(errors).items() if isinstance(c, type) and c.__module__ == errors.__name__
}


def test_the_drawing_names_every_class_below_its_parent():
    stack, drawn = [], {}
    for line in errors.__doc__.splitlines():
        if found := re.search(r"[A-Z]\w+Error\b", line):
            depth = found.start() // 4
            stack[depth:] = [found[0]]
            drawn[found[0]] = stack[depth - 1] if depth else "Exception"
    assert drawn == {name: c.__bases__[0].__name__ for name, c in ALL.items()}


def test_the_drawing_shows_the_exit_codes():
    code = 1
    for line in errors.__doc__.splitlines():
        found = re.search(r"([A-Z]\w+Error)\s+(\d)?", line)
        if found:
            code = int(found[2]) if found[2] else code
            assert ALL[found[1]].exit_code == code


@pytest.mark.parametrize("error", ALL.values())
def test_every_error_carries_its_message(error):
    assert str(error("x: was 1, needs 2")) == "x: was 1, needs 2"


def test_a_config_error_is_a_value_error_and_knows_its_problems():
    error = errors.ConfigError("all", (("a.b", "wrong"),))
    assert isinstance(error, ValueError)
    assert error.problems == (("a.b", "wrong"),)
    assert errors.UnknownPartError("x").problems == ()
