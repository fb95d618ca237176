"""What a person sees of fits under way: in a terminal lines that move, elsewhere a line a fit."""

import io
import threading
import time

import pytest
from rich.console import Console

from touchstone.cli.terminal import Terminal, fit_lines
from touchstone.pipelines.progress import Running

GRU = Running("gru, fold 2", 12, 50, 0.6931, "pr_auc", 0.2412, 0.2433, 9, 4.0)
TREES = Running("lightgbm, fold 1", 300, None, 0.5, "pr_auc", None, None, None, 0.5)


def told(verbosity, terminal):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=140, no_color=True)
    before = set(threading.enumerate())
    with Terminal(console, verbosity).stage("models", 2) as step:
        step.watch(lambda: (GRU, TREES))
        step.advance("from cache")
        if terminal:
            time.sleep(0.3)  # rich draws ten times a second
        step.done("gru, fold 1, epoch 8 of 18, pr_auc 0.2412, 3.0 s")
    assert set(threading.enumerate()) <= before
    return out.getvalue()


def test_a_terminal_shows_each_fit_under_way_with_its_metrics():
    said = told(0, terminal=True)
    words = (
        "gru, fold 2", "epoch 12/50", "loss 0.6931", "pr_auc 0.2412", "best 0.2433 at 9",
        "4.0/s, 0:00:10 at most", "lightgbm, fold 1", "epoch 300", "2.0 s each",
    )  # fmt: skip
    assert [word for word in words if word not in said] == []


def test_a_log_gets_one_line_a_fit_and_a_quiet_command_none():
    lines = told(0, terminal=False).splitlines()
    assert [line.split(",")[0] for line in lines[:-1]] == ["models: gru"]
    assert lines[-1].startswith("models ")
    assert told(-1, terminal=False) == ""
    assert "from cache" in told(1, terminal=False)
    assert "epoch" not in told(-1, terminal=True)


@pytest.mark.parametrize("n", [0, 1, 40])
def test_many_fits_take_no_more_lines_than_a_screen_has(n):
    assert fit_lines([GRU] * n).row_count == min(n, 17)


def test_a_running_fit_goes_to_another_process_and_back():
    for one in (GRU, TREES):
        assert Running.from_json(one.to_json()) == one
    with pytest.raises((ValueError, TypeError)):
        Running.from_json(b"[1, 2]")
