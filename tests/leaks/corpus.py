"""Every planted fault and every clean control, discovered: one file each, in folders by kind.

A file says in its docstring what the mistake is and who makes it, and holds

- `LAYER`: the layer of the audit that must catch it, one of `LAYERS`; None in a control;
- `STUDY`: settings laid over `base.BASE`, key by key; a part (whatever names its own `kind` or
  `source`) replaces the part that stood there;
- parts of its own, registered under the file's name: the file is then a plugin of its study;
- `plant(patch)`, where a careless edit of the pipeline is what is planted: it replaces one function
  by a faulty one, `patch` being pytest's MonkeyPatch;
- `files(folder, panel)`, where its study reads files: it writes them beside the study. `panel` is
  the simulated market of the study, or of `BASE` where its bars are files. Files of side data carry
  `event_time`, `knowledge_time`, `symbol` and columns of numbers, or, for news, `created_at`,
  `symbol` and `headline`, as touchstone's own inputs `table` and `news` read them, and the study
  names them in `side.NAME.path`: whoever audits it finds every file there, and in it what was known
  when.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import yaml

from leaks.base import BASE
from touchstone.market import Panel
from touchstone.pipelines.study import Study, import_plugins, read_study
from touchstone.simulation import MarketConfig, simulate

HERE = Path(__file__).parent
FOLDERS = ("features", "pipeline", "engine", "data", "controls")
LAYERS = ("A", "B", "C", "C2", "D", "E", "F")


class Planted(NamedTuple):
    """One file of the corpus."""

    name: str
    """The file's name, unique in the corpus."""
    layer: str | None
    """The layer that must catch it; None: nothing may be found."""
    folder: str
    """One of `FOLDERS`."""
    path: Path
    settings: Mapping[str, Any]
    """The whole study, its own file among the plugins where it registers parts."""
    plant: Callable[[Any], None] | None
    """Makes the pipeline faulty; None: the fault lies in the study."""
    files: Callable[[Path, Panel], None] | None
    """Writes what the study reads; None: it reads nothing."""
    about: str
    """What the mistake is, and who makes it."""

    def study(self, place: Path, seed: int = 7, **changes: Any) -> Study:
        """Write the study, and what it reads, into a folder; read it as a user's is read.

        Args:
            place: an existing folder.
            seed: of the study, and so of its market.
            changes: keys laid over the settings, as `STUDY` is over `BASE`.
        """
        settings = laid_over(self.settings, {"seed": seed, **changes})
        if self.files is not None:
            market = {**BASE["bars"], **self.settings["bars"]}["market"]
            self.files(place, simulate(MarketConfig(**market), seed)[0])
        study = place / f"{self.name}.yaml"
        study.write_text(yaml.safe_dump(settings, sort_keys=False))
        return read_study(str(study))


def paths(*folders: str) -> list[Path]:
    """The files of some folders, or of all, in order; none of them is imported."""
    return [p for f in folders or FOLDERS for p in sorted((HERE / f).glob("[!_]*.py"))]


def corpus(*folders: str) -> tuple[Planted, ...]:
    """All that is planted, in the order of `paths`."""
    return tuple(planted(path) for path in paths(*folders))


def planted(path: Path) -> Planted:
    """One file of the corpus, imported as a study's plugin is.

    Raises:
        ValueError: it lacks a docstring, LAYER or STUDY.
    """
    file = _module(path)
    lacks = [n for n in ("LAYER", "STUDY") if not hasattr(file, n)]
    if lacks or not (file.__doc__ or "").strip():
        raise ValueError(f"{path.name}: lacks {', '.join(lacks) or 'a docstring'}")
    own = {"plugins": [str(path)]} if ".register(" in path.read_text() else {}
    return Planted(
        path.stem,
        file.LAYER,
        path.parent.name,
        path,
        laid_over(BASE, {"name": path.stem, **file.STUDY, **own}),
        getattr(file, "plant", None),
        getattr(file, "files", None),
        file.__doc__.strip(),
    )


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with some replaced, key by key; a part replaces the whole part that stood there."""
    out = dict(below)
    for key, value in above.items():
        here = out.get(key)
        is_part = isinstance(value, Mapping) and {"kind", "source"} & value.keys()
        merges = isinstance(value, Mapping) and isinstance(here, Mapping) and not is_part
        out[key] = laid_over(here, value) if merges else value
    return out


def _module(path: Path) -> ModuleType:
    """The one module of a plugin: imported twice it would register its parts twice."""
    import_plugins((path,))
    return next(
        module
        for name, module in list(sys.modules.items())
        if name.startswith("touchstone_plugin_") and module.__file__ == str(path)
    )
