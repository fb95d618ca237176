"""How much of an item was not said before: the share of its words that are new to its subject."""

import re
from typing import Final

import numpy as np

from touchstone.arrays import Float64
from touchstone.data.news.items import Items

_WORD: Final = re.compile(r"[^\W_]+")


def novelty(items: Items, memory_ns: int) -> Float64:
    """Share of an item's different words that no item of its subject used within `memory_ns`.

    (n_rows,), 0 .. 1: 1 is all new, 0 is said already, or without a word. Only what was known
    before counts, so an item's novelty never changes; a later version keeps that of its first.
    """
    out = np.zeros(len(items.texts))
    of_item = np.zeros(items.item.max(initial=-1) + 1)
    for first, last in zip(items.offsets[:-1].tolist(), items.offsets[1:].tolist(), strict=True):
        heard: dict[str, int] = {}
        for i in range(first, last):
            words, now = set(_WORD.findall(items.texts[i].lower())), int(items.knowledge_time[i])
            if items.first[i] and words:
                long_ago = now - memory_ns
                new = sum(1 for word in words if word not in heard or heard[word] < long_ago)
                of_item[items.item[i]] = new / len(words)
            heard.update(dict.fromkeys(words, now))
            out[i] = of_item[items.item[i]]
    return out
