"""A peer in a process of its own: reads Parquet, computes the 14 indicators once per line it reads.

    python serve.py polars|pandas-ta-classic BARS.parquet OUT.parquet

It answers each line with the CPU seconds of that round; the first also with versions. The last
round's columns are left in OUT.parquet, and its peak of memory is the answer to "peak".
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"


def with_polars(bars: str) -> tuple[str, Callable[[], object]]:
    """Lazy expressions over one table, symbols apart by `over`."""
    import polars as pl  # noqa: PLC0415  each peer has its own

    frame = pl.read_parquet(bars)
    high, low, close, volume = (pl.col(name) for name in ("high", "low", "close", "volume"))

    def ewm(x: pl.Expr, alpha: float) -> pl.Expr:
        return x.ewm_mean(alpha=alpha, adjust=False)

    def compute() -> pl.DataFrame:
        change = close.diff()
        rise, fall = change.clip(lower_bound=0), (-change).clip(lower_bound=0)
        before = close.shift(1)
        true_range = pl.max_horizontal(high, before) - pl.min_horizontal(low, before)
        more, less = high.diff(), -low.diff()
        plus = ewm(pl.when((more > less) & (more > 0)).then(more).otherwise(0.0), 1 / 14)
        minus = ewm(pl.when((less > more) & (less > 0)).then(less).otherwise(0.0), 1 / 14)
        macd = ewm(close, 2 / 13) - ewm(close, 2 / 27)
        signal = ewm(macd, 0.2)
        mean, sd = close.rolling_mean(20), close.rolling_std(20, ddof=0)
        top, bottom = high.rolling_max(14), low.rolling_min(14)
        gained, lost = ewm(rise, 1 / 14), ewm(fall, 1 / 14)
        paid = ((high + low + close) / 3 * volume).rolling_sum(24)
        columns = {
            "ret_1": close / before - 1,
            "ret_24": close / close.shift(24) - 1,
            "rsi_14": 100 * gained / (gained + lost),
            "macd": macd / close,
            "macd_signal": signal / close,
            "macd_hist": (macd - signal) / close,
            "bollinger_position": (close - mean) / sd,
            "bandwidth": 4 * sd / mean,
            "atr_14": ewm(true_range, 1 / 14) / close,
            "adx_14": ewm((100 * (plus - minus).abs() / (plus + minus)).fill_nan(0), 1 / 14),
            "stochastic_k_14": 100 * (close - bottom) / (top - bottom),
            "roc_10": 100 * (close / close.shift(10) - 1),
            "volume_ratio_24": volume / volume.rolling_mean(24),
            "vwap_gap": close / (paid / volume.rolling_sum(24)) - 1,
        }
        return frame.lazy().select(
            x.over("symbol").cast(pl.Float32).alias(name) for name, x in columns.items()
        ).collect()  # fmt: skip

    return pl.__version__, compute


def with_pandas_ta(bars: str) -> tuple[str, Callable[[], object]]:
    """One call an indicator and a symbol, without TA-Lib behind it."""
    import pandas as pd  # noqa: PLC0415  as above
    import pandas_ta_classic as ta  # noqa: PLC0415

    frame = pd.read_parquet(bars)
    parts = [part.reset_index(drop=True) for _, part in frame.groupby("symbol", sort=False)]

    def compute() -> pd.DataFrame:
        out = []
        for part in parts:
            high, low, close, volume = (part[n] for n in ("high", "low", "close", "volume"))
            macd = ta.macd(close, 12, 26, 9, talib=False)
            bands = ta.bbands(close, 20, 2.0, talib=False)
            lower, middle, upper = (bands.iloc[:, k] for k in range(3))
            paid = (ta.hlc3(high, low, close, talib=False) * volume).rolling(24).sum()
            columns = {
                "ret_1": ta.percent_return(close, 1),
                "ret_24": ta.percent_return(close, 24),
                "rsi_14": ta.rsi(close, 14, talib=False),
                "macd": macd.iloc[:, 0] / close,
                "macd_signal": macd.iloc[:, 2] / close,
                "macd_hist": macd.iloc[:, 1] / close,
                "bollinger_position": 4 * (close - middle) / (upper - lower),
                "bandwidth": (upper - lower) / middle,
                "atr_14": ta.atr(high, low, close, 14, talib=False) / close,
                "adx_14": ta.adx(high, low, close, 14, talib=False).iloc[:, 0],
                "stochastic_k_14": ta.stoch(high, low, close, 14, 1, 1, talib=False).iloc[:, 0],
                "roc_10": ta.roc(close, 10, talib=False),
                "volume_ratio_24": volume / ta.sma(volume, 24, talib=False),
                "vwap_gap": close / (paid / volume.rolling(24).sum()) - 1,
            }
            out.append(pd.DataFrame(columns).astype("float32"))
        return pd.concat(out, ignore_index=True)

    return str(ta.version), compute


def peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    library, bars, out = sys.argv[1:]
    version, compute = (with_polars if library == "polars" else with_pandas_ta)(bars)
    frame = compute()
    frame.write_parquet(out) if library == "polars" else frame.to_parquet(out)
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        if line.strip() == "peak":
            print(json.dumps({"peak_mib": peak()}), flush=True)
            continue
        began = time.process_time()
        compute()
        print(json.dumps({"seconds": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    main()
