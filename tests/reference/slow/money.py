"""What a fill costs and what money pays."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from reference.slow.nouns import ZERO, Terms

CENT = Decimal("0.01")
HAIR = Decimal("1e-30")


class Money:
    """Prices, commissions and quantities under the terms of an account."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    def commission(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Of a fill; `quantity` below 0 is a sale, which never costs more than it brings.

        Rounded once, half up, after all fees.
        """
        units, value = abs(quantity), abs(quantity) * price
        owed = max(value * self.terms.commission + units * self.terms.per_unit, self.terms.minimum)
        if quantity < 0:
            owed += value * self.terms.sell_fee + units * self.terms.sell_fee_per_unit
        return min(self.rounded(owed), value) if quantity < 0 else self.rounded(owed)

    def is_worth_it(self, units: Decimal, price: Decimal, side: int) -> bool:
        """Whether a short sale brings more than it costs."""
        return side > 0 or self.commission(-units, price) < units * price

    def rounded(self, owed: Decimal) -> Decimal:
        # half a cent that a division of fifty digits left a hair short is half a cent
        return owed.quantize(HAIR).quantize(CENT, ROUND_HALF_UP) if self.terms.to_cents else owed

    def units(self, quantity: Decimal) -> Decimal:
        """Whole units are rounded towards nothing; fractional ones stay."""
        if not self.terms.whole:
            return quantity
        return abs(quantity).to_integral_value(ROUND_FLOOR).copy_sign(quantity)

    def paid_by(self, money: Decimal, price: Decimal, side: int) -> Decimal:
        """Units of a buy (side 1) or a short sale (-1) that `money` covers with all costs.

        At the rates first; where the rounded commission, or the least one, asks for more, the
        units give way for it, and for no more than the commission of what is left of them.
        """
        if money <= 0:
            return ZERO
        per_unit = price * (1 + self.terms.commission) + self.terms.per_unit
        if side < 0:
            per_unit += price * self.terms.sell_fee + self.terms.sell_fee_per_unit
        units = money / per_unit
        asked = self.commission(side * units, price)
        if units * price + asked > money:
            units = max(ZERO, money - asked) / price
            paid = self.commission(side * units, price)
            more = (money - paid) / price
            if paid < asked and self.commission(side * more, price) == paid:
                units = more
        return units if self.is_worth_it(units, price, side) else ZERO

    def impact(self, quantity: Decimal, volume: Decimal, sigma: Decimal) -> Decimal:
        """Fraction that a quantity moves the price: Y sigma (quantity / volume) ^ power."""
        if not (self.terms.impact and sigma and volume > 0):
            return ZERO
        return self.terms.impact * sigma * (abs(quantity) / volume) ** self.terms.impact_power

    def left_of(self, moved: Decimal, bars: int) -> Decimal:
        """What is left of an own impact so many bars later: half after each half-life, nothing
        without one."""
        if not self.terms.half_life:
            return ZERO
        return moved * Decimal("0.5") ** (bars / self.terms.half_life)
