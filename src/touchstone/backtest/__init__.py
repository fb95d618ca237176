"""A strategy over history: equity, trades, costs; baselines and random controls beside it."""

from touchstone.backtest.by_orders import run_orders as run_orders
from touchstone.backtest.fills import Fills as Fills
from touchstone.backtest.fills import Paid as Paid
from touchstone.backtest.recosted import BreakEven as BreakEven
from touchstone.backtest.recosted import break_even as break_even
from touchstone.backtest.recosted import recost as recost
from touchstone.backtest.replay import run as run
from touchstone.backtest.replay import sweep as sweep
from touchstone.backtest.result import Run as Run
from touchstone.backtest.result import daily as daily
from touchstone.backtest.trades import Holdings as Holdings
from touchstone.backtest.trades import Trades as Trades
from touchstone.backtest.turnover_matched import Controls as Controls
from touchstone.backtest.turnover_matched import controls as controls
