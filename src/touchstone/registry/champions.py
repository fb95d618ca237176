"""Who may trade: a name, its versions on the shelf, and which of them is champion, and since when.

    registry/NAME/versions/1/           an artifact, copied whole; never changed, never overwritten
    registry/NAME/history/000001.json   what happened, an event a file; the newest holds the aliases

An event becomes visible by one rename, and it is the pointer itself: a reader, or a crash, sees
the champion before or the champion after. Each event holds the hash of the one before it.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.errors import ArtifactError, ConfigError, DataError, RefusedError
from touchstone.files import lock, write_bytes
from touchstone.registry import artifact as shelf
from touchstone.registry import folder as folders
from touchstone.registry.artifact import Artifact
from touchstone.registry.manifest import MAX_BYTES
from touchstone.registry.manifest import NAME as MANIFEST

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_GENESIS: Final = "0" * 64
_MAX_EVENT: Final = 1_000_000

Act = Literal["registered", "promoted", "rolled back"]
Alias = Literal["champion", "challenger", "previous"]


class Origin(NamedTuple):
    """Where a version comes from, as its event tells it."""

    run: str
    """The run's folder, by its name."""
    study: str
    """Fingerprint of the study."""
    data: str
    """Hash of the data."""
    candidate: str
    """Fingerprint in the trial ledger."""
    verdict: str


class Stamp(NamedTuple):
    """Who does something, and when."""

    who: str
    at: str


class Event(Config):
    """One thing that happened under a name."""

    format: Literal[1] = 1
    number: PositiveInt
    """1, 2, 3, ..."""
    act: Act
    at: str
    """When, as the injected clock said."""
    who: str
    version: PositiveInt
    """Which version it happened to."""
    artifact: str
    """Identity of the version's artifact."""
    run: str
    study: str
    data: str
    candidate: str
    verdict: str
    override: str | None = None
    """Why a person let it trade against its verdict."""
    aliases: dict[str, int]
    """champion, challenger, previous -> version, after it happened."""
    before: str
    """SHA-256 of the file of the event before; 64 zeros for the first."""


class Champions:
    """The versions and the history under one name.

    Args:
        root: the workspace's registry.
        name: as in `registry/NAME`.

    Raises:
        ConfigError: a name that no folder may have.
    """

    def __init__(self, root: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r}: needs lower-case letters, digits, - or _, 40 at most")
        self.name = name
        self.folder = root / name

    def history(self) -> tuple[Event, ...]:
        """Everything that happened, oldest first.

        Raises:
            RefusedError: an event is missing, or is not as it was written.
        """
        return tuple(_event(content, path) for path, content in self._files())

    def aliases(self) -> dict[str, int]:
        """champion, challenger, previous -> version; empty where nothing happened yet."""
        history = self.history()
        return dict(history[-1].aliases) if history else {}

    def version(self, alias: Alias) -> Event:
        """The event that brought the version of an alias onto the shelf.

        Raises:
            DataError: nobody bears that alias.
        """
        number = self.aliases().get(alias)
        if number is None:
            raise DataError(f"{self.folder}: no {alias}; touchstone registry list shows who is")
        return self._born(number)

    def load(self, alias: Alias) -> Artifact:
        """The artifact of an alias, every file checked against the history.

        Raises:
            DataError: nobody bears that alias.
            ArtifactError: it is not what the history says.
        """
        event = self.version(alias)
        return shelf.load(self.place(event.version), event.artifact)

    def place(self, version: int) -> Path:
        """The folder of a version's artifact."""
        return self.folder / "versions" / str(version)

    def register(self, source: Path, origin: Origin, stamp: Stamp) -> Event:
        """Copy an artifact onto the shelf and make it challenger; once for each artifact.

        Raises:
            ArtifactError: it is not what its manifest says, or its golden rows are not reproduced.
        """
        found = shelf.load(source)
        identity = found.manifest.identity
        with self._locked():
            history = self.history()
            known = next((e for e in history if e.artifact == identity), None)
            if known is not None:
                return known
            version = 1 + max((e.version for e in history), default=0)
            self._copy(found, version)
            aliases = self.aliases() | {"challenger": version}
            return self._append(
                act="registered", version=version, artifact=identity, aliases=aliases,
                **stamp._asdict(), **origin._asdict(),
            )  # fmt: skip

    def promote(
        self, version: int, stamp: Stamp, write_down: Callable[[], object],
        override: str | None = None,
    ) -> Event:  # fmt: skip
        """Make a registered version champion; the champion before it is kept as `previous`.

        Whoever calls has asked the gate: nothing is examined here but the artifact itself.

        Args:
            version: of this name.
            stamp: who does it, and when.
            write_down: puts it into the trial ledger; called when nothing can refuse any more,
                before it becomes visible, so that no champion lacks its row there.
            override: why it may trade against its verdict.

        Raises:
            DataError: no such version.
            RefusedError: it is champion already.
            ArtifactError: its golden rows are not reproduced.
        """
        with self._locked():
            born, aliases = self._born(version), self.aliases()
            if aliases.get("champion") == version:
                raise RefusedError(f"{self.folder}: version {version} is champion already")
            self._prove(born)
            after = {"champion": version} | _only(aliases, "challenger", other_than=version)
            if "champion" in aliases:
                after["previous"] = aliases["champion"]
            write_down()
            return self._append(
                **_of(born), **stamp._asdict(), act="promoted", override=override, aliases=after
            )

    def roll_back(self, stamp: Stamp, write_down: Callable[[Event], object]) -> Event:
        """Make the previous champion champion again; the two change places.

        `write_down` as in `promote`; it is told of the version that comes back.

        Raises:
            DataError: there is no previous one.
            ArtifactError: its golden rows are not reproduced.
        """
        with self._locked():
            aliases = self.aliases()
            if "previous" not in aliases:
                raise DataError(
                    f"{self.folder}: there is no champion before this one to go back to"
                )
            back = aliases["previous"]
            acts = [e for e in self.history() if e.act == "promoted" and e.version == back]
            born = self._born(back).model_copy(update={"override": acts[-1].override})
            self._prove(born)
            after = aliases | {
                "champion": aliases["previous"],
                "previous": aliases["champion"],
            }
            write_down(born)
            return self._append(
                **_of(born),
                **stamp._asdict(),
                act="rolled back",
                override=born.override,
                aliases=after,
            )

    def _born(self, version: int) -> Event:
        found = [e for e in self.history() if e.version == version and e.act == "registered"]
        if not found:
            raise DataError(f"{self.folder}: no version {version}; touchstone registry show lists")
        return found[0]

    def _prove(self, event: Event) -> None:
        shelf.reproduce(shelf.load(self.place(event.version), event.artifact))

    def _copy(self, found: Artifact, version: int) -> None:
        listed = folders.read_listed(found.folder, found.manifest.files, apart=MANIFEST)
        files = listed | {MANIFEST: folders.read(found.folder, MANIFEST, MAX_BYTES)}
        target, identity = self.place(version), found.manifest.identity
        if target.exists():  # left by whoever was stopped before the event was written
            if shelf.load(target).manifest.identity == identity:
                return
            raise ArtifactError(f"{target}: holds another artifact that no event tells of: move it")

        def check(made: Path) -> None:
            shelf.reproduce(shelf.load(made, identity))

        folders.write(target, files, check)

    def _append(self, **facts: Any) -> Event:
        """Write the next event; the caller holds the lock."""
        files = self._files()
        before = hashlib.sha256(files[-1][1]).hexdigest() if files else _GENESIS
        event = Event(number=len(files) + 1, before=before, **facts)
        path = self.folder / "history" / f"{event.number:06}.json"
        write_bytes(path, _bytes(event))
        return event

    def _files(self) -> list[tuple[Path, bytes]]:
        """The events' files in order, the chain of hashes checked."""
        found, before = [], _GENESIS
        for i, path in enumerate(sorted((self.folder / "history").glob("[0-9]*.json")), 1):
            if path.name != f"{i:06}.json":
                raise RefusedError(f"{path}: event {i} is gone: restore the registry from a copy")
            content = path.read_bytes() if path.stat().st_size <= _MAX_EVENT else b""
            event = _event(content, path)
            if event.before != before or event.number != i or _bytes(event) != content:
                raise RefusedError(
                    f"{path}: this event, or the one before it, is not as it was written: "
                    "restore the registry from a copy"
                )
            found.append((path, content))
            before = hashlib.sha256(content).hexdigest()
        return found

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with lock(self.folder / ".lock"):
            yield


def names(root: Path) -> tuple[str, ...]:
    """Every name under which something happened, sorted."""
    found = (path.parent.name for path in root.glob("*/history"))
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))


def _event(content: bytes, path: Path) -> Event:
    try:
        return Event.parse(json.loads(content))
    except (ValueError, RecursionError) as error:  # a ConfigError is a ValueError
        raise RefusedError(f"{path}: is no event of a registry: {error}") from None


def _bytes(event: Event) -> bytes:
    return (json.dumps(event.model_dump(mode="json"), indent=1) + "\n").encode()


def _of(event: Event) -> dict[str, Any]:
    """What a later event about the same version repeats."""
    kept = ("version", "artifact", *Origin._fields)
    return {name: getattr(event, name) for name in kept}


def _only(aliases: Mapping[str, int], alias: str, other_than: int) -> dict[str, int]:
    """An alias, unless it names that version."""
    return {k: v for k, v in aliases.items() if k == alias and v != other_than}
