"""A table as a terminal shows it."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Rows as lines whose columns stand below each other.

    Args:
        rows: cells, as many in each.
        left: columns of words; all others hold numbers, and end below each other.

    >>> aligned([("", "PR-AUC"), ("gru", "0.2")])
    ['     PR-AUC', 'gru     0.2']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
