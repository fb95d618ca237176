"""The account, its costs, and the one kernel that takes it through a bar. Pure, numba."""

from touchstone.execution.account import AccountConfig as AccountConfig
from touchstone.execution.costs import CostsConfig as CostsConfig
from touchstone.execution.records import REASONS as REASONS
from touchstone.execution.records import Accounts as Accounts
from touchstone.execution.records import Tape as Tape
