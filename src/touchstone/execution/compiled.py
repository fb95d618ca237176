"""How the kernel is compiled: numba without reference counts.

Nothing in the kernel makes an array, so none needs counting; counted, every bar of an account
that does nothing cost fifty times as much, and a whole backtest twice. What allocates cannot be
compiled so: numba refuses it.
"""

from typing import Any, Final

from numba import njit

compiled: Final[Any] = njit(cache=True, _nrt=False)
inlined: Final[Any] = njit(cache=True, _nrt=False, inline="always")
"""For the events of a bar: handing the state over costs more than most bars' work."""
