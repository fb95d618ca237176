"""The leak audit: scramble everything after t, and nothing at or before t may change by one bit.

Pure: the pipeline comes in as a `Subject`, which computes a trace from a world. Layers A and B
scramble; C, C2, E and F read what one run left behind; D asks the source again.
"""

from touchstone.validation.audit.artifacts import audit_artifacts as audit_artifacts
from touchstone.validation.audit.report import LAYERS as LAYERS
from touchstone.validation.audit.report import Audit as Audit
from touchstone.validation.audit.report import Finding as Finding
from touchstone.validation.audit.report import Layer as Layer
from touchstone.validation.audit.report import LayerName as LayerName
from touchstone.validation.audit.rows import Cutting as Cutting
from touchstone.validation.audit.rows import Effort as Effort
from touchstone.validation.audit.rows import audit_rows as audit_rows
from touchstone.validation.audit.subject import Subject as Subject
from touchstone.validation.audit.subject import World as World
from touchstone.validation.audit.subject import slice_of as slice_of
