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


def write_until_killed(path, ready, told):
    """Writes for ever, and keeps in `told` each row of which it knows that it is written."""
    ledger = SqliteLedger(path, told.name, "git", then)
    with told.open("a", buffering=1) as known:
        for i in itertools.count():
            ledger.record("fit", f"c{i}", "d", {"i": i, "text": "x" * (i % 7) * 1000})
            known.write(f"c{i}\n")
            if i == 2:
                ready.set()
