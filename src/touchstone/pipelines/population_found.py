"""From the generations of a population to what its result says."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from touchstone.ledger import Ledger
from touchstone.pipelines.campaign_board import file_of
from touchstone.pipelines.campaign_measures import Ranking, common_of, less, pr_auc_of, ranking
from touchstone.pipelines.population_book import compared
from touchstone.pipelines.population_members import Population, Walked
from touchstone.pipelines.population_space import Searched
from touchstone.reports.population import Again, Beside, Life, PopulationFound
from touchstone.reports.tune import SpaceKey
from touchstone.tuning.population import Generation, Lived, ancestors


class Both(NamedTuple):
    """A population, and the same members left alone, to the same generation."""

    taken: tuple[Generation[Walked], ...]
    alone: tuple[Generation[Walked], ...]

    @property
    def winner(self) -> Walked:
        """The path of the best that took over from each other."""
        return _best(self.taken)[1]

    @property
    def fixed(self) -> Walked:
        """The path of the best that was left alone."""
        return _best(self.alone)[1]


def mean(values: Sequence[float | None]) -> float | None:
    """Of the folds; None where one of them is not known."""
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def found_of(
    one: Searched, members: Population, both: Both, beside: tuple[tuple[Again, ...], Ledger]
) -> PopulationFound:
    """What one architecture's population came to, with the difference on test rows.

    Args:
        one: what was moved.
        members: who trained.
        both: all generations.
        beside: the winner's last settings trained anew, and the ledger.
    """
    again, book = beside
    ours, theirs = (_judged(members, path, book) for path in (both.winner, both.fixed))
    seed = members.study.config.seed
    common = common_of(ours.rows, seed)
    measures = [pr_auc_of(common, one.rows) for one in (ours, theirs)]
    ones = np.ones(common.days.n)
    test = [measure(ones) for measure in measures]
    (difference,) = less(measures[:1], measures[1:])
    number, member = _place(both.taken)
    return PopulationFound(
        name=one.name,
        space=tuple(_key(setting) for setting in one.moved),
        still=one.still,
        lives=_lives(both.taken),
        alone=_lives(both.alone),
        winner=_beside(members, both.taken, test[0]),
        fixed=_beside(members, both.alone, test[1]),
        ancestors=tuple(
            _life(i, lived) for i, lived in enumerate(ancestors(both.taken, number, member))
        ),
        difference=difference(ones),
        interval=common.interval([difference], 2 * ours.rows.p.size),
        again=again,
        file=file_of(one.name),
    )


def _judged(members: Population, path: Walked, book: Ledger) -> Ranking:
    fits = members.fits(path)
    comparison = compared(members, path, fits, book)
    return ranking(members.prepared, comparison, 0, fits, members.study.config.seed)


def _best(past: Sequence[Generation[Walked]]) -> tuple[Lived[Walked], Walked]:
    number, member = _place(past)
    lived = past[number].members[member]
    assert lived.state is not None, "what has a value has a state"
    return lived, lived.state


def _place(past: Sequence[Generation[Walked]]) -> tuple[int, int]:
    place = past[-1].best
    assert place is not None, "a generation without any value is an error"
    return place


def _beside(members: Population, past: Sequence[Generation[Walked]], test: float | None) -> Beside:
    (number, member), (lived, path) = _place(past), _best(past)
    return Beside(
        generation=number,
        member=member,
        value=lived.value,
        by_fold=members.values(members.study_of(path), members.fits(path)),
        test=test,
    )


def _lives(past: Sequence[Generation[Walked]]) -> tuple[Life, ...]:
    return tuple(_life(one.number, lived) for one in past for lived in one.members)


def _life(number: int, lived: Lived[Walked]) -> Life:
    return Life(
        generation=number,
        member=lived.member,
        source=lived.source,
        value=lived.value,
        settings=_plain(lived.settings),
        reason=lived.reason,
    )


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has them."""
    found: dict[str, Any] = json.loads(json.dumps(dict(settings)))
    return found


def _key(setting: Any) -> SpaceKey:
    is_range = not setting.choices
    return SpaceKey(
        key=setting.key,
        low=setting.low if is_range else None,
        high=setting.high if is_range else None,
        step=setting.step,
        log=setting.log,
        choices=setting.choices,
    )
