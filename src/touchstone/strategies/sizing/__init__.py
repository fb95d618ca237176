"""How much of the equity one position gets."""

from typing import Protocol

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.registration import Family
from touchstone.strategies import Outlook


class Sizing(Protocol):
    """A part of the family: config, outlook, max_positions -> weights."""

    def __call__(self, config: Config, outlook: Outlook, max_positions: int) -> Float64:
        """Value to buy at each row as a fraction of equity, (n_rows,)."""


SIZINGS: Family[Sizing] = Family("sizing", __name__)
