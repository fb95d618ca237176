"""A universe of which one left and one joined, each from the day on that it was told."""

import numpy as np
import polars as pl
import yaml

LAYER = None
STUDY = {
    "bars": {"source": "parquet", "path": "bars", "timeframe": "1h", "calendar": "24/7"},
    "universe": "universe.yaml",
}
_DAY = 86_400_000_000_000


def files(folder, panel):
    """The bars as files, and who belonged when."""
    (folder / "bars").mkdir(exist_ok=True)
    for i, symbol in enumerate(panel.symbols):
        bars = panel.bars(i)
        columns = {f: getattr(bars, f) for f in ("open", "high", "low", "close", "volume")}
        time = pl.Series(bars.time).cast(pl.Datetime("ns", "UTC"))
        frame = pl.DataFrame({"timestamp": time, **columns})
        frame.write_parquet(folder / "bars" / f"{symbol}.parquet")
    first, second, *others = panel.symbols
    instruments = [
        {"symbol": first, "member": [{"since": day(panel, 0), "until": day(panel, 40)}]},
        {"symbol": second, "member": [{"since": day(panel, 20), "since_known": day(panel, 22)}]},
        *({"symbol": symbol} for symbol in others),
    ]
    (folder / "universe.yaml").write_text(yaml.safe_dump({"instruments": instruments}))


def day(panel, n):
    return str(np.datetime64(int(panel.time.min()) + n * _DAY, "ns").astype("datetime64[D]"))
