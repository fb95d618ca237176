"""The guide to sections 2 to 6: its study and commands run, its snippet scores the fold's test."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from small import touchstone
from touchstone.pipelines.finished import find
from touchstone.reports.contents import iso_moment
from touchstone.reports.sections.skill import _TITLES

GUIDE = (Path(__file__).parents[2] / "docs" / "reading-the-report.md").read_text()


def fences(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guide")
    (folder / "volatile.yaml").write_text(fences("yaml")[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for fence in fences("console"):
            for line in fence.splitlines():
                words = shlex.split(line.removeprefix("$ touchstone "))
                code, _, err = touchstone(*words)
                assert code == 0, f"{line}\n{err}"
    return folder


def test_the_snippet_scores_the_test_of_the_fold_and_nothing_else(place, monkeypatch):
    monkeypatch.chdir(place)
    names = {}
    exec(compile(fences("python")[0], "the guide", "exec"), names)
    run = find(Path("runs"), "volatile")
    fold, probability = run.result.market.folds[0], names["probability"]
    assert len(probability) == fold.n_test
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-9)
    panel, rows = names["panel"], names["rows"]
    known = panel.available_at[rows]
    assert iso_moment(known.min()) > fold.validate_span[1]
    assert iso_moment(known.max()) == fold.test_span[1]


def test_its_market_has_volatility_and_no_direction(place):
    skill = find(place / "runs", "volatile").result.market.skill
    assert skill.shows in _TITLES
    assert skill.shows != "direction"
    for word in _TITLES:
        assert f"| `{word}` |" in GUIDE
