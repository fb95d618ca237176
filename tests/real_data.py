"""Where the market data beside the project lies, for the tests that read some."""

from pathlib import Path

import pytest

_BESIDE = [p / "shared" / "data" for p in Path(__file__).resolve().parents[2:4]]
DATA = next((p for p in _BESIDE if p.is_dir()), _BESIDE[0])


def needs(*parts):
    """Marks of a test that reads some of it: skipped, with the reason, where it is absent."""
    path = DATA.joinpath(*parts)
    skip = pytest.mark.skipif(not path.exists(), reason=f"no market data in {path}")
    return [pytest.mark.real_data, skip]
