"""What a sweep found, as its `result.json`, and as lines for a terminal."""

from typing import Any, Final, Literal

from touchstone.reports.contents import (
    AnnualRatio,
    BasisPoints,
    Contents,
    Count,
    Days,
    Fraction,
    Moment,
    Money,
    Probability,
    Ratio,
)
from touchstone.reports.figures import count, percent, plain_number, plural

CLEARED: Final = 0.95
"""Deflated Sharpe at or above which the best is beyond the luck of its search."""
_SHOWN: Final = 10


class AxisResult(Contents):
    """One key that was swept."""

    key: str
    values: tuple[Any, ...]
    ordered: bool
    """Whether neighbours on it are near in value."""

    @property
    def name(self) -> str:
        """The key's last word, as people read it."""
        return self.key.rpartition(".")[2].replace("_", " ")


class SweptAccount(Contents):
    """One combination."""

    fingerprint: str
    """As the ledger names the candidate."""
    place: tuple[int, ...]
    """Place of its value on each axis."""
    sharpe: AnnualRatio | None
    net_return: Fraction
    max_drawdown: Fraction
    n_trades: Count
    win_rate: Fraction | None
    profit_factor: Ratio | None
    exposure: Fraction | None
    cost_paid: Money
    break_even_cost_bp: BasisPoints | None


class Around(Contents):
    """What stands around the best combination."""

    word: Literal["plateau", "slope", "spike", "alone"]
    n: Count
    median: AnnualRatio | None
    lowest: AnnualRatio | None
    above_zero: Fraction | None
    accounts: tuple[Count, ...]
    """Places in `accounts` of those that differ by one step at most."""


class SweepResult(Contents):
    """Everything that `touchstone sweep` found."""

    schema_version: Literal[1] = 1
    fingerprint: str
    axes: tuple[AxisResult, ...]
    n_trials: Count
    """Combinations of this sweep: what the ledger counts."""
    n_candidates: Count
    """Distinct candidates ever scored on overlapping rows, these in it: what luck is judged by."""
    refused: dict[str, int]
    """Combinations that make no strategy, by reason."""
    n_instruments: Count
    n_bars: Count
    """Rows with a bar."""
    n_days: Count
    first: Moment
    last: Moment
    days_per_year: Days
    best: Count | None
    """Place in `accounts` of the highest Sharpe among those with enough trades; null: none."""
    best_is_chosen: bool
    """Whether a study would go on with it: enough trades, and a Sharpe above 0."""
    deflated_sharpe: Probability | None
    """Probability that the best's true Sharpe beats the luck of the search."""
    luck: AnnualRatio
    """Sharpe that the best of so many worthless candidates is expected to show on these days."""
    pbo: Probability | None
    """Probability of backtest overfitting of this sweep; null: too few days, or too many."""
    around: Around | None
    accounts: tuple[SweptAccount, ...]
    """The last axis fastest."""

    @property
    def winner(self) -> SweptAccount | None:
        """The best account."""
        return None if self.best is None else self.accounts[self.best]

    def settings(self, account: SweptAccount) -> dict[str, Any]:
        """What an account's axes stood at."""
        return {a.key: a.values[i] for a, i in zip(self.axes, account.place, strict=True)}


def chance(value: float | None) -> str:
    """A probability, never as a bare 0.

    >>> chance(1e-9), chance(0.25)
    ('below 0.001', '0.250')
    """
    return "below 0.001" if value is not None and value < 0.001 else plain_number(value)


def value_text(value: Any) -> str:
    """A value on an axis, as people read it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def settings_text(result: SweepResult, account: SweptAccount) -> str:
    """A combination in words; keys that have one value are left out."""
    said = [
        f"{axis.name} {value_text(axis.values[i])}"
        for axis, i in zip(result.axes, account.place, strict=True)
        if len(axis.values) > 1
    ]
    return ", ".join(said)


def ranked(result: SweepResult) -> list[SweptAccount]:
    """All accounts, the highest Sharpe first, those without one last."""
    return sorted(
        result.accounts, key=lambda a: -float("inf") if a.sharpe is None else a.sharpe, reverse=True
    )


def warning(result: SweepResult) -> str:
    """What must stand beside the best of many."""
    more = result.n_candidates - result.n_trials
    were = "was" if more == 1 else "were"
    before = f", after {plural(more, 'candidate')} that {were} scored on these rows before" * (
        more > 0
    )
    return (
        f"The best of {count(result.n_trials)} is the best of {count(result.n_trials)}{before}. "
        f"Were they all worthless and spread as widely as they are, the best would be expected to "
        f"show a Sharpe of {plain_number(result.luck)} on {plural(result.n_days, 'day')}"
    )


def standing(result: SweepResult) -> str:
    """Whether the best stands on a plateau, in a sentence."""
    around = result.around
    if around is None or not around.n:
        return "Nothing can be said of its neighbours"
    if around.word == "alone":
        return "The best itself shows no gain, so there is nothing for small changes to keep"
    what = {
        "alone": "It earns nothing, so there is no plateau to stand on",
        "plateau": "It stands on a plateau: small changes keep what it shows",
        "slope": "It stands on a slope: small changes cost a part of what it shows",
        "spike": "It is a spike: small changes lose most of what it shows, as luck does",
    }[around.word]
    return (
        f"{what} ({plural(around.n, 'neighbour')}, median Sharpe {plain_number(around.median)}, "
        f"lowest {plain_number(around.lowest)})"
    )


def told(result: SweepResult) -> list[str]:
    """What a person reads in the terminal."""
    axes = " x ".join(f"{len(a.values)} {a.name}" for a in result.axes)
    lines = [f"{plural(result.n_trials, 'trial')}  {axes}"]
    if result.refused:
        lines.append(f"left out  {plural(sum(result.refused.values()), 'combination')} that make "
                     f"no strategy: {next(iter(result.refused))}")  # fmt: skip
    lines += ["", f"{'Sharpe':>8} {'net':>9} {'drawdown':>9} {'trades':>7}  settings"]
    lines += [
        f"{plain_number(a.sharpe):>8} {percent(a.net_return, sign=True):>9} "
        f"{percent(a.max_drawdown):>9} {count(a.n_trades):>7}  {settings_text(result, a)}"
        for a in ranked(result)[:_SHOWN]
    ]
    if len(result.accounts) > _SHOWN:
        lines.append(f"{'':>8} ... and {count(len(result.accounts) - _SHOWN)} more")
    lines.append("")
    winner = result.winner
    if winner is None:
        lines.append("best      none: no combination made enough trades to have a Sharpe")
        return [*lines, f"warning   {warning(result)}."]
    return [
        *lines,
        f"best      {settings_text(result, winner)}: Sharpe {plain_number(winner.sharpe)}",
        f"deflated  {chance(result.deflated_sharpe)}, the chance that its true Sharpe beats "
        f"the luck of the search; {CLEARED:g} is asked",
        f"around    {standing(result)}.",
        f"warning   {warning(result)}.",
    ]
