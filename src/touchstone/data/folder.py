"""A folder with one file of bars per symbol: what it holds, and what of it can be used."""

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from touchstone.data import quality
from touchstone.data.actions import apply, read_actions
from touchstone.data.bar_file import Job, Part, read
from touchstone.data.formats import Files, FolderConfig
from touchstone.data.loading import Loaded, Reject, Request
from touchstone.errors import ConfigError, DataError, SourceError
from touchstone.market import Bars, Calendar, Panel, Timeframe
from touchstone.market.actions import SPLIT, Actions, View, on_rows
from touchstone.market.happened import NEVER

_N_SHOWN = 5
_KINDS = {".csv": "csv", ".gz": "csv", ".parquet": "parquet", ".pq": "parquet"}


def load_files(
    config: FolderConfig,
    request: Request,
    files: Files,
    listed: Sequence[tuple[str, Path]] | None = None,
) -> Loaded:
    """Every file that holds requested bars -> a panel, rejects and findings.

    Args:
        config: what the study says about the files.
        request: which bars it wants.
        files: the format.
        listed: (stem, file) of each file, where something else than the folder's listing says
            what is there.

    Raises:
        SourceError: no such path, no file of this format in it, or none that can be used: names
            the first reasons.
    """
    job = Job(config, Timeframe(config.timeframe), Calendar(config.calendar), files, request)
    path = request.root / config.path
    if listed is None:
        listed = listed_files(path, files)
    parts: dict[str, Part] = {}
    rejects: list[Reject] = []
    for stem, file in listed:
        try:
            for symbol, part in read(stem, file, job):
                if isinstance(part, str):
                    rejects.append(Reject(symbol, str(file), part))
                elif symbol in parts:
                    twice = f"{symbol} was read from another file already: keep one of the two"
                    rejects.append(Reject(symbol, str(file), twice))
                else:
                    parts[symbol] = part
        except (DataError, ConfigError, OSError) as error:
            rejects.append(Reject(stem, str(file), str(error)))
    table, said = _adjust(parts, rejects, job)
    rejects += _absent(request, parts, rejects, path, [stem for stem, _ in listed])
    if not parts:
        raise SourceError(_nothing(path, rejects))
    loaded = _loaded([parts[s] for s in sorted(parts)], tuple(rejects), job)
    panel = with_finer(_with_actions(loaded.panel, table, config.adjust), config, request, files)
    return loaded._replace(panel=panel, findings=(*loaded.findings, *said))


def source_of(path: Path) -> str:
    """Which source reads a folder: `csv` where most of its files are CSV, else `parquet`."""
    names = [path.name] if path.is_file() else [p.name for p in path.glob("*")]
    n_csv = sum(name.endswith((".csv", ".csv.gz")) for name in names)
    n_parquet = sum(name.endswith((".parquet", ".pq")) for name in names)
    return "csv" if n_csv > n_parquet else "parquet"


def with_finer(panel: Panel, config: FolderConfig, request: Request, files: Files) -> Panel:
    """The panel with the bars inside its bars, where the study names a folder of them.

    Raises:
        ConfigError: they are not shorter.
    """
    if config.finer is None:
        return panel
    if Timeframe(config.finer_timeframe).ns >= panel.timeframe.ns:
        raise ConfigError(
            f"bars.finer_timeframe: {config.finer_timeframe} is not shorter than the bars' "
            f"{panel.timeframe.name}"
        )
    changed = {
        "path": config.finer, "timeframe": config.finer_timeframe, "finer": None, "side": (),
        "minimum_bars": 1,
    }  # fmt: skip
    asked = request._replace(symbols=panel.symbols)
    try:
        inside = load_files(config.model_copy(update=changed), asked, files)
    except SourceError as error:
        raise SourceError(
            f"bars.finer, of which bars.finer_timeframe says {config.finer_timeframe}: {error}"
        ) from None
    return replace(panel, finer=inside.panel)


def _with_actions(panel: Panel, table: dict[str, Actions], view: View) -> Panel:
    """The panel with what an account meets in it of the actions known by its last bar."""
    last = int(panel.available_at.max(initial=0))
    happened = on_rows(panel, {s: own.until(last) for s, own in table.items()}, view)
    splits, pays = (happened.ratio != 1).any(), (happened.dividend != 0).any()
    if splits or pays or happened.halted.any() or (happened.gone != NEVER).any():
        return replace(panel, happened=happened)
    return panel


def _adjust(
    parts: dict[str, Part], rejects: list[Reject], job: Job
) -> tuple[dict[str, Actions], tuple[str, ...]]:
    """Put raw parts into the view that is asked for: the table, and what was done in words."""
    config = job.config
    if config.actions is None and config.adjust == "none":
        return {}, ()
    if config.actions is None:
        raise ConfigError(
            f"adjust: {config.adjust} needs a table of actions: write actions: FILE, or "
            "adjust: none"
        )
    table = read_actions(job.request.root / config.actions)
    last = {s: _known(parts[s].bars, job) for s in parts if s in table}
    unused = _unused([table[s].until(last[s]) for s in last], config.adjust)
    if config.adjust == "none":
        return table, unused
    n_applied = n_later = 0
    for symbol, until in last.items():
        bars = parts[symbol].bars
        try:
            done = apply(bars, table[symbol], job.calendar, until, config.adjust)
        except DataError as error:
            rejects.append(Reject(symbol, str(job.request.root / config.actions), str(error)))
            del parts[symbol]
            continue
        parts[symbol] = parts[symbol]._replace(bars=done.bars)
        n_applied, n_later = n_applied + done.n_applied, n_later + done.n_later
    view = "in shares of the last bar" if config.adjust == "splits" else "total-return"
    later = f"; {n_later} hold or were known only after the last bar" if n_later else ""
    said = (
        f"Prices are {view}, from raw bars and {n_applied:,} corporate actions of "
        f"{sum(s in table for s in parts):,} instruments{later}."
    )
    return table, (said, *unused)


def _known(bars: Bars, job: Job) -> int:
    """When the last bar is known, ns UTC."""
    return int(job.calendar.available_at(bars.time[-1:], job.timeframe.ns)[0])


def _unused(tables: list[Actions], view: View) -> tuple[str, ...]:
    """What a reader might think was done with the actions, and was not."""
    n_splits = sum(int((own.kind == SPLIT).sum()) for own in tables)
    if view != "none" or not n_splits:
        return ()
    return (
        f"Prices are as they were traded (adjust: none): {n_splits} splits in the table of "
        "actions stand in them as gains or losses for features and labels (an account's positions "
        "are split). Write adjust: splits, or total.",
    )


def _loaded(parts: list[Part], rejects: tuple[Reject, ...], job: Job) -> Loaded:
    panel = Panel.from_bars([p.bars for p in parts], job.timeframe, job.calendar)
    panel = panel.map_side(
        {name: np.concatenate([p.side[name] for p in parts]) for name in job.config.side}
    )
    dropped = {p.bars.symbol: p.n_dropped for p in parts if p.n_dropped}
    bad = {p.bars.symbol: p.n_bad for p in parts if p.n_bad}
    notes = sorted({note for p in parts for note in p.notes})
    ends = np.array([p.last for p in parts], np.int64)
    found = (*quality.findings(panel, dropped, bad), *quality.notes(notes))
    return Loaded(
        panel,
        rejects,
        quality.sentences(found),
        "market",
        quality.survivorship(panel.symbols, ends, job.calendar),
        found,
    )


def listed_files(path: Path, files: Files) -> list[tuple[str, Path]]:
    """(stem, file) of every file of the format, by name; folders below are not entered."""
    try:
        if path.is_file():
            return [(_stem(path, files) or path.stem, path)]
        names = sorted(p for p in path.iterdir() if not p.name.startswith("."))
    except FileNotFoundError:
        near = _near(path)
        hint = f"did you mean {near}? " if near else ""
        raise SourceError(
            f"{path}: no such folder or file: {hint}Put one {files.suffixes[0]} file per symbol "
            f"there, or write bars: {{source: {files.kind}, path: ...}}"
        ) from None
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}: check bars.path") from None
    found = [(stem, p) for p in names if (stem := _stem(p, files)) is not None]
    if not found:
        raise SourceError(_no_files(path, names, files))
    return found


def _stem(path: Path, files: Files) -> str | None:
    for suffix in sorted(files.suffixes, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return None


def _near(path: Path) -> Path | None:
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return path.parent / near[0] if near else None


def _no_files(path: Path, names: list[Path], files: Files) -> str:
    if not names:
        return f"{path}: the folder is empty: put one {files.suffixes[0]} file per symbol there"
    others = sorted({p.suffix for p in names if p.is_file() and p.suffix})
    below = [p.name for p in names if p.is_dir()]
    kind = next((_KINDS[s] for s in others if s in _KINDS), None)
    has = [f"{', '.join(others)} files"] if others else []
    has += [f"folders ({', '.join(below[:_N_SHOWN])})"] if below else []
    text = f"{path}: no {' or '.join(files.suffixes)} file in it"
    text += f"; it holds {' and '.join(has)}" if has else ""
    if kind is not None:
        return f"{text}: write source: {kind}"
    return f"{text}: write path: .../{below[0]}" if below else f"{text}: check bars.path"


def _absent(
    request: Request, parts: dict[str, Part], rejects: list[Reject], path: Path, stems: list[str]
) -> list[Reject]:
    """Requested symbols of which nothing was found and nothing said."""
    told = {r.symbol for r in rejects} | parts.keys()
    known = [stem.replace("-", "/") for stem in stems]
    wanted = (symbol for symbol in request.symbols or () if symbol not in told)
    return [Reject(symbol, str(path), nearest(symbol, known)) for symbol in wanted]


def nearest(symbol: str, known: Sequence[str]) -> str:
    """That there is no file for a symbol, and which of those known may be meant."""
    near = difflib.get_close_matches(symbol, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {len(known)} others"
    return f"no file for {symbol!r}: {hint}"


def _nothing(path: Path, rejects: list[Reject]) -> str:
    lines = [f"  {Path(r.file).name}: {r.reason}" for r in rejects[:_N_SHOWN]]
    if len(rejects) > _N_SHOWN:
        lines.append(f"  ... and {len(rejects) - _N_SHOWN} more")
    return "\n".join([f"{path}: no bars can be used; the first reasons:", *lines])
