"""The reference of features, made from the catalogue: each, and the words it is made of."""

from collections.abc import Iterable, Iterator, Sequence

from touchstone.features.catalogue import BASELINE, Entry, catalogue, groups
from touchstone.features.graph import plan
from touchstone.features.primitives import DERIVED, INPUTS, OF_TWO, PRIMITIVES

_INTRODUCTION = """\
# Features

Made from `touchstone.features.catalogue`: {count} features in {n_groups} groups. The set `full`
has them all, less those whose side columns a panel lacks; the set `baseline` has {n_baseline}:
{baseline}.

A feature is a line of text over the words at the end of this page; a study's `features.extra` is
written in the same words. Every word looks back only, so the value of a bar is known at its close.
Warm-up counts the bars of an instrument that have no value yet; after it every value is finite. A
quotient by 0 is 0 where `div` does not say otherwise. All are the same in any unit of price and
of volume, but for those whose side column has a unit. *TA-Lib* names the functions the feature is
or is made of: the tests hold it equal to them to 1e-9."""


def feature_reference() -> str:
    """The reference as Markdown: the same text for the same catalogue."""
    introduction = _INTRODUCTION.format(
        count=len(catalogue()),
        n_groups=len(groups()),
        n_baseline=len(BASELINE),
        baseline=", ".join(f"`{name}`" for name in BASELINE),
    )
    lines = [introduction]
    for group in groups().values():
        lines += ["", f"## {group.title.rstrip('.')}", ""]
        head = ("feature", "is", "meaning", "unit", "warm-up", "source", "TA-Lib")
        lines += _table(head, (_row(name, entry) for name, entry in group.entries.items()))
    return "\n".join([*lines, *_words()]) + "\n"


def _row(name: str, entry: Entry) -> tuple[str, ...]:
    warmup = plan({name: entry.text}, entry.side).warmup[0]
    meaning = entry.meaning
    if entry.side:
        meaning += f" Needs {', '.join(f'`{side}`' for side in entry.side)}."
    return (
        f"`{name}`", f"`{entry.text}`", meaning, entry.unit, str(warmup), entry.source,
        entry.talib,
    )  # fmt: skip


def _words() -> Iterator[str]:
    yield from ("", "## Inputs", "")
    yield from _table(("input", "meaning"), ((f"`{n}`", m) for n, m in INPUTS.items()))
    yield from (
        "",
        "A side column is an input by its name; `<name>_known` says whether it is known.",
    )
    yield from ("", "## Words", "")
    words = [(name, p.takes, p.meaning, "") for name, p in PRIMITIVES.items()]
    words += [(name, d.takes, d.meaning, f"`{d.text}`") for name, d in DERIVED.items()]
    rows = (
        (f"`{name}({', '.join(takes.split())})`", meaning, text)
        for name, takes, meaning, text in sorted(words)
    )
    yield from _table(("word", "meaning", "short for"), rows)
    yield ""
    yield "n is an integer literal, q a number in 0 .. 1. Where n is an expression instead, these"
    yield f"are of one moment: {', '.join(f'`{name}(a, b)`' for name in OF_TWO)}."
    yield "`+ - * / **` and single comparisons (1 or 0) stand between expressions."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
