"""What an explanation of a run found: `explain.json`, and its lines for a terminal."""

from typing import Final, Literal, TypeAlias

from touchstone.reports.contents import Contents, Count, Fraction, Moment, Probability, Span
from touchstone.reports.explain_contents import (
    Attention,
    Attributed,
    Counterfactuals,
    ErrorsFound,
    Permutation,
    RobustnessFound,
)

PartName: TypeAlias = Literal[
    "permutation", "shap", "gradients", "attention", "counterfactuals", "robustness", "errors"
]
PARTS: Final[tuple[PartName, ...]] = (
    "permutation", "shap", "gradients", "attention", "counterfactuals", "robustness", "errors",
)  # fmt: skip
"""What can be asked for, in the order in which it is computed."""


class FoldExplained(Contents):
    """One fold, and the rows of its test that were asked about."""

    name: str
    """`fold 1`, ..."""
    test: Span
    """Bounds of its test."""
    threshold: Probability
    """Raw score of +1 from which on a row counts as accepted."""
    n_test: Count
    """Test rows whose outcome was known before the seal."""
    n_rows: Count
    """Of them, drawn for the methods that score rows anew."""


class ExplainResult(Contents):
    """The whole of `explain.json`."""

    schema_version: Literal[1] = 1
    """Version of these keys."""
    run: str
    """The run's folder."""
    study: str
    """The study's name."""
    fingerprint: str
    """Of the study."""
    seed: Count
    """Of everything drawn."""
    model: str
    """As the study calls it."""
    is_chosen: bool
    """Whether it is the model of the run's chosen candidate, or of the closest."""
    label: str
    """What had to be foreseen, in words."""
    features: tuple[str, ...]
    """Columns that the model sees."""
    lookback: Count
    """Bars in a window."""
    timeframe: str
    """Length of a bar."""
    n_instruments: Count
    """In the bars."""
    sealed_from: Moment
    """Nothing known after this was scored."""
    round_trip: Fraction
    """Cost of buying and selling."""
    threshold_by: str
    """How the thresholds were set, in words."""
    folds: tuple[FoldExplained, ...]
    """Whose models were asked."""
    notes: tuple[str, ...]
    """What was left out, and why."""
    permutation: Permutation | None
    """Null where it was not asked for."""
    shap: Attributed | None
    """Null where it was not asked for, or no method fits the model."""
    gradients: Attributed | None
    """Integrated gradients; null for models without gradients."""
    attention: Attention | None
    """Null for models without attention over the window."""
    counterfactuals: Counterfactuals | None
    """Null where they were not asked for."""
    robustness: RobustnessFound | None
    """Null where it was not asked for."""
    errors: ErrorsFound | None
    """Null where they were not asked for."""


def ranking(result: ExplainResult) -> tuple[str, ...]:
    """The features, the most needed first: by permutation, or else by their share of the score."""
    needs = result.permutation
    if needs is not None:
        return (*(need.name for need in needs.features), *needs.untested)
    for found in (result.shap, result.gradients):
        if found is not None:
            return tuple(weight.name for weight in found.features)
    return ()


def goes_by(result: ExplainResult) -> str:
    """What the model goes by, in one sentence or two."""
    found = result.permutation
    if found is None:
        names = ranking(result)
        if not names:
            return "Which features the score goes by was not asked."
        return f"Most of the score is {names[0]}" + (f", then {names[1]}." if names[1:] else ".")
    told = [need.name for need in found.features if need.is_told]
    n, untold = len(found.features), len(found.features) - len(told)
    none = f"{untold} of {n} features cannot be told from nothing"
    if not told:
        return f"The score goes by no feature that can be told from nothing: {n} of {n} cannot."
    first = found.features[0]
    if not first.is_told:
        are = _listed(told[:3])
        return f"{are} can be told from nothing; {first.name}, whose loss costs more, cannot."
    said = f"The score goes by {told[0]}"
    if len(told) > 1:
        said += f"; next {'is' if len(told) == 2 else 'are'} {_listed(told[1:3])}"
    if not untold:
        return f"{said}; every feature can be told from nothing."
    return f"{said}; {none}."


def told(result: ExplainResult) -> list[str]:
    """The explanation for a terminal."""
    n = sum(fold.n_rows for fold in result.folds)
    lines = [
        f"{result.run}: {result.model}"
        + ("" if result.is_chosen else " (not the chosen one)")
        + f", {n} test rows of {len(result.folds)} folds, none from {result.sealed_from} on",
        goes_by(result),
    ]
    if result.permutation is not None:
        lines += _needs(result.permutation, result.shap)
    lines += _robust(result.robustness)
    if result.counterfactuals is not None:
        found = result.counterfactuals
        lines.append(
            f"counterfactuals: {found.n_found} of {found.n_asked} decisions turned by a small "
            f"change, the median {_number(found.median_distance)} sd in all"
        )
    if result.errors is not None:
        found_errors = result.errors
        lines.append(
            f"errors: {found_errors.survivors} of {found_errors.n_tested} tests of parts survive "
            f"the correction; {found_errors.n_nominal} at p <= 0.05, luck alone gives "
            f"{found_errors.expected_by_luck:.1f}"
        )
    return [*lines, *(f"note: {note}" for note in result.notes)]


def _needs(found: Permutation, beside: Attributed | None) -> list[str]:
    size = {} if beside is None else {w.name: w.size for w in beside.features}
    metric = found.metric.replace("_", "-").upper()
    head = f"{'feature':<24} {'drop of ' + metric:>16}  {'95 %':<20} {'mean |SHAP|':>11}"
    rows = [head]
    for need in found.features[:8]:
        ends = "-" if need.interval is None else f"{need.interval[0]:+.4f}..{need.interval[1]:+.4f}"
        drop = "-" if need.drop is None else f"{need.drop:+.4f}"
        rows.append(f"{need.name:<24} {drop:>16}  {ends:<20} {_number(size.get(need.name)):>11}")
    if len(found.features) > 8:
        rows.append(f"and {len(found.features) - 8} more in explain.html")
    return rows


def _robust(found: RobustnessFound | None) -> list[str]:
    if found is None:
        return []
    last = max(point.share for point in found.points)
    ends = [p for p in found.points if p.share == last]
    return [
        f"robustness: PR-AUC {_number(found.points[0].pr_auc.value)}; at {last:g} of the noise "
        + ", ".join(f"{p.attack} {_number(p.pr_auc.value)}" for p in ends)
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
