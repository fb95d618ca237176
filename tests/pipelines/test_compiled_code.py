"""No figure comes of code that was compiled from other sources."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone.pipelines.compiled_code import forget_stale_code

CALLEE = "from numba import njit\n@njit\ndef inner(x):\n    return x + {}\n"
CALLER = """from numba import njit
from kernels.callee import inner
@njit(cache=True)
def outer(x):
    return inner(x)
"""


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "callee.py").write_text(CALLEE.format(1))
    (folder / "caller.py").write_text(CALLER)
    return folder


def figure(package):
    code = "from kernels.caller import outer; print(outer(1))"
    where = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=where, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_an_edit_of_what_is_called_changes_the_figure(package):
    assert forget_stale_code(package) == 0
    assert figure(package) == 2
    (package / "callee.py").write_text(CALLEE.format(10))
    assert figure(package) == 2  # numba alone does not see it: the reason for all this
    assert forget_stale_code(package) > 0
    assert figure(package) == 11
    assert forget_stale_code(package) == 0
    assert list(package.rglob("*.nbi"))


def test_a_package_that_cannot_be_written_is_left_alone(package, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    assert forget_stale_code(package) == 0
