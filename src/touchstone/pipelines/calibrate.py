"""Null calibration: the whole pipeline on markets without any edge, to see how often it is fooled.

Twice. The *size run* costs nothing and always trades, so that the p-values must be uniform; the
*product run* is a study as users run it, whose verdict must hardly ever be `evidence`.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.backtest import daily
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.errors import DataError
from touchstone.files import parse_yaml
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.pipelines.decide import Scored
from touchstone.pipelines.market import Searched, search_market
from touchstone.pipelines.progress import Progress, Silent
from touchstone.pipelines.seal import sealed_span, trade_sealed, whole_span
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, packaged_text, parse_study
from touchstone.seeding import derive, generator
from touchstone.simulation.nulls import NULLS, NullConfig, NullKind, null_market
from touchstone.validation import deflated as d
from touchstone.validation import verdict as v
from touchstone.validation.calibration import Trial
from touchstone.validation.superior_ability import superior_ability

MASTER_SEED: Final = 20261128
"""Fixed before the first run; a run that misses its band is published, never reseeded."""

Run = Literal["size", "product"]
RUNS: Final[tuple[Run, ...]] = ("size", "product")

_ALWAYS: Final = {"kind": "threshold", "entry_threshold": [0.0, 0.2, 0.3, 0.4, 0.5]}
_FREE: Final = {"commission_bp": 0, "slippage_bp": 0}
_BEGINNING: Final = '{"of": "'
"""Of every line of a journal."""


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
    config: CalibrateConfig, todo: Sequence[Ask], real: Panel | None, journal: Path, jobs: int,
    progress: Progress,
) -> tuple[Trial, ...]:  # fmt: skip
    """Judge every market that the journal does not have yet; the trials in the order asked.

    Args:
        config: sizes and seed.
        todo: which markets.
        real: bars for the `residual` sort.
        journal: a file of JSON lines that grows by one a market: the same call goes on from it.
        jobs: worker processes.
        progress: who shows them.

    Raises:
        DataError: a journal that is not one.
    """
    known = _read(journal, config, real)
    left = [ask for ask in todo if ask not in known]
    with progress.stage(f"{todo[0].run} run" if todo else "run", len(todo)) as step:
        for _ in range(len(todo) - len(left)):
            step.advance("from the journal")
        for ask, trial in _judged(config, left, real, jobs):
            known[ask] = trial
            _append(journal, config, real, ask, trial)
            step.advance(f"{ask.kind} {ask.number}")
    return tuple(known[ask] for ask in todo)


def _judged(
    config: CalibrateConfig, left: Sequence[Ask], real: Panel | None, jobs: int
) -> Iterator[tuple[Ask, Trial]]:
    if jobs == 1 or len(left) < 2:
        yield from ((ask, judge_null(config, ask, real)) for ask in left)
        return
    pool = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    for place, trial in pool(delayed(_placed)(i, config, a, real) for i, a in enumerate(left)):
        yield left[place], trial


def _placed(place: int, config: CalibrateConfig, ask: Ask, real: Panel | None) -> tuple[int, Trial]:
    return place, judge_null(config, ask, real)


def judge_null(config: CalibrateConfig, ask: Ask, real: Panel | None) -> Trial:
    """Make one market without an edge and run the whole study on it, the one look included.

    In the size run the best candidate goes on even where it lost: a test that is asked only after
    good luck would have another size.
    """
    seed = derive(config.seed, ask.kind, ask.number)
    panel = null_market(config.market, ask.kind, seed, real)
    study = calibration_study(ask.run)
    data = panel.content_hash()
    loaded = Loaded(panel, (), (), f"null:{data[:16]}", None)
    ledger = MemoryLedger()
    with tempfile.TemporaryDirectory(prefix="touchstone-null-") as folder:
        resources = Resources(StageCache(Path(folder)), lambda: ledger, Silent(), 1)
        found = search_market(study, (loaded, data), resources)
        chosen = _chosen(found, ask.run)
        returns, n_trades = _sealed(study, found, chosen, resources)
    search = v.Search(
        chosen=chosen is not None,
        deflated=None
        if chosen is None
        else d.deflated_sharpe(chosen.returns, ledger.candidates(whole_span(found.prepared))),
        surrogate_p=None,
        n_studies=1,
    )
    sealed = v.Sealed(returns, n_trades, panel.calendar.days_per_year)
    verdict = v.judge(v.weigh(sealed, search, generator(seed, "calibrate", "verdict")))
    table = np.column_stack([s.returns for s in found.comparison.scored])
    spa = superior_ability(table, generator(seed, "calibrate", "spa"))
    return Trial(
        ask.kind, ask.number, verdict.primary_p, spa.p, verdict.word, n_trades, table.shape[1]
    )


def _chosen(found: Searched, run: Run) -> Scored | None:
    if run == "product":
        return found.comparison.winner
    able = [s for s in found.comparison.scored if s.record.daily_sharpe is not None]
    return max(able, key=lambda s: s.record.daily_sharpe or 0.0, default=None)


def _sealed(
    study: Study, found: Searched, chosen: Scored | None, resources: Resources
) -> tuple[Float64, int]:
    """Daily net returns of the sealed days, and the trades closed there."""
    prepared = found.prepared
    if chosen is None:
        span, panel = sealed_span(prepared), prepared.panel
        days = np.unique(panel.calendar.day(panel.time[panel.available_at >= span.start]))
        return np.zeros(days.size), 0
    traded = trade_sealed(study, prepared, chosen, found.learned[chosen.place], resources)
    return daily(traded.where.panel, traded.run)[1], int(traded.run.trades.pnl.size)


def _of(config: CalibrateConfig, real: Panel | None, run: Run) -> str:
    """What a line of the journal belongs to: nothing else may be counted with it."""
    bars = "" if real is None else real.content_hash()[:16]
    study = calibration_study(run)
    one = config.model_copy(update={"markets": 1}).fingerprint()
    return f"{one} {study.fingerprint} {study.source} {bars}"


def _append(
    journal: Path, config: CalibrateConfig, real: Panel | None, ask: Ask, trial: Trial
) -> None:
    line = {"of": _of(config, real, ask.run), "run": ask.run, **trial._asdict()}
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.open("a+b") as file:
        cut_short = file.tell() > 0 and journal.read_bytes()[-1:] != b"\n"
        file.write(b"\n" * cut_short + json.dumps(line).encode() + b"\n")


def _read(journal: Path, config: CalibrateConfig, real: Panel | None) -> dict[Ask, Trial]:
    """The trials that a journal holds of this very calibration; a line cut short is none."""
    if not journal.is_file():
        return {}
    mine = {_of(config, real, run): run for run in RUNS}
    known: dict[Ask, Trial] = {}
    for number, text in enumerate(journal.read_text("utf-8", errors="replace").splitlines()):
        begun = text.startswith(_BEGINNING) or _BEGINNING.startswith(text)
        if begun and not text.endswith("}"):
            continue  # killed while it was written
        try:
            line: dict[str, Any] = json.loads(text)
            run = mine.get(line.pop("of"))
            line.pop("run")
            trial = Trial(**line)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(
                f"{journal}: line {number + 1} is no trial of a calibration: move the file away"
            ) from None
        if run is not None:
            known[Ask(run, trial.kind, trial.number)] = trial  # type: ignore[arg-type]
    return known
