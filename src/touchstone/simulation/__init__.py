"""Markets that we can make, with their truth: a config and a seed in, a Panel and the truth out.

Pure. The truth is kept apart from the panel and never reaches a feature.
"""

from touchstone.simulation.planted import MarketConfig as MarketConfig
from touchstone.simulation.planted import Truth as Truth
from touchstone.simulation.planted import simulate as simulate
