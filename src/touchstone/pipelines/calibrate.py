"""Null calibration: the whole pipeline on markets without any edge, to see how often it is fooled.

Twice. The *size run* costs nothing and always trades, so that the p-values must be uniform; the
*product run* is a study as users run it, whose verdict must hardly ever be `evidence`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field

from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.files import parse_yaml, write_text
from touchstone.market import Panel
from touchstone.pipelines.decide import Comparison, Scored
from touchstone.pipelines.judged import judge_panel, winner
from touchstone.pipelines.many import Done, Journal, Work, many
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.study import Study, packaged_text, parse_study
from touchstone.pipelines.tables import load_folder
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.calibration import CalibrationResult, page, run_result
from touchstone.seeding import derive, generator
from touchstone.simulation.nulls import NULLS, NullConfig, NullKind, null_market
from touchstone.validation.calibration import Trial
from touchstone.validation.superior_ability import superior_ability

MASTER_SEED: Final = 20261128
"""Fixed before the first run; a run that misses its band is published, never reseeded."""

Run = Literal["size", "product"]
RUNS: Final[tuple[Run, ...]] = ("size", "product")

_ALWAYS: Final = {"kind": "threshold", "entry_threshold": [0.0, 0.01, 0.02, 0.03, 0.04]}
"""The best few of all, ranked by p(+). The label's target is met on some 5 % of rows, so thresholds
below that always find somebody to hold."""
_N_DAYS: Final = 335
"""What the folds of the study need, with air."""
_DAY_NS: Final = 86_400_000_000_000
_FREE: Final = {"commission_bp": 0, "slippage_bp": 0}


class CalibrateConfig(Config):
    """How many markets, how large, from which seed."""

    markets: Annotated[int, Field(ge=1, le=100_000)] = 400
    """Over all sorts together, shared evenly."""
    market: NullConfig = NullConfig()
    """How large each is."""
    seed: int = MASTER_SEED
    """Every market's own seed follows from it."""


class Ask(NamedTuple):
    """One market to be judged."""

    run: Run
    kind: NullKind
    number: int


def calibration_study(run: Run) -> Study:
    """The cheap study: as users run one, or free of costs and always in the market."""
    settings = parse_yaml(packaged_text("calibration"), "calibration")
    if run == "size":
        positions = settings["strategy"]["max_positions"]
        settings["strategy"] = _ALWAYS | {"max_positions": positions, "barriers": False}
        settings["costs"] = _FREE
    return parse_study(settings, Path(), "calibration")


def asks(config: CalibrateConfig, run: Run, kinds: Sequence[NullKind] = NULLS) -> tuple[Ask, ...]:
    """The markets of a run, sorts in turn, so that a run cut short holds some of each."""
    each = range(-(-config.markets // len(kinds)))
    return tuple(Ask(run, kind, n) for n in each for kind in kinds)[: config.markets]


def calibrate(
    config: CalibrateConfig, todo: Sequence[Ask], real: Panel | None, path: Path, jobs: int,
    progress: Progress,
) -> tuple[Done[Trial], ...]:  # fmt: skip
    """Judge the markets of one run that the journal does not have yet; in the order asked.

    Args:
        config: sizes and seed.
        todo: which markets, all of one run.
        real: bars for the `residual` sort.
        path: of the journal, a file that grows by a line a market: the same call goes on from it.
        jobs: worker processes.
        progress: who shows them.

    Raises:
        DataError: a journal that is not one.
    """
    if not todo:
        return ()
    journal = Journal(path, _of(config, real, todo[0].run), Ask, Trial)
    work = Work(partial(judge_null, config, real=real), jobs, progress)
    return many(f"{todo[0].run} run", todo, journal, work)


def judge_null(config: CalibrateConfig, ask: Ask, real: Panel | None = None) -> Trial:
    """Make one market without an edge and run the whole study on it, the one look included.

    In the size run the best candidate goes on even where it lost: a test that is asked only after
    good luck would have another size.
    """
    seed = derive(config.seed, ask.kind, ask.number)
    panel = null_market(config.market, ask.kind, seed, real)
    study = calibration_study(ask.run)
    choose = winner if ask.run == "product" else _best
    judged = judge_panel(study, panel, generator(seed, "calibrate", "verdict"), choose)
    spa = superior_ability(judged.before, generator(seed, "calibrate", "spa"))
    verdict, n_candidates = judged.verdict, judged.before.shape[1]
    return Trial(
        ask.kind, ask.number, verdict.primary_p, spa.p, verdict.word, judged.n_trades, n_candidates
    )


def _best(comparison: Comparison) -> Scored | None:
    """The best candidate, even where it lost."""
    able = [s for s in comparison.scored if s.record.daily_sharpe is not None]
    return max(able, key=lambda s: s.record.daily_sharpe or 0.0, default=None)


def _of(config: CalibrateConfig, real: Panel | None, run: Run) -> str:
    """What a line of the journal belongs to: nothing else may be counted with it."""
    bars = "" if real is None else real.content_hash()[:16]
    study = calibration_study(run)
    one = config.model_copy(update={"markets": 1}).fingerprint()
    return f"{one} {study.fingerprint} {study.source} {bars}"


class Wish(NamedTuple):
    """What a user asks of a calibration."""

    config: CalibrateConfig
    runs: tuple[Run, ...]
    bars: Path | None
    """Real bars for the `residual` sort; without them it is left out."""
    shape: Mapping[str, Any]
    """What a study would say of them under `bars:`, timeframe and calendar."""
    root: Path
    """The workspace: its journal is resumed, the outcome is written to `calibration/`."""
    jobs: int
    command: str
    """As typed, for the page."""


class Found(NamedTuple):
    """The outcome, and where it was written."""

    result: CalibrationResult
    folder: Path


def calibration(wish: Wish, progress: Progress) -> Found:
    """Run what is asked, or what of it the workspace's journal lacks; write result and page.

    Raises:
        DataError: bars that cannot be read or are too short, or a journal that is none.
    """
    real = None
    if wish.bars is not None:
        with progress.stage("real bars") as step:
            real = _real(wish.bars, wish.shape)
            step.say(f"{len(real):,} bars of {real.n_instruments} instruments")
    kinds = NULLS if real is not None else tuple(k for k in NULLS if k != "residual")
    journal = Workspace(wish.root).calibration
    runs = []
    for run in wish.runs:
        todo = asks(wish.config, run, kinds)
        done = calibrate(wish.config, todo, real, journal, wish.jobs, progress)
        runs.append(run_result(run, [d.found for d in done], [d.seconds for d in done]))
    market = wish.config.market
    result = CalibrationResult(
        seed=wish.config.seed,
        n_instruments=market.n_instruments,
        n_bars=market.n_bars,
        bars=None if wish.bars is None else str(wish.bars),
        runs=tuple(runs),
    )
    folder = wish.root / "calibration"
    write_text(folder / "result.json", result.model_dump_json(indent=1) + "\n")
    write_text(folder / "report.html", page(result, wish.command))
    return Found(result, folder)


def _real(bars: Path, shape: Mapping[str, Any]) -> Panel:
    panel = load_folder(bars, shape).panel
    longest = int(np.diff(panel.offsets).argmax())
    time = panel.bars(longest).time
    days = int((time[-1] - time[0] + panel.timeframe.ns) / _DAY_NS)
    if days < _N_DAYS:
        raise DataError(
            f"{bars}: its longest instrument, {panel.symbols[longest]}, has bars of {days} days, "
            f"{_N_DAYS} are needed for the folds and the sealed 73 days: bring a longer history"
        )
    return panel
