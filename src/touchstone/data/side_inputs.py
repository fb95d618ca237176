"""All side inputs of a study onto its bars: columns by name, and what a reader must know."""

import re
import traceback
from collections.abc import Mapping
from typing import Final

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.faults import utc
from touchstone.data.loading import Loaded
from touchstone.data.side import SIDES, Joined, Place
from touchstone.errors import ConfigError, DataError
from touchstone.market import Panel

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HOUR_NS: Final = 3_600_000_000_000


def with_side(loaded: Loaded, inputs: Mapping[str, Config], place: Place) -> Loaded:
    """The same bars with the columns of every side input, and with their findings.

    Args:
        loaded: bars as a source gave them.
        inputs: name -> config, as under a study's `side:`.
        place: where their files are.

    Raises:
        ConfigError: a name that is no column's, or one that stands twice.
        DataError: a file that cannot be side data, or of which no bar knows anything, or a part of
            the user's own that raises; names the input.
    """
    side = dict(loaded.panel.side)
    findings = list(loaded.findings)
    for name, config in inputs.items():
        check_name(name)
        try:
            joined = SIDES.part_of(config)(config, loaded.panel, place)
        except (DataError, ConfigError) as error:
            raise type(error)(f"side.{name}: {error}") from None
        except Exception as error:  # a user's own part may raise what its library does
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise DataError(
                f"side.{name}: {type(error).__name__}: {error} ({last.filename}, line "
                f"{last.lineno}): mend the part, or leave {name!r} out of side:"
            ) from error
        for suffix, column in joined.columns.items():
            full = f"{name}_{suffix}" if suffix else name
            if not _NAME.fullmatch(full) or full.endswith("_known"):
                raise ConfigError(
                    f"side.{name}: features cannot call a column {full!r}: rename it (lower-case "
                    "letters, digits, _), or name the columns to take under values:"
                )
            if full in side:
                raise ConfigError(f"side.{name}: there is a column {full!r} already: rename one")
            side[full] = np.ascontiguousarray(column, np.float64)
        findings += [f"Side input {name}: {text}" for text in _told(name, joined, loaded.panel)]
    return loaded._replace(panel=loaded.panel.map_side(side), findings=tuple(findings))


def check_name(name: str) -> None:
    """Refuse a name that no column can carry."""
    if not _NAME.fullmatch(name) or name.endswith("_known"):
        raise ConfigError(
            f"side.{name}: needs lower-case letters, digits and _, 40 at most, no _known at its "
            "end: features call it by this name"
        )


def without_places(side: Mapping[str, Config]) -> dict[str, Config]:
    """Side inputs as far as they are part of a question: the place of a file is none."""
    return {
        name: one.model_copy(update={"path": ""}) if hasattr(one, "path") else one
        for name, one in side.items()
    }


def _told(name: str, joined: Joined, panel: Panel) -> list[str]:
    known = ~np.isnan(joined.age_ns)
    if not known.any():
        first, last = utc(panel.available_at.min()), utc(panel.available_at.max())
        raise DataError(
            f"side.{name}: nothing of it was known at any bar (they close {first} to {last}): "
            "check its dates, its symbols and max_age, or take it out"
        )
    age = _age(joined.age_ns[known])
    return [f"known at {_percent(known.mean())} of the bars, {age} old in the middle.",
            *joined.findings]  # fmt: skip


def _age(age_ns: Float64) -> str:
    hours = float(np.median(age_ns)) / _HOUR_NS
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
