"""The typed contents of a model card's JSON: what a model is, why it may trade or may not."""

import json
from typing import Any, Literal

from touchstone.reports.contents import Contents, Count, Ratio
from touchstone.reports.result import Word

Standing = Literal["champion", "previous", "challenger", "refused"]
"""What the model is under its name: it trades, it traded before, it waits, it was refused."""


class CardCondition(Contents):
    """One condition of the gate."""

    name: str
    """What is asked for."""
    found: Ratio | str | None
    """What was found; null where it is not known."""
    needed: str
    """What meets it."""
    status: Literal["met", "not met", "overridden"]
    """`overridden`: not met, and set aside by a person."""
    sentence: str
    """Found and needed in words."""


class CardOverride(Contents):
    """Who let a model trade against its verdict, and why."""

    reason: str
    """In their words."""
    who: str
    """The user."""
    at: str
    """When, ISO, UTC."""


class CardAudit(Contents):
    """The newest leak audit of the study by the code that made the model."""

    result: str
    """`PASS`, or `HALT`."""
    findings: tuple[str, ...] = ()
    """What was found, a sentence each."""
    slice: dict[str, Any] = {}
    """On which part of the data."""


class CardGolden(Contents):
    """Whether the artifact still decides as on the day it was made."""

    reproduced: bool
    """Every decision the same, every score to 1e-5."""
    n_rows: Count
    """Golden rows."""
    difference: Ratio | None = None
    """The largest difference of a score."""
    problem: str = ""
    """What is wrong where they are not reproduced."""


class CardModel(Contents):
    """What the artifact holds; settings as the manifest has them."""

    model: dict[str, Any]
    """Kind and hyperparameters."""
    strategy: dict[str, Any]
    """From probabilities to positions, with its one threshold or margin."""
    label: dict[str, Any]
    """What it foresees."""
    costs: dict[str, Any]
    """What it believes a trade to cost, basis points a side."""
    features: dict[str, str]
    """Name -> expression."""
    symbols: tuple[str, ...]
    """Instruments it was made for."""
    timeframe: str
    """Length of a bar."""
    calendar: str
    """When the market is open."""
    lookback: Count
    """Bars that one decision sees."""
    hold_bars: Count
    """Bars that a position is held at most."""
    trained: tuple[str, str]
    """First instant of the train rows, and the instant by which all of it was known; UTC."""


class CardEvent(Contents):
    """One thing that happened under the name."""

    number: Count
    """1, 2, 3, ..."""
    act: str
    """`registered`, `promoted`, `rolled back`."""
    at: str
    """When, ISO, UTC."""
    who: str
    """The user."""
    version: Count
    """Which version it happened to."""
    run: str
    """The run it came from."""
    verdict: str
    """Of that run."""
    override: str | None = None
    """Why it trades against its verdict."""


class Card(Contents):
    """The whole of `card.json`; the money and the search stand in the run's `result.json`."""

    schema_version: Literal[1] = 1
    """Version of these keys."""
    name: str
    """Under which the model is, or would be, champion."""
    version: Count | None = None
    """Its number under that name; null where it was refused."""
    standing: Standing
    """What it is under that name now."""
    at: str
    """When the card was written, ISO, UTC."""
    run: str
    """The run's folder, by its name."""
    study: str
    """Fingerprint of the study."""
    verdict: Word
    """The word, as it stands today."""
    conditions: tuple[CardCondition, ...]
    """Of the gate, the gravest first."""
    override: CardOverride | None = None
    """Set where a person set the verdict aside."""
    n_candidates: Count
    """Candidates that the trial ledger counts on overlapping data, today."""
    n_looks: Count
    """Studies that have looked at its sealed rows, today."""
    model: CardModel | None = None
    """What it is made of; null without an artifact."""
    golden: CardGolden
    """Whether the artifact still decides as it did."""
    audit: CardAudit | None = None
    """Null where none was run."""
    intended: tuple[str, ...] = ()
    """What it may be used for."""
    forbidden: tuple[str, ...] = ()
    """What it must not be used for."""
    limits: tuple[str, ...] = ()
    """What its evidence cannot show."""
    hashes: dict[str, str]
    """Of the artifact, the data, the code, the candidate, the result and the ledger's head."""
    history: tuple[CardEvent, ...] = ()
    """What happened under the name, oldest first."""

    @property
    def n_unmet(self) -> int:
        """Conditions that keep it out."""
        return sum(c.status == "not met" for c in self.conditions)


def to_json(card: Card) -> bytes:
    """The bytes of `card.json`."""
    content = card.model_dump(mode="json")
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
