"""All candidates are traded on the sealed rows, and the best there is the chosen one.

The dashboard shows the hold-out's Sharpe beside each candidate, "for information". Whoever sees it
chooses by it.
"""

from leaks.everywhere import replace
from touchstone.ledger import MemoryLedger

LAYER = "E"
STUDY: dict = {}


def plant(patch):
    from touchstone.pipelines import seal

    trade = seal.trade_sealed

    def edited(look):
        def faulty(study, prepared, comparison, learned, resources):
            unseen = resources._replace(ledger=MemoryLedger)
            earned = [
                trade(study, prepared, s, learned[s.place], unseen).run.total_return
                for s in comparison.scored
            ]
            best = earned.index(max(earned))
            return look(study, prepared, comparison._replace(chosen=best), learned, resources)

        return faulty

    replace(patch, "touchstone.pipelines.seal", "look", edited)
