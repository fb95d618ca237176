"""Clean: a revised sentiment is one more row, known when it was told."""

from leaks.side_files import HOUR_NS, later_return, write

LAYER = None
STUDY: dict = {
    "side": {"mood": {"kind": "table", "path": "mood.parquet"}},
    "features": {"extra": {"mood": "mood"}},
}


def files(folder, panel):
    import numpy as np

    rng = np.random.default_rng(8)
    event = np.arange(panel.time.min(), panel.available_at.max() - 30 * HOUR_NS, 5 * HOUR_NS)
    first = {s: rng.normal(0, 0.01, event.size) for s in panel.symbols}
    later = {s: first[s] + later_return(panel, s, event, 24) for s in panel.symbols}
    names = np.repeat(np.array(panel.symbols), event.size)
    n = len(panel.symbols)
    write(
        folder / "mood.parquet",
        symbol=np.r_[names, names],
        event_time=np.tile(event, 2 * n),
        knowledge_time=np.r_[np.tile(event, n), np.tile(event + 24 * HOUR_NS, n)],
        value=np.concatenate([*first.values(), *later.values()]),
    )
