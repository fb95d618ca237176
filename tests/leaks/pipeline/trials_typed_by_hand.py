"""The number of trials in the deflated Sharpe is typed: one.

The ledger has all of them, and the function has an argument. "This candidate was tried once."
"""

from leaks.everywhere import replace

LAYER = "E"
STUDY: dict = {}


def plant(patch):
    def edited(deflated_sharpe):
        def faulty(returns, candidates, *rest, **named):
            return deflated_sharpe(returns, tuple(candidates)[:1], *rest, **named)

        return faulty

    replace(patch, "touchstone.validation.deflated", "deflated_sharpe", edited)
