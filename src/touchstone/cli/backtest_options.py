"""Options of `backtest` alone."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Bars: TypeAlias = Annotated[
    Path,
    typer.Option("--bars", help="Folder of bars, one Parquet or CSV file per symbol; or a "
                 "study's YAML, whose bars are meant."),
]  # fmt: skip
Orders: TypeAlias = Annotated[
    Path | None,
    typer.Option("--orders", help="Parquet or CSV with timestamp (start of the bar at whose "
                 "close it is given), symbol, quantity; and, where wanted, kind (market, limit,"
                 " stop, cancel), side, price, number, expires_bars."),
]  # fmt: skip
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of that YAML, as in "
                 "costs.volume_cap=null, account.short=true, strategy.entry_threshold=0.6; "
                 "may be given more than once."),
]  # fmt: skip
CommissionBp: TypeAlias = Annotated[
    float | None,
    typer.Option("--commission-bp", help="Commission a side: costs.commission_bp. 10 by "
                 "default."),
]  # fmt: skip
CalibrateUntil: TypeAlias = Annotated[
    str | None,
    typer.Option("--calibrate-until", metavar="YYYY-MM-DD", help="Rows known before this "
                 "date say what return a score means (cost_aware needs it) or which threshold "
                 "finds the target best (tune: f1); trading begins there."),
]  # fmt: skip
Trades: TypeAlias = Annotated[
    Path | None, typer.Option("--trades", help="Write the trades to this Parquet or CSV file.")
]  # fmt: skip
Equity: TypeAlias = Annotated[
    Path | None,
    typer.Option("--equity", help="Write equity and cash after each bar to this Parquet or CSV "
                 "file."),
]  # fmt: skip
Figures: TypeAlias = Annotated[
    Path | None,
    typer.Option("--figures", metavar="DIR", help="Write equity, months, cost ladder, capacity and "
                 "instruments as PNG files into this folder."),
]  # fmt: skip
Scores: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--scores",
        help="Parquet or CSV with timestamp (the bar's start, UTC), "
        "symbol, score; a score is known at that bar's close, filled from the next.",
    ),
]
Strategy: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--strategy",
        help="YAML with strategy:, label: (brackets and horizon), "
        "costs:, account:; or a strategy alone, as in {kind: threshold, ...}. Orders "
        "need only costs: and account:.",
    ),
]
Cash: TypeAlias = Annotated[
    float | None, typer.Option("--cash", help="Deposit: account.cash. 1,000,000 by default.")
]
SlippageBp: TypeAlias = Annotated[
    float | None,
    typer.Option("--slippage-bp", help="Slippage a side: costs.slippage_bp. 5 by default."),
]
Fills: TypeAlias = Annotated[
    Path | None, typer.Option("--fills", help="Write every fill to this Parquet or CSV file.")
]
