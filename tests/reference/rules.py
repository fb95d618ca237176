"""Which rules a study exercised, by what the two engines left behind."""

from typing import Final

from reference.judged import Judged
from reference.studies import Study

RULES: Final = {
    "stop of a long": "stop of a long position",
    "stop of a short": "stop of a short position",
    "target of a long": "target of a long position",
    "target of a short": "target of a short position",
    "gap through a stop": "bar opens beyond a stop",
    "gap through a target": "bar opens beyond a target",
    "ambiguous, pessimistic": "stop and target in one bar, pessimistic",
    "ambiguous, optimistic": "stop and target in one bar, optimistic",
    "ambiguous, finer": "stop and target in one bar, finer bars",
    "finer says target": "finer bars say target",
    "finer bar opens beyond": "a finer bar opens beyond a trigger",
    "limit order": "limit order met inside a bar",
    "limit order gapped": "limit order filled at a better open",
    "stop order": "stop order met inside a bar",
    "stop order gapped": "stop order filled at a worse open",
    "orders summed": "several orders of an instrument and side at one open",
    "cancel": "order cancelled",
    "expiry": "order expired",
    "volume cap": "fill cut by the volume",
    "no volume left": "no volume left for an order",
    "added to": "position added to at the average price",
    "cut for money": "fill cut to the money",
    "rejected for money": "fill rejected for want of money",
    "rejected wish": "wish rejected for want of money",
    "sell of more than is held": "sale of more than a long-only account holds",
    "orders offset": "market orders in both directions at one open",
    "waits for a bar": "order waits for a bar",
    "halted bar": "bar in a halt",
    "split": "split of a position",
    "split of an order": "split of a working order",
    "dividend": "dividend received",
    "dividend on a short": "dividend paid on a short",
    "delisting": "delisting of a position",
    "borrow": "borrow cost",
    "financing": "cost of cash below zero",
    "impact": "square-root impact",
    "impact that lasts": "impact left from earlier fills",
    "no slot": "no slot free",
    "cool-down": "wish in a cool-down",
    "gross limit": "limit on longs and shorts together",
    "group limit": "limit on a group",
    "daily loss": "daily loss limit",
    "drawdown": "drawdown limit",
    "inside the buffer": "target weight inside the buffer",
    "whole": "whole units",
    "short": "fills of an account that may be short",
    "in lieu": "cash in lieu of a fraction",
    "spread column": "measured spread",
    "rounded": "commissions rounded to cents",
    "per unit": "commission per unit",
    "minimum": "least commission",
    "sell fees": "sell fees",
}
"""What a study counts, and what a reader is told."""


def tallied(study: Study, done: Judged) -> dict[str, int]:
    """How often each rule bit in a study."""
    fills, costs = done.slow.fills, study.costs
    counts = dict(done.slow.count.of)
    sold = sum(f.quantity < 0 and f.reason not in ("delisted", "in_lieu") for f in fills)
    others = {
        "whole": len(fills) * (study.account.units == "whole"),
        "short": len(fills) * study.account.short,
        "in lieu": sum(f.reason == "in_lieu" for f in fills),
        "spread column": len(fills) * bool(study.half_spread.size),
        "rounded": len(fills) * costs.round_to_cents * (costs.commission_bp > 0),
        "per unit": len(fills) * (costs.commission_per_unit > 0),
        "minimum": sum(float(f.commission) == costs.commission_minimum > 0 for f in fills),
        "sell fees": sold * (costs.sell_fee_bp > 0 or costs.sell_fee_per_unit > 0),
    }
    counts |= others
    return {rule: n for rule, n in counts.items() if n}
