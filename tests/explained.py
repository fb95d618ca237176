"""The guide's run, made once for all tests that explain one."""

import os
import re
import shutil
from pathlib import Path

from small import touchstone
from touchstone.files import lock

GUIDE = (Path(__file__).parents[1] / "docs" / "explanation.md").read_text()


def fences(label):
    """The fences of the guide."""
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def made_once(factory):
    """A workspace that holds the guide's run; of several test processes one runs it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return made(factory.mktemp("explained"))
    shared = factory.getbasetemp().parent / "explained"
    done = shared.with_suffix(".done")
    with lock(shared.with_suffix(".lock")):
        if not done.is_file():
            shared.mkdir(exist_ok=True)
            made(shared)
            done.touch()
    # A copy of its own, since what explains it writes into it.
    return shutil.copytree(shared, factory.mktemp("explained") / "own")


def made(folder):
    """A workspace that holds the guide's run."""
    study = folder / "first.yaml"
    study.write_text(fences("yaml")[0])
    code, out, err = touchstone("run", study, "--out", folder, "--jobs", 1, "-q")
    assert code == 0, out + err
    return folder
