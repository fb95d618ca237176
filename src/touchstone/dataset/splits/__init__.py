"""How history is cut into folds: interval arithmetic on time across instruments."""

from typing import Final

from touchstone.dataset.folds import Fold as Fold
from touchstone.dataset.folds import Folds as Folds
from touchstone.dataset.folds import Spans as Spans
from touchstone.dataset.folds import Splitter as Splitter
from touchstone.dataset.folds import Stretches as Stretches
from touchstone.dataset.folds import Timeline as Timeline
from touchstone.dataset.folds import timeline as timeline
from touchstone.registration import Family

SPLITS: Final[Family[Splitter]] = Family("split", __name__)
