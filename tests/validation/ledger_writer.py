"""A process that writes to a shared ledger."""

import itertools

from touchstone.validation.ledger import SqliteLedger


def then():
    return "then"


def write(path, name, n, look, barrier):
    ledger = SqliteLedger(path, name, "git", then)
    barrier.wait()
    for i in range(n):
        ledger.record("fit", f"{name}{i}", "d", {"i": i})
    answer = ledger.look(look, lambda: f"answer of {name}")
    (path.parent / f"{name}.txt").write_text(answer)


def write_until_killed(path, ready):
    ledger = SqliteLedger(path, "victim", "git", then)
    for i in itertools.count():
        ledger.record("fit", f"c{i}", "d", {"i": i})
        if i == 2:
            ready.set()
