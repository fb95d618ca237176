"""What supervised learning finds of an edge that is there, beside what the truth of it earns.

A market with a linear planted signal (A1) is made; every model kind is fitted to it, model and
margin are chosen on validation rows, and each goes on to fresh paths of the same market. There the
true conditional mean trades through the same strategy, costs and account.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field

from touchstone.backtest import daily, sweep
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.files import parse_yaml
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.metrics.trading import sharpe
from touchstone.pipelines.calibrate import MASTER_SEED
from touchstone.pipelines.decide import calibrate, intend, model_names, outlook, placed, segment
from touchstone.pipelines.judged import rule_by
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.oracle import Earned, Rule, earnings, oracle_odds, oracle_outlook
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, packaged_text, parse_study
from touchstone.seeding import derive
from touchstone.simulation import MarketConfig, Truth, simulate
from touchstone.simulation.oracles.odds import Odds
from touchstone.strategies import Decision, Outlook

Setting = Literal["without costs", "with costs"]
STRENGTH: Final[dict[Setting, float]] = {"without costs": 0.05, "with costs": 0.30}
"""The settings, and the information coefficient of a bar in each."""

_MARKET: Final = {
    "n_instruments": 64, "n_bars": 20_000, "ic": 0.0, "correlation": 0.1,
    # Volume tells the signal plainly: what is measured is learning, not filtering.
    "volume_noise": 0.1, "volume_elasticity": 0.0, "volume_intraday": 0.0,
}  # fmt: skip


class SupervisedConfig(Config):
    """Which markets: 64 instruments x 20,000 hourly bars, a linear signal in the volume."""

    market: MarketConfig = Field(default_factory=lambda: MarketConfig.parse(_MARKET))
    """Its `ic` is the setting's."""
    years: Annotated[float, Field(gt=0)] = 2.0
    """Fresh years, at least; paths are as long as the market, so that this is one of them."""
    odds_paths: Annotated[int, Field(ge=2)] = 4
    """Further paths, on which the truth's conditional means are tabulated."""
    seed: int = MASTER_SEED
    """Every market's own seed follows from it."""


class Ask(NamedTuple):
    """One market to be learned."""

    setting: Setting
    number: int


class Model(NamedTuple):
    """One model with the margin that validation rows chose for it."""

    name: str
    margin_bp: float
    validation: float | None
    """Annual net Sharpe on the validation rows, by which is chosen."""
    sharpe: float | None
    """The same on fresh paths."""
    net_return: float
    """There, a year."""
    n_trades: int
    cost_share: float | None
    """Of what was earned before costs."""
    epoch: int
    rows: int
    """Train rows that it saw."""
    seconds: float
    """Of its fit."""


class Found(NamedTuple):
    """What models and truth earned on the fresh paths of one market."""

    models: Sequence[Model]
    truth: Sequence[tuple[float, float, int, float | None]]
    """Per margin: margin_bp, Sharpe, trades, share of costs."""

    @property
    def of(self) -> list[Model]:
        """The models; a journal gives back lists."""
        return [Model(*model) for model in self.models]

    @property
    def best_truth(self) -> float:
        """The truth's Sharpe with the margin that serves it best on these very paths."""
        return max(row[1] for row in self.truth)

    @property
    def chosen(self) -> Model:
        """What validation rows choose."""
        return max(self.of, key=lambda m: -np.inf if m.validation is None else m.validation)

    @property
    def best(self) -> Model:
        """What would have been best."""
        return max(self.of, key=lambda m: -np.inf if m.sharpe is None else m.sharpe)

    def share(self, model: Model) -> float:
        """A model's Sharpe over the truth's best."""
        return (model.sharpe or 0.0) / self.best_truth


def supervised_study(setting: Setting, replaced: Mapping[str, Any] | None = None) -> Study:
    """The study of a setting: the same but for the costs, and for keys that are `replaced`."""
    settings = parse_yaml(packaged_text("supervised"), "supervised") | dict(replaced or {})
    if setting == "without costs":
        settings["costs"] = settings["costs"] | {"commission_bp": 0, "slippage_bp": 0}
    return parse_study(settings, Path(), "supervised")


def learn_known(config: SupervisedConfig, ask: Ask) -> Found:
    """Make one market with a known edge, learn it, and measure everybody on fresh paths."""
    return measure(config, ask, supervised_study(ask.setting))


def measure(config: SupervisedConfig, ask: Ask, study: Study) -> Found:
    """The same of any study with one strategy of several candidates.

    Args:
        config: which markets; the seed of this one follows from it and from `ask`.
        ask: which of them.
        study: without a selection of columns and without regimes; its folds' last fit is taken.
    """
    seed = derive(config.seed, "supervised", ask.setting, ask.number)
    market = config.market.model_copy(update={"ic": STRENGTH[ask.setting]})
    panel, _ = simulate(market, seed)
    prepared, fits = _fitted(study, panel)
    candidates = [_by_validation(study, prepared, place, fit) for place, fit in enumerate(fits)]
    odds_seed = derive(config.seed, "supervised", "odds", ask.setting)
    odds = _odds(market.canonical(), study.config.label, odds_seed, config.odds_paths)
    strategies = study.config.strategy.candidates()  # type: ignore[attr-defined]  # strategies have
    # Nobody trades while the models' features warm up: the truth is asked of the same rows.
    idle = int(prepared.folds.final.train[0])
    tell = _outlook_of(study, odds, idle)
    truths = [_led_by_truth(study, tell, strategy) for strategy in strategies]
    rules = [*(one.rule for one in candidates), *truths]
    terms = (study.config.account, study.config.costs)
    earned = earnings(rules, market, seed, terms, config.years, idle)
    names = model_names(study.config)
    models = tuple(
        _model(name, one, fit, got)
        for name, one, fit, got in zip(names, candidates, fits, earned[: len(fits)], strict=True)
    )
    truth = tuple(
        (float(s.margin_bp[0]), got.sharpe or 0.0, got.n_trades, got.cost_share)
        for s, got in zip(strategies, earned[len(fits) :], strict=True)
    )
    return Found(models, truth)


class _Candidate(NamedTuple):
    """A model with its best margin on validation rows."""

    margin_bp: float
    validation: float | None
    rule: Rule


def _fitted(study: Study, panel: Panel) -> tuple[Prepared, list[Learned]]:
    """Every model of a study, fitted on all of a panel but its last rows, which validate."""
    data, ledger = panel.content_hash(), MemoryLedger()
    loaded = Loaded(panel, (), (), f"made:{data[:16]}", None)
    with tempfile.TemporaryDirectory(prefix="touchstone-") as folder:
        resources = Resources(StageCache(Path(folder)), lambda: ledger, Silent(), 1)
        prepared = prepare(study, loaded, data, resources.cache, resources.progress)
        tasks = [Task(model, prepared.folds.final, "final") for model in study.config.models]
        return prepared, learn(study, prepared, tasks, resources)


def _by_validation(study: Study, prepared: Prepared, place: int, fit: Learned) -> _Candidate:
    """The margin with the best net Sharpe on the rows that calibrated the model."""
    config, fold = study.config, prepared.folds.final
    calibration = calibrate(config, prepared, fold, fit)
    where = segment(prepared.panel, fold.spans.validate_start, fold.spans.validate_end)
    view = outlook(config, prepared, where, [(fold.validate, fit.validate, calibration)])
    strategies = config.strategy.candidates()  # type: ignore[attr-defined]  # strategies have
    intents = [intend(config.label, strategy, view) for strategy in strategies]
    runs = sweep(where.panel, intents, config.account, config.costs)
    per_year = prepared.panel.calendar.days_per_year
    found = [sharpe(daily(where.panel, run)[1], per_year) for run in runs]
    best = max(range(len(found)), key=lambda k: -np.inf if (f := found[k]) is None else f)
    rule = rule_by(study, (config.models[place], strategies[best]), fit, calibration)
    return _Candidate(float(strategies[best].margin_bp[0]), found[best], rule)


def _model(name: str, one: _Candidate, fit: Learned, got: Earned) -> Model:
    return Model(
        name, one.margin_bp, one.validation, got.sharpe, got.net_return, got.n_trades,
        got.cost_share, fit.best_epoch, fit.rows_used, round(fit.seconds, 1),
    )  # fmt: skip


def _led_by_truth(study: Study, tell: Callable[[Panel, Truth], Outlook], strategy: Config) -> Rule:
    def rule(panel: Panel, truth: Truth) -> Decision:
        view = placed(tell(panel, truth), strategy, panel, np.arange(len(panel)))
        return intend(study.config.label, strategy, view)

    return rule


def _outlook_of(study: Study, odds: Odds, idle: int) -> Callable[[Panel, Truth], Outlook]:
    """What the truth tells of a path but its first bars, worked out once for all margins."""
    label, costs = study.config.label, study.config.costs
    last: list[tuple[Panel, Outlook]] = []

    def tell(panel: Panel, truth: Truth) -> Outlook:
        if not last or last[0][0] is not panel:
            told = oracle_outlook(odds, label, costs, (panel, truth))
            told.probability[np.arange(len(panel)) < panel.offsets[panel.asset_id] + idle] = np.nan
            last[:] = [(panel, told)]
        return last[0][1]

    return tell


@lru_cache(maxsize=4)
def _odds(market: str, label: Config, seed: int, n_paths: int) -> Odds:
    """The truth's odds of a market, once a process; by its canonical text, which can be hashed."""
    return oracle_odds(label, MarketConfig.model_validate_json(market), seed, n_paths)
