"""An artifact: one folder with everything a decision needs, hashed, and refused if it changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from touchstone.config import Config
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.view import View
from touchstone.errors import ArtifactError, TouchstoneError
from touchstone.execution.costs import CostsConfig
from touchstone.labels import LABELS
from touchstone.market import Calendar, Timeframe
from touchstone.models import MODELS, Shape, restore
from touchstone.models import calibrators as calibration
from touchstone.registry import folder as shelf
from touchstone.registry import golden as rows
from touchstone.registry import manifest as listing
from touchstone.registry.golden import Decider, Golden
from touchstone.registry.manifest import Feature, Manifest, Origin, Sizes
from touchstone.strategies import STRATEGIES

_SCALER: Final = "scaler.json"
_CALIBRATOR: Final = "calibrator.json"
_EXPECTED: Final = "expected.json"
_GOLDEN: Final = "golden.safetensors"
_VIEW: Final = "view.json"
_MODEL: Final = "model/"


class ArtifactParts(NamedTuple):
    """What goes into an artifact."""

    decider: Decider
    """Model, scaler, calibrators, strategy with its threshold or margin, costs."""
    golden: Golden
    """Rows to prove it by; made by `golden.record`."""
    timeframe: str
    calendar: str
    symbols: tuple[str, ...]
    """Instruments in the order of their `asset_id`."""
    features: Mapping[str, str]
    """Name -> expression, in the order of the columns."""
    features_fingerprint: str
    label: Config
    origin: Origin
    view: View | None = None
    """What the model sees, where that is not just the features; its regimes come after them."""


class Artifact(NamedTuple):
    """What comes out of an artifact's folder, whole and checked."""

    folder: Path
    manifest: Manifest
    decider: Decider
    label: Config
    golden: Golden
    view: View | None
    """None where the model's columns are the features."""


def save(folder: Path, parts: ArtifactParts) -> Manifest:
    """Write an artifact as a new folder, all of it or nothing.

    Before the folder takes its name it is loaded and its golden rows are scored, so that what
    stands on the shelf can be used. The same parts give the same bytes.

    Raises:
        ArtifactError: the folder exists, or the parts do not come back as they went in.
    """
    files = _files(parts)
    manifest = _manifest(parts, files)
    files[listing.NAME] = manifest.to_json()

    def check(made: Path) -> None:
        found = load(made, manifest.identity)
        if found.label != parts.label or found.decider.strategy != parts.decider.strategy:
            raise ArtifactError(f"{folder}: label or strategy do not come back as they went in")
        reproduce(found)

    shelf.write(folder, files, check)
    return manifest


def load(folder: Path, identity: str | None = None) -> Artifact:
    """Read an artifact, refusing whatever is not as it was written. No code in it is run.

    Args:
        folder: where it stands.
        identity: of the artifact that is wanted, as a registry or a ledger knows it; without
            it the folder is checked against itself.

    Raises:
        ArtifactError: a file is missing, changed, unlisted, a link, or not what it should hold;
            names the file, what was got and what was needed.
    """
    content = _manifest_bytes(folder)
    manifest = listing.parse(content, f"{folder}: {listing.NAME}")
    if identity is not None and manifest.identity != identity:
        raise ArtifactError(
            f"{folder}: {listing.NAME}: got artifact {manifest.identity}, needed {identity}"
        )
    files = shelf.read_listed(folder, manifest.files, apart=listing.NAME)
    try:
        return _restore(folder, manifest, files)
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}") from None
    except TouchstoneError as error:
        raise ArtifactError(
            f"{folder}: cannot be restored: {error} (a part of your own? name its file under "
            f"`plugins`)"
        ) from None


def reproduce(artifact: Artifact) -> float:
    """Score the golden rows again: the largest difference from the scores of their birth.

    Raises:
        ArtifactError: a score differs by more than 1e-5, a decision differs at all, or the parts
            do not fit each other.
    """
    where = f"{artifact.folder}: {_GOLDEN}"
    try:
        return rows.difference(artifact.decider, artifact.golden, where)
    except ArtifactError:
        raise
    except TouchstoneError as error:
        raise ArtifactError(f"{where}: got no decision, needed one: {error}") from None


def _files(parts: ArtifactParts) -> dict[str, bytes]:
    decider = parts.decider
    texts = {_SCALER: decider.scaler.to_json()}
    if decider.calibrator is not None:
        texts[_CALIBRATOR] = decider.calibrator.to_json()
    if decider.expected is not None:
        texts[_EXPECTED] = decider.expected.to_json()
    if parts.view is not None:
        texts[_VIEW] = parts.view.to_json()
    files = {name: text.encode() for name, text in texts.items()}
    files[_GOLDEN] = rows.to_bytes(rows.check(parts.golden, decider, "golden rows"))
    return files | {_MODEL + name: content for name, content in decider.fitted.files().items()}


def _manifest(parts: ArtifactParts, files: Mapping[str, bytes]) -> Manifest:
    decider = parts.decider
    columns = tuple(parts.features) if parts.view is None else parts.view.names
    if len(columns) != decider.fitted.shape.n_features:
        raise ArtifactError(
            f"got {len(columns)} features, needed the {decider.fitted.shape.n_features} "
            f"that the model was made for"
        )
    return Manifest(
        timeframe=parts.timeframe,
        calendar=parts.calendar,
        symbols=parts.symbols,
        features=tuple(Feature(name=n, expression=e) for n, e in parts.features.items()),
        features_fingerprint=parts.features_fingerprint,
        label=_settings(parts.label),
        model=_settings(decider.fitted.config),
        shape=Sizes(**decider.fitted.shape._asdict()),
        strategy=_settings(decider.strategy),
        costs=_settings(decider.costs),
        hold_bars=decider.hold_bars,
        rest=decider.rest,
        origin=parts.origin,
        n_golden=len(parts.golden.enter),
        files={name: shelf.entry(content) for name, content in sorted(files.items())},
    ).sealed()


def _settings(config: Config) -> dict[str, object]:
    return config.model_dump(mode="json", serialize_as_any=True)


def _manifest_bytes(folder: Path) -> bytes:
    if listing.NAME not in shelf.names(folder):
        raise ArtifactError(f"{folder}: {listing.NAME}: got none, needed a file")
    return shelf.read(folder, listing.NAME, listing.MAX_BYTES)


def _restore(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Artifact:
    inside = {n.removeprefix(_MODEL): c for n, c in files.items() if n.startswith(_MODEL)}
    unknown = files.keys() - {_MODEL + n for n in inside}
    unknown -= {_SCALER, _CALIBRATOR, _EXPECTED, _GOLDEN, _VIEW}
    for name in (_SCALER, _GOLDEN):
        if name not in files:
            raise ArtifactError(f"{name}: got none, needed a file")
    if unknown:
        raise ArtifactError(f"{sorted(unknown)[0]}: got a file that no artifact has")
    shape = Shape(**manifest.shape.model_dump())
    model = MODELS.parse(manifest.model)
    decider = Decider(
        fitted=restore(model, shape, inside),
        scaler=Scaler.from_json(_text(files, _SCALER)),
        calibrator=(
            calibration.OutcomeCalibrator.from_json(_text(files, _CALIBRATOR))
            if _CALIBRATOR in files
            else None
        ),
        expected=(calibration.from_json(_text(files, _EXPECTED)) if _EXPECTED in files else None),
        strategy=STRATEGIES.parse(manifest.strategy),
        costs=CostsConfig.parse(manifest.costs),
        rest=manifest.rest,
        hold_bars=manifest.hold_bars,
        bars_per_year=_bars_per_year(manifest),
    )
    golden = rows.from_bytes(files[_GOLDEN], decider, _GOLDEN)
    view = View.from_json(_text(files, _VIEW)) if _VIEW in files else None
    _agree(manifest, decider, golden)
    _sees(manifest, view)
    return Artifact(folder, manifest, decider, LABELS.parse(manifest.label), golden, view)


def _bars_per_year(manifest: Manifest) -> float:
    return Timeframe(manifest.timeframe).periods_per_year(Calendar(manifest.calendar))


def _agree(manifest: Manifest, decider: Decider, golden: Golden) -> None:
    """The counts of the manifest against the arrays."""
    n_features = manifest.shape.n_features
    found = {
        _SCALER: (decider.scaler.centre.size, n_features),
        _GOLDEN: (len(golden.enter), manifest.n_golden),
    }
    for name, (got, needed) in found.items():
        if got != needed:
            raise ArtifactError(f"{name}: got {got}, needed {needed}")


def _sees(manifest: Manifest, view: View | None) -> None:
    """The model's columns against the features, and the view where there is one."""
    listed, needed = tuple(f.name for f in manifest.features), manifest.shape.n_features
    columns = listed if view is None else view.names
    if len(columns) != needed:
        raise ArtifactError(f"features: got {len(columns)}, needed {needed}")
    if view is not None:
        own = () if view.regimes is None else view.regimes.names
        if listed != tuple(n for n in columns if n not in own):
            raise ArtifactError(f"{_VIEW}: its columns are not the features of the manifest")


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode()
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{name}: got what is no text: {error}") from None
