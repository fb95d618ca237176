"""Walk-forward: train, validate and test ranges that move on by one test range at a time."""

import warnings
from typing import Literal

from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS
from touchstone.errors import TooFewBarsError

with warnings.catch_warnings():  # `validate` is the word; pydantic's own is deprecated since v2
    warnings.filterwarnings("ignore", 'Field name "validate"', UserWarning)

    class WalkForwardConfig(Config):
        """Lengths of the ranges, in calendar time."""

        kind: Literal["walk_forward"] = "walk_forward"
        train: f.TrainRange = "365d"
        """Length of the train range, or `expanding`: from the first bar on, in the first fold at
        least as long as validate and test together."""
        validate: f.Duration = "60d"  # type: ignore[assignment]
        """Length of the validation range, between train and test."""
        test: f.Duration = "60d"
        """Length of the test range; folds move on by it, so that tests meet end to end."""
        sealed: f.Portion = "20%"
        """The end of all time, looked at once: a share of it, or calendar time; 0% for none."""
        folds: PositiveInt | None = None
        """The last so many folds before the seal; all that fit where it is not given."""


@SPLITS.register(WalkForwardConfig)
def walk_forward(config: WalkForwardConfig, timeline: f.Timeline) -> f.Folds:
    """Cut folds backwards from the seal, by calendar time across instruments, purged by intervals.

    The last test range ends at the seal. There is no embargo: it protects train rows that follow
    a test block, and in walk-forward none does.

    Args:
        config: lengths of the ranges.
        timeline: when each row is known and what it reaches over.

    Returns:
        Folds in time; `final` is the same recipe with the validation range ending at the seal,
        its test the sealed rows.

    Raises:
        TooFewBarsError: the time before the seal is too short for one fold, or for as many as
            asked; or a part of a fold has no rows.

    Source: Pardo (2008), The Evaluation and Optimization of Trading Strategies, chapter 11;
    purging after López de Prado (2018), Advances in Financial Machine Learning, section 7.4.
    """
    start, seal, last = f.history(timeline, config.sealed)
    n_folds = _how_many(config, start, seal)
    validate, test = f.duration_ns(str(config.validate)), f.duration_ns(config.test)
    fitted = []
    for k in range(n_folds):
        at = seal - (n_folds - k) * test
        trains = _train_start(config, start, at - validate)
        spans = f.Spans(trains, at - validate, at - validate, at, at, at + test)
        fitted.append(f.checked(f.cut(timeline, spans), f"fold {k + 1} of {n_folds}"))
    trains = _train_start(config, start, seal - validate)
    spans = f.Spans(trains, seal - validate, seal - validate, seal, seal, last)
    final = f.checked(f.cut(timeline, spans), "final", sealed=last > seal)
    return f.Folds(tuple(fitted), final, seal)


def _train_start(config: WalkForwardConfig, start: int, end: int) -> int:
    return start if config.train == f.EXPANDING else end - f.duration_ns(config.train)


def _how_many(config: WalkForwardConfig, start: int, seal: int) -> int:
    """How many folds are cut.

    Raises:
        TooFewBarsError: fewer fit than asked, or none.
    """
    validate, test = f.duration_ns(str(config.validate)), f.duration_ns(config.test)
    expanding = config.train == f.EXPANDING
    train = validate + test if expanding else f.duration_ns(config.train)
    fit = max((seal - start - train - validate) // test, 0)
    asked = config.folds or max(fit, 1)
    if fit < asked:
        needed = train + validate + asked * test
        least = f"at least {f.days(train)}" if expanding else config.train
        raise TooFewBarsError(
            f"walk_forward: {f.days(seal - start)} lie before the seal (sealed: "
            f"{config.sealed}), {asked} fold{'s need' if asked > 1 else ' needs'} "
            f"{f.days(needed)} (train {least} + validate {config.validate} "
            f"+ {asked} x test {config.test}). Shorten `train`, "
            f"`validate` or `test`, lower `sealed`{_fewer(config, fit)}, or bring "
            f"{f.days(needed - (seal - start))} more of history"
        )
    return asked


def _fewer(config: WalkForwardConfig, fit: int) -> str:
    return f", ask for at most {fit} `folds`" if config.folds and fit else ""
