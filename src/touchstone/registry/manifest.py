"""The manifest: what an artifact is made of, from what, and the hash of every file."""

import hashlib
import json
from typing import Annotated, Any, Final, Literal, NoReturn

from pydantic import Field, NonNegativeInt, PositiveInt

from touchstone.config import Config
from touchstone.errors import ArtifactError, ConfigError
from touchstone.registry.folder import Entry

NAME: Final = "manifest.json"
MAX_BYTES: Final = 4_000_000
"""A manifest of 10,000 features is half of this."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Settings = dict[str, Any]


class Feature(Config):
    """One column of the feature matrix."""

    name: str
    expression: str


class Sizes(Config):
    """What the model was made for; see `models.Shape`."""

    lookback: Annotated[PositiveInt, Field(le=100_000)]
    """Bars in a window."""
    n_features: Annotated[PositiveInt, Field(le=100_000)]
    n_assets: Annotated[PositiveInt, Field(le=1_000_000)]
    n_outcomes: Annotated[PositiveInt, Field(le=3)]


class Origin(Config):
    """Where an artifact comes from."""

    data: str
    """Hash of the data."""
    study: str
    """Fingerprint of the study."""
    candidate: str
    """Fingerprint of the candidate in the trial ledger."""
    seed: int
    train_start: int
    """First time of the rows it was fitted on, ns UTC."""
    train_end: int
    """Everything it was fitted on, labels included, was known by then, ns UTC."""
    val_end: int | None = Field(default=None, exclude_if=lambda end: end is None)
    """Everything it was chosen and calibrated by was known by then, ns UTC."""
    test_start: int | None = Field(default=None, exclude_if=lambda at: at is None)
    """Start of the time that it was compared on, ns UTC; a fold's artifact only."""
    test_end: int | None = Field(default=None, exclude_if=lambda at: at is None)
    """Its end, ns UTC."""
    packages: dict[str, str]
    """Versions of what computed it, by name."""


class Manifest(Config):
    """All of an artifact that is not an array."""

    format: Literal[1] = 1
    identity: str = ""
    """SHA-256 of the rest of the manifest, hashes of the files included: names the artifact."""
    timeframe: str
    calendar: str
    symbols: tuple[str, ...]
    """Instruments in the order of their `asset_id`."""
    features: tuple[Feature, ...]
    """In the order of the model's columns; a filter's regimes come after them, see `view.json`."""
    features_fingerprint: str
    """Of the compiled plan."""
    label: Settings
    model: Settings
    shape: Sizes
    strategy: Settings
    """A single threshold or margin: the chosen one."""
    costs: Settings
    """What the decision believes a trade to cost."""
    hold_bars: PositiveInt
    """Bars after which a position leaves."""
    rest: Finite
    """Mean realised return of horizon exits on validation rows."""
    origin: Origin
    n_golden: NonNegativeInt
    """Golden rows."""
    files: dict[str, Entry]
    """Every other file of the folder."""

    def sealed(self) -> "Manifest":
        """The same manifest with its own identity."""
        return self.model_copy(update={"identity": _identity(self.model_dump(mode="json"))})

    def to_json(self) -> bytes:
        """Text for `parse`.

        Raises:
            ArtifactError: a setting that is not a finite number, which JSON cannot hold.
        """
        try:
            text = json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False)
        except ValueError as error:
            raise ArtifactError(f"{NAME}: a config holds what JSON cannot: {error}") from None
        return text.encode()


def parse(content: bytes, where: str) -> Manifest:
    """The manifest that was written as `content`; `where` names it in errors.

    Raises:
        ArtifactError: not JSON, NaN or a key twice in it, another format, keys or values that no
            manifest has, or another identity than its own.
    """
    try:
        settings = json.loads(
            content, parse_constant=_no_constant, object_pairs_hook=_unique, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{where}: got what is no JSON of a manifest: {error}") from None
    written = settings.get("format") if isinstance(settings, dict) else None
    if written != 1:
        raise ArtifactError(f"{where}: got format {written!r}, needed 1")
    try:
        manifest = Manifest.parse(settings)
    except ConfigError as error:
        raise ArtifactError(f"{where}: {error}") from None
    needed = _identity(settings)
    if manifest.identity != needed:
        raise ArtifactError(
            f"{where}: got identity {manifest.identity!r}, needed {needed!r}: "
            f"it was changed after it was written"
        )
    if content != manifest.to_json():
        raise ArtifactError(f"{where}: got another text of this manifest, needed its own")
    return manifest


def _identity(settings: Settings) -> str:
    rest = {key: value for key, value in settings.items() if key != "identity"}
    try:
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise ArtifactError(f"{NAME}: a config holds what JSON cannot: {error}") from None
    return hashlib.sha256(text.encode()).hexdigest()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large for a number")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> Settings:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(f"a key stands twice among {keys[:20]}")
    return dict(pairs)
