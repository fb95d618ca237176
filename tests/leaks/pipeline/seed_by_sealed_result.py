"""The last fit is repeated with other seeds until the sealed segment likes one.

"The run diverged, I restarted it": five seeds, and the one that earned most on the sealed rows is
the one that is told. It was five looks, and the best of five.
"""

from leaks.everywhere import replace

LAYER = "E"
STUDY: dict = {
    "models": [{"kind": "lightgbm", "rounds": 20, "leaves": 7, "min_rows": 40,
                "feature_fraction": 0.5}],
}  # fmt: skip
SEEDS = 5


def plant(patch):
    def edited(trade_sealed):
        def faulty(study, *rest):
            tried = [
                trade_sealed(
                    study._replace(config=study.config.model_copy(update={"seed": seed})), *rest
                )
                for seed in range(study.config.seed, study.config.seed + SEEDS)
            ]
            return max(tried, key=lambda sealed: sealed.run.total_return)

        return faulty

    replace(patch, "touchstone.pipelines.seal", "trade_sealed", edited)
