"""Layer B: what was fitted by the end of train, and chosen by the end of validation, stays so."""

import numpy as np

from touchstone.validation.audit.report import Layer
from touchstone.validation.audit.rows import Bench, Cutting, whole_cuts
from touchstone.validation.audit.subject import World
from touchstone.validation.audit.trace import Trace


def audit_artifacts(cutting: Cutting) -> Layer:
    """Run the whole pipeline on worlds that part at each bound of each fold, and in the tests."""
    bench = Bench("B", cutting)
    run = cutting.subject.whole
    base = run(World(cutting.panel))
    bench.repeat(run, base)
    if bench.finding is None:
        for cut, how in (*bounds(cutting, base), *whole_cuts(cutting, base, 2)):
            cutting.advance(f"whole run, {how}")
            if bench.look(run, base, cut, how):
                break
    return Layer("B", bench.n_checks, bench.refused(), bench.notes())


def bounds(cutting: Cutting, base: Trace) -> list[tuple[int, str]]:
    """Every instant by which something is fitted or chosen, with the scrambles to try there."""
    last = int(cutting.panel.available_at.max())
    times = np.unique([f.known for f in base.facts if f.known < last])
    hows = ("another path", "another cast")
    first = [(int(t), hows[i % 2]) for i, t in enumerate(times)]
    second = [(int(t), hows[(i + 1) % 2]) for i, t in enumerate(times)]
    return [*first, *second] if cutting.effort.both else first
