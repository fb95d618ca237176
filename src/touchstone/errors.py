"""Every error this package raises on purpose, in one tree; each knows the exit code of the command.

TouchstoneError                1
├── ConfigError                2   a config names or holds something that cannot be
│   ├── UnknownPartError           no part of that kind in the family
│   └── ExpressionError            a feature's text that cannot be read
├── DataError                  3   the data cannot be what it claims to be
│   ├── BarsError                  bars that no market could print
│   ├── SourceError                a file or folder that cannot be read as bars
│   └── TooFewBarsError            not enough history for what was asked
├── TrainingError              3   a fit that cannot begin or go on
└── RefusedError               4   asked for something that would not be honest, or not safe
    └── ArtifactError              an artifact whose files are not what its manifest says
"""

import re
from typing import ClassVar


class TouchstoneError(Exception):
    """Root of the tree: caught at the door of the command line, and nowhere else."""

    exit_code: ClassVar[int] = 1


class ConfigError(TouchstoneError, ValueError):
    """A config names or holds something that cannot be; a ValueError, so pydantic adds the path.

    Args:
        message: the whole message for a person.
        problems: (path, message) pairs where the error is about keys of a file; a caller that
            nests the config prefixes its own path.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class UnknownPartError(ConfigError):
    """No part of that kind in the family."""


class ExpressionError(ConfigError):
    """A feature's text that cannot be read: names the feature, the column and the way out."""


class DataError(TouchstoneError):
    """The data cannot be what it claims to be."""

    exit_code: ClassVar[int] = 3


class BarsError(DataError):
    """Bars that no market could print."""


class SourceError(DataError):
    """A file or folder that cannot be read as bars."""


class TooFewBarsError(DataError):
    """Not enough history for what was asked."""


class TrainingError(TouchstoneError):
    """A fit that cannot begin or go on."""

    exit_code: ClassVar[int] = 3


class RefusedError(TouchstoneError):
    """Asked for something that would not be honest, or not safe."""

    exit_code: ClassVar[int] = 4


class ArtifactError(RefusedError):
    """An artifact whose files are not what its manifest says."""


def without_password(text: str) -> str:
    """A word or a message in which passwords of addresses are stars, rather more than less.

    >>> without_password("--storage=postgresql://me:my word@host/db?sslpassword=b c")
    '--storage=postgresql://me:***@host/db?sslpassword=***'
    >>> without_password("me:word@host"), without_password("host=here password=word")
    ('me:***@host', 'host=here password=***')
    """
    text = re.sub(r"(\w+://[^\s:/@]*):.*@", r"\1:***@", text, flags=re.DOTALL)
    text = re.sub(r"^([^\s:/@]+):(?!//)\S*@", r"\1:***@", text)  # its scheme was forgotten
    return re.sub(r"((?:^|[?&\s])(?:ssl)?password=)[^&]*", r"\1***", text)
