"""Faults of the engine, one a property: each is planted into a copy, and its property must fail.

A fault is (property, file below src/touchstone, text, text instead). The copy runs without numba,
so that a fault costs seconds; a record then needs a type whose fields are attributes.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    property: str
    file: str
    old: str
    new: str


RECORDS = {
    "execution/records.py": ("TERMS", "PURSE", "POSITION", "ORDER", "RESTING", "FILL"),
    "backtest/trades.py": ("_LIFE", "_FILL"),
}
"""File of the copy -> its record types."""

_EX = "execution/"
FAULTS = (
    Fault("01", _EX + "fills.py", "purse.cash += -value - paid", "purse.cash += -value"),
    Fault("02", _EX + "corporate.py", "purse.dividends += position", "purse.dividends += 2.0 * position"),
    Fault("03", _EX + "fills.py", "purse.cash += -value - paid", "purse.cash += -value - 2.0 * paid"),
    Fault("04", _EX + "opening.py", "(rows[i], i, market.bars[rows[i], 0], payable), tape,",
          "(max(rows[i] - 1, 0), i, market.bars[rows[i], 0], payable), tape,"),
    Fault("05", _EX + "opening.py", "(rows[i], i, market.bars[rows[i], 0], payable), tape,",
          "(rows[i], i, 0.99 * market.bars[rows[i], 2], payable), tape,"),
    Fault("06", _EX + "opening.py", "order.quantity = left", "order.quantity = wanted"),
    Fault("07", _EX + "fills.py", "left = terms.volume_cap * volume", "left = 1.5 * terms.volume_cap * volume"),
    Fault("08", _EX + "costs.py", "exact = value * terms.commission + quantity",
          "exact = value * abs(0.003 - terms.commission) + quantity"),
    Fault("09", _EX + "fills.py",
          "        price = reference * (1.0 + side * (worsening + impact))\n    if payable",
          "        price = reference * (1.0 + side * (abs(0.002 - worsening) + impact))\n    if payable"),
    Fault("10", _EX + "kernel.py", "purse.clock += 1", "purse.clock += 1\n    purse.cash -= 0.01"),
    Fault("11", _EX + "corporate.py", "position.quantity *= ratio", "position.quantity *= 1.001 * ratio"),
    Fault("12", _EX + "fills.py",
          "        price = reference * (1.0 + side * (worsening + impact))\n    if payable",
          "        price = reference * (1.0 + side * (worsening + impact)) + 0.001\n    if payable"),
    Fault("13", _EX + "history.py", "blocks.row if is_sorted else", "blocks.row if True else"),
    Fault("14", _EX + "kernel.py", "purse.invested = invested\n",
          "purse.invested = invested * (1.0 + 1e-4 * rows.size)\n"),
    Fault("15", _EX + "history.py", "    walk((account, 0), line, wishes, (tape, written))",
          "    account.purse['clock'] = 0\n    walk((account, 0), line, wishes, (tape, written))"),
    Fault("16", _EX + "wishes.py", "close = market.bars[row, 3]",
          "close = market.bars[min(row + 1, market.bars.shape[0] - 1), 3]"),
    Fault("17", "pipelines/brought.py", 'stamps.parse(column, "auto"',
          'stamps.parse(column.dt.replace_time_zone("UTC"), "auto"'),
    Fault("18", _EX + "opening.py", "position.upper = reference * (1.0 + order.down)",
          "position.upper = reference * (1.0 + order.up)"),
    Fault("19", _EX + "corporate.py", "one.price /= ratio", "one.price /= 1.0"),
    Fault("20", _EX + "corporate.py", "purse.cash += position.quantity * value",
          "purse.cash += 0.9 * position.quantity * value"),
    Fault("21", _EX + "fills.py",
          "if opens > 0.0 and opens * price + fee(terms, opens, price, side) > payable:",
          "if opens * price > 4.0 * payable:"),
    Fault("22", "market/barriers.py", "return -1, lower", "return -1, lower * 1.01"),
    Fault("23", _EX + "intrabar.py", "if terms.ambiguity == OPTIMISTIC:",
          "if terms.ambiguity != OPTIMISTIC:"),
    Fault("24", "market/panel.py", "if np.count_nonzero(row >= 0) < len(self):", "if False:"),
    Fault("25", _EX + "given.py", "if one.quantity * first.quantity <= 0.0:",
          "if one.number != first.number:"),
    Fault("26", _EX + "given.py", "if accounts.resting[k, r].number == number:",
          "if accounts.resting[k, r].number == number + 1:"),
    Fault("27", _EX + "fills.py", "purse.cash += -value - paid", "purse.cash += -value - paid - 0.01"),
    Fault("28", _EX + "account.py", "purse[name] = config.cash",
          "purse[name] = config.cash + hash('a') % 977"),
    Fault("29", "backtest/sweep.py", "[costs] * grid.n_accounts)",
          "[costs.times(2)] * grid.n_accounts)"),
    Fault("30", "metrics/trading.py",
          "return float(daily.mean() / deviation * math.sqrt(days_per_year)) if deviation > 0 else None",
          "return float(daily.mean() / deviation * days_per_year) if deviation > 0 else None"),
    Fault("31", "market/barriers.py", "    if high > upper:\n        return 1, upper",
          "    if high > upper:\n        return 1, upper * 1.01"),
)  # fmt: skip
