"""A study: everything a user may say, as one frozen tree of parts; read from YAML, checked once."""

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np
import yaml
from pydantic import AfterValidator, Field, PositiveInt, field_validator, model_validator

from touchstone.backtest.capacity import CapacityConfig
from touchstone.config import Config
from touchstone.data.folder import source_of
from touchstone.data.side import SIDES
from touchstone.data.side_inputs import check_name, without_places
from touchstone.data.sources import SOURCES, Source
from touchstone.dataset.regimes import REGIMES
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.selection import SELECTION
from touchstone.dataset.splits import SPLITS
from touchstone.dataset.weights import WeightsConfig
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.features import FeaturesConfig
from touchstone.files import parse_yaml, read_yaml
from touchstone.labels import LABELS
from touchstone.models import MODELS
from touchstone.models.calibrators import CALIBRATORS
from touchstone.pipelines.refit import RefitConfig
from touchstone.pipelines.workspace import source_hash
from touchstone.registration import PartOf
from touchstone.strategies import STRATEGIES
from touchstone.training import TrainingConfig
from touchstone.validation.surrogates import MULTIPLE

QUICKSTART = "quickstart"


def _folder_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise ConfigError(f"{name!r}: needs lower-case letters, digits, - or _, 40 at most")
    return name


FolderName: TypeAlias = Annotated[str, AfterValidator(_folder_name)]
"""What a folder of the workspace may be called."""


class StudyConfig(Config):
    """One question to the data: these bars, features, label, folds, models, decision and costs."""

    name: FolderName = "study"
    """Names the run's folder: lower-case letters, digits, - and _, 40 at most."""
    bars: Annotated[Config, PartOf(SOURCES)] = Field(
        default_factory=lambda: SOURCES.parse({"source": "simulated"})
    )
    """Where the bars come from."""
    side: Mapping[str, Annotated[Config, PartOf(SIDES)]] = Field(
        default_factory=dict, exclude_if=lambda inputs: not inputs
    )
    """What is known beside the bars, name -> side input; features call its columns by name."""
    universe: str | None = Field(default=None, exclude_if=lambda place: place is None)
    """A universe file (instruments, groups, who belonged when), relative to the study's file; its
    asset ids are kept beside it. Null: whatever has bars, throughout."""
    symbols: tuple[str, ...] | None = None
    """Only these instruments; null takes all there are."""
    start: str | None = None
    """First date, YYYY-MM-DD, UTC."""
    end: str | None = None
    """Last date, YYYY-MM-DD, UTC, included."""
    null_twin: bool = False
    """Run the same study on the same market without its edge, and show both. Simulated only."""
    surrogates: Annotated[int, Field(ge=0, le=9_999)] = Field(
        default=0, exclude_if=lambda budget: budget == 0
    )
    """Markets without an edge, made from the study's own bars, on which the whole search is run
    again at most: R, with R + 1 a multiple of 20. 0: none, and the deflated Sharpe stands in."""
    features: FeaturesConfig = FeaturesConfig()
    """What a model may see."""
    regimes: Annotated[Config, PartOf(REGIMES)] | None = Field(
        default=None, exclude_if=lambda regimes: regimes is None
    )
    """A filter of hidden regimes, fitted on the train rows of each fold, whose probabilities join
    the fold's features; null: none."""
    selection: tuple[Annotated[Config, PartOf(SELECTION)], ...] = Field(
        default=(), exclude_if=lambda rules: not rules
    )
    """Rules in order, by which each fold keeps some of its columns; none keeps all."""
    lookback: PositiveInt = 24
    """Bars in a sample's window."""
    label: Annotated[Config, PartOf(LABELS)] = Field(
        default_factory=lambda: LABELS.parse({"kind": "triple_barrier"})
    )
    """What a model must foresee."""
    scaler: Annotated[Config, PartOf(SCALERS)] = Field(
        default_factory=lambda: SCALERS.parse({"kind": "standard"})
    )
    """Fitted on the train rows of each fold only."""
    folds: Annotated[Config, PartOf(SPLITS)] = Field(
        default_factory=lambda: SPLITS.parse({"kind": "walk_forward"})
    )
    """Which rows train, validate, test, and stay sealed."""
    models: tuple[Annotated[Config, PartOf(MODELS)], ...] = Field(
        default_factory=lambda: tuple(MODELS.parse({"kind": k}) for k in ("logistic", "lightgbm")),
        min_length=1,
    )
    """The kinds to compare; each is a candidate with each margin of the strategy."""
    weights: WeightsConfig = WeightsConfig()
    """What makes a train row count for more or less."""
    training: TrainingConfig = TrainingConfig()
    """How networks are trained, and the budget of rows and epochs a fold."""
    refit: RefitConfig | None = Field(default=None, exclude_if=lambda refit: refit is None)
    """Repeats what a search found; null: validation stops each fit."""
    calibrator: Annotated[Config, PartOf(CALIBRATORS)] = Field(
        default_factory=lambda: CALIBRATORS.parse({"kind": "isotonic"})
    )
    """Fitted on validation rows."""
    strategy: Annotated[Config, PartOf(STRATEGIES)] = Field(
        default_factory=lambda: STRATEGIES.parse({"kind": "cost_aware"})
    )
    """From calibrated probabilities to positions, after costs."""
    costs: CostsConfig = CostsConfig()
    """What a fill costs, basis points a side."""
    account: AccountConfig = AccountConfig()
    """The account that trades."""
    capacity: CapacityConfig = Field(default=CapacityConfig(), exclude_if=CapacityConfig().__eq__)
    """How the capacity curve is made."""
    plugins: tuple[str, ...] = ()
    """Python files with parts of your own, relative to the study's folder."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """Every random number of the study follows from it."""

    @field_validator("surrogates")
    @classmethod
    def _check_surrogates(cls, budget: int) -> int:
        if budget and (budget + 1) % MULTIPLE:
            near = max(1, round((budget + 1) / MULTIPLE)) * MULTIPLE - 1
            raise ConfigError(
                f"{budget}: needs one less than a multiple of {MULTIPLE}, as {near}, so that a "
                "p-value can be 0.05; 0 runs none"
            )
        return budget

    @field_validator("side")
    @classmethod
    def _check_side(cls, side: Mapping[str, Config]) -> Mapping[str, Config]:
        for name in side:
            check_name(name)
        return side

    @field_validator("start", "end")
    @classmethod
    def _check_date(cls, date: str | None) -> str | None:
        if date is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", date):
            raise ConfigError(f"{date!r}: needs a date as in 2022-01-31")
        return date

    @model_validator(mode="after")
    def _check_order(self) -> "StudyConfig":
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ConfigError(f"start {self.start} lies after end {self.end}")
        return self

    @property
    def start_ns(self) -> int | None:
        """First time, ns UTC."""
        return None if self.start is None else _date_ns(self.start)

    @property
    def end_ns(self) -> int | None:
        """The first time after the last date, ns UTC."""
        return None if self.end is None else _date_ns(self.end) + 86_400_000_000_000


class Study(NamedTuple):
    """A study as read: its config, where its relative paths start, and what identifies it."""

    config: StudyConfig
    root: Path
    fingerprint: str
    """12 hex digits over the config and the source of its plugins."""
    plugin_hash: str
    """Hash of the source of its plugins; empty without any."""
    bars: Source | None = None
    """Gives the bars in the place of the source that the config names: an audit's."""

    @property
    def source(self) -> str:
        """Identifies the code that computes: touchstone's rooms, the packages, the plugins."""
        return f"{source_hash()} {self.plugin_hash}".strip()

    @property
    def plugins(self) -> tuple[Path, ...]:
        """The user's own files."""
        return tuple(self.root / plugin for plugin in self.config.plugins)

    def with_bars(self, bars: Config) -> "Study":
        """The same study on other bars."""
        return identified(self.config.model_copy(update={"bars": bars}), self.root)


def read_study(source: str, overrides: Mapping[str, Any] | None = None) -> Study:
    """Read a study from a YAML file, or a packaged one by its name.

    Args:
        source: path of a YAML file, or `quickstart`.
        overrides: dotted keys to values, as in {"strategy.max_positions": 5}; applied before
            the config is checked.

    Raises:
        ConfigError: what is wrong, by key, with the way out.
    """
    settings, root = _settings(source)
    for key, value in (overrides or {}).items():
        set_key(settings, key, value)
    return parse_study(settings, root, source)


def parse_study(settings: Mapping[str, Any], root: Path, where: str) -> Study:
    """Settings as read -> a study; plugins are imported first, so that it may name their parts."""
    plugins = settings.get("plugins") or ()
    if not isinstance(plugins, Sequence) or isinstance(plugins, str):
        raise ConfigError(f"{where}: plugins: needs a list of Python files, got {plugins!r}")
    import_plugins(tuple(root / str(plugin) for plugin in plugins))
    try:
        config = StudyConfig.parse({k: _tuples(v) for k, v in settings.items()})
    except ConfigError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise ConfigError(f"{where}:\n{lines}", error.problems) from None
    return identified(config, root)


def bars_overrides(source: str, asked: Mapping[str, Any], bars: Path) -> dict[str, Any]:
    """Overrides that put a folder of bars in the place of a study's own.

    What the study says about its files stays, where it reads files; a simulated market goes, and
    its null twin with it.
    """
    place, kind = str(bars.resolve()), source_of(bars)
    if hasattr(read_study(source, asked).config.bars, "path"):
        return {**asked, "bars.source": kind, "bars.path": place}
    return {"null_twin": False, **asked, "bars": {"source": kind, "path": place}}


def packaged_text(name: str) -> str:
    """The text of a packaged study."""
    return (resources.files("touchstone.pipelines") / "studies" / f"{name}.yaml").read_text()


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """`key=value` as typed on a command line; values are YAML.

    >>> parse_overrides(["strategy.max_positions=5", "models.0={kind: gru, hidden: 32}"])
    {'strategy.max_positions': 5, 'models.0': {'kind': 'gru', 'hidden': 32}}
    """
    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {pair!r}: needs key=value, as in strategy.max_positions=5")
        try:
            overrides[key] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            raise ConfigError(f"--set {pair!r}: {text!r} is no value in YAML") from None
    return overrides


def nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as the tree that they stand for.

    >>> nested({"stamp": "end", "columns.volume": "vol"})
    {'stamp': 'end', 'columns': {'volume': 'vol'}}
    """
    tree: dict[str, Any] = {}
    for key, value in overrides.items():
        set_key(tree, key, value)
    return tree


def _settings(source: str) -> tuple[dict[str, Any], Path]:
    if source == QUICKSTART:
        return parse_yaml(packaged_text(QUICKSTART), QUICKSTART), Path.cwd()
    path = Path(source)
    return read_yaml(path), path.resolve().parent


def set_key(settings: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in the tree of a YAML file, in place.

    Raises:
        ConfigError: a step of it leads into something that has no keys.
    """
    here: Any = settings
    *steps, last = key.split(".")
    for step in steps:
        if isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        elif isinstance(here, dict):
            here = here.setdefault(step, {})
        else:
            raise ConfigError(f"--set {key}: there is no {step!r} to set it in")
    if isinstance(here, list) and last.isdigit() and int(last) < len(here):
        here[int(last)] = value
    elif isinstance(here, dict):
        here[last] = value
    else:
        raise ConfigError(f"--set {key}: there is no {last!r} to set")


def _tuples(value: Any) -> Any:
    """YAML's lists as tuples, so that a config is frozen through and through."""
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    if value.__class__.__name__ == "date":
        return str(value)
    return value


def import_plugins(paths: tuple[Path, ...]) -> None:
    """Import a user's own files, each once, so that their parts are known by kind.

    Worker processes call it before they read a config that holds such a part.
    """
    for path in paths:
        _import_plugin(path)


def plugin_name(path: Path) -> str:
    """What a user's own file is called among the imported modules."""
    return f"touchstone_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"


def _import_plugin(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"plugins: {path}: no such file (paths are relative to the study)")
    name = plugin_name(path)
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"plugins: {path}: needs a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = getattr(traceback.extract_tb(error.__traceback__)[-1], "lineno", "?")
        raise ConfigError(
            f"plugins: {path}, line {getattr(error, 'lineno', line)}: "
            f"{type(error).__name__}: {error}"
        ) from error


def null_bars(bars: Config) -> Config:
    """The bars of the null twin: the same simulated market with its edge taken out.

    Raises:
        ConfigError: bars that are not simulated have no twin.
    """
    market = getattr(bars, "market", None)
    if market is None:
        raise ConfigError(
            "null_twin: only a simulated market has a twin without an edge, and bars.source is "
            f"{bars.source!r}: set null_twin: false"  # type: ignore[attr-defined]
        )
    return bars.model_copy(update={"market": market.model_copy(update={"ic": 0.0})})


def identified(config: StudyConfig, root: Path) -> Study:
    """A study of this config, with the fingerprint that names it."""
    # What a study is called and where its data lie is no part of the question: the data have a
    # hash. So a study that was renamed, or whose folder was moved, takes the same look.
    # What a table of actions and a universe say shows in the bars and in their hash.
    bars = config.bars
    names = ("path", "actions", "finer")
    places = {k: "" if k == "path" else None for k in names if hasattr(bars, k)}
    bars = bars.model_copy(update=places)
    changed = {"bars": bars, "side": without_places(config.side), "name": "", "universe": None}
    asked = config.model_copy(update=changed)
    digest = hashlib.sha256(asked.canonical().encode())
    own = hashlib.sha256(b"\0".join((root / plugin).read_bytes() for plugin in config.plugins))
    plugin_hash = own.hexdigest()[:16] if config.plugins else ""
    digest.update(plugin_hash.encode())
    return Study(config, root.absolute(), digest.hexdigest()[:12], plugin_hash)


def _date_ns(date: str) -> int:
    try:
        return int(np.datetime64(date, "ns").astype(np.int64))
    except ValueError:
        raise ConfigError(f"{date!r}: no such date") from None
