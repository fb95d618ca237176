"""What the trial ledger is told of a population: every member of every generation, once a path."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from touchstone.ledger import Candidate, Ledger, Look, Span
from touchstone.pipelines.decide import Comparison, compare
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.population_members import Population, Walked
from touchstone.pipelines.tune_values import ACCOUNT, account, candidates_of, enter


class Scheduled:
    """A ledger that names candidates by the settings that led to them as well.

    A candidate's own name tells the settings it ends with. Of a path whose settings never changed
    that is all, and the name stays: such a member is the same candidate as a trial or a study with
    these settings. Otherwise what came before is part of it.
    """

    def __init__(self, ledger: Ledger, path: Walked) -> None:
        """Names go to `ledger`; `path` is what led to the candidates."""
        self.ledger = ledger
        before = dict.fromkeys(stride.settings for stride in path)
        self.mark = "" if len(before) == 1 else repr([s.settings for s in path])

    def record(self, kind: str, config: str, data: str, facts: Mapping[str, object]) -> None:
        """As it is."""
        self.ledger.record(kind, config, data, facts)

    def written(self, kind: str, config: str) -> tuple[Mapping[str, Any], ...]:
        """As it is."""
        return self.ledger.written(kind, config)

    def sweep(self, data: str, study: str, span: Span, candidates: tuple[Candidate, ...]) -> None:
        """One comparison, its candidates renamed."""
        named = tuple(c._replace(fingerprint=self.named(c.fingerprint)) for c in candidates)
        self.ledger.sweep(data, study, span, named)

    def candidates(self, span: Span) -> tuple[Candidate, ...]:
        """As they are."""
        return self.ledger.candidates(span)

    def look(self, look: Look, answer: Callable[[], str]) -> str:
        """As it is."""
        return self.ledger.look(look, answer)

    def studies_that_looked(self, span: Span) -> frozenset[str]:
        """As they are."""
        return self.ledger.studies_that_looked(span)

    def named(self, fingerprint: str) -> str:
        """What a candidate of that name is called here."""
        if not self.mark:
            return fingerprint
        return hashlib.sha256(f"{fingerprint}\x1f{self.mark}".encode()).hexdigest()[:16]


def compared(
    members: Population, path: Walked, fits: Sequence[Learned], ledger: Ledger
) -> Comparison:
    """Backtest a member on the pooled test rows before the seal, with every margin; write it."""
    study = members.study_of(path)
    return compare(study, members.prepared, [fits], Scheduled(ledger, path))


def entered(members: Population, paths: Sequence[Walked], objective: str, ledger: Ledger) -> None:
    """Write what was valued on validation rows, one row; nothing where all of it is there."""
    prepared = members.prepared
    tried = dict[str, Candidate]()
    for path in paths:
        study, mark = members.study_of(path), Scheduled(ledger, path)
        found = None
        if objective == ACCOUNT:
            found = account(study, prepared, members.fits(path))
        for one in candidates_of(study, prepared, found):
            name = mark.named(one.fingerprint)
            tried[name] = one._replace(fingerprint=name)
    if tried:
        enter(ledger, members.study, prepared, tuple(tried.values()))
