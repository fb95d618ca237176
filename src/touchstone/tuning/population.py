"""Population based training: members learn side by side, the worse take over from the better.

What is trained is the caller's business: a network a fold, an agent. Here it is only decided who
goes on from whose state, and with which settings. All chance comes from (seed, generation, member,
setting): who calls, in how many processes, and how often it was stopped, changes nothing.

Source: Jaderberg et al. (2017), Population Based Training of Neural Networks, sections 3 and 4.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from touchstone.errors import TrainingError
from touchstone.ledger import Ledger
from touchstone.seeding import generator
from touchstone.tuning.perturbing import Setting, drawn, perturbed

Settings: TypeAlias = Mapping[str, Any]
"""Setting -> value."""
S = TypeVar("S")
"""Of states: whatever the caller calls one. Never looked into, handed on as it is."""
ROW: Final = "trial"
"""Kind of a ledger's row about a member of a generation."""
FAILED_BEFORE: Final = "failed in an earlier generation"
"""Why a member has no value that was not asked again."""


class Turn(NamedTuple, Generic[S]):
    """What a member is to do in a generation."""

    generation: int
    """From 0."""
    member: int
    """From 0: a place in the population, and the seed of what is drawn at it."""
    settings: Settings
    state: S | None
    """To go on from; None: from the beginning."""


class Ended(NamedTuple, Generic[S]):
    """What came of a turn."""

    state: S | None
    """None where training failed: there is nothing to go on from."""
    value: float | None
    """What the member is worth now; None where that is not known, which counts as worst."""
    reason: str = ""
    """Why it failed."""


class Members(Protocol[S]):
    """Who trains; owned by the caller, who knows how long a generation is."""

    def advance(self, turns: Sequence[Turn[S]]) -> Sequence[Ended[S]]:
        """Train each from its state with its settings; in the order of the turns.

        The turns of a call do not know each other and may be taken side by side. A state that is
        handed to two members must not change under either.
        """


class Rules(NamedTuple):
    """How a population goes on."""

    members: int
    generations: int
    better: Literal["higher", "lower"] = "higher"
    bottom: float = 0.2
    """Share of the members that take over from the better, one at least; 0: none, so that
    each member keeps its first settings (a random search with the same budget)."""
    top: float = 0.2
    """Share of the members that are taken over from, one at least."""
    resample: float = 0.25
    """Chance of each setting of a copy to be drawn anew, from all of its space, and not moved."""


class Lived(NamedTuple, Generic[S]):
    """A member after a generation."""

    member: int
    settings: Settings
    """Of this generation."""
    source: int | None
    """Whose state, of the generation before, it went on from: its own, or that of a better one;
    None for a beginning."""
    state: S | None
    value: float | None
    reason: str = ""

    def copied(self) -> bool:
        """Whether it took over the weights and settings of another."""
        return self.source is not None and self.source != self.member


class Generation(NamedTuple, Generic[S]):
    """All members after a generation."""

    number: int
    """From 0."""
    members: tuple[Lived[S], ...]
    best: tuple[int, int] | None
    """(generation, member) with the best value so far, the earliest of equals; None before one
    has a value."""
    kept: tuple[S, ...]
    """States that somebody will ask for: those that the next generation goes on from, and that of
    the best so far. Of all others none is needed again."""


def generations(
    rules: Rules, space: Sequence[Setting], members: Members[S], seed: int,
    book: tuple[Ledger, str], first: Settings | None = None,
) -> Iterator[Generation[S]]:  # fmt: skip
    """Train a population, generation by generation.

    A generation: every member is trained on; then each of the worst takes the state and the
    settings of one drawn from the best, unless that one is worth less, and each of these settings
    is moved a little or drawn anew.

    Args:
        rules: how many, how long, who takes over.
        space: settings that are searched: only such as may change while a member learns.
        members: who trains.
        seed: of all that is drawn.
        book: the ledger, which gets a row for every member of every generation, and the hash of
            the data.
        first: settings of member 0 in generation 0; None: drawn as those of the others.

    Raises:
        TrainingError: every member of a generation failed.
    """
    ledger, data = book
    turns: list[Turn[S]] = [
        Turn(0, m, _begun(space, seed, m, first), None) for m in range(rules.members)
    ]
    sources: list[int | None] = [None] * rules.members
    best: tuple[float, tuple[int, int], S | None] | None = None
    for number in range(rules.generations):
        ended = _advanced(members, turns, number)
        lived = tuple(
            Lived(turn.member, turn.settings, source, one.state, one.value, one.reason)
            for turn, source, one in zip(turns, sources, ended, strict=True)
        )
        _written(ledger, data, number, lived)
        if all(one.value is None for one in lived):
            raise TrainingError(
                f"generation {number}: none of {rules.members} members could be trained: "
                f"{next((one.reason for one in lived if one.reason), 'no value')}"
            )
        best = _better_of(rules, best, number, lived)
        sources, turns = _next(rules, space, seed, number + 1, lived)
        asked = [t.state for t in turns] if number + 1 < rules.generations else []
        kept = _distinct([*asked, None if best is None else best[2]])
        yield Generation(number, lived, None if best is None else best[1], kept)


def ancestors(past: Sequence[Generation[S]], number: int, member: int) -> tuple[Lived[S], ...]:
    """What led to a member of a generation, from generation 0 to itself."""
    line: list[Lived[S]] = []
    at: int | None = member
    for one in reversed(past[: number + 1]):
        assert at is not None, "only generation 0 has no source"
        line.append(one.members[at])
        at = one.members[at].source
    return tuple(reversed(line))


def ranked(rules: Rules, values: Sequence[float | None]) -> list[int]:
    """Members, the best first; those without a value last, equals by their number."""
    sign = -1.0 if rules.better == "higher" else 1.0

    def place(member: int) -> tuple[float, int]:
        value = values[member]
        return (math.inf if value is None else sign * value, member)

    return sorted(range(len(values)), key=place)


def _begun(space: Sequence[Setting], seed: int, member: int, first: Settings | None) -> Settings:
    if member == 0 and first is not None:
        return dict(first)
    return {s.key: drawn(s, generator(seed, "begin", member, s.key)) for s in space}


def _advanced(members: Members[S], turns: Sequence[Turn[S]], number: int) -> list[Ended[S]]:
    """What came of the turns; one that has no state to go on from has ended already."""
    able = [turn for turn in turns if number == 0 or turn.state is not None]
    ended = {
        turn.member: one._replace(value=_known(one.value))
        for turn, one in zip(able, members.advance(able) if able else (), strict=True)
    }
    lost: Ended[S] = Ended(None, None, FAILED_BEFORE)
    return [ended.get(turn.member, lost) for turn in turns]


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _next(
    rules: Rules, space: Sequence[Setting], seed: int, number: int, lived: Sequence[Lived[S]]
) -> tuple[list[int | None], list[Turn[S]]]:
    """Whose state each member goes on from in the next generation, and its turn."""
    sources: list[int | None] = []
    turns: list[Turn[S]] = []
    taken = _taken_over(rules, seed, number, lived)
    for one in lived:
        source = taken.get(one.member, one.member)
        found = lived[source]
        settings = found.settings
        if source != one.member:
            settings = {
                s.key: _explored(rules, s, settings[s.key], (seed, number, one.member))
                for s in space
            } | {k: v for k, v in settings.items() if k not in {s.key for s in space}}
        sources.append(source)
        turns.append(Turn(number, one.member, settings, found.state))
    return sources, turns


def _taken_over(rules: Rules, seed: int, number: int, lived: Sequence[Lived[S]]) -> dict[int, int]:
    """Members that take over -> from whom (truncation selection)."""
    if rules.bottom <= 0:
        return {}
    order = ranked(rules, [one.value for one in lived])
    n_top = max(1, math.floor(rules.top * rules.members + 1e-9))
    n_bottom = max(1, math.floor(rules.bottom * rules.members + 1e-9))
    # Of few that have a value none is taken from beyond them.
    top = [m for m in order[:n_top] if lived[m].state is not None and lived[m].value is not None]
    failed = [m for m in order if lived[m].state is None]
    found = dict[int, int]()
    for member in {*order[-n_bottom:], *failed}:
        rng = generator(seed, "exploit", number, member)
        source = top[int(rng.integers(len(top)))]
        # Of equals, too: members that have become the same would never try anything again.
        if source != member and not _worth_more(rules, lived[member].value, lived[source].value):
            found[member] = source
    return found


def _explored(rules: Rules, setting: Setting, value: Any, of: tuple[int, int, int]) -> Any:
    seed, number, member = of
    rng = generator(seed, "explore", number, member, setting.key)
    if rng.random() < rules.resample:
        return drawn(setting, rng)
    return perturbed(setting, value, rng)


def _worth_more(rules: Rules, value: float | None, other: float | None) -> bool:
    if value is None:
        return False
    if other is None:
        return True
    return value > other if rules.better == "higher" else value < other


def _better_of(
    rules: Rules, best: tuple[float, tuple[int, int], S | None] | None, number: int,
    lived: Sequence[Lived[S]],
) -> tuple[float, tuple[int, int], S | None] | None:  # fmt: skip
    for one in lived:
        if _worth_more(rules, one.value, None if best is None else best[0]):
            assert one.value is not None, "worth more than nothing"
            best = (one.value, (number, one.member), one.state)
    return best


def _distinct(states: Sequence[S | None]) -> tuple[S, ...]:
    """Each state once, those that are none left out; states need not be hashable."""
    found: list[S] = []
    for state in states:
        if state is not None and not any(state is other for other in found):
            found.append(state)
    return tuple(found)


def _written(ledger: Ledger, data: str, number: int, lived: Sequence[Lived[S]]) -> None:
    """One row a member, unless this very row stands: a search that goes on is walked again."""
    for one in lived:
        if one.reason == FAILED_BEFORE:
            continue
        facts = {
            "method": "population", "generation": number, "member": one.member,
            "source": one.source, "settings": dict(one.settings), "value": one.value,
            "status": "failed" if one.value is None else "finished",
        }  # fmt: skip
        told = json.dumps(facts, sort_keys=True, default=str)
        name = hashlib.sha256(f"{data} {told}".encode()).hexdigest()[:12]
        if not ledger.written(ROW, name):
            ledger.record(ROW, name, data, json.loads(told))
