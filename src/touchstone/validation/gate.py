"""The gate: what must be true before a model may trade; evidence in, refusals out. Pure.

Nothing here promotes anything: the act, and the record of an override, are the registry's.
"""

import math
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


class Unmet(NamedTuple):
    """One condition that a challenger does not meet."""

    condition: str
    """Its name."""
    found: float | str | None
    """What the claim says; None where it says nothing."""
    needed: str
    """What would meet it."""
    sentence: str
    """Why it matters, with the figures, for a person."""


OVERRIDABLE: Final = ("verdict",)
"""Conditions that a recorded override may set aside; no other can be."""


def unmet(claim: Claim, config: GateConfig, override: str | None = None) -> tuple[Unmet, ...]:
    """The conditions that a challenger fails, the gravest first; empty: it may become champion.

    Args:
        claim: what is known of it.
        config: what is asked.
        override: reason given by a person for going on without the verdict `evidence`; it sets
            aside that condition alone, and whoever promotes records it.

    Source: the conditions of the design's page on evidence, "The gate".
    """
    rows = (
        _verdict(claim, override),
        _above(
            "net return above cash", claim.excess_over_cash, 0.0,
            "the lower 95 % bound of its annual net return above cash is {found}",
        ),
        _above(
            "better than buy-and-hold", claim.excess_over_buy_and_hold, 0.0,
            "the lower 95 % bound of its Sharpe less that of buy-and-hold of the same universe "
            "is {found}",
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
        _true("leak audit", claim.audit_clean, "the leak audit found something",
              "no leak audit of this study was run"),
        _true("golden rows", claim.golden_reproduced,
              "the artifact does not give its recorded decisions",
              "the artifact's recorded decisions were not checked"),
    )  # fmt: skip
    return tuple(row for row in rows if row is not None)


def _verdict(claim: Claim, override: str | None) -> Unmet | None:
    if claim.verdict == "evidence" or (override is not None and override.strip()):
        return None
    return Unmet(
        "verdict", claim.verdict, "evidence",
        f"the verdict is {claim.verdict!r}, and only 'evidence' may trade",
    )  # fmt: skip


def _above(name: str, found: float | None, bound: float, text: str) -> Unmet | None:
    if found is not None and found > bound:  # false for NaN too
        return None
    needed = f"above {bound:g}"
    if found is None or math.isnan(found):
        return Unmet(name, found, needed, f"{name}: not known, and needs to be {needed}")
    return Unmet(name, found, needed, f"{text.format(found=f'{found:.4g}')}, and needs {needed}")


def _precision(claim: Claim) -> Unmet | None:
    found, bound = claim.precision, claim.break_even_precision
    if found is not None and bound is not None and found > bound:
        return None
    name, unknown = "precision above break-even", found is None or bound is None
    if unknown or math.isnan(found or 0.0) or math.isnan(bound or 0.0):
        return Unmet(name, found, "above break-even", f"{name}: not known")
    return Unmet(
        name, found, f"above {bound:.4g}",
        f"{found:.1%} of its entries ended at the target, and at the costs {bound:.1%} must: "
        "precision lies below break-even",
    )  # fmt: skip


def _drawdown(claim: Claim, config: GateConfig) -> Unmet | None:
    found, bound = claim.drawdown, config.largest_drawdown
    if found is not None and 0 <= found <= bound:
        return None
    said = "not known" if found is None or math.isnan(found) else f"it fell {found:.1%} from a high"
    return Unmet("drawdown", found, f"at most {bound:g}", f"{said}, and at most {bound:.1%} is let")


def _true(name: str, found: bool | None, wrong: str, unknown: str) -> Unmet | None:
    if found is True:
        return None
    told = None if found is None else str(found).lower()
    return Unmet(name, told, "true", unknown if found is None else wrong)
