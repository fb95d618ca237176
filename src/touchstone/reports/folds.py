"""The folds of `result.json`: where each trained, chose and compared, on which rows, and what."""

from typing import Literal

from pydantic import Field

from touchstone.reports.contents import Contents, Count, Fraction, Ratio, Span


class ChoiceScores(Contents):
    """One choice by validation rows with its score vector: every option, and what it scored."""

    choice: Literal["epoch", "threshold"]
    """`epoch`: how many passes or trees; `threshold`: the calibrated probability from which rows
    are selected."""
    model: str
    """Whose."""
    measure: str
    """What was scored on the validation rows; of thresholds `f1`, or `net`, the mean return of a
    selected row less a round trip's costs."""
    options: tuple[Ratio, ...]
    """(n_options,) what was chosen from."""
    scores: tuple[Ratio | None, ...]
    """(n_options,) null where not defined."""
    chosen: Ratio | None = None
    """The option that went on to the test rows; of thresholds null where none finds a positive row,
    or none with 20 rows earns more than cash. They are looked at (`thresholds`), and trade
    nothing."""


class FoldResult(Contents):
    """One fold: when it trained, validated and tested, and on how many rows."""

    name: str
    """1, 2, ...; `final` is the refit before the seal, tested on the sealed segment."""
    train_span: Span
    """First instant, first instant after."""
    validate_span: Span
    """First instant, first instant after."""
    test_span: Span
    """First instant, first instant after."""
    n_train: Count
    """Rows, purged."""
    n_validate: Count
    """Rows, purged."""
    n_test: Count
    """Rows."""
    purged_train: Count = 0
    """Train rows dropped because what they were made from meets validation or test."""
    purged_validate: Count = 0
    """Validation rows dropped because what they were made from meets the test."""
    embargoed: Count = 0
    """Train rows dropped that nothing but the embargo after a test block keeps away."""
    unusable: Count = 0
    """Rows inside the fold's ranges without a whole window, or, to train or validate, a label."""
    outside: Count = 0
    """Rows before the seal that lie in none of the fold's ranges."""
    n_sealed: Count = 0
    """Rows behind the seal, which no fold but the final one sees."""
    train_stretches: tuple[Span, ...] = ()
    """Where the train range really lies: around a test block it is in pieces."""
    validate_stretches: tuple[Span, ...] = ()
    """The same of the validation range."""
    test_stretches: tuple[Span, ...] = ()
    """The same of the test range."""
    kept_away: tuple[Span, ...] = ()
    """Where, at the edges of these, train and validation rows were purged or embargoed."""
    n_symbols: dict[str, Count] = {}
    """`train`, `validate`, `test` -> instruments with a row in it."""
    unseen: tuple[str, ...] = ()
    """Instruments with test rows and no train row: the model takes them as strangers."""
    paths: tuple[Count, ...] = ()
    """Of combinatorial folds, the paths through history that its tests join, counted from 1."""
    choices: tuple[ChoiceScores, ...] = ()
    """What was chosen on the validation rows, and the scores of all that was chosen from."""
    rows_available: Count | None = None
    """Train rows a model could have used."""
    rows_used: dict[str, Count] = {}
    """Model -> train rows it used (its budget)."""
    best_epoch: dict[str, Count] = {}
    """Model -> epoch or tree that validation chose."""
    selected: dict[str, Ratio] | None = Field(default=None, exclude_if=lambda kept: kept is None)
    """Columns that the fold's models saw -> what the last rule of selection scored them; absent
    where the study selects none."""
    regimes: dict[str, Fraction] | None = Field(
        default=None, exclude_if=lambda shares: shares is None
    )
    """Regime, calmest first -> its mean probability on the train rows; absent without a filter, or
    where no regime was kept."""
