"""What a search found, in words and in places on an axis: settings, spans, who is best."""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from touchstone.reports.campaign_sections import shown
from touchstone.reports.charts.scales import Scale
from touchstone.reports.figures import NONE, plain_number, short
from touchstone.reports.tune import SearchFound, SpaceKey, TrialFound, TuneResult

TOP: Final = 0.1
"""Share of the ended trials that are called the best ones."""
_FEWEST_TOP: Final = 3
_AGREED: Final = 1 / 3
"""Share of a setting's range that the best trials may span and be said to agree."""
_SELDOM: Final = 0.05
_LONGEST: Final = 28


class Agreed(NamedTuple):
    """A setting that the best trials agree about."""

    key: str
    low: Any
    high: Any
    """Equal to `low` for a choice."""


def key_text(key: str) -> str:
    """A setting as people read it: without where it stands, its words apart.

    >>> key_text("training.learning_rate"), key_text("hidden")
    ('learning rate', 'hidden')
    """
    return key.rpartition(".")[2].replace("_", " ")


def setting_text(value: Any) -> str:
    """A setting's value.

    >>> setting_text(0.00123), setting_text((64, 32)), setting_text(True), setting_text("mean")
    ('0.00123', '64, 32', 'yes', 'mean')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return short(float(value)) if abs(value) < 1e5 else plain_number(value)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        rest = [f"{k} {setting_text(v)}" for k, v in value.items() if k != "kind"]
        return " ".join([str(value.get("kind", "")), *rest]).strip()
    return ", ".join(setting_text(v) for v in value) or "none"


def brief(text: str) -> str:
    """Words cut to what a chart has room for."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "\u2026"


def settings_text(params: Mapping[str, Any]) -> str:
    """Settings in one line."""
    return ", ".join(f"{key_text(k)} {setting_text(v)}" for k, v in params.items())


def objective(result: TuneResult, i: int = 0) -> str:
    """The name of an objective as people write it."""
    return shown(result.objectives[i])


def ended(search: SearchFound, i: int = 0) -> list[TrialFound]:
    """Trials with a value of an objective, those that break a constraint among them."""
    return [t for t in search.trials if value(t, i) is not None]


def value(trial: TrialFound, i: int = 0) -> float | None:
    """What an objective came to."""
    return trial.values[i] if i < len(trial.values) else None


def is_better(a: float, b: float, direction: str) -> bool:
    """Whether `a` is better than `b`."""
    return a > b if direction == "higher" else a < b


def ranked(search: SearchFound, direction: str) -> list[TrialFound]:
    """Trials that ended within the constraints, best first by the first objective."""
    known = [(v, t) for t in search.trials if t.state == "complete" and (v := value(t)) is not None]
    sign = -1 if direction == "higher" else 1
    return [t for _, t in sorted(known, key=lambda one: (sign * one[0], one[1].number))]


def top(search: SearchFound, direction: str) -> list[TrialFound]:
    """The best tenth, three at least."""
    order = ranked(search, direction)
    return order[: max(math.ceil(TOP * len(order)), min(_FEWEST_TOP, len(order)))]


def records(search: SearchFound, direction: str) -> list[TrialFound]:
    """Trials that were the best so far when they ended, in order of their numbers."""
    found = list[TrialFound]()
    for trial in search.trials:
        mine = value(trial)
        if trial.state != "complete" or mine is None:
            continue
        last = value(found[-1]) if found else None
        if last is None or is_better(mine, last, direction):
            found.append(trial)
    return found


def scale_of(key: SpaceKey) -> Scale | None:
    """The axis of a range; None for choices."""
    if key.low is None or key.high is None:
        return None
    return Scale(key.low, key.high, log=key.log and key.low > 0)


def place(key: SpaceKey, params: Mapping[str, Any]) -> float | None:
    """Where a trial stands on the axis of a setting, 0 to 1; None where it has none."""
    if key.key not in params:
        return None
    mine, scale = params[key.key], scale_of(key)
    if scale is not None:
        number = isinstance(mine, int | float)
        return scale.clipped(float(mine)) if number and math.isfinite(mine) else None
    names = [_name(choice) for choice in key.choices]
    if _name(mine) not in names:
        return None
    return (names.index(_name(mine)) + 0.5) / len(names)


def agreed(search: SearchFound, direction: str) -> list[Agreed]:
    """Settings that the best trials agree about: in a third of the range, or one choice.

    Only where as many trials drawn from all that ended would seldom lie so close together: in one
    case of 20, divided by the number of settings that are looked at.
    """
    best, known = top(search, direction), ranked(search, direction)
    found = []
    for key in search.space:
        all_places = [p for t in known if (p := place(key, t.params)) is not None]
        places = [p for t in best if (p := place(key, t.params)) is not None]
        if len(best) < _FEWEST_TOP or len(places) < len(best):
            continue
        span = max(places) - min(places)
        if span > (1e-9 if key.choices else _AGREED):
            continue
        if by_chance(all_places, len(places), span) <= _SELDOM / len(search.space):
            values = [t.params[key.key] for t in best]
            ends = (values[0], values[0]) if key.choices else (min(values), max(values))
            found.append(Agreed(key.key, *ends))
    return found


def by_chance(places: Sequence[float], k: int, span: float) -> float:
    """The chance that k of these places, drawn without order, lie within a span.

    >>> by_chance([0.0, 0.1, 0.5, 1.0], 2, 0.1)
    0.16666666666666666
    """
    order = sorted(places)
    near = (bisect_right(order, at + span + 1e-12) - i - 1 for i, at in enumerate(order))
    return sum(math.comb(n, k - 1) for n in near) / math.comb(len(order), k)


def agreed_text(found: Agreed) -> str:
    """One agreement in words."""
    low, high = setting_text(found.low), setting_text(found.high)
    return f"{key_text(found.key)} {low if low == high else f'{low} to {high}'}"


def count_of(search: SearchFound, state: str) -> int:
    """Trials that ended so."""
    return sum(t.state == state for t in search.trials)


def first_value(trial: TrialFound) -> str:
    """The first objective, or a dash."""
    mine = value(trial)
    return NONE if mine is None else plain_number(mine)


def last_seen(result: TuneResult, trial: TrialFound) -> float | None:
    """What a trial was worth when it was last looked at: its value, or its last step's.

    None where its steps are those of another metric.
    """
    mine, same = value(trial), result.watched == result.objectives[0]
    return mine if mine is not None else trial.steps[-1].value if trial.steps and same else None


def _name(choice: Any) -> str:
    """Choices compare by what they say: JSON knows no tuples."""
    return json.dumps(choice, sort_keys=True, default=str)
