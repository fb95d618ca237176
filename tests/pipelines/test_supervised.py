"""What learning finds beside what the truth earns: the same market, strategy, costs and paths."""

import pytest

from touchstone.pipelines.supervised import (
    STRENGTH,
    Ask,
    Found,
    Model,
    SupervisedConfig,
    learn_known,
    measure,
    supervised_study,
)

CONFIG = SupervisedConfig()
SMALL = CONFIG.model_copy(
    update={
        "market": CONFIG.market.model_copy(update={"n_instruments": 8, "n_bars": 3000}),
        "years": 0.3,
        "odds_paths": 2,
    }
)
ASK = Ask("with costs", 0)
FEW = {"models": [{"kind": "logistic"}]}
BLIND = {"day": "sin(pi * hour / 12) + 0 * mean(log(volume), 1344)"}  # which warms up as long


def found(**replaced):
    return measure(SMALL, ASK, supervised_study(ASK.setting, FEW | replaced))


def test_the_markets_are_the_ones_that_the_goal_speaks_of():
    market, studies = CONFIG.market, [supervised_study(setting).config for setting in STRENGTH]
    assert (market.n_instruments, market.n_bars) == (64, 20_000)
    assert list(STRENGTH.values()) == [0.05, 0.30]
    assert [s.costs.round_trip for s in studies] == [0, pytest.approx(0.003)]
    kinds = {model.kind for model in studies[0].models}
    assert kinds == {"logistic", "lightgbm", "mlp", "gru", "transformer"}
    assert studies[0].model_copy(update={"costs": studies[1].costs}) == studies[1]


def test_a_model_that_sees_the_signal_earns_most_of_what_the_truth_earns():
    """Some thousand rows: a wide band, whose upper end catches a model that knows too much."""
    seen = found()
    assert 0.5 < seen.share(seen.chosen) < 1.15
    assert seen.chosen.n_trades > 200
    assert 0.05 < seen.chosen.cost_share < 0.6
    blind = found(features={"set": "none", "extra": BLIND})
    assert blind.share(blind.chosen) < 0.3
    assert blind.best_truth == seen.best_truth  # the truth reads no feature


def test_validation_chooses_and_the_fresh_paths_only_tell():
    def model(name, validation, sharpe):
        return Model(name, 0.0, validation, sharpe, 0.1, 100, 0.2, 1, 1000, 1.0)

    a, b, c = model("a", 2.0, 1.0), model("b", 1.0, 3.0), model("c", None, None)
    told = Found([list(a), list(b), list(c)], [[0.0, 2.0, 90, 0.1], [5.0, 4.0, 80, 0.1]])
    assert (told.chosen, told.best) == (a, b)
    assert (told.best_truth, told.share(a), told.share(b), told.share(c)) == (4.0, 0.25, 0.75, 0)


def test_a_market_has_a_seed_of_its_own_and_the_whole_study():
    """Every kind, on next to nothing."""
    tiny = SMALL.model_copy(
        update={"market": CONFIG.market.model_copy(update={"n_instruments": 2, "n_bars": 2200})}
    )
    ones = [learn_known(tiny, Ask("without costs", n)) for n in (0, 1)]
    assert [m.name for m in ones[0].of][:3] == ["logistic", "logistic 2", "lightgbm"]
    assert len(ones[0].of) == len(supervised_study("without costs").config.models)
    assert ones[0].truth != ones[1].truth
    assert all(m.cost_share in (0, None) for m in ones[0].of)
