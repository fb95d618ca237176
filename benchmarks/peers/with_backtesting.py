"""backtesting.py as a peer in a process of its own: one instrument, whole units, its own orders.

    python with_backtesting.py BARS.parquet RULES.json OUT

Files and answers are those of `with_vectorbt.py`; `RULES.symbol` names the instrument. Stops and
targets are the peer's own bracket orders: they are wanted relative to the open that fills the
entry, and the peer takes prices, so that open is looked up.
"""

import math
import sys
import warnings

import pandas as pd

warnings.filterwarnings("ignore")

from backtesting import Backtest, Strategy, __version__  # noqa: E402  it warns when imported
from serving import serve  # noqa: E402

TIE = 1.0 + 1e-12


def strategy_of(rules: dict) -> type[Strategy]:
    entry, exit_, hold = rules["entry_level"], rules["exit_level"], rules["hold"]
    weight, up, down = rules["weight"], rules["up"], rules["down"]

    class ByScore(Strategy):
        def init(self) -> None:
            self.following = self.data.Open[1:]
            self.refused: list[int] = []

        def next(self) -> None:
            at, score = len(self.data) - 1, self.data.Score[-1]
            if self.trades:
                trade = self.trades[0]
                if at - trade.entry_bar + 1 >= hold or score <= exit_:
                    trade.close()
            elif score >= entry:
                size = math.floor(weight * self.equity / self.data.Close[-1] * (1 + 1e-12))
                if size < 1 or at >= self.following.size:
                    return
                opens = self.following[at]
                bracket = {}
                if up is not None:
                    bracket = {"tp": opens * (1 + up), "sl": opens * (1 - down)}
                try:
                    self.buy(size=size, **bracket)
                except ValueError:  # the open gaps beyond a side of its own bracket
                    self.refused.append(at)

    return ByScore


class Work:
    """One instrument's frame made once, and a whole run."""

    def __init__(self, bars: pd.DataFrame, rules: dict) -> None:
        mine = bars[bars["symbol"] == rules["symbol"]].set_index("time")
        mine.index = pd.to_datetime(mine.index)
        self.frame = mine[["open", "high", "low", "close", "volume", "score"]].rename(
            columns=str.title
        )
        rate = rules["commission"]
        self.rules = rules

        def to_cents(size: float, price: float) -> float:
            return math.floor(abs(size) * price * rate * 100.0 * TIE + 0.5) / 100.0

        self.commission = to_cents if rules["to_cents"] else rate

    def __call__(self) -> pd.Series:
        """One whole run and its statistics."""
        rules = self.rules
        test = Backtest(
            self.frame, strategy_of(rules), cash=rules["cash"], commission=self.commission,
            spread=rules["slippage"],
        )  # fmt: skip
        return test.run()


def leave(work: Work, out: str) -> None:
    """Write trades (bars counted from 0), what was still open, and the equity."""
    done = work()
    trades = done["_trades"][
        ["Size", "EntryBar", "ExitBar", "EntryPrice", "ExitPrice", "PnL", "Commission"]
    ]
    trades.reset_index(drop=True).to_parquet(f"{out}.trades.parquet")
    equity = done["_equity_curve"]["Equity"].to_numpy()
    pd.DataFrame({"equity": equity}).to_parquet(f"{out}.equity.parquet")
    refused = done["_strategy"].refused
    pd.DataFrame({"bar": pd.Series(refused, dtype="int64")}).to_parquet(f"{out}.refused.parquet")


if __name__ == "__main__":
    bars, rules, out = sys.argv[1:]
    serve(Work, (bars, rules, out), leave, __version__)
