"""Numbers as people read them: three significant figures, named units, thin spaces."""

import math

THIN = "\u202f"
"""Narrow no-break space: a thin space that never ends a line."""
SPACE = "\u00a0"
"""No-break space, between a count and its noun and inside a date."""
MINUS = "\u2212"
NONE = "–"
"""Stands where there is no number."""


def plain_number(value: float | None, digits: int = 3) -> str:
    r"""A number to `digits` significant figures, never in exponents.

    >>> plain_number(1234.5), plain_number(-0.05066), plain_number(0.9996), plain_number(None)
    ('1\u202f230', '−0.0507', '1.00', '–')
    """
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0 or abs(value) < 1e-9:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = digits - 1 - math.floor(math.log10(abs(rounded)))
    text = f"{abs(rounded):,.{max(places, 0)}f}".replace(",", THIN)
    return (MINUS if rounded < 0 else "") + text


def short(value: float | None) -> str:
    """`plain_number` without zeros at its end, for thresholds that people chose.

    >>> short(0.05), short(20.0), short(0.0005)
    ('0.05', '20', '0.0005')
    """
    if value is not None and 0.9995 <= value < 1:
        return f">{THIN}0.999"
    text = plain_number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: float | None, digits: int = 3) -> str:
    """`plain_number` with a plus sign where it is due.

    >>> signed(0.0312)
    '+0.0312'
    """
    return ("+" if value is not None and value > 0 else "") + plain_number(value, digits)


def percent(value: float | None, sign: bool = False) -> str:
    r"""A fraction as a percentage.

    >>> percent(0.0312, sign=True), percent(None)
    ('+3.12\u202f%', '–')
    """
    if value is None or not math.isfinite(value):
        return NONE
    return (signed if sign else plain_number)(100 * value) + THIN + "%"


def needed(value: float | None) -> str:
    """A break-even precision as a percentage; below zero the rows pay even if none wins.

    >>> needed(-0.1)
    'below\u202f0\u202f%'
    """
    below = value is not None and value < 0
    return f"below{THIN}0{THIN}%" if below else percent(value)


def bare_percent(value: float | None, sign: bool = False) -> str:
    """A fraction in percent without the unit, for columns and intervals that name it once."""
    return NONE if value is None else (signed if sign else plain_number)(100 * value)


def bp(value: float | None, sign: bool = False) -> str:
    r"""Basis points.

    >>> bp(-12.34)
    '−12.3\u202fbp'
    """
    text = (signed if sign else plain_number)(value)
    return text if text == NONE else text + THIN + "bp"


def count(value: int | None) -> str:
    r"""A whole number, every digit of it.

    >>> count(872326)
    '872\u202f326'
    """
    return NONE if value is None else f"{value:,}".replace(",", THIN).replace("-", MINUS)


def money(value: float | None) -> str:
    r"""Cash to the unit.

    >>> money(12345.6)
    '12\u202f346'
    """
    return NONE if value is None else count(round(value))


def p_value(value: float | None) -> str:
    """A p-value to two significant figures.

    >>> p_value(0.0005), p_value(0.04321), p_value(1.0)
    ('0.0005', '0.043', '1.0')
    """
    if value is None:
        return NONE
    return f"{value:.4f}".rstrip("0") if 0 < value < 0.001 else plain_number(value, 2)


def interval(
    ends: tuple[float, float] | None, scale: float = 1.0, sign: bool = True, unit: str = ""
) -> str:
    r"""Both ends of an interval in words, in the unit of `scale` times the value.

    >>> interval((-0.019, 0.08), scale=100, unit="%")
    '−1.90 to +8.00\u202f%'
    """
    if ends is None:
        return NONE
    form = signed if sign else plain_number
    low, high = (form(scale * end) for end in ends)
    return f"{low} to {high}" + (THIN + unit if unit else "")


def times(value: float) -> str:
    """A multiple.

    >>> times(2.0)
    '2×'
    """
    return f"{value:g}×"


_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def day(iso: str | None) -> str:
    r"""A day as written, from YYYY-MM-DD (or a longer ISO time).

    >>> day("2023-10-05"), day(None)
    ('5\xa0Oct\xa02023', '–')
    """
    if iso is None:
        return NONE
    year, month, number = iso[:10].split("-")
    return SPACE.join((str(int(number)), _MONTHS[int(month) - 1], year))


def moment(iso: str) -> str:
    r"""An instant to the minute in UTC, from YYYY-MM-DDTHH:MMZ.

    >>> moment("2023-10-05T14:00Z")
    '5\xa0Oct\xa02023, 14:00\xa0UTC'
    """
    return f"{day(iso)}, {iso[11:16]}{SPACE}UTC"


def sentence(text: str) -> str:
    """A phrase as a sentence begins: its first letter large.

    >>> sentence("planted edge")
    'Planted edge'
    """
    return text[:1].upper() + text[1:]


def words(number: int) -> str:
    """Small counts as words, as running text has them.

    >>> words(3), words(16)
    ('three', '16')
    """
    names = "no one two three four five six seven eight nine ten".split()
    return names[number] if 0 <= number <= 10 else count(number)


def plural(number: int, noun: str) -> str:
    r"""A count with its noun.

    >>> plural(1, "trade"), plural(1200, "trade")
    ('1\xa0trade', '1\u202f200\xa0trades')
    """
    return f"{count(number)}{SPACE}{noun}{'' if number == 1 else 's'}"
