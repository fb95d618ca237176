"""Monte Carlo cross-validation: the same recipe from many random moments of history."""

import warnings
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS
from touchstone.errors import ConfigError, TooFewBarsError
from touchstone.seeding import generator

with warnings.catch_warnings():  # `validate` is the word; pydantic's own is deprecated since v2
    warnings.filterwarnings("ignore", 'Field name "validate"', UserWarning)

    class MonteCarloConfig(Config):
        """Lengths of the ranges as shares of the time before the seal, and how many draws."""

        kind: Literal["monte_carlo"] = "monte_carlo"
        train: f.Share = "60%"
        """Length of the train range."""
        validate: f.Share = "10%"  # type: ignore[assignment]
        """Length of the validation range, between train and test."""
        test: f.Share = "10%"
        """Length of the test range; what the three leave is where they may be moved to."""
        draws: Annotated[int, Field(ge=1, le=1000)] = 10
        """Random moments, one fold each; their tests may overlap."""
        seed: NonNegativeInt = 0
        """Decides the moments; nothing else of a study does."""
        sealed: f.Portion = "20%"
        """The end of all time, looked at once: a share of it, or calendar time; 0% for none."""

        @model_validator(mode="after")
        def _leaves_room(self) -> Self:
            parts = [f.share(str(p)) for p in (self.train, self.validate, self.test)]
            if min(parts) <= 0 or sum(parts) >= 1:
                raise ConfigError(
                    f"train {self.train}, validate {self.validate} and test {self.test} must be "
                    f"above 0% and leave a part below 100% for the moments to differ"
                )
            return self


@SPLITS.register(MonteCarloConfig)
def monte_carlo(config: MonteCarloConfig, timeline: f.Timeline) -> f.Folds:
    """Draw moments; before each a range trains, after it one validates and one tests.

    Nothing trains on rows after its test, so there is no embargo. The moments depend on the seed
    and on the bounds of history alone.

    Args:
        config: shares, number of draws, seed, seal.
        timeline: when each row is known and what it reaches over.

    Returns:
        Folds in time; `final` is the same recipe with the validation range ending at the seal,
        its test the sealed rows.

    Raises:
        TooFewBarsError: no time before the seal, or a part of a fold has no rows.

    Source: Picard & Cook (1984), Cross-validation of regression models, JASA 79, in the form for
    series of Cerqueira, Torgo & Mozetič (2020), Evaluating time series forecasting models, 4.1
    ("repeated holdout").
    """
    start, seal, last = f.history(timeline, config.sealed)
    shares = (config.train, str(config.validate), config.test)
    train, validate, test = (round((seal - start) * f.share(part)) for part in shares)
    latest = seal - train - validate - test
    if latest <= start:
        raise TooFewBarsError(
            f"monte_carlo: {f.days(seal - start)} of history leave no room to draw moments from: "
            f"lower `train`, or bring more history"
        )
    moments = generator(config.seed, "monte_carlo").integers(start, latest, config.draws)
    fitted = []
    for i, at in enumerate(sorted(int(m) for m in moments)):
        chosen, tested = at + train, at + train + validate
        spans = f.Spans(at, chosen, chosen, tested, tested, tested + test)
        fitted.append(f.checked(f.cut(timeline, spans), f"fold {i + 1} of {config.draws}"))
    trains = max(start, seal - validate - train)
    spans = f.Spans(trains, seal - validate, seal - validate, seal, seal, last)
    final = f.checked(f.cut(timeline, spans), "final", sealed=last > seal)
    return f.Folds(tuple(fitted), final, seal)
