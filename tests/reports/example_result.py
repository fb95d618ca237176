"""A seeded, realistic result: a planted market that trades and its null twin that does not."""

import numpy as np

from reports.example_analysis import analysis
from touchstone.reports.result import (
    Baseline,
    CalibrationPoint,
    CandidateResult,
    ClassicFigures,
    ClassicLabel,
    Condition,
    Curve,
    DataCard,
    Diagnostic,
    FalsePositive,
    FoldResult,
    LabelCard,
    LadderRung,
    LedgerCounts,
    MarketResult,
    Performance,
    PrPoint,
    RejectResult,
    Skill,
    Slice,
    StudyResult,
    ThresholdPoint,
    VerdictResult,
)
from touchstone.reports.study import RunFacts
from touchstone.reports.thresholds import ThresholdChoice, Thresholds, ThresholdScore

SEAL = np.datetime64("2022-10-20")


def days(first, n):
    return [str(d) for d in np.datetime64(first) + np.arange(n)]


def growth(rng, n, mean, sd):
    return np.r_[1.0, np.cumprod(1 + rng.normal(mean, sd, n - 1))]


def curve(rng, first, n, mean, sd, flat=False):
    equity = np.ones(n) if flat else growth(rng, n, mean, sd)
    market = growth(rng, n, 0.0002, 0.02)
    noise = np.cumprod(1 + rng.normal(-0.002, 0.006, (200, n)), axis=1)
    return Curve(
        day=days(first, n),
        equity=equity,
        drawdown=1 - equity / np.maximum.accumulate(equity),
        baselines={
            "cash": np.ones(n),
            "buy_and_hold": market,
            "equal_weight": market * growth(rng, n, 0, 0.002),
        },
        band_low=() if flat else np.quantile(noise, 0.05, axis=0),
        band_high=() if flat else np.quantile(noise, 0.95, axis=0),
    )


def performance(rng, first, n, mean, sd=0.008, n_trades=412):
    line = curve(rng, first, n, mean, sd, flat=n_trades == 0)
    equity, drawdown = np.array(line.equity), np.array(line.drawdown)
    daily = np.diff(equity) / equity[:-1]
    traded = n_trades > 0
    trough = int(drawdown.argmax())
    peak = int(equity[: trough + 1].argmax())
    recovery = next((i for i in range(trough, n) if equity[i] >= equity[peak]), None)
    net = equity[-1] - 1
    sharpe = daily.mean() / daily.std(ddof=1) * 365**0.5 if traded else None
    annual = equity[-1] ** (365 / n) - 1
    cost = 0.0026 * n_trades * 1e5
    return Performance(
        net_return=net,
        annual_return=annual,
        annual_return_interval=(annual * 0.55, annual * 1.6) if traded else None,
        sharpe=sharpe,
        sharpe_interval=(sharpe - 3.1, sharpe + 3.4) if traded else None,
        sortino=sharpe * 1.9 if traded else None,
        volatility=daily.std(ddof=1) * 365**0.5 if traded else 0.0,
        max_drawdown=drawdown.max(),
        drawdown_peak=line.day[peak] if traded else None,
        drawdown_trough=line.day[trough] if traded else None,
        drawdown_recovery=line.day[recovery] if traded and recovery else None,
        calmar=annual / drawdown.max() if traded else None,
        var95=-np.quantile(daily, 0.05) if traded else None,
        es95=-daily[daily <= np.quantile(daily, 0.05)].mean() if traded else None,
        var99=-np.quantile(daily, 0.01) if traded else None,
        es99=-daily[daily <= np.quantile(daily, 0.01)].mean() if traded else None,
        profit_factor=1.62 if traded else None,
        win_rate=0.543 if traded else None,
        expectancy=0.0041 if traded else None,
        exposure=0.37 if traded else 0.0,
        turnover=391.0 if traded else 0.0,
        n_trades=n_trades,
        starting_equity=1e6,
        cost_paid=cost,
        costs_by_kind=dict(commission=cost * 2 / 3, slippage=cost / 3, spread=0.0)
        if traded
        else {},
        break_even_cost_bp=41.3 if traded else None,
        ladder=[
            LadderRung(
                multiple=k,
                net_return=net + (1 - k) * cost / 1e6 if traded else 0.0,
                sharpe=sharpe + (1 - k) * 3 if traded else None,
            )
            for k in (0, 1, 2, 3)
        ],
        baselines=[
            Baseline(name="cash", net_return=0.0, max_drawdown=0.0),
            *(
                Baseline(
                    name=name,
                    net_return=line.baselines[name][-1] - 1,
                    sharpe=rng.normal(0, 1),
                    max_drawdown=0.21,
                )
                for name in ("buy_and_hold", "equal_weight")
            ),
        ],
        controls_rank=1.0 if mean > 0.002 else 0.5 if traded else None,
        exits=dict(time=251, stop=88, target=73) if traded else {},
        curve=line,
        analysis=analysis(rng.spawn(1)[0], line, sharpe, cost) if traded else None,
    )


def skill(rng, edge):
    p = np.linspace(0.008, 0.32, 10)
    thresholds = np.linspace(0.02, 0.4, 20)
    recall = np.linspace(0.02, 1, 50)
    base = 0.0378
    return Skill(
        n_rows=34_560,
        direction_auc=0.5 + edge,
        direction_auc_interval=(0.5 + edge - 0.011, 0.5 + edge + 0.012),
        touch_auc=0.65 + edge,
        volatility_only_auc=0.71,
        base_rate=base,
        precision=0.218 if edge > 0.05 else None,
        n_selected=812 if edge > 0.05 else 0,
        break_even_precision=0.163 if edge > 0.05 else None,
        classic_break_even=0.3286,
        pr_auc=base * (1 + 30 * edge),
        roc_auc=0.74 + edge / 2,
        brier=0.0351,
        brier_skill=0.031,
        ece=0.0042,
        ece_interval=(0.0031, 0.0066),
        calibration_slope=0.94,
        calibration_slope_interval=(0.88, 1.01),
        n_positives=1306,
        largest_ece=0.2 * base,
        is_calibrated="met",
        calibration=[
            CalibrationPoint(
                probability=q, frequency=max(0, q * 0.94 + rng.normal(0, 0.006)), count=3456
            )
            for q in p
        ],
        pr_curve=[
            PrPoint(recall=r, precision=base + (0.05 + 4 * edge * 0.3) * (1 - r) ** 3)
            for r in recall
        ],
        thresholds=[
            ThresholdPoint(
                threshold=t,
                precision=min(0.9, base + t * (0.9 if edge > 0.05 else 0.25)),
                break_even=0.09 + t * 0.35,
                count=int(34_560 * np.exp(-18 * t)),
            )
            for t in thresholds
        ],
    )


def thresholds(edge):
    grid = (0.01, 0.02, 0.05, *(round(0.1 * k, 1) for k in range(1, 10)))
    scores = [
        ThresholdScore(
            threshold=t,
            count=int(9_000 * np.exp(-9 * t)) if t < 0.7 else 0,
            precision=0.04 + 0.6 * t if t < 0.7 else None,
            recall=float(np.exp(-5 * t)) if t < 0.7 else 0.0,
            f1=0.3 * np.exp(-((t - 0.2) ** 2) / 0.05),
            break_even=0.2 + 0.1 * t if t < 0.7 else None,
            net=(edge * t / 10 - 0.001) if t < 0.7 else None,
        )
        for t in grid
    ]
    test = ThresholdScore(
        count=412, precision=0.21, recall=0.18, f1=0.19, break_even=0.23, net=-0.0004
    )
    none = ThresholdScore(count=0, recall=0.0, f1=0.0)
    choices = [
        ThresholdChoice(by="f1", folds=(0.2, 0.2, 0.1), test=test),
        ThresholdChoice(by="net", folds=(None, None, None), test=none),
    ]
    return Thresholds(model="gru", on_validation=scores, choices=choices)


def slices(rng, edge):
    groups = {
        "symbol": [f"S{i:02d}" for i in range(20)],
        "month": ["2022-08", "2022-09", "2022-10", "2022-11", "2022-12"],
        "year": ["2022"],
        "hour": [f"{h:02d}" for h in range(24)],
        "weekday": "Mon Tue Wed Thu Fri Sat Sun".split(),
        "regime": ["calm", "normal", "volatile"],
    }
    out = []
    for group, names in groups.items():
        for name in names:
            n = int(412 / len(names) * rng.uniform(0.5, 1.5))
            mean = edge * 700 + rng.normal(0, 150 / n**0.5)
            half = 2 * 180 / n**0.5
            out.append(
                Slice(
                    group=group,
                    name=name,
                    n_trades=n,
                    net_return_bp_per_trade=mean,
                    interval=(mean - half, mean + half),
                    precision=float(np.clip(rng.normal(0.22, 0.05), 0, 1)),
                )
            )
    return out


def wrong(rng, k):
    n = 16
    close = 100 * np.cumprod(1 + rng.normal(-0.002, 0.008, n))
    opens = np.r_[100, close[:-1]]
    spread = np.abs(rng.normal(0, 0.004, (2, n)))
    high = np.maximum(opens, close) * (1 + spread[0])
    low = np.minimum(opens, close) * (1 - spread[1])
    return FalsePositive(
        symbol=f"S{k:02d}",
        time=f"2022-11-{10 + k}T{3 * k:02d}:00Z",
        probability=0.41 - 0.02 * k,
        realised=-0.02 - 0.001 * k,
        first=f"2022-11-{9 + k:02d}T22:00Z",
        open=opens,
        high=high,
        low=low,
        close=close,
        entry_bar=4,
        exit_bar=4 + 3 + k,
        upper=opens[4] * 1.05,
        lower=opens[4] * 0.98,
    )


def candidates(rng, edge):
    out = []
    for model in ("logistic", "lightgbm", "gru"):
        for margin in (0, 5, 10, 20, 30, 40, 60, 80):
            n = int(1200 * np.exp(-margin / 25)) if edge > 0.05 else int(60 * np.exp(-margin / 4))
            score = (edge * 90 + margin / 20 + rng.normal(0, 0.8)) if n else None
            if edge < 0.05 and n:
                score = -3 - 5 / (margin + 1)
            out.append([model, f"cost_aware, margin {margin} bp", score, n])
    best = max((c for c in out if c[3] >= 20), key=lambda c: c[2])
    return [
        CandidateResult(
            model=c[0],
            label=c[1],
            sharpe=c[2],
            n_trades=c[3],
            net_return=None if c[2] is None else c[2] * 0.04,
            chosen=c is best and edge > 0.05,
        )
        for c in out
    ]


def folds():
    def moment(day):
        return f"{np.datetime64(day)}T00:00Z"

    out = []
    start = np.datetime64("2022-01-01")
    for k in range(5):
        cut = [start + np.timedelta64(k * 34, "D") + d for d in (0, 90, 120, 154)]
        out.append(fold(str(k + 1), [moment(c) for c in cut], k))
    cut = [start + np.timedelta64(172, "D") + d for d in (0, 90, 120)]
    out.append(
        fold("final", [*(moment(c) for c in cut[:2]), moment(SEAL), moment("2023-01-01")], 5)
    )
    return out


def fold(name, cut, k):
    return FoldResult(
        name=name,
        train_span=(cut[0], cut[1]),
        validate_span=(cut[1], cut[2]),
        test_span=(cut[2], cut[3]),
        n_train=42_800 + k,
        n_validate=14_300,
        n_test=16_320,
        purged_train=160,
        purged_validate=180,
        rows_available=42_800 + k,
        rows_used={"logistic": 42_800 + k, "lightgbm": 42_800 + k, "gru": 20_000},
        best_epoch={"lightgbm": 131 - k, "gru": 4},
    )


def classic():
    return ClassicLabel(
        label="+5 % before −2 % within 8 bars, entry at the close of the decision bar",
        ours=[
            ClassicFigures(
                name="lightgbm",
                base_rate=0.0378,
                precision=0.231,
                recall=0.21,
                f1=0.22,
                roc_auc=0.79,
                pr_auc=0.141,
                log_loss=0.139,
            )
        ],
        predecessor=[
            ClassicFigures(name="MLP", precision=0.242, recall=0.415, f1=0.306, roc_auc=0.87),
            ClassicFigures(name="LSTM", precision=0.256, recall=0.333, f1=0.289, roc_auc=0.85),
            ClassicFigures(name="GRU", precision=0.2, recall=0.411, f1=0.269, roc_auc=0.83),
        ],
    )


def market(seed=7, edge=0.081, word="evidence", **changes):
    rng = np.random.default_rng(seed)
    traded = word != "none"
    n_sealed = 73
    sealed = performance(rng, SEAL, n_sealed, 0.006 if traded else 0.0, n_trades=412 * traded)
    before = performance(rng, "2022-05-01", 172, 0.005, n_trades=1033)
    planted = edge > 0.05
    verdict = VerdictResult(
        word=word,
        reason=None if traded else "no_trades",
        sentence=(
            "The edge is real after costs, on 73 days that no choice had seen."
            if traded
            else "No edge was found: no trade cleared its costs, so none was made."
        ),
        cannot_prove=(
            "73 sealed days can only prove an edge this large: a true annual Sharpe below "
            "about 7 would pass unseen. Nobody finds one like this in a real market."
        ),
        conditions=[
            Condition(
                name="primary_p",
                value=0.0005 if traded else 1.0,
                threshold=0.05,
                met=traded,
                gloss="Chance of so large a mean daily return on the sealed days without an edge.",
            ),
            Condition(
                name="deflated_sharpe",
                value=0.981 if traded else None,
                threshold=0.95,
                met=traded,
                gloss="Stands for the surrogate search: the winner as the best of all tried.",
            ),
        ],
        primary_p=0.0005 if traded else 1.0,
        n_days=73 * traded,
        sealed_days=n_sealed,
        n_trades=412 * traded,
    )
    content = dict(
        title="Planted market" if planted else "Null twin",
        verdict=verdict,
        sealed=sealed,
        walk_forward=before if planted else None,
        skill=skill(rng, edge),
        thresholds=thresholds(edge),
        classic=classic() if planted else None,
        where=slices(rng, edge) if traded else [],
        worst_false_positives=[wrong(rng, k) for k in range(5)] if traded else [],
        candidates=candidates(rng, edge),
        folds=folds(),
        sealed_span=(f"{SEAL}T00:00Z", "2023-01-01T00:00Z"),
        ledger=LedgerCounts(n_candidates=24, n_looks_studies=1),
        diagnostics={
            "deflated_sharpe": Diagnostic(value=0.981, gloss="Needs 0.95."),
            "expected_max": Diagnostic(value=1.94, gloss="Best annual Sharpe of 24 without skill."),
            "min_backtest_years": Diagnostic(
                value=0.05, gloss="Years needed to tell it from luck."
            ),
            "min_track_record_days": Diagnostic(value=21.0, gloss="Days needed at this Sharpe."),
            "smallest_detectable_sharpe": Diagnostic(value=7.1, gloss="With 80 % power."),
        },
        data=DataCard(
            source="simulated",
            hash="9f2c81d0a4b7e613",
            timeframe="1h",
            calendar="24/7",
            first="2022-01-01",
            last="2022-12-31",
            n_instruments=20,
            n_rows=175_200,
            findings=["S04: 3 bars with zero volume"],
            rejects=[RejectResult(symbol="S99", file="S99.parquet", reason="naive timestamps")],
            simulated_truth=f"Information coefficient {0.3 if planted else 0}, planted on purpose.",
        ),
        label=LabelCard(
            kind="triple_barrier",
            base_rates={"+1": 0.0378, "-1": 0.412, "0": 0.5502},
            ambiguous_share=0.0007,
            unknown_share=0.001,
            mean_realised={"+1": 0.0502, "-1": -0.0203, "0": 0.0072},
            median_up=0.05,
            median_down=0.02,
        ),
        features=[f"feature_{i}" for i in range(17)],
        limits=[
            "One year of one simulated market: nothing here says how a real market behaves.",
            "Impact is not modelled: capacity is unknown.",
        ],
    )
    return MarketResult(**(content | changes))


def example(**changes):
    """The quickstart's result: evidence on the planted market, none on its null twin."""
    content = dict(
        name="quickstart",
        fingerprint="3fa1b2c4d5e6",
        seed=7,
        market=market(),
        null_twin=market(seed=8, edge=0.003, word="none"),
        config={
            "bars": {"source": "simulated"},
            "models": [{"kind": "logistic"}, {"kind": "lightgbm"}],
            "costs": {"commission_bp": 10, "slippage_bp": 5},
            "seed": 7,
        },
        versions={"touchstone": "0.1.0"},
    )
    return StudyResult(**(content | changes))


RUN = RunFacts(
    command="touchstone run",
    versions={"touchstone": "0.1.0", "python": "3.11.9", "numpy": "2.4.6", "lightgbm": "4.7.0"},
    stages=(("bars", 1.2), ("features", 0.4), ("labels", 0.3), ("folds", 31.0), ("sealed", 2.2)),
    started="2026-11-20T12:00Z",
    host="2 cores, no accelerator",
)
