"""Arrays in, a number out; each measure knows its unit and its direction. Pure.

A measure that the arrays do not define (a Sharpe ratio without variance, a precision of nothing
selected) is None, never 0, NaN or infinite.
"""

from touchstone.metrics import acceptance as acceptance
from touchstone.metrics import classification as classification
from touchstone.metrics import trading as trading
from touchstone.metrics.declaration import MEASURES as MEASURES
from touchstone.metrics.declaration import Measure as Measure
from touchstone.metrics.declaration import measure as measure
