"""The guide's run, made once for all tests that explain one."""

import re
from pathlib import Path

from small import touchstone

GUIDE = (Path(__file__).parents[1] / "docs" / "explanation.md").read_text()


def fences(label):
    """The fences of the guide."""
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def made(folder):
    """A workspace that holds the guide's run."""
    study = folder / "first.yaml"
    study.write_text(fences("yaml")[0])
    code, out, err = touchstone("run", study, "--out", folder, "--jobs", 1, "-q")
    assert code == 0, out + err
    return folder
