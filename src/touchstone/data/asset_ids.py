"""Asset ids that stay: a file beside the universe, sorted when made, only ever added to."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from touchstone.errors import DataError, SourceError
from touchstone.files import SYMBOL, lock, write_text

_VERSION: Final = 1


def ids_file(universe: Path) -> Path:
    """Where the ids of a universe lie: universe.yaml -> universe.ids.json.

    >>> ids_file(Path("data/universe.yaml")).as_posix()
    'data/universe.ids.json'
    """
    return universe.with_suffix(".ids.json")


def read_ids(path: Path) -> tuple[str, ...]:
    """Symbols in the order of their ids 0 .. N-1; empty where there is no file.

    Raises:
        SourceError: a file that is none of ids.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, symbols = content["version"], content["symbols"]
    except FileNotFoundError:
        return ()
    except (ValueError, TypeError, KeyError) as error:
        raise SourceError(_broken(path, f"cannot be read ({error!r})")) from None
    if version != _VERSION:
        raise SourceError(_broken(path, f"version {version!r}, this program reads {_VERSION}"))
    if not isinstance(symbols, list) or not all(
        isinstance(s, str) and SYMBOL.fullmatch(s) for s in symbols
    ):
        raise SourceError(_broken(path, "needs a list of symbols"))
    if len(set(symbols)) < len(symbols):
        twice = next(s for s in symbols if symbols.count(s) > 1)
        raise SourceError(_broken(path, f"{twice} has two ids"))
    return tuple(symbols)


def assign(path: Path, symbols: Sequence[str], renamed: Mapping[str, str]) -> tuple[str, ...]:
    """Give every symbol an id that it keeps, and write down what is new.

    Ids at hand never change; new symbols come after them, sorted. A renamed instrument keeps its
    id under its new name. Processes wait for each other; a crash leaves the old file or the new.

    Args:
        path: the file; made if absent.
        symbols: those that need an id.
        renamed: former name -> today's.

    Returns:
        All symbols of the file in the order of their ids.

    Raises:
        SourceError: a file that is none of ids.
        DataError: a symbol that is none, or the folder cannot be written to.
    """
    bad = next((s for s in symbols if not SYMBOL.fullmatch(s)), None)
    if bad is not None:
        raise DataError(f"{bad!r} is not a symbol: needs {SYMBOL.pattern}")
    known = read_ids(path)
    if not _wanted(known, symbols, renamed):
        return known
    try:
        with lock(path.with_name(f".{path.name}.lock")):
            known = read_ids(path)  # another process may have been quicker
            wanted = _wanted(known, symbols, renamed)
            if wanted:
                text = json.dumps({"version": _VERSION, "symbols": wanted}, indent=0)
                write_text(path, text + "\n")
    except OSError as error:
        raise DataError(
            f"{path}: the universe's asset ids cannot be kept ({error.strerror}): make the folder "
            "writable once, or copy the universe to one that is"
        ) from None
    return tuple(wanted or known)


def _wanted(
    known: Sequence[str], symbols: Sequence[str], renamed: Mapping[str, str]
) -> list[str] | None:
    """The list as it should be; None where it is so."""
    have = set(known)
    now = [renamed[s] if s in renamed and renamed[s] not in have else s for s in known]
    now += sorted(set(symbols).difference(now))
    return None if now == list(known) else now


def _broken(path: Path, what: str) -> str:
    return (
        f"{path}: is no file of asset ids: {what}. Restore it: models were trained with these "
        "ids; without it they would be numbered anew"
    )
