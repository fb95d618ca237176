"""Layer E: everything that was scored is counted, the chain holds, the seal has chosen nothing."""

from collections.abc import Collection, Sequence

from touchstone.arrays import Float64
from touchstone.ledger import Candidate
from touchstone.metrics.trading import sharpe
from touchstone.validation.audit.evidence import Counted
from touchstone.validation.audit.report import Finding, Layer, broken
from touchstone.validation.audit.rows import Bench, Cutting
from touchstone.validation.audit.subject import World
from touchstone.validation.chain import Finding as ChainFinding

N_FUTURES = 6
"""Sealed segments that the choice must not depend on."""


def audit_trials(
    cutting: Cutting, counted: Counted, seal: int, chain: Sequence[ChainFinding]
) -> Layer:
    """Count what a run scored, and run it on other sealed segments.

    Args:
        cutting: the audit's bars.
        counted: what one run scored and wrote.
        seal: ns UTC.
        chain: what is wrong with the user's own ledger.
    """
    bench = Bench("E", cutting)
    finding = _chain(chain) or _counted(counted)
    n = 2 + len(counted.scored)
    if finding is None:
        run = cutting.subject.whole
        base = run(World(cutting.panel))
        last = int(cutting.panel.available_at.max())
        for k in range(N_FUTURES):
            cutting.advance("another sealed segment")
            cut = seal + (last - seal) * (k + 1) // (3 * N_FUTURES)
            if bench.look(run, base, cut, "another path"):
                break
        finding = bench.finding
    return Layer("E", n + bench.n_checks, finding, bench.notes())


def _chain(chain: Sequence[ChainFinding]) -> Finding | None:
    if not chain:
        return None
    first = chain[0]
    return broken("E", "the ledger's chain holds", ("ledger", f"row {first.row}", "", None),
                  ("as it was written", first.problem))  # fmt: skip


def _counted(counted: Counted) -> Finding | None:
    """Every candidate is in the ledger with the score that its own returns give."""
    where = "ledger", "candidates", "", None
    if len(counted.scored) != counted.n_strategies:
        return broken("E", "every point that the study asks for is compared", where,
                      (counted.n_strategies, len(counted.scored)))  # fmt: skip
    known = {c.fingerprint: c for c in counted.known}
    for candidate, returns in zip(counted.scored, counted.returns, strict=True):
        held = known.get(candidate.fingerprint)
        name = "ledger", f"candidate {candidate.fingerprint[:8]}", "", None
        if held is None:
            return broken("E", "every candidate that was scored is counted", name,
                          ("a row", "none"))  # fmt: skip
        if held.n_trades != candidate.n_trades or not _alike(held.daily_sharpe, returns):
            return broken("E", "a candidate is counted with its own score", name,
                          (sharpe(returns, 1.0), held.daily_sharpe))  # fmt: skip
    if counted.n_fits_known < counted.n_fits:
        return broken("E", "every fit is counted", ("ledger", "fits", "", None),
                      (counted.n_fits, counted.n_fits_known))  # fmt: skip
    if counted.n_sealed != 1:
        return broken("E", "the sealed rows are traded once", ("ledger", "sealed", "", None),
                      (1, counted.n_sealed))  # fmt: skip
    return (
        None if counted.n_told is None else trials_are_counted(counted.n_told, counted.overlapping)
    )


def _alike(told: float | None, returns: Float64) -> bool:
    right = sharpe(returns, 1.0)
    if told is None or right is None:
        return told is None or right is None
    return abs(told - right) <= 1e-6 * max(abs(right), 1e-3)


def trials_are_counted(n_told: int, known: Collection[Candidate]) -> Finding | None:
    """The deflated Sharpe is deflated by every distinct candidate of the ledger.

    Args:
        n_told: the number of trials that it was computed with.
        known: candidates that the ledger holds of overlapping rows.
    """
    n = len({candidate.fingerprint for candidate in known})
    if n_told == n:
        return None
    where = "deflated Sharpe", "number of trials", "", None
    return broken("E", "the search is as large as the ledger says", where, (n, n_told))
