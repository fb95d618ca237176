"""Ensembles on markets whose truth is known: where combining must help, and where it cannot.

Planted: a state that three volatility regimes pay with different signs, read by specialists of
each. Null: the same markets with nothing to be read. And one market on which a student is taught.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field

from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.ensembles import ENSEMBLES
from touchstone.files import parse_yaml
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.pipelines.calibrate import MASTER_SEED
from touchstone.pipelines.ensemble import find
from touchstone.pipelines.ensemble_board import board
from touchstone.pipelines.ensemble_compare import ALPHA
from touchstone.pipelines.ensemble_config import EnsembleConfig, Ensembles, with_members
from touchstone.pipelines.prepare import prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import packaged_text, parse_study
from touchstone.reports.ensemble import EnsembleResult
from touchstone.seeding import derive
from touchstone.simulation import MarketConfig, simulate
from touchstone.validation.multiple import holm

Sort = Literal["regimes", "null", "distillation"]
BY_REGIME: Final = ("regime", "moe")
"""Ensembles that weigh a member by the row, named beforehand: one must win where regimes
matter."""
_WITHOUT_REGIME: Final = ("mean", "weighted")
_STD: Final = "std(close / lag(close, 1) - 1, 24)"
_MEMBERS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "everybody", "model": {"kind": "logistic"}},
    {"name": "calm", "model": {"kind": "logistic"}, "rows": {"of": _STD, "below": 0.6}},
    {
        "name": "middling", "model": {"kind": "logistic"},
        "rows": {"of": _STD, "above": 0.75, "below": 0.92},
    },
    {"name": "wild", "model": {"kind": "logistic"}, "rows": {"of": _STD, "above": 0.94}},
)  # fmt: skip
_SUITED: Final[dict[str, dict[str, Any]]] = {
    # The stationary law of the regimes: 74 % calm, 19 % middling, 7 % wild.
    "regime": {"kind": "regime", "column": _STD, "quantiles": (0.74, 0.93)},
    "moe": {"kind": "moe", "gate": (f"log({_STD})",)},
}
"""Kinds whose defaults cut the time elsewhere than these regimes do."""
_REGIMES: Final = {
    # A regime stays for some hundred bars: with bars so short, validation and test rows see each of
    # them many times. Who has just left a position cannot enter again at once, so there must be
    # far more instruments than positions, or nobody has a choice.
    "n_instruments": 12, "n_bars": 56_000, "volatility": 0.004, "timeframe": "15m",
    "ic": 0.4, "correlation": 0.0, "regime_strength": 2.0,
    "planted": {
        "kind": "regime_switch", "pay": (1.0, -2.0, 1.0, 2.0), "persistence": 0.95,
    },
    "volume_noise": 0.1, "volume_elasticity": 0.0, "volume_intraday": 0.0,
}  # fmt: skip
_NULL: Final = {**_REGIMES, "n_instruments": 8, "n_bars": 9_600, "ic": 0.0}
"""The same without an edge, and a sixth as long: there are ten times as many."""
_NULL_STUDY: Final[dict[str, Any]] = {
    "folds": {
        "kind": "walk_forward", "train": "28d", "validate": "20d", "test": "20d", "folds": 2,
        "sealed": "10%",
    },
    # Whoever picks wilder instruments loses less of his Sharpe ratio to the same costs: only
    # without costs are all accounts' true ratios equal, namely 0.
    "costs": {"commission_bp": 0, "slippage_bp": 0, "volume_cap": None},
}  # fmt: skip
_DISTILLED: Final = {
    "n_instruments": 12, "n_bars": 8_000, "ic": 0.2, "volume_noise": 0.1,
    "volume_elasticity": 0.0, "volume_intraday": 0.0,
}  # fmt: skip


class MarketsConfig(Config):
    """Which markets."""

    regimes: MarketConfig = Field(default_factory=lambda: MarketConfig.parse(_REGIMES))
    """Where each volatility regime pays the same state with its own sign."""
    null: MarketConfig = Field(default_factory=lambda: MarketConfig.parse(_NULL))
    """Where nothing is to be foreseen."""
    distillation: MarketConfig = Field(default_factory=lambda: MarketConfig.parse(_DISTILLED))
    """Where a student is taught."""
    seed: Annotated[int, Field(ge=0)] = MASTER_SEED
    """Every market's own seed follows from it."""


class Ask(NamedTuple):
    """One market."""

    sort: Sort
    number: int


class Rival(NamedTuple):
    """One ensemble against the best member."""

    name: str
    sharpe: float | None
    difference: float | None
    """Annual Sharpe less the best member's."""
    p: float
    """Two-sided."""
    adjusted: float
    """By Holm over all ensembles."""
    better: bool
    """As `reports.ensemble.Versus` means it."""
    in_hindsight: float | None
    """Annual Sharpe less that of the best member on the test rows themselves."""
    p_in_hindsight: float
    """Two-sided."""


class Compared(NamedTuple):
    """What was found on one market; its values are of JSON."""

    best: str
    best_on_test: str
    members: Sequence[tuple[str, float | None, float | None]]
    """Name, PR-AUC on validation rows, annual Sharpe on test rows."""
    rivals: Sequence[Rival]
    n_days: int

    @property
    def of(self) -> list[Rival]:
        """The ensembles; a journal gives back lists."""
        return [Rival(*rival) for rival in self.rivals]

    @property
    def better(self) -> list[str]:
        """Ensembles that are called better."""
        return [rival.name for rival in self.of if rival.better]

    @property
    def by_regime(self) -> list[str]:
        """Ensembles that weigh by regime and win by Holm over those alone, named beforehand."""
        mine = [rival for rival in self.of if rival.name in BY_REGIME]
        adjusted = holm(np.array([rival.p for rival in mine]))
        return [
            rival.name
            for rival, p in zip(mine, adjusted, strict=True)
            if p < ALPHA and rival.difference is not None and rival.difference > 0
        ]


class Student(NamedTuple):
    """What a student kept on one market; its values are of JSON."""

    teacher: str
    ensemble_pr_auc: float | None
    pr_auc: float | None
    kept: float | None
    kept_interval: Sequence[float] | None
    untaught_pr_auc: float | None
    ensemble_us: float
    student_us: float
    share: float
    """Of the teacher's time to score."""
    parameters: int | None


def compare_known(config: MarketsConfig, ask: Ask) -> Compared:
    """Make one market, fit specialists, combine them in every way, and compare."""
    market = config.null if ask.sort == "null" else config.regimes
    panel, _ = simulate(market, derive(config.seed, "ensembles", ask.sort, ask.number))
    return compared(judge(regime_ensembles(ask.sort), panel))


def compared(result: EnsembleResult) -> Compared:
    """What the proofs read of a result."""
    rivals = tuple(
        Rival(
            e.figures.name, e.figures.sharpe, e.versus.difference, e.versus.p, e.versus.adjusted,
            e.versus.better, e.hindsight.difference, e.hindsight.p,
        )
        for e in result.ensembles
    )  # fmt: skip
    members = tuple((m.name, m.validation_pr_auc, m.sharpe) for m in result.members)
    return Compared(result.best, result.best_on_test, members, rivals, result.n_days)


def distil_known(config: MarketsConfig, ask: Ask) -> Student:
    """Make one market, teach a student the mean of its members, and measure it."""
    seed = derive(config.seed, "ensembles", ask.sort, ask.number)
    panel, _ = simulate(config.distillation, seed)
    found = judge(taught_ensemble(), panel).student
    assert found is not None  # it was asked for
    return Student(
        found.teacher, found.ensemble_pr_auc, found.pr_auc, found.kept, found.kept_interval,
        found.untaught_pr_auc, found.machine.ensemble_us, found.machine.student_us,
        found.machine.share, found.parameters,
    )  # fmt: skip


def regime_ensembles(sort: Sort = "regimes") -> Ensembles:
    """Specialists of three regimes: on planted markets combined by regime and, for comparison,
    without; on markets without an edge in every way there is.
    """  # noqa: D205  the sentence takes two lines
    settings = parse_yaml(packaged_text("ensembles"), "ensembles")
    if sort == "null":
        settings = settings | _NULL_STUDY
    study = parse_study(settings, Path(), "ensembles")
    kinds = ENSEMBLES.kinds() if sort == "null" else (*BY_REGIME, *_WITHOUT_REGIME)
    asked = {
        "name": "regimes", "study": study.config, "members": _MEMBERS,
        "ensembles": tuple(_SUITED.get(kind) or {"kind": kind} for kind in kinds),
        "distil": None, "prune": sort == "null",
    }  # fmt: skip
    return with_members(EnsembleConfig.parse(asked), study)


def taught_ensemble() -> Ensembles:
    """The mean of large members, and a small network that learns it."""
    settings = parse_yaml(packaged_text("distillation"), "distillation")
    study = parse_study(settings, Path(), "distillation")
    asked = {
        "name": "distillation", "study": study.config, "ensembles": ({"kind": "mean"},),
        "prune": False, "distil": {"student": {"kind": "mlp", "hidden": (32, 16)}},
    }  # fmt: skip
    return with_members(EnsembleConfig.parse(asked), study)


def judge(asked: Ensembles, panel: Panel, name: str = "made") -> EnsembleResult:
    """Everything that `touchstone ensemble` finds of a panel at hand, in a ledger of its own."""
    data, ledger = panel.content_hash(), MemoryLedger()
    loaded = Loaded(panel, (), (), f"{name}:{data[:16]}", None)
    with tempfile.TemporaryDirectory(prefix="touchstone-") as folder:
        resources = Resources(StageCache(Path(folder)), lambda: ledger, Silent(), 1)
        prepared = prepare(asked.study, loaded, data, resources.cache, resources.progress)
        found, _ = find(asked, prepared, ledger, resources)
        return board(asked, found, name)
