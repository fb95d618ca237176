"""The account, its costs, and the one kernel that takes it through a bar. Pure, numba."""

from touchstone.execution.account import REASONS as REASONS
from touchstone.execution.account import AccountConfig as AccountConfig
from touchstone.execution.account import Accounts as Accounts
from touchstone.execution.account import Tape as Tape
from touchstone.execution.costs import CostsConfig as CostsConfig
