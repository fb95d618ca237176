"""Ways to tell somebody: an alarm's config and alarms in, what became of them out. One file each.

A part is `send(config, alarms) -> Sent`. It never raises into its caller, since a broken webhook
must not stop what it watches over; it says in `Sent` what went wrong, without any secret.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from touchstone.market.findings import Severity
from touchstone.registration import Family


class Alarm(NamedTuple):
    """Something that a person should know now."""

    source: str
    """What was looked at: a folder, a model, a feed."""
    subject: str
    """Whom it is about: a symbol, or `*`."""
    kind: str
    """Which check or detector found it."""
    place: str
    """Where or when it begins; empty for the whole."""
    severity: Severity
    sentence: str
    """One plain sentence with the way out."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Alarms of one source with the same key are one alarm: subject, kind, place."""
        return self.subject, self.kind, self.place

    def as_dict(self) -> dict[str, str]:
        """JSON-able."""
        return {**self._asdict(), "severity": self.severity.name.lower()}


class Sent(NamedTuple):
    """What became of some alarms."""

    ok: bool
    n_tries: int
    problem: str = ""
    """Why not, with the way out; empty where all went well."""


Sender: TypeAlias = Callable[[Any, Sequence[Alarm]], Sent]
ALARMS: Family[Sender] = Family("alarm", __name__)
