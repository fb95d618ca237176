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


def compiled(package):
    """The caller's cache, as if it were compiled now."""
    forget_stale_code(package)
    cached = package / "__pycache__" / "caller.outer-3.py311.nbi"
    cached.touch()
    return cached


@pytest.mark.parametrize(
    "words",
    ["from kernels.between import inner", "from kernels import between\ninner = between.inner",
     "import kernels.between\ninner = kernels.between.inner", "from .between import inner",
     "from . import between\ninner = between.inner"],
)  # fmt: skip
def test_an_edit_behind_what_is_imported_is_seen_however_it_is_imported(package, words):
    (package / "between.py").write_text("from kernels.callee import inner\n")
    (package / "caller.py").write_text(CALLER.replace("from kernels.callee import inner", words))
    cached = compiled(package)
    (package / "callee.py").write_text(CALLEE.format(10))
    assert forget_stale_code(package) == 1
    assert not cached.exists()


def test_an_edit_of_what_no_compiled_code_imports_forgets_nothing(package):
    (package / "page.py").write_text("WORD = 'old'\n")
    cached = compiled(package)
    (package / "page.py").write_text("WORD = 'new words'\n")
    (package / "another.py").write_text("from kernels.caller import outer\n")
    assert forget_stale_code(package) == 0
    assert cached.exists()


def test_what_imported_a_file_that_is_gone_or_has_no_note_is_forgotten(package):
    compiled(package)
    (package / "callee.py").rename(package / "elsewhere.py")
    assert forget_stale_code(package) == 1
    (package / "elsewhere.py").rename(package / "callee.py")
    compiled(package)
    (package / "__pycache__" / "compiled-from.txt").write_text("0" * 64)
    assert forget_stale_code(package) == 1


def test_a_package_that_cannot_be_written_is_left_alone(package, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    assert forget_stale_code(package) == 0
