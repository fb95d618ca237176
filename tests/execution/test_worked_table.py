"""The kernel and the slow engine both do what was worked by hand."""

import numpy as np
import pytest

from reference.judged import by_hand, by_kernel
from reference.studies import Study
from reference.worked import CASES
from touchstone.execution import REASONS, AccountConfig, CostsConfig

N = 8
COLUMNS = ("open", "high", "low", "close", "volume")


def study_of(case):
    """A case as both engines read it."""
    names = ["A"] if case.b is None else ["A", "B"]
    rows = np.arange(len(names) * N).reshape(len(names), N).T.copy()
    bars = np.full((rows.size, 5), 100.0)
    bars[:, 4] = 1e9
    extra = {"half_spread": np.zeros(0), "sigma": np.zeros(0)}
    finer = [[] for _ in range(rows.size)]
    for i, changes in enumerate((case.a, case.b or {})[: len(names)]):
        for name, changed in changes.items():
            for t, value in changed.items():
                row = i * N + t
                if name == "finer":
                    finer[row] = value
                elif name in extra:
                    extra[name] = extra[name] if extra[name].size else np.zeros(rows.size)
                    extra[name][row] = value
                    if name == "sigma":
                        extra[name][:] = value
                else:
                    bars[row, COLUMNS.index(name)] = value
    rows[list(case.gone), 0] = -1
    halted = np.zeros(rows.size, bool)
    halted[list(case.halted)] = True
    kind = "weights" if case.weights else "orders" if case.orders else "wishes"
    asked = [(t, names.index(w), *rest) for t, w, *rest in case.orders]
    return Study(
        kind, AccountConfig(**{"cash": 10_000.0} | case.account),
        CostsConfig(**{"commission_bp": 10.0, "slippage_bp": 5.0} | case.costs),
        rows, bars, finer, extra["half_spread"], extra["sigma"], halted,
        np.array(case.group, np.int64), [(t, 0, kind_, v) for t, kind_, v in case.events],
        case.slots, wishes_of(case, names), np.zeros(rows.size, bool),
        [(t, names.index(w), x) for t, w, x in case.weights], case.buffer, asked,
    )  # fmt: skip


def wishes_of(case, names):
    usual = {"rank": 0.0, "side": 1, "weight": 0.5, "up": np.inf, "down": np.inf, "hold": 3}
    told = [{"at": 0, "who": "A"}] if case.wishes is None else case.wishes
    if case.weights or case.orders:
        return []
    full = [usual | w for w in told]
    return sorted(
        ((w["at"], names.index(w["who"]), *(w[k] for k in usual)) for w in full),
        key=lambda w: (w[0], -w[2], w[1]),
    )


def as_told(case, fills):
    """Fills as the table has them."""
    n = len(case.fills)
    assert [(f[0], f[1], f[5]) for f in fills] == [(f[0], f[1], f[5]) for f in case.fills]
    got = np.array([f[2:5] for f in fills], float).reshape(n, 3)
    want = np.array([f[2:5] for f in case.fills], float).reshape(n, 3)
    np.testing.assert_allclose(got, want, rtol=0, atol=6e-7)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_kernel_does_what_was_worked(case):
    fills, cash, _ = by_kernel(study_of(case))
    as_told(
        case,
        [
            (int(f["row"]) % N, "AB"[f["instrument"]], f["quantity"], f["price"], f["commission"],
             REASONS[f["reason"]])
            for f in fills
        ],
    )  # fmt: skip
    if case.cash is not None:
        assert cash[-1] == pytest.approx(case.cash, abs=1e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_slow_engine_does_what_was_worked(case):
    slow, path = by_hand(study_of(case))
    as_told(
        case,
        [(f.row % N, "AB"[int(f.symbol[1])], f.quantity, f.price, f.commission, f.reason)
         for f in slow.fills],
    )  # fmt: skip
    if case.cash is not None:
        assert float(path[-1][0]) == pytest.approx(case.cash, abs=1e-6)


def test_the_table_has_its_sixty_fills():
    assert sum(len(case.fills) for case in CASES) >= 60
