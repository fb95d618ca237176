"""Members and ensembles as candidates: chosen on validation rows, compared on the same test days.

What is compared is fixed before a test row is looked at: the best member, and of every candidate
the strategy's setting, are those that were best on validation rows.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest import daily, sweep
from touchstone.config import Config
from touchstone.dataset.splits import Fold
from touchstone.errors import DataError
from touchstone.ledger import Ledger
from touchstone.metrics import classification as c
from touchstone.metrics.trading import sharpe
from touchstone.models import OUTCOMES, Shape, head_of
from touchstone.pipelines.decide import (
    Comparison,
    Scored,
    calibrate,
    compare,
    intend,
    outlook,
    segment,
)
from touchstone.pipelines.ensemble_config import PRUNED, ChooseBy, Ensembles, Named
from touchstone.pipelines.ensemble_fit import Combination, OnFold
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.seeding import generator
from touchstone.validation.multiple import holm
from touchstone.validation.sharpe_difference import SharpeDifference, sharpe_difference

ALPHA: Final = 0.05
"""An ensemble is called better at an adjusted p below it, and at no other."""


class Contender(NamedTuple):
    """A member or an ensemble with its scores of every fold."""

    name: str
    config: Config
    """Names it in the ledger."""
    fits: Sequence[Learned]
    """Of the folds in order."""
    is_member: bool


class Validated(NamedTuple):
    """What validation rows say of a contender."""

    pr_auc: float | None
    """Mean over the folds, raw scores."""
    log_loss: float | None
    """Mean over the folds, calibrated on the same rows."""
    sharpe: float | None
    """Annual, pooled over the folds, of the best setting there."""
    setting: int
    """Place of that setting among the strategy's."""

    def by(self, measure: ChooseBy) -> float:
        """The larger the better; -inf where there is none."""
        value = {"pr_auc": self.pr_auc, "log_loss": self.log_loss, "sharpe": self.sharpe}[measure]
        if value is None:
            return -np.inf
        return -value if measure == "log_loss" else value


class Versus(NamedTuple):
    """An ensemble against a member, on the same test days."""

    test: SharpeDifference
    """Daily; two-sided p."""
    adjusted: float
    """The p by Holm over the ensembles."""

    @property
    def is_better(self) -> bool:
        """What `better` means here, and all that it means."""
        difference = self.test.difference
        return self.adjusted < ALPHA and difference is not None and difference > 0


class Compared(NamedTuple):
    """All contenders on the pooled test rows."""

    contenders: tuple[Contender, ...]
    validated: tuple[Validated, ...]
    comparison: Comparison
    best: int
    """Place of the best member on validation rows."""
    best_on_test: int
    """Place of the member with the best Sharpe on the test rows themselves, in hindsight."""
    versus: dict[int, Versus]
    """Place of an ensemble -> against the best member."""
    hindsight: dict[int, SharpeDifference]
    """The same against the best on test rows."""

    def account(self, place: int) -> Scored:
        """A contender's account on the test rows, with the setting of its validation rows."""
        mine = [s for s in self.comparison.scored if s.place == place]
        return mine[self.validated[place].setting]

    @property
    def ensembles(self) -> tuple[int, ...]:
        """Their places."""
        return tuple(i for i, one in enumerate(self.contenders) if not one.is_member)


def contenders(
    asked: Ensembles, learned: Sequence[Sequence[Learned]], combined: dict[str, list[OnFold]]
) -> tuple[Contender, ...]:
    """Members first, then ensembles, each with its fits of the folds."""
    members = asked.members
    shape = learned[0][0].shape
    found = [
        Contender(named.name, _identity(named), fits, is_member=True)
        for named, fits in zip(members, learned, strict=True)
    ]
    for name, folds in combined.items():
        identity = Combination(
            members=tuple(named.member for named in members),
            combiner=asked.combiner(name),
            pruned=name == PRUNED,
        )
        fits = [one.learned(_shape(shape, asked)) for one in folds]
        found.append(Contender(name, identity, fits, is_member=False))
    return tuple(found)


def compare_all(
    asked: Ensembles, prepared: Prepared, who: tuple[Contender, ...], ledger: Ledger
) -> Compared:
    """Choose on validation rows, then backtest everybody on the test rows as one sweep.

    Args:
        asked: the ensemble.
        prepared: its market.
        who: members and ensembles.
        ledger: gets one row with every contender and setting.

    Raises:
        DataError: validation rows that give no member the measure that chooses.
    """
    config, measure = asked.study.config, asked.config.choose_by
    validated = tuple(_validated(config, prepared, one) for one in who)
    members = [i for i, one in enumerate(who) if one.is_member]
    best = max(members, key=lambda i: validated[i].by(measure))
    if validated[best].by(measure) == -np.inf:
        raise DataError(
            f"choose_by {measure}: no member has one on the validation rows of every fold, so that "
            "none is the best: lengthen folds.validate, or choose by another measure"
        )
    study = _among(asked.study, tuple(one.config for one in who))
    comparison = compare(study, prepared, [one.fits for one in who], ledger)
    found = Compared(who, validated, comparison, best, best, {}, {})
    ratios = {i: found.account(i).record.daily_sharpe for i in members}
    on_test = max(members, key=lambda i: -np.inf if (r := ratios[i]) is None else r)
    versus, hindsight = _tests(found, on_test, asked.seed)
    return found._replace(best_on_test=on_test, versus=versus, hindsight=hindsight)


def _tests(
    found: Compared, on_test: int, seed: int
) -> tuple[dict[int, Versus], dict[int, SharpeDifference]]:
    def against(place: int, other: int) -> SharpeDifference:
        rng = generator(seed, "ensemble", "sharpe", found.contenders[place].name)
        one, two = found.account(place), found.account(other)
        return sharpe_difference(one.returns, two.returns, rng)

    tests = {i: against(i, found.best) for i in found.ensembles}
    adjusted = holm(np.array([test.p for test in tests.values()]))
    versus = {i: Versus(t, float(p)) for (i, t), p in zip(tests.items(), adjusted, strict=True)}
    if on_test == found.best:
        return versus, dict(tests)
    return versus, {i: against(i, on_test) for i in found.ensembles}


def _identity(named: Named) -> Config:
    """A member that is nothing but its model is the candidate that a study has."""
    member = named.member
    special = (member.rows, member.lookback, member.label)
    if all(part is None for part in special):
        return member.model
    return member.model_copy(update={"name": None})


def _shape(shape: Shape, asked: Ensembles) -> Shape:
    n_outcomes = len(OUTCOMES[head_of(asked.members[0].member.model)])
    return shape._replace(lookback=asked.study.config.lookback, n_outcomes=n_outcomes)


def _among(study: Study, configs: tuple[Config, ...]) -> Study:
    return study._replace(config=study.config.model_copy(update={"models": configs}))


def _validated(config: StudyConfig, prepared: Prepared, one: Contender) -> Validated:
    outcome = prepared.labels.outcome
    folds = prepared.folds.folds
    areas, losses, daily_of = [], [], list[list[Float64]]()
    for fold, fit in zip(folds, one.fits, strict=True):
        hit = outcome[fold.validate] == 1
        calibration = calibrate(config, prepared, fold, fit)
        areas.append(c.pr_auc(fit.validate[:, -1], hit))
        losses.append(c.log_loss(calibration.outcomes.apply(fit.validate)[:, -1], hit))
        daily_of.append(_earned(config, prepared, fold, (fold.validate, fit)))
    per_year = prepared.panel.calendar.days_per_year
    pooled = [np.concatenate(parts) for parts in zip(*daily_of, strict=True)]
    ratios = [sharpe(returns, per_year) for returns in pooled]
    best = max(range(len(ratios)), key=lambda k: -np.inf if (r := ratios[k]) is None else r)
    return Validated(_mean(areas), _mean(losses), ratios[best], best)


def _earned(
    config: StudyConfig, prepared: Prepared, fold: Fold, on: tuple[Int64, Learned]
) -> list[Float64]:
    """Daily returns on a fold's validation range, one column a setting of the strategy."""
    rows, fit = on
    calibration = calibrate(config, prepared, fold, fit)
    where = segment(prepared.panel, fold.spans.validate_start, fold.spans.validate_end)
    view = outlook(config, prepared, where, [(rows, fit.validate, calibration)])
    strategies = config.strategy.candidates()  # type: ignore[attr-defined]  # strategies have
    intents = [intend(config.label, strategy, view) for strategy in strategies]
    runs = sweep(where.panel, intents, config.account, config.costs)
    return [daily(where.panel, run)[1] for run in runs]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
