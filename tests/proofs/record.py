"""Where a proof writes what it saw: figures, commit, machine; nothing in it is typed by hand."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]


def write(name: str, title: str, lines: list[str]) -> None:
    """Write docs/proofs/<name>.md, and print it."""
    text = "\n".join(
        [f"# {title}", "", f"Written by `make prove-{name}`: {stamp()}.", "", *lines, ""]
    )
    path = ROOT / "docs" / "proofs" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(text)


def stamp() -> str:
    """Commit, machine and day."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run(
        [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
    )
    changed = subprocess.run(
        [*git, "status", "--porcelain", "src"], capture_output=True, text=True, check=True
    )
    name = commit.stdout.strip() + (" with uncommitted changes" if changed.stdout.strip() else "")
    machine = f"{os.cpu_count()} cores, {cpu_name()}, Python {platform.python_version()}"
    return f"commit {name}, {datetime.now(UTC):%Y-%m-%d}, {machine}"


def cpu_name() -> str:
    """The processor as the system names it."""
    info = Path("/proc/cpuinfo")
    names = (
        [x for x in info.read_text().splitlines() if x.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0].split(":")[1].strip() if names else platform.processor()
