"""The README's long commands, in a fresh clone without an environment, as a new user runs them."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from record import ROOT, write

COMMANDS = ("make run", "make run", "make test")
"""`make run` twice: it must be quick and say the same the second time."""


def ran(command: str, folder: Path) -> tuple[int, float, list[str]]:
    """Exit code, seconds and the last lines of a command."""
    began = time.perf_counter()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "PYTHONPATH"))}
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False, env=kept
    )
    said = (done.stdout if command == "make run" else done.stdout + done.stderr).splitlines()
    return done.returncode, time.perf_counter() - began, said


def main() -> None:
    """Clone, run, record."""
    lines, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "touchstone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for command in COMMANDS:
            code, seconds, said = ran(command, clone)
            print(command, code, f"{seconds:.0f} s", flush=True)
            failed |= code != 0
            words = [x for x in said if x.startswith(("Planted edge:", "Null twin:"))]
            last = words or [x for x in said if " passed" in x][-1:] or said[-3:]
            lines += [f"## `{command}`", "", f"Exit code {code}, {seconds:.0f} seconds.", ""]
            lines += ["```", *last, "```", ""]
        size = subprocess.run(["du", "-sm", str(clone)], capture_output=True, text=True, check=True)
        lines += [f"Disk, environment included: {int(size.stdout.split()[0]):,} MB."]
    write("readme", "The README's long commands in a fresh clone", lines)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
