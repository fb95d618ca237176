"""Only the candidate that won is written down.

Failed ideas are "no results". The deflated Sharpe is computed for one trial where there were
dozens, and calls luck an edge.
"""

from leaks.everywhere import replace
from touchstone.validation.candidates import choose

LAYER = "E"
STUDY: dict = {}


class Forgetful:
    """A ledger that is told of one candidate a sweep."""

    def __init__(self, ledger):
        self.ledger = ledger

    def sweep(self, data, study, span, candidates):
        best = choose(candidates)
        self.ledger.sweep(data, study, span, candidates[:1] if best is None else (best,))

    def __getattr__(self, name):
        return getattr(self.ledger, name)


def plant(patch):
    def edited(compare):
        def faulty(study, prepared, learned, ledger):
            return compare(study, prepared, learned, Forgetful(ledger))

        return faulty

    replace(patch, "touchstone.pipelines.decide", "compare", edited)
