"""The typed, versioned contents of `result.json`: what a study found, and nothing of when or where.

The same study on the same data gives the same bytes: no clock time, duration, folder, host or row
of the ledger stands here. What does differ from run to run is `RunFacts` of `reports.study`.
"""

import json
from typing import Any, Literal

from pydantic import Field, ValidationError

from touchstone.errors import DataError
from touchstone.reports.contents import (
    Contents,
    Count,
    Day,
    Fraction,
    Probability,
    Ratio,
    Span,
    iso_day,
    iso_moment,
)
from touchstone.reports.folds import ChoiceScores, FoldResult
from touchstone.reports.measured import (
    Baseline,
    CalibrationPoint,
    ClassicFigures,
    ClassicLabel,
    Curve,
    FalseNegative,
    FalsePositive,
    LadderRung,
    Performance,
    PrPoint,
    Rows,
    Skill,
    SkillBaseline,
    Slice,
    SliceTests,
    ThresholdPoint,
)
from touchstone.reports.surrogates import SurrogateSearch
from touchstone.reports.thresholds import Thresholds

__all__ = [
    "SCHEMA_VERSION",
    "Baseline",
    "CalibrationPoint",
    "CandidateResult",
    "ChoiceScores",
    "ClassicFigures",
    "ClassicLabel",
    "Condition",
    "Curve",
    "DataCard",
    "Diagnostic",
    "FalseNegative",
    "FalsePositive",
    "FoldResult",
    "LabelCard",
    "LadderRung",
    "LedgerCounts",
    "MarketResult",
    "Performance",
    "PrPoint",
    "RejectResult",
    "Rows",
    "Skill",
    "SkillBaseline",
    "Slice",
    "SliceTests",
    "StudyResult",
    "SurrogateSearch",
    "ThresholdPoint",
    "VerdictResult",
    "Word",
    "from_json",
    "iso_day",
    "iso_moment",
    "to_json",
]

SCHEMA_VERSION = 1

Word = Literal["evidence", "weak", "none", "exploratory"]
"""What a verdict may say; its meaning is fixed by code in `validation.verdict`."""


class Condition(Contents):
    """One condition of the verdict or of the gate."""

    name: str
    """What is compared."""
    value: Ratio | None = None
    """What was found; null where it could not be computed."""
    threshold: Ratio | None = None
    """What was needed."""
    met: bool | None = None
    """Null where it does not apply."""
    gloss: str = ""
    """One line in plain words."""


class VerdictResult(Contents):
    """The word, and what it stands on."""

    word: Word
    """`evidence`: both tests pass; `weak`: one; `none`: neither, or too little to judge;
    `exploratory`: the sealed rows were looked at by more than one study."""
    reason: str | None = None
    """`no_trades`, `too_few_trades`, ... where the word needs one."""
    sentence: str
    """The verdict as a sentence that a person can repeat."""
    cannot_prove: str | None = None
    """What so much data cannot prove, whatever it shows."""
    conditions: tuple[Condition, ...] = ()
    """All that were examined, met or not."""
    primary_p: Probability | None = None
    """One-sided p of mean daily net return in excess of cash > 0, on the sealed segment."""
    n_days: Count = 0
    """Days with a return on the sealed segment."""
    sealed_days: Count = 0
    """Days of the calendar on the sealed segment."""
    n_trades: Count = 0
    """Closed trades on the sealed segment."""


class CandidateResult(Contents):
    """One candidate, as compared on the pooled walk-forward tests before the seal."""

    model: str
    """Kind of the model."""
    label: str
    """What sets it apart: its strategy with the threshold or margin."""
    sharpe: Ratio | None = None
    """Annual, net of costs; null without variance."""
    n_trades: Count = 0
    """Closed trades; fewer than 20 cannot be chosen."""
    net_return: Fraction | None = None
    """Of the pooled tests, after costs."""
    chosen: bool = False
    """Scored on the sealed segment."""


class LedgerCounts(Contents):
    """What the trial ledger counts for these data."""

    n_candidates: Count = 0
    """Distinct candidates whose data overlap this study's."""
    n_looks_studies: Count = 0
    """Distinct studies that looked at these sealed rows, this one included."""
    exploratory: bool = False
    """More than one did."""


class Diagnostic(Contents):
    """A number that is printed and changes no verdict."""

    value: Ratio | None = None
    """In the unit that its name or gloss says; null where it is infinite or not defined."""
    gloss: str = ""
    """One line in plain words."""
    reason: str | None = Field(default=None, exclude_if=lambda reason: reason is None)
    """Why there is no value; absent where there is one, or where it is infinite."""


class RejectResult(Contents):
    """A file or instrument that was left out."""

    symbol: str
    """Instrument."""
    file: str
    """Name of the file."""
    reason: str
    """Why, and the way out."""


class DataCard(Contents):
    """The bars the study stood on."""

    source: str
    """Kind of the source."""
    hash: str
    """Content hash of the panel."""
    dvc: str | None = None
    """Hash under which DVC tracks the folder of the bars; null where it does not."""
    timeframe: str
    """Length of a bar."""
    calendar: str
    """When the market is open."""
    first: Day
    """First day with a bar."""
    last: Day
    """Last day with a bar."""
    n_instruments: Count
    """Instruments."""
    n_rows: Count
    """Bars of all instruments."""
    findings: tuple[str, ...] = ()
    """What the loader found: gaps, jumps, stale bars."""
    rejects: tuple[RejectResult, ...] = ()
    """What was left out."""
    survivorship: str | None = None
    """A warning where instruments that died are missing; null where they are not."""
    simulated_truth: str | None = None
    """What was planted, where the market is simulated."""


class LabelCard(Contents):
    """What the models had to foresee."""

    kind: str
    """Kind of the label."""
    base_rates: dict[str, Fraction] = {}
    """Outcome (`+1`, `-1`, `0`) -> share of the known rows."""
    ambiguous_share: Fraction | None = None
    """Rows whose exit bar spanned both barriers; counted as stops."""
    unknown_share: Fraction | None = None
    """Rows dropped because the future they need is not there."""
    mean_realised: dict[str, Fraction] = {}
    """Outcome -> mean return of its rows before costs."""
    median_up: Fraction | None = None
    """Median distance of the target from the entry."""
    median_down: Fraction | None = None
    """Median distance of the stop from the entry."""


class MarketResult(Contents):
    """What the study found on one market."""

    title: str
    """What the market is called on the page."""
    verdict: VerdictResult
    """The word and its reasons."""
    sealed: Performance | None = None
    """The chosen candidate's one look at the sealed segment; null where none was taken."""
    walk_forward: Performance | None = None
    """The chosen candidate on the pooled tests before the seal, or the best of those that lost;
    null where none traded enough."""
    skill: Skill | None = None
    """What the probabilities know; null where nothing was scored."""
    thresholds: Thresholds | None = None
    """By F1 and by money, chosen on validation rows; null in results of before."""
    classic: ClassicLabel | None = None
    """Beside the predecessor's figures, where the study asks for it."""
    where_rows: Rows = "sealed"
    """Where `where` and `worst_false_positives` were measured."""
    where: tuple[Slice, ...] = ()
    """By symbol, group of the universe, year, month, hour, weekday, regime, trend."""
    where_tests: SliceTests | None = None
    """What of `where` may be luck; null without trades."""
    worst_false_positives: tuple[FalsePositive, ...] = ()
    """Up to five confident entries that lost, their bars apart."""
    worst_false_negatives: tuple[FalseNegative, ...] = ()
    """Up to five rows that reached their target, were not entered, and had the least probability,
    their bars apart."""
    candidates: tuple[CandidateResult, ...] = ()
    """All that were compared."""
    folds: tuple[FoldResult, ...] = ()
    """In time order, the final refit last."""
    sealed_span: Span | None = None
    """The segment no choice has seen."""
    ledger: LedgerCounts = LedgerCounts()
    """What was tried before."""
    diagnostics: dict[str, Diagnostic] = {}
    """Before the seal: `deflated_sharpe`, `expected_max`, `min_backtest_years`,
    `min_track_record_days`, `pbo`, `superior_ability_p`. On the sealed segment:
    `smallest_detectable_sharpe`, `better_than_buy_and_hold`, `control_rank`,
    `expectancy_lower`."""
    surrogates: SurrogateSearch | None = Field(
        default=None, exclude_if=lambda searched: searched is None
    )
    """The search among surrogate markets; absent where the study asks for none."""
    data: DataCard
    """The bars."""
    label: LabelCard | None = None
    """What had to be foreseen."""
    features: tuple[str, ...] = ()
    """Columns the models saw."""
    limits: tuple[str, ...] = ()
    """What this cannot show, a sentence each."""


class StudyResult(Contents):
    """The whole of `result.json`."""

    schema_version: Literal[1] = 1
    """Version of these keys; a reader that meets another refuses."""
    name: str
    """The study's name."""
    fingerprint: str
    """12 hex digits over the config and the source of its plugins."""
    seed: int
    """Every random number follows from it."""
    market: MarketResult
    """The study's own market."""
    null_twin: MarketResult | None = None
    """The same study on the same market without its edge, where it asks for one."""
    config: dict[str, Any] = {}
    """The study as parsed, defaults included."""
    versions: dict[str, str] = {}
    """`touchstone` -> its version."""


def to_json(result: StudyResult) -> bytes:
    """The bytes of `result.json`: UTF-8, two spaces, keys in the order of the models."""
    content = result.model_dump(mode="json")
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def from_json(content: bytes) -> StudyResult:
    """Read `result.json` back.

    Raises:
        DataError: not JSON, another schema version, or keys that version 1 does not know.
    """
    try:
        settings = json.loads(content)
    except ValueError as error:
        raise DataError(f"result.json: not JSON: {error}") from None
    version = settings.get("schema_version") if isinstance(settings, dict) else None
    if version != SCHEMA_VERSION:
        raise DataError(
            f"result.json: schema version {version!r}, this touchstone reads {SCHEMA_VERSION}; "
            "run the study again"
        )
    try:
        return StudyResult.model_validate(settings)
    except ValidationError as error:
        raise DataError(f"result.json: {error}") from None
