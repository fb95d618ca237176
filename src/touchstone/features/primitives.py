"""What an expression may name: inputs, primitives, and the words defined by other expressions.

A new primitive is one kernel and one line of `PRIMITIVES`; what the existing ones can say is one
line of `DERIVED`.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from touchstone.features import orders, points, recursions, sections, windows
from touchstone.features.moments import Moments

INPUTS: Final = {
    "open": "first price of the bar",
    "high": "highest price of the bar",
    "low": "lowest price of the bar",
    "close": "last price of the bar",
    "volume": "units traded in the bar",
    "hour": "hours from 00:00 UTC to the bar's start, 0 <= hour < 24",
    "weekday": "day of the week (UTC) of the bar's start, Monday 0 .. Sunday 6",
    "session": "trading day the bar belongs to, in days since 1970",
    "month": "month of the trading day, 1 .. 12",
    "day": "day of the month of the trading day, 1 .. 31",
    "session_share": "part of the trading day that had passed at the bar's start, 0 .. 1",
    "month_passed": "trading days of the month before this one",
    "month_left": "trading days of the month after this one, as announced beforehand",
    "from_session": "days since the trading day before",
    "to_session": "days to the next trading day, as announced beforehand",
    "to_holiday": "days to the next weekday without trading, as announced beforehand, 60 at most",
}
"""The columns every panel has. A side column joins them by its name, and `<name>_known`."""

CONSTANTS: Final = {"pi": 3.141592653589793}


class Primitive(NamedTuple):
    """One fold: how it is called, what computes it and how far back it looks."""

    kind: Literal["point", "delay", "halves", "moments", "window", "recursion", "section"]
    """Which bars it sees: this one, the one n ago, the last n (built of two halves, of the
    moments of two halves, or at once), all so far, other instruments' at this time."""
    takes: str
    """Its arguments: n is an integer literal, q a literal in 0 .. 1, the others expressions."""
    kernel: Callable[..., Any] | None
    """What computes it; of moments, what builds it."""
    meaning: str
    fewest: int = 1
    """Smallest n."""
    memory: int = 0
    """Numbers that a recursion remembers of each instrument besides its last value."""


def _described(
    kind: str, takes: str, kernel: Callable[..., Any], fewest: int = 1, memory: int = 0
) -> Primitive:
    meaning = (kernel.__doc__ or "").split("\n")[0]
    return Primitive(kind, takes, kernel, meaning, fewest, memory)  # type: ignore[arg-type]


PRIMITIVES: Final[dict[str, Primitive]] = {
    "add": _described("point", "a b", points.add),
    "subtract": _described("point", "a b", points.subtract),
    "multiply": _described("point", "a b", points.multiply),
    "divide": _described("point", "a b", points.divide),
    "power": _described("point", "a b", points.power),
    "less": _described("point", "a b", points.less),
    "at_most": _described("point", "a b", points.at_most),
    "equal": _described("point", "a b", points.equal),
    "unequal": _described("point", "a b", points.unequal),
    "smaller": _described("point", "a b", points.smaller),
    "larger": _described("point", "a b", points.larger),
    "div": _described("point", "a b default", points.div),
    "where": _described("point", "condition a b", points.where),
    "abs": _described("point", "x", points.absolute),
    "sign": _described("point", "x", points.sign),
    "sqrt": _described("point", "x", points.sqrt),
    "log": _described("point", "x", points.log),
    "exp": _described("point", "x", points.exp),
    "sin": _described("point", "x", points.sin),
    "cos": _described("point", "x", points.cos),
    "lag": Primitive("delay", "x n", None, "Value n bars ago."),
    "sum": Primitive("halves", "x n", points.add, "Sum of the last n values."),
    "min": Primitive("halves", "x n", points.smaller, "Smallest of the last n values."),
    "max": Primitive("halves", "x n", points.larger, "Largest of the last n values."),
    "std": _described("moments", "x n", Moments.std),
    "from_mean": _described("moments", "x n", Moments.from_mean),
    "mad": _described("window", "x n", windows.mad),
    "rescaled_range": _described("window", "x n", windows.rescaled_range, 2),
    "skew": _described("moments", "x n", Moments.skew, 2),
    "kurtosis": _described("moments", "x n", Moments.kurtosis, 2),
    "slope": _described("moments", "x n", Moments.slope, 2),
    "decay": _described("moments", "x n", Moments.decay),
    "corr": _described("moments", "x y n", Moments.corr, 2),
    "beta": _described("moments", "x y n", Moments.beta, 2),
    "argmin": _described("window", "x n", orders.argmin),
    "argmax": _described("window", "x n", orders.argmax),
    "rank": _described("window", "x n", orders.rank, 2),
    "quantile": _described("window", "x n q", orders.quantile),
    "ema": _described("recursion", "x n", recursions.ema),
    "wilder": _described("recursion", "x n", recursions.wilder),
    "cummax": _described("recursion", "x", recursions.cummax),
    "since": _described("recursion", "x", recursions.since),
    "blend": _described("recursion", "x y", recursions.blend),
    "held": _described("recursion", "x y", recursions.held),
    "sum_since": _described("recursion", "x y", recursions.sum_since),
    "max_since": _described("recursion", "x y", recursions.max_since),
    "psar": _described("recursion", "a b", recursions.psar, memory=recursions.PSAR_ROWS),
    "cross_rank": _described("section", "x", sections.cross_rank),
    "cross_mean": _described("section", "x", sections.cross_mean),
    "cross_zscore": _described("section", "x", sections.cross_zscore),
}

OPERATORS: Final = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
    "<": "less", "<=": "at_most", ">": "less", ">=": "at_most", "==": "equal", "!=": "unequal",
}  # fmt: skip
SWAPPED: Final = {">", ">="}
"""Operators written by exchanging their sides."""

HALVES: Final = {"sum": "add", "min": "smaller", "max": "larger"}
"""Rolling primitives and what joins two parts of their window."""

OF_TWO: Final = {
    "max": "larger(a, b)",
    "min": "smaller(a, b)",
    "sum": "a + b",
    "mean": "(a + b) / 2",
}
"""Rolling primitives whose second reading, of two expressions, is of one moment."""


class Derived(NamedTuple):
    """A word for a longer expression."""

    takes: str
    text: str
    meaning: str


DERIVED: Final[dict[str, Derived]] = {
    "ret": Derived("", "close / lag(close, 1) - 1", "Return of the bar."),
    "typical": Derived("", "(high + low + close) / 3", "Typical price."),
    "true_range": Derived(
        "", "max(high, lag(close, 1)) - min(low, lag(close, 1))", "True range (Wilder 1978)."
    ),
    "first_of_session": Derived(
        "", "session > lag(session, 1)", "1 at the first bar of a trading day."
    ),
    "up": Derived("x", "max(x - lag(x, 1), 0.0)", "Rise since the bar before, else 0."),
    "down": Derived("x", "max(lag(x, 1) - x, 0.0)", "Fall since the bar before, else 0."),
    "mean": Derived("x n", "sum(x, n) / n", "Mean of the last n values."),
    "clip": Derived("x low high", "min(max(x, low), high)", "x held within low and high."),
    "count": Derived("x n", "sum(x != 0.0, n)", "How many of the last n values are not 0."),
    "kama": Derived(
        "x n",
        "blend(x, (2 / 31 + (2 / 3 - 2 / 31)"
        " * div(abs(x - lag(x, n)), sum(abs(x - lag(x, 1)), n), 1.0)) ** 2)",
        "Exponential mean, the faster the straighter the last n moves (Kaufman 1995).",
    ),
    "cummin": Derived("x", "-cummax(-x)", "Smallest value so far."),
    "median": Derived("x n", "quantile(x, n, 0.5)", "Median of the last n values."),
    "zscore": Derived(
        "x n", "from_mean(x, n) / std(x, n)", "Deviations from the mean of the last n."
    ),
    "residual": Derived(
        "x n",
        "from_mean(x, n) - slope(x, n) * ((n - 1) / 2)",
        "Distance from the least-squares line through the last n values.",
    ),
}
