"""The gate: what must be true before a model may trade; evidence in, refusals out. Pure.

Nothing here promotes anything: the act, and the record of an override, are the registry's.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from touchstone.config import Config
from touchstone.validation.verdict import Word

_Share = Annotated[float, Field(ge=0, le=1)]


class GateConfig(Config):
    """What is asked of a challenger; the defaults are strict on purpose."""

    largest_drawdown: _Share = 0.25
    """Greatest fall from a high on the sealed rows, fraction of equity."""
    smallest_control_rank: _Share = 0.95
    """Share of the turnover-matched random controls that its net return must beat."""
    cost_multiple: Annotated[float, Field(ge=1, le=10)] = 2.0
    """Costs, as a multiple of the study's, at which it must still not lose."""


_NOBODY_LIVED_THROUGH: Final = 10.0
"""Beyond such a return a figure says more than it knows: a short, strong segment made a year."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Claim(NamedTuple):
    """What is known of a challenger, all of it from its one look at the sealed rows.

    None means that it was not computed, which meets no condition.
    """

    verdict: Word
    excess_over_cash: float | None
    """Lower 95 % bound of the annual net return above cash, fraction."""
    excess_over_buy_and_hold: float | None
    """Lower 95 % bound of the difference to buy-and-hold of the same universe: of annual Sharpes
    (Ledoit-Wolf)."""
    expectancy: float | None
    """Lower 95 % bound of the mean net return of a trade, fraction."""
    precision: float | None
    """Share of entries that ended at the target."""
    break_even_precision: float | None
    """Precision at which a bet earns its costs, from the real mix of exits."""
    drawdown: float | None
    """Greatest fall from a high, fraction of equity, bar by bar."""
    net_at_multiple: float | None
    """Net return over the sealed rows at `GateConfig.cost_multiple` times the costs, fraction."""
    control_rank: float | None
    """Share of the random controls that earned less."""
    audit_clean: bool | None
    """Whether the leak audit of this very study ended without a finding."""
    golden_reproduced: bool | None
    """Whether the artifact gives its recorded decisions, bit for bit."""
    notes: Mapping[str, str] = _NOTHING
    """Condition -> what more a person must know of it: what the audit found, which file differs."""


class Examined(NamedTuple):
    """One condition, met or not."""

    condition: str
    """Its name."""
    found: float | str | None
    """What the claim says; None where it says nothing."""
    needed: str
    """What meets it."""
    met: bool
    overridden: bool
    """Not met, and set aside by a person who said why."""
    sentence: str
    """What was found, with the figures, for a person."""

    @property
    def refuses(self) -> bool:
        """Whether it keeps the challenger out."""
        return not (self.met or self.overridden)


OVERRIDABLE: Final = ("verdict",)
"""Conditions that a recorded override may set aside; no other can be."""


AUDIT_LAYERS: Final = ("A", "B", "C", "C2", "D", "E", "F")
"""Layers without which a leak audit is none: clean means that all of them looked."""

LIFTABLE_LAYERS: Final = ("E", "F")
"""Layers whose alarm a later audit may lift: a ledger is restored, a smoke alarm is a chance of
some. What the others find is a value that changed, which no other cuts can take back."""


def unmet(claim: Claim, config: GateConfig, override: str | None = None) -> tuple[Examined, ...]:
    """The conditions that a challenger fails, the gravest first; empty: it may become champion.

    Args:
        claim: what is known of it.
        config: what is asked.
        override: reason given by a person for going on without the verdict `evidence`; it sets
            aside that condition alone, and whoever promotes records it.

    Source: the conditions of the design's page on evidence, "The gate".
    """
    return tuple(row for row in examined(claim, config, override) if row.refuses)


def examined(claim: Claim, config: GateConfig, override: str | None = None) -> tuple[Examined, ...]:
    """Every condition with what was found, the gravest first; arguments as in `unmet`."""
    rows = (
        _verdict(claim),
        _above(
            "net return above cash", claim.excess_over_cash, 0.0,
            "the lower 95 % bound of its annual net return above cash is {found}",
        ),
        _above(
            "better than buy-and-hold", claim.excess_over_buy_and_hold, 0.0,
            "the lower 95 % bound of its Sharpe less that of buy-and-hold of the same universe "
            "is {found}", "",
        ),
        _above(
            "net expectancy", claim.expectancy, 0.0,
            "the lower 95 % bound of what a trade earns after costs is {found}",
        ),
        _precision(claim),
        _drawdown(claim, config),
        _above(
            "survives dearer trading", claim.net_at_multiple, 0.0,
            f"at {config.cost_multiple:g} times the costs its net return is {{found}}",
        ),
        _above(
            "better than chance at its turnover", claim.control_rank,
            config.smallest_control_rank,
            "the share of random controls of the same turnover that earned less is {found}",
        ),
        _true("leak audit", claim.audit_clean,
              ("the leak audit of this study found nothing", "the leak audit found something",
               "no leak audit of this study was run")),
        _true("golden rows", claim.golden_reproduced,
              ("the artifact gives its recorded decisions",
               "the artifact does not give its recorded decisions",
               "the artifact's recorded decisions were not checked")),
    )  # fmt: skip
    given = override is not None and bool(override.strip())
    return tuple(_annotated(row, claim, given) for row in rows)


def _annotated(row: Examined, claim: Claim, given: bool) -> Examined:
    note = claim.notes.get(row.condition, "")
    return row._replace(
        sentence=f"{row.sentence}: {note}" if note else row.sentence,
        overridden=not row.met and given and row.condition in OVERRIDABLE,
    )


def _row(name: str, found: float | str | None, needed: str, met: bool, said: str) -> Examined:
    return Examined(name, found, needed, met, overridden=False, sentence=said)


def _verdict(claim: Claim) -> Examined:
    met = claim.verdict == "evidence"
    said = f"the verdict is {claim.verdict!r}" + ("" if met else ", and only 'evidence' may trade")
    return _row("verdict", claim.verdict, "evidence", met, said)


def _above(
    name: str, found: float | None, bound: float, text: str, unit: str = " %"
) -> Examined:  # fmt: skip
    needed = f"above {bound:g}"
    if found is None or math.isnan(found):
        said = f"{name}: not known, and needs to be {needed}"
        return _row(name, found, needed, met=False, said=said)
    met = found > bound
    told, asked = (_plain((100 if unit else 1) * x) + unit for x in (found, bound))
    if unit and found > _NOBODY_LIVED_THROUGH:
        told = f"over {_plain(100 * _NOBODY_LIVED_THROUGH)}{unit}"
    said = f"{text.format(found=told)}, {'' if met else 'and needs to be '}above {asked}"
    return _row(name, found, needed, met, said)


def _plain(value: float) -> str:
    """Four figures or whole numbers, never in exponents.

    >>> _plain(530_073.4), _plain(-0.0301234), _plain(95.0), _plain(1e-7)
    ('530,073', '-0.03012', '95', '0')
    """
    if abs(value) >= 1e3:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else "0" if value >= 0 else "just below 0"


def _precision(claim: Claim) -> Examined:
    found, bound = claim.precision, claim.break_even_precision
    name = "precision above break-even"
    if found is None or bound is None or math.isnan(found) or math.isnan(bound):
        return _row(name, found, "above break-even", met=False, said=f"{name}: not known")
    met, where = found > bound, "above" if found > bound else "below"
    if found == bound:
        where = "at"
    asked = f"{bound:.1%} must" if bound >= 0 else "none would have to"
    return _row(
        name, found, f"above {bound:.4g}", met,
        f"{found:.1%} of its entries ended at the target, and at the costs {asked}: "
        f"precision lies {where} break-even",
    )  # fmt: skip


def _drawdown(claim: Claim, config: GateConfig) -> Examined:
    found, bound = claim.drawdown, config.largest_drawdown
    met = found is not None and 0 <= found <= bound
    unknown = found is None or math.isnan(found)
    said = "drawdown: not known" if unknown else f"it fell {found:.1%} from a high"
    needed = f"at most {bound:g}"
    return _row("drawdown", found, needed, met, f"{said}, and at most {bound:.1%} is let")


def _true(name: str, found: bool | None, words: tuple[str, str, str]) -> Examined:
    right, wrong, unknown = words
    told = None if found is None else str(found).lower()
    said = unknown if found is None else right if found is True else wrong
    return _row(name, told, "true", found is True, said)
