"""The predecessor's decision and a cost-aware one on the same scores: the page, side by side.

With a folder of bars as argument the same on those: `predecessor.py DIR`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from record import ROOT, write

STUDY = ROOT / "examples" / "predecessor.yaml"
SIDES = ("f1", "cost_aware")
UNTIL = "2020-07-15"


def ran(folder: str, *words: object) -> str:
    """Standard output of a command."""
    command = [str(Path(sys.executable).parent / "touchstone"), *map(str, words), "--out", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout


def figures(folder: str, bars: list[str]) -> tuple[list[dict], dict]:
    """Both documents, and what the study says of its scores."""
    ran(folder, "run", STUDY, *(("--bars", *bars) if bars else ()), "-q")
    ran(folder, "export", "predecessor", "--what", "scores", "--file", "scores.parquet")
    told = []
    for side in SIDES:
        terms = ROOT / "examples" / f"predecessor_{side}.yaml"
        words = ("--scores", "scores.parquet", "--strategy", terms, "--calibrate-until", UNTIL)
        told.append(
            json.loads(ran(folder, "backtest", "--bars", *(bars or [STUDY]), *words, "--json"))
        )
    result = json.loads(next(Path(folder).glob("runs/*/result.json")).read_text())
    return told, result["market"]["classic"]["ours"][0]


def table(told: list[dict]) -> list[str]:
    """The two beside each other."""
    money = [d["performance"] for d in told]

    def row(name, of, form):
        cells = ["-" if of(p) is None else format(of(p), form) for p in money]
        return f"| {name} | " + " | ".join(cells) + " |"

    hits = [p["exits"]["target"] / p["n_trades"] if p["n_trades"] else None for p in money]
    return [
        "| | F1 threshold, 8 % a trade | cost-aware, 8 % a trade |",
        "|---|---:|---:|",
        row("return before costs", lambda p: p["ladder"][0]["net_return"], "+.1%"),
        row("costs paid, of the deposit", lambda p: p["cost_paid"] / p["starting_equity"], ".1%"),
        row("**net return**", lambda p: p["net_return"], "+.1%"),
        row("deepest drawdown", lambda p: p["max_drawdown"], ".1%"),
        row("trades", lambda p: p["n_trades"], ","),
        row("win rate", lambda p: p["win_rate"], ".1%"),
        row("profit factor", lambda p: p["profit_factor"], ".2f"),
        "| trades that reached the target | "
        + " | ".join("-" if h is None else f"{h:.1%}" for h in hits) + " |",
        "| break-even precision, classic | 32.9% | 32.9% |",
    ]  # fmt: skip


def main() -> None:
    """Run, compare, record."""
    with tempfile.TemporaryDirectory() as folder:
        bars = [str(Path(p).resolve()) for p in sys.argv[1:2]]
        told, ours = figures(folder, bars)
    lines = [
        "The same scores of one network, traded twice from " + UNTIL + " on; made by "
        "`tests/proofs/predecessor.py`. What it means: [predecessor.md](../predecessor.md).",
        "",
        *table(told),
        "",
        f"The scores on their tests: base rate {ours['base_rate']:.1%}; at the threshold of best F1 "
        f"precision {ours['precision']:.1%}, recall {ours['recall']:.1%}, F1 {ours['f1']:.2f}; "
        f"ROC-AUC {ours['roc_auc']:.2f}. Threshold that was found: {told[0]['entry_threshold']:.3f}.",
    ]
    write("predecessor", "The predecessor's decision beside a cost-aware one", lines)


if __name__ == "__main__":
    main()
