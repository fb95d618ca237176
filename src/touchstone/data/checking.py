"""All checks over one folder: typed findings, and a grade for each symbol."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.inference import infer
from touchstone.data.folder import listed_files, source_of
from touchstone.data.formats import FolderConfig
from touchstone.data.raw_bars import files_of, read_folder
from touchstone.data.sources import SOURCES
from touchstone.data.store import MANIFEST, BarStore
from touchstone.errors import ConfigError
from touchstone.market import Calendar, Timeframe
from touchstone.market.findings import Finding, Grade, grades


class Checked(NamedTuple):
    """What a folder's bars are worth."""

    grades: dict[str, Grade]
    """By symbol."""
    findings: tuple[Finding, ...]
    """The gravest first, then by symbol, check and time."""
    n_bars: dict[str, int]
    """Rows of each symbol that could be read."""
    checks: tuple[str, ...]
    """Kinds of the checks that were made."""
    timeframe: str
    calendar: str


def check_folder(
    settings: Mapping[str, Any],
    checks: Mapping[str, Mapping[str, Any]] | None = None,
    symbols: tuple[str, ...] | None = None,
    now: int | None = None,
    root: Path = Path(),
) -> Checked:
    """Read a folder raw and check it.

    Args:
        settings: what a study says under `bars:`; timeframe and calendar are told by the bars
            where they are left out.
        checks: settings of single checks by kind, as in {"gaps": {"alpha": 0.001}}.
        symbols: only these.
        now: present time, ns UTC; None: nothing is said about the present.
        root: folder that a relative path is relative to.

    Raises:
        SourceError: no such folder, or no file of bars in it.
        ConfigError: no such check, or a setting that it does not know.
    """
    if symbols is not None and not symbols:
        raise ConfigError("no symbols: name some, or leave --symbols out to check all")
    path = root / str(settings.get("path", "."))
    source = str(settings.get("source", source_of(path)))
    config = SOURCES.parse({**settings, "source": source})
    if not isinstance(config, FolderConfig):
        raise ConfigError(
            f"source: {source} reads no folder as it is: leave it out, a folder that was fetched "
            "is checked all the same"
        )
    configs = _configs(checks or {})
    if not {"timeframe", "calendar"} <= settings.keys():
        told = {**_told(config, path, settings), **settings, "source": source}
        config = SOURCES.parse(told)
        assert isinstance(config, FolderConfig)
    folder = read_folder(config, root, symbols)
    hours = Timeframe(config.timeframe), Calendar(config.calendar)
    return check_cohort(Cohort(folder.bars, *hours, now, folder.unreadable), configs)


def check_cohort(cohort: Cohort, configs: tuple[Config, ...] | None = None) -> Checked:
    """Every check, or those configured, over a cohort at hand."""
    chosen = _configs({}) if configs is None else configs
    found = [f for config in chosen for f in CHECKS.part_of(config)(config, cohort)]
    found.sort(key=lambda f: (-f.severity, f.symbol, f.check, f.key[2]))
    return Checked(
        grades(cohort.symbols, found),
        tuple(found),
        {b.symbol: int(b.time.size) for b in cohort.bars},
        tuple(str(c.kind) for c in chosen),  # type: ignore[attr-defined]
        cohort.timeframe.name,
        cohort.calendar.name,
    )


def _told(config: FolderConfig, path: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Timeframe and calendar as the bars tell them; of a store, its manifest and then its bars."""
    if not (path / MANIFEST).is_file():
        timeframe, calendar = infer(config, listed_files(path, files_of(config)))
        return {"timeframe": timeframe, "calendar": calendar}
    rows = BarStore(path).rows()
    held = sorted({row.timeframe for row in rows})
    timeframe = str(settings.get("timeframe", held[0] if held else config.timeframe))
    if len(held) > 1 and "timeframe" not in settings:
        raise ConfigError(
            f"{path}: the store has bars of {' and '.join(held)}: say which, as in "
            f"--timeframe {held[0]}"
        )
    files = [(row.symbol, path / row.file) for row in rows if row.timeframe == timeframe]
    calendar = infer(config, files)[1] if files else config.calendar
    return {"timeframe": timeframe, "calendar": calendar}


def _configs(settings: Mapping[str, Mapping[str, Any]]) -> tuple[Config, ...]:
    for kind, keys in settings.items():
        CHECKS.config(kind)  # a name that is none is told with the nearest
        if not isinstance(keys, Mapping) or "kind" in keys:
            raise ConfigError(f"{kind}: needs settings of the check, as in {kind}.KEY=VALUE")
    return tuple(CHECKS.parse({"kind": k, **settings.get(k, {})}) for k in CHECKS.kinds())
