"""Every planted leak is caught by the layer that it names; no clean control raises an alarm.

One seed with little effort; `make prove-leaks` takes five and all layers.
"""

import pytest

from leaks.audited import audited
from leaks.corpus import paths, planted
from touchstone.validation.audit import Effort

LEAKS = paths("features", "pipeline", "engine", "data")
CONTROLS = paths("controls")
QUICK = Effort(n_stratified=2, n_whole=0, seconds=0.05, n_smaller=0, both=False)
SEED = 7


@pytest.mark.parametrize("path", LEAKS, ids=lambda p: p.stem)
def test_a_leak_is_caught(path, tmp_path):
    one = audited(planted(path), tmp_path, SEED, Effort(seconds=6, n_smaller=0))
    assert one.right, one.found.facts


@pytest.mark.parametrize("path", CONTROLS, ids=lambda p: p.stem)
def test_a_control_is_clean(path, tmp_path):
    one = audited(planted(path), tmp_path, SEED, QUICK, ("A", "C"))
    assert one.right, [f.sentence for f in one.found.findings]
