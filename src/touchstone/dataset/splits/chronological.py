"""One fold: the first 70 % of time trains, the next 15 % validates, the last 15 % tests."""

import warnings
from typing import Literal, Self

from pydantic import model_validator

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS
from touchstone.errors import ConfigError

with warnings.catch_warnings():  # `validate` is the word; pydantic's own is deprecated since v2
    warnings.filterwarnings("ignore", 'Field name "validate"', UserWarning)

    class ChronologicalConfig(Config):
        """Shares of the time before the seal; what train and validate leave over tests."""

        kind: Literal["chronological"] = "chronological"
        train: f.Share = "70%"
        """Share of the time before the seal."""
        validate: f.Share = "15%"  # type: ignore[assignment]
        """Share of the time before the seal."""
        sealed: f.Portion = "0%"
        """The end of all time, looked at once: a share of it, or calendar time; 0% for none."""

        @model_validator(mode="after")
        def _leaves_a_test(self) -> Self:
            whole = f.share(self.train) + f.share(str(self.validate))
            if not (f.share(self.train) > 0 and f.share(str(self.validate)) > 0 and whole < 1):
                raise ConfigError(
                    f"train {self.train} and validate {self.validate} must be above 0% and leave "
                    f"a part below 100% for the test"
                )
            return self


@SPLITS.register(ChronologicalConfig)
def chronological(config: ChronologicalConfig, timeline: f.Timeline) -> f.Folds:
    """Cut once, by calendar time across instruments, purged by intervals.

    No embargo: nothing trains on rows after a test block.

    Args:
        config: shares of the time before the seal.
        timeline: when each row is known and what it reaches over.

    Returns:
        One fold; `final` trains on everything before the last `validate` share before the seal,
        validates on that, and tests on the sealed rows (none where sealed is 0%).

    Raises:
        TooFewBarsError: no time before the seal, or a part of a fold has no rows.
    """
    start, seal, last = f.history(timeline, config.sealed)
    length = seal - start
    train_end = start + round(length * f.share(config.train))
    validate = round(length * f.share(str(config.validate)))
    fold = f.cut(
        timeline,
        f.Spans(start, train_end, train_end, train_end + validate, train_end + validate, seal),
    )
    final = f.cut(timeline, f.Spans(start, seal - validate, seal - validate, seal, seal, last))
    return f.Folds(
        (f.checked(fold, "chronological"),), f.checked(final, "final", sealed=last > seal), seal
    )
