"""One Hypothesis profile for all: no clock on an example, since machines that test are shared.

The suite draws the same examples each time, so that a change is judged by what it changed;
HYPOTHESIS_PROFILE=explore draws new ones.
"""

import os

import pytest
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


def pytest_collection_modifyitems(items):
    """The long ones first: one that begins last is waited for by every other worker."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def blank_mlflow(tmp_path_factory):
    """MLflow's database with one run of the group `blank`, and what was said while it was made.

    To be copied: its migrations take seconds.
    """
    from touchstone.registry.tracking import Batch, TrackedRun
    from touchstone.registry.tracking_mlflow import MlflowTracker, Place

    root, said = tmp_path_factory.mktemp("blank"), []
    place = Place(f"sqlite:///{root}/mlflow.sqlite", root / "mlflow")
    first = TrackedRun(key="first", group="blank", name="first", started_ms=0, ended_ms=1)
    MlflowTracker(place, said.append).send(Batch("first", (first,)), root)
    return root / "mlflow.sqlite", said


@pytest.fixture(scope="session")
def explained_workspace(tmp_path_factory):
    """A workspace that holds the run of the guide to explanations."""
    from explained import made_once

    return made_once(tmp_path_factory)
