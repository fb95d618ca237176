"""Two candidates are traded on the sealed rows, the better one is told.

The runner-up was close, so it "deserves a chance too". The sealed segment has chosen, and is no
hold-out any more.
"""

from leaks.everywhere import replace

LAYER = "E"
STUDY: dict = {}


def plant(patch):
    state = {}

    def remembering(look):
        def faulty(study, prepared, comparison, learned, resources):
            state.update(comparison=comparison, learned=learned)
            return look(study, prepared, comparison, learned, resources)

        return faulty

    def edited(trade_sealed):
        def faulty(study, prepared, _winner, _folds, resources):
            able = [s for s in state["comparison"].scored if s.record.daily_sharpe is not None]
            ranked = sorted(able, key=lambda s: -s.record.daily_sharpe)
            tried = [
                trade_sealed(study, prepared, s, state["learned"][s.place], resources)
                for s in ranked[:2]
            ]
            return max(tried, key=lambda sealed: sealed.run.total_return)

        return faulty

    replace(patch, "touchstone.pipelines.seal", "look", remembering)
    replace(patch, "touchstone.pipelines.seal", "trade_sealed", edited)
