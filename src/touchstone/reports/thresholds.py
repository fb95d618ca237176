"""The thresholds of `result.json`: what each gives on validation rows, and the chosen on tests."""

from typing import Final, Literal

from touchstone.reports.contents import Contents, Count, Fraction, Probability, Ratio

By = Literal["f1", "net"]
"""`f1`: harmonic mean of precision and recall; `net`: money a selected row."""

FEWEST_ROWS: Final = 20
"""Rows below which a mean return is luck and chooses no threshold."""


class ThresholdScore(Contents):
    """What selecting the rows at or above a threshold gives."""

    threshold: Probability | None = None
    """Least probability selected; null where each fold has its own."""
    count: Count
    """Rows selected."""
    precision: Fraction | None = None
    """Share of the selected rows that ended at the target; null where none was."""
    recall: Fraction | None = None
    """Share of the rows that ended at the target that were selected; null without such rows."""
    f1: Ratio | None = None
    """Harmonic mean of the two; null where nothing is selected and nothing ended at the target."""
    break_even: Fraction | None = None
    """Precision at which the selected rows would have paid their costs."""
    net: Fraction | None = None
    """Mean return of the selected rows less a round trip's costs. Rows overlap, and no account
    holds them all: a measure, no backtest."""


class ThresholdChoice(Contents):
    """One way to choose, and what it chose."""

    by: By
    """What was made large on the validation rows: `net` where 20 rows at least are selected."""
    folds: tuple[Probability | None, ...] = ()
    """In the order of the folds, chosen on that fold's validation rows alone; null where no
    threshold finds a positive row (`f1`) or earns more than cash (`net`)."""
    test: ThresholdScore | None = None
    """The folds' test rows before the seal, each selected by its own fold's threshold; a fold
    without one selects none; a row that several folds test counts in each. Null without test
    rows."""


class Thresholds(Contents):
    """The grid on validation rows, and what its choices give on test rows: they trade nothing.

    Each fold's scores stand in its `choices`.
    """

    model: str
    """Whose: the chosen candidate's, or that of the one that came closest."""
    on_validation: tuple[ThresholdScore, ...] = ()
    """The grid, rising, on the validation rows of all folds together, calibrated by their fold; a
    row that several folds hold counts in each."""
    choices: tuple[ThresholdChoice, ...] = ()
    """By F1, and by money."""
