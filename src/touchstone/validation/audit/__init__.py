"""The leak audit: scramble everything after t, and nothing at or before t may change by one bit.

Pure: the pipeline comes in as a `Subject`, which computes a trace from a world. Layers A and B
scramble; C, C2, E and F read what one run left behind; D asks the source again.
"""

from touchstone.validation.audit.artifacts import audit_artifacts as audit_artifacts
from touchstone.validation.audit.evidence import Book as Book
from touchstone.validation.audit.evidence import Counted as Counted
from touchstone.validation.audit.evidence import Evidence as Evidence
from touchstone.validation.audit.evidence import Fitted as Fitted
from touchstone.validation.audit.fills import audit_fills as audit_fills
from touchstone.validation.audit.fills import hard_bars as hard_bars
from touchstone.validation.audit.folds import audit_folds as audit_folds
from touchstone.validation.audit.provenance import audit_provenance as audit_provenance
from touchstone.validation.audit.report import LAYERS as LAYERS
from touchstone.validation.audit.report import Audit as Audit
from touchstone.validation.audit.report import Finding as Finding
from touchstone.validation.audit.report import Layer as Layer
from touchstone.validation.audit.report import LayerName as LayerName
from touchstone.validation.audit.rows import Cutting as Cutting
from touchstone.validation.audit.rows import Effort as Effort
from touchstone.validation.audit.rows import audit_rows as audit_rows
from touchstone.validation.audit.smoke import Foreseen as Foreseen
from touchstone.validation.audit.smoke import audit_smoke as audit_smoke
from touchstone.validation.audit.subject import Subject as Subject
from touchstone.validation.audit.subject import World as World
from touchstone.validation.audit.subject import slice_of as slice_of
from touchstone.validation.audit.trials import audit_trials as audit_trials
