"""A guide of docs/ as its tests read it: its fences, its commands run, the keys of its tables."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from small import touchstone

ROOT = Path(__file__).parents[1]


class Guide(NamedTuple):
    """The text of one."""

    text: str

    def fences(self, label):
        """What stands in its fences of a label."""
        return re.findall(rf"```{label}\n(.*?)```", self.text, re.DOTALL)

    def run(self, file, n_commands):
        """Write its first YAML to a file here, and run its commands, stars being what is there."""
        Path(file).write_text(self.fences("yaml")[0])
        lines = [line for fence in self.fences("console") for line in fence.splitlines()]
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        assert len(commands) == n_commands
        said = ""
        for command in commands:
            words = shlex.split(command)[1:]
            words = [str(next(Path().glob(word))) if "*" in word else word for word in words]
            code, out, err = touchstone(*words)
            assert code == 0, f"{command}\n{out}{err}"
            said += out
        return said

    def keys(self, head="key"):
        """Keys of the table under a head, in order."""
        table = self.text.split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
        return re.findall(r"`(\w+)`", "\n".join(r.split("|")[1] for r in table.splitlines()[2:]))


def guide(name):
    """One of docs/."""
    return Guide((ROOT / "docs" / name).read_text())
