"""Alpha, beta, information ratio and capture: statsmodels' own figures, hand values, no number."""

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.metrics import relative, trading


def days(n, seed=0):
    rng = np.random.default_rng(seed)
    market = rng.standard_t(4, n) * 0.01
    noise = rng.normal(0, 0.004, n)
    return 0.0007 + 0.6 * market + noise + 0.4 * np.r_[0.0, noise[:-1]], market


@pytest.mark.parametrize(("n", "lag"), [(3, 0), (40, 3), (250, 5), (250, 0)])
def test_regression_is_that_of_statsmodels(n, lag):
    models = pytest.importorskip("statsmodels.api")
    ours, market = days(n, n + lag)
    found = relative.regression(ours, market, lag)
    options = {"maxlags": lag, "use_correction": True}
    fit = models.OLS(ours, models.add_constant(market)).fit(cov_type="HAC", cov_kwds=options)
    assert found[:2] == pytest.approx(fit.params, rel=1e-9)
    assert found[2:] == pytest.approx(fit.bse, rel=1e-7)
    assert relative.alpha(ours, market, 252) == pytest.approx(252 * fit.params[0])
    assert relative.beta(ours, market) == pytest.approx(fit.params[1])


def test_a_line_without_rest_has_no_error():
    market = np.array([0.01, -0.02, 0.03, 0.0])
    found = relative.regression(0.001 + 2 * market, market, 2)
    assert found == pytest.approx((0.001, 2.0, 0.0, 0.0), abs=1e-12)


def test_capture_by_hand():
    ours = np.array([0.01, 0.03, -0.01, 0.02])
    market = np.array([0.02, 0.02, -0.04, 0.0])
    assert relative.up_capture(ours, market) == pytest.approx(1.0)
    assert relative.down_capture(ours, market) == pytest.approx(0.25)


def test_information_ratio_is_the_sharpe_of_the_difference():
    ours, market = days(100)
    expected = trading.sharpe(ours - market, 365)
    assert relative.information_ratio(ours, market, 365) == expected
    assert relative.information_ratio(market + 0.001, market, 365) is None


def test_there_is_no_number_where_there_is_none():
    still, few = np.zeros(50), np.array([0.01, 0.02])
    ours, _ = days(50)
    assert relative.regression(ours, still, 2) is None
    assert relative.regression(ours, np.full(50, 0.001), 2) is None
    assert relative.regression(few, few, 0) is None
    assert relative.alpha(ours, still, 252) is None
    assert relative.up_capture(ours, still) is relative.down_capture(ours, still) is None
    with pytest.raises(DataError, match="same days"):
        relative.beta(ours, still[:-1])
    with pytest.raises(DataError, match="finite"):
        relative.beta(np.full(50, np.nan), ours)
