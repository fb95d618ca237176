"""One Hypothesis profile for all: no clock on an example, since machines that test are shared.

The suite draws the same examples each time, so that a change is judged by what it changed;
HYPOTHESIS_PROFILE=explore draws new ones.
"""

import os

from hypothesis import settings

from touchstone.pipelines.compiled_code import forget_stale_code

os.environ["TOUCHSTONE_TRACKING"] = "off"  # what tests tracking turns it on

settings.register_profile("touchstone", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "touchstone"))


def pytest_configure(config):
    """Before anything is compiled, and once: workers come after."""
    if not hasattr(config, "workerinput"):
        forget_stale_code()
