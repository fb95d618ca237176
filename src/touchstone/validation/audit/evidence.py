"""What one run left behind, for the layers that scramble nothing."""

from typing import NamedTuple

from touchstone.arrays import Float64, Int64
from touchstone.backtest import Run
from touchstone.dataset.splits import Fold
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.labels import Labels
from touchstone.ledger import Candidate
from touchstone.market import Panel
from touchstone.strategies import Decision


class Book(NamedTuple):
    """One account over some bars, and what it was told to do."""

    name: str
    panel: Panel
    intent: Decision
    run: Run
    account: AccountConfig | None = None
    """Rules of this account alone; None: the study's."""


class Fitted(NamedTuple):
    """One fit with the rows that it really took."""

    name: str
    fold: Fold
    taken: Int64
    """Train rows of the panel."""


class Counted(NamedTuple):
    """What was scored, and what the ledger says was scored."""

    scored: tuple[Candidate, ...]
    returns: tuple[Float64, ...]
    """Daily returns of each, as its run gave them."""
    n_strategies: int
    """How many the study asks to compare: models x points of the strategy."""
    known: tuple[Candidate, ...]
    """What the ledger holds of the rows they were scored on."""
    n_fits: int
    """Fits that were made."""
    n_fits_known: int
    """Fits that the ledger holds."""
    n_sealed: int
    """Backtests of the sealed rows that the ledger holds."""
    n_told: int | None
    """Trials that the deflated Sharpe was computed with; None where nothing was chosen."""
    overlapping: tuple[Candidate, ...]
    """What the ledger holds of all rows of the study, the sealed ones too."""


class Evidence(NamedTuple):
    """A finished run."""

    panel: Panel
    labels: Labels
    lookback: int
    seal: int
    fits: tuple[Fitted, ...]
    books: tuple[Book, ...]
    account: AccountConfig
    costs: CostsConfig
    counted: Counted
