"""Which candidate a study carries to its sealed rows: the best before the seal, or none."""

from collections.abc import Iterable

from touchstone.arrays import Float64
from touchstone.ledger import Candidate
from touchstone.metrics.trading import sharpe
from touchstone.validation.deflated import N_TRADES_TO_JUDGE


def candidate(fingerprint: str, daily: Float64, n_trades: int) -> Candidate:
    """A candidate as the ledger keeps it.

    Args:
        fingerprint: of universe, features, label, model, hyperparameters, calibration, strategy.
        daily: (n_days,) net excess returns on the pooled walk-forward test rows.
        n_trades: closed round trips on those rows.
    """
    return Candidate(fingerprint, sharpe(daily, 1.0), n_trades)


def choose(candidates: Iterable[Candidate]) -> Candidate | None:
    """The candidate with the best net Sharpe among those with enough trades to have one.

    None where none of them has `N_TRADES_TO_JUDGE` trades and a Sharpe above 0: then nothing is
    traded on the sealed rows. Of equals the first, in the study's own order. Not by fingerprint:
    that names the universe, and so would let an instrument that is listed later decide.
    """
    able = [
        (c.daily_sharpe, c)
        for c in candidates
        if c.daily_sharpe is not None and c.daily_sharpe > 0 and c.n_trades >= N_TRADES_TO_JUDGE
    ]
    return max(able, key=lambda one: one[0])[1] if able else None
