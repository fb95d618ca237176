"""Kill -9 at any moment of fetching, comparing and compacting. `tests/proofs/kill.py` goes on."""

import numpy as np

from kills import kill_downloads, vendor


def test_killed_downloads_tear_nothing_and_lose_nothing(quick_folder):
    with vendor() as url:
        n_steps, _ = kill_downloads(quick_folder, url, 20, np.random.default_rng(7), longest=0.5)
    assert n_steps >= 3, "some commands came to their end in between"
