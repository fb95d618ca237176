"""A revised sentiment overwrites the first one, under the first one's date.

The vendor scores each article again a day later, when it is known how the market took it. The
table keeps one row an article, so the better score stands where the first one stood.
"""

from typing import Literal

import numpy as np

from leaks.side_files import HOUR_NS, as_of, later_return, read, write
from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "D"
STUDY: dict = {
    "side": {"mood": {"kind": "revised_sentiment_overwritten", "path": "mood.parquet"}},
    "features": {"extra": {"mood": "mood"}},
}


class RevisedConfig(Config):
    kind: Literal["revised_sentiment_overwritten"] = "revised_sentiment_overwritten"
    path: str = ""


@SIDES.register(RevisedConfig)
def overwritten(config, panel, place):
    table = read(place.root / config.path)
    order = np.lexsort((table["knowledge_time"], table["event_time"], table["symbol"]))
    rows = {name: column[order] for name, column in table.items()}
    key = np.stack([np.unique(rows["symbol"], return_inverse=True)[1], rows["event_time"]])
    is_last = np.r_[(np.diff(key, axis=1) != 0).any(axis=0), True]
    value, age = as_of(panel, {n: c[is_last] for n, c in rows.items()}, "event_time")
    return Joined({"": value}, age)


def files(folder, panel):
    rng = np.random.default_rng(8)
    event = np.arange(panel.time.min(), panel.available_at.max() - 30 * HOUR_NS, 5 * HOUR_NS)
    told = []
    for symbol in panel.symbols:
        first = rng.normal(0, 0.01, event.size)
        told.append((symbol, event, event, first))
        later = first + later_return(panel, symbol, event, 24)
        told.append((symbol, event, event + 24 * HOUR_NS, later))
    write(
        folder / "mood.parquet",
        symbol=np.concatenate([np.full(e.size, s) for s, e, *_ in told]),
        event_time=np.concatenate([e for _, e, *_ in told]),
        knowledge_time=np.concatenate([k for *_, k, _ in told]),
        value=np.concatenate([v for *_, v in told]),
    )
