"""Where a user's runs, caches and the ledger live, and what names a run."""

import hashlib
import importlib.metadata
import os
import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

import touchstone

Kind: TypeAlias = Literal["run", "campaign", "tune", "ensemble"]
"""Of work that ends in a folder with a result, and is tracked."""
_SHAPES = ("contents.py", "folds.py", "measured.py", "result.py")
"""Files of `reports` that say what a result holds; the others only draw it."""
PACKAGES = (
    "numpy", "numba", "llvmlite", "scipy", "torch", "lightgbm", "scikit-learn", "arch", "hmmlearn",
    "exchange-calendars", "captum",
)  # fmt: skip
"""Packages that numbers come of: of another version a cached stage is no longer that stage."""


@dataclass(frozen=True)
class Workspace:
    """A folder of the user's: `./runs/` for people, `./.touchstone/` for the machine."""

    root: Path
    ledger_path: Path | None = None
    """Another place for the ledger than `.touchstone/ledger.sqlite`."""

    @property
    def runs(self) -> Path:
        """One folder per study."""
        return self.folder("run")

    def folder(self, kind: Kind) -> Path:
        """One folder per run, campaign, search (`tune`), ensemble."""
        return self.root / f"{kind}s"

    @property
    def trials(self) -> Path:
        """A journal a search; without it a search begins anew, its fits come from the cache."""
        return self.root / ".touchstone" / "trials"

    @property
    def cache(self) -> Path:
        """Finished stages by content hash; safe to delete."""
        return self.root / ".touchstone" / "cache"

    @property
    def checkpoints(self) -> Path:
        """Of fits under way, a folder a fit; without it a fit that was stopped is begun again."""
        return self.root / ".touchstone" / "checkpoints"

    @property
    def registry(self) -> Path:
        """Champions and their history, a folder a name."""
        return self.root / "registry"

    @property
    def locks(self) -> Path:
        """One file per run, so that two processes do not make the same one."""
        return self.root / ".touchstone" / "locks"

    @property
    def alarms(self) -> Path:
        """What was raised and still stands; without it everything is raised once more."""
        return self.root / ".touchstone" / "alarms.json"

    @property
    def calibration(self) -> Path:
        """Journal of null markets that were judged; without it they are judged anew."""
        return self.root / ".touchstone" / "calibration.jsonl"

    @property
    def power(self) -> Path:
        """Journal of markets with a known edge that were judged."""
        return self.root / ".touchstone" / "power.jsonl"

    @property
    def tracking(self) -> Path:
        """MLflow's database of what was run, its files in `.touchstone/mlflow/`."""
        return self.root / ".touchstone" / "mlflow.sqlite"

    @property
    def ledger(self) -> Path:
        """The trial ledger; not safe to delete."""
        return self.ledger_path or self.root / ".touchstone" / "ledger.sqlite"


@lru_cache
def source_hash() -> str:
    """16 hex digits: the source of every room that computes, and the packages it computes with."""
    package = Path(touchstone.__file__).parent
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    digest = hashlib.sha256("\n".join(versions).encode())
    for path in sorted(package.rglob("*.py")):
        where = path.relative_to(package)
        draws = where.parts[0] == "reports" and where.name not in _SHAPES
        if where.parts[0] != "cli" and not draws:
            digest.update(str(where).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def hardware() -> dict[str, str]:
    """`system`, `cores`, `memory_gb` and `gpu` of this machine, as far as the system tells."""
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for card in cards for line in card.read_text().splitlines()]
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "memory_gb": f"{memory / 2**30:.1f}",
        "gpu": ", ".join(models) or "none",
    }


def git_commit(folder: Path) -> str:
    """The commit that a folder's checkout stands at, read from its files; `none` outside one."""
    for place in (folder, *folder.parents):
        head = place / ".git" / "HEAD"
        if head.is_file():
            text = head.read_text().strip()
            if not text.startswith("ref: "):
                return text[:12]
            ref = place / ".git" / text.removeprefix("ref: ")
            return ref.read_text().strip()[:12] if ref.is_file() else "none"
    return "none"
