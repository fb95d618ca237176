"""The cards of a market's result: its candidates, data, label, and what it cannot show."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from touchstone.arrays import Bool
from touchstone.config import Config
from touchstone.data.dvc import dvc_hash
from touchstone.labels import UNKNOWN, Labels
from touchstone.metrics import trading
from touchstone.pipelines.decide import Comparison, Scored, model_names
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.reports.result import (
    CandidateResult,
    DataCard,
    LabelCard,
    RejectResult,
    iso_day,
)
from touchstone.validation import verdict as v


def candidate_label(scored: Scored) -> str:
    """What sets a candidate apart from the others of its model.

    A strategy's fields that hold one point of a grid are those that are tuples of one.
    """
    return " ".join(f"{k} {text}" for k, text in _points(scored.strategy))


def _points(strategy: Config) -> Iterator[tuple[str, str]]:
    for name in type(strategy).model_fields:
        value = getattr(strategy, name)
        if isinstance(value, Config):
            yield from _points(value)
        elif isinstance(value, tuple) and len(value) == 1:
            one = value[0]
            yield name, f"{one:g}" if isinstance(one, (int, float)) else str(one)


def candidates(config: StudyConfig, comparison: Comparison) -> tuple[CandidateResult, ...]:
    """Every candidate that was compared, the chosen one marked."""
    names = model_names(config)
    per_year = comparison.segment.panel.calendar.days_per_year
    return tuple(
        CandidateResult(
            model=names[s.place],
            label=candidate_label(s),
            sharpe=trading.sharpe(s.returns, per_year),
            n_trades=s.record.n_trades,
            net_return=s.run.total_return,
            chosen=i == comparison.chosen,
        )
        for i, s in enumerate(comparison.scored)
    )


def data_card(study: Study, prepared: Prepared) -> DataCard:
    """The bars the study stood on."""
    loaded, panel = prepared.loaded, prepared.panel
    market = getattr(study.config.bars, "market", None)
    truth = None
    if market is not None:
        law = f"the hidden state's correlation with the next bar's return is {market.ic:g}"
        if market.planted is not None:
            law = f"a hidden {market.planted.kind} state pays {market.ic:g} sd of a bar per unit"
        until = "" if market.edge_until is None else f" until {market.edge_until}, nothing later"
        truth = (
            f"simulated, {'an edge planted' if market.ic else 'no edge'}: {law}{until}; it shows "
            "itself in volume alone. Nobody finds an edge like the planted one in a real market."
        )
    place = getattr(study.config.bars, "path", None)
    return DataCard(
        source=str(study.config.bars.source),  # type: ignore[attr-defined]
        hash=prepared.data,
        dvc=None if place is None else dvc_hash(study.root / place),
        timeframe=panel.timeframe.name,
        calendar=panel.calendar.name,
        first=iso_day(panel.time.min()),
        last=iso_day(panel.time.max()),
        n_instruments=panel.n_instruments,
        n_rows=len(panel),
        findings=loaded.findings,
        rejects=tuple(
            RejectResult(symbol=r.symbol, file=Path(r.file).name, reason=r.reason)
            for r in loaded.rejects
        ),
        survivorship=loaded.survivorship,
        simulated_truth=truth,
    )


def label_card(study: Study, prepared: Prepared) -> LabelCard:
    """What had to be foreseen, measured on rows whose outcome was known by the seal."""
    labels = prepared.labels
    known = prepared.open_labels
    outcome, realised = labels.outcome[known], labels.realised[known]
    names = {"+1": 1, "-1": -1, "0": 0}
    up, down = labels.up[known], labels.down[known]
    return LabelCard(
        kind=str(study.config.label.kind),  # type: ignore[attr-defined]
        base_rates={n: float(np.mean(outcome == o)) for n, o in names.items()},
        ambiguous_share=ambiguous_share(labels, known),
        unknown_share=float(np.mean(labels.exit == UNKNOWN)),
        mean_realised={
            n: float(realised[outcome == o].mean())
            for n, o in names.items()
            if (outcome == o).any()
        },
        median_up=float(np.median(up)) if known.any() else None,
        median_down=float(np.median(down)) if known.any() else None,
    )


def ambiguous_share(labels: Labels, known: Bool) -> float | None:
    """Share of barrier exits whose bar spanned both barriers."""
    touched = known & (labels.outcome != 0) & np.isfinite(labels.up) & np.isfinite(labels.down)
    return float(labels.ambiguous[touched].mean()) if touched.any() else None


def limits(study: Study, prepared: Prepared, verdict: v.Verdict) -> tuple[str, ...]:
    """What this run cannot show, a sentence each."""
    told = [verdict.limits]
    if prepared.loaded.survivorship:
        told.append(prepared.loaded.survivorship)
    if study.config.costs.half_spread_bp == 0:
        told.append(
            "Half the spread is set to 0 bp: slippage alone stands for it. Impact and the share "
            "of a bar's volume that an order may take are not modelled; keep orders small."
        )
    if hasattr(study.config.label, "take_profit"):
        told.append(
            "The order of touches inside a bar is not known; a bar that spans both barriers is "
            "counted as the stop."
        )
    return tuple(told)
