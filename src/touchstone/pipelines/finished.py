"""Finished runs: find one by name, read it back, put several side by side, take its tables."""

import difflib
import json
from pathlib import Path
from typing import NamedTuple

import polars as pl

from touchstone.data.cache import StageCache
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError, DataError
from touchstone.features import compile_features
from touchstone.pipelines.exports import TABLES
from touchstone.pipelines.prepare import feature_matrix, load
from touchstone.pipelines.progress import Progress, Silent
from touchstone.pipelines.study import Study, parse_study
from touchstone.pipelines.tables import feature_frame
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.result import StudyResult, from_json


class Finished(NamedTuple):
    """A run that ended with a verdict."""

    folder: Path
    result: StudyResult

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def equity(self) -> pl.DataFrame:
        """The account after each bar of both segments: segment, time, equity, cash, exposure."""
        return self._table("equity")

    @property
    def trades(self) -> pl.DataFrame:
        """Closed round trips of both segments."""
        return self._table("trades")

    @property
    def scores(self) -> pl.DataFrame:
        """Calibrated probabilities of the chosen model."""
        return self._table("scores")

    @property
    def positions(self) -> pl.DataFrame:
        """What was held at each bar's close."""
        return self._table("positions")

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"

    @property
    def verdict(self) -> str:
        """The word."""
        return self.result.market.verdict.word

    def _table(self, name: str) -> pl.DataFrame:
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise DataError(f"{self.name}: the run kept no table of {name}; run the study again")
        return pl.read_parquet(path)


def finished_runs(folder: Path) -> list[Finished]:
    """Every finished run under a folder of runs that can be read, by name."""
    found = []
    for path in sorted(folder.glob("*/result.json")):
        try:
            found.append(read_run(path.parent))
        except DataError:
            continue  # of another version; `runs show` says so by name
    return found


def read_run(folder: Path) -> Finished:
    """One run by its folder.

    Raises:
        DataError: no finished run there, or one that cannot be read.
    """
    path = folder / "result.json"
    if not path.is_file():
        raise DataError(f"{folder}: no finished run (no result.json); touchstone runs list")
    try:
        return Finished(folder, from_json(path.read_bytes()))
    except DataError as error:
        raise DataError(f"{folder}: {' '.join(str(error).split())}") from None


def find(runs: Path, name: str) -> Finished:
    """One run by its folder, its name, or the only one that begins so.

    Raises:
        DataError: none, or more than one.
    """
    for folder in (Path(name), runs / name) if name else ():
        if (folder / "result.json").is_file():
            return read_run(folder)
    there = sorted(path.parent for path in runs.glob("*/result.json"))
    matching = [folder for folder in there if name and folder.name.startswith(name)]
    if len(matching) == 1:
        return read_run(matching[0])
    if matching:
        names = ", ".join(folder.name for folder in matching)
        raise DataError(f"{name!r} names {len(matching)} runs: {names}")
    told = [folder.name for folder in there]
    near = difflib.get_close_matches(name, [*told, *(n.rpartition("-")[0] for n in told)], n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(told) or "none yet"
    raise DataError(f"no finished run {name!r} under {runs}.{meant} There are: {known}")


def run_line(run: Finished) -> str:
    """One line about a run."""
    market = run.result.market
    twin = run.result.null_twin
    beside = "" if twin is None else f", null twin {twin.verdict.word}"
    sealed = market.sealed
    money = "" if sealed is None else f"  net {sealed.net_return or 0:+.1%} on the sealed days"
    return f"{run.name:<40} {market.verdict.word}{beside}{money}"


def table_of(run: Finished, what: str, out: Path) -> pl.DataFrame:
    """One of a run's tables; `features` are evaluated anew, or taken from the cache."""
    if what in TABLES:
        return run._table(what)
    if what != "features":
        raise ConfigError(
            f"--what {what!r}: needs one of {', '.join((*TABLES, 'features', 'folds', 'onnx'))}"
        )
    silent = Silent()
    cache = StageCache(Workspace(out).cache)
    study, loaded, data = reopened(run, cache, silent)
    plan = compile_features(study.config.features, tuple(loaded.panel.side))
    return feature_frame(
        loaded.panel,
        plan.names,
        feature_matrix(plan, loaded.panel, (data, study.source), cache, silent),
    )


def reopened(run: Finished, cache: StageCache, progress: Progress) -> tuple[Study, Loaded, str]:
    """The study of a run with its bars and their hash.

    Raises:
        DataError: the bars are no longer those of the run.
    """
    about = json.loads((run.folder / "run.json").read_text())
    settings = json.loads((run.folder / "study.json").read_text())
    study = parse_study(settings, Path(about["root"]), str(run.folder / "study.json"))
    loaded, data = load(study, progress, cache)
    if data != about["data"]:
        raise DataError(f"{run.name}: the bars have changed since this run; run the study again")
    return study, loaded, data
