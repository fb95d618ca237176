"""How well a scorer reads financial sentences, beside chance: against people's labels.

Sentences of company news, labelled by 5 to 8 annotators with their agreement (Malo et al. 2014,
Good Debt or Bad Debt, JASIST 65:4); non-commercial, so beside the project and not in it.

    python tests/proofs/scorers.py [--scorer "{kind: vader}"] [--sentences FILE] [--no-record]
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from record import ROOT, write
from scipy.stats import rankdata

from touchstone.data.news.scoring import scores_of
from touchstone.data.scorers import SCORERS
from touchstone.files import parse_yaml

SENTENCES = ROOT.parent / "shared" / "data" / "news" / "financial_phrasebank.parquet"
SIGN = {"negative": -1, "neutral": 0, "positive": 1}
NEUTRAL = 0.05
"""Scores nearer to zero than this count as neutral: VADER's own convention, not fitted here."""
N_DRAWS = 2_000


class Figures(NamedTuple):
    """What was seen on some sentences; chance is the same labels dealt out at random."""

    n: int
    accuracy: float
    chance_accuracy: float
    majority: float
    rank: float
    chance_rank: tuple[float, float]
    auc: float


def measured(score: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> Figures:
    """Accuracy, rank correlation and direction of scores (n,) against labels (n,) in -1, 0, 1."""
    said = np.where(np.abs(score) < NEUTRAL, 0, np.sign(score))
    ranks, truth = rankdata(score), rankdata(label)
    ranks, truth = ((r - r.mean()) / r.std() for r in (ranks, truth))
    dealt = [rng.permutation(label.size) for _ in range(N_DRAWS)]
    by_chance = [float(np.mean(said == label[d])) for d in dealt]
    chance_rank = np.quantile([float(np.mean(ranks * truth[d])) for d in dealt], [0.025, 0.975])
    good, bad = score[label == 1], score[label == -1]
    both = rankdata(np.r_[good, bad])[: good.size]
    auc = (both.sum() - good.size * (good.size + 1) / 2) / (good.size * bad.size)
    shares = np.bincount(label + 1) / label.size
    return Figures(
        label.size, float(np.mean(said == label)), float(np.mean(by_chance)), float(shares.max()),
        float(np.mean(ranks * truth)), (float(chance_rank[0]), float(chance_rank[1])), float(auc),
    )  # fmt: skip


def figures_of(sentences: Path, scorer: str) -> tuple[str, dict[str, Figures]]:
    """The scorer's version, and what was seen by the annotators' agreement."""
    config = SCORERS.parse(parse_yaml(scorer, "--scorer"))
    judge = SCORERS.part_of(config)(config, ROOT)
    frame = pl.read_parquet(sentences)
    score = scores_of(judge, frame["sentence"].to_list(), None)[:, 0]
    label = frame["label"].replace_strict(SIGN, return_dtype=pl.Int64).to_numpy()
    agreed, rng = frame["min_agreement_pct"].to_numpy(), np.random.default_rng(7)
    rows = {"all": np.full(label.size, True)}
    rows |= {f"{a} %": agreed == a for a in sorted(set(agreed.tolist()))}
    return judge.version, {name: measured(score[k], label[k], rng) for name, k in rows.items()}


def told(version: str, found: dict[str, Figures]) -> list[str]:
    """The table."""
    head = (
        "| agreement | sentences | accuracy | by chance | always the commonest | rank correlation "
        "| by chance (95 %) | AUC, positive against negative |"
    )
    lines = [f"Scorer: {version}. A score nearer to 0 than {NEUTRAL:g} counts as neutral.", ""]
    lines += [head, "|---" * 8 + "|"]
    for name, f in found.items():
        low, high = f.chance_rank
        lines.append(
            f"| {name} | {f.n:,} | {f.accuracy:.3f} | {f.chance_accuracy:.3f} | {f.majority:.3f} "
            f"| {f.rank:.3f} | {low:+.3f} to {high:+.3f} | {f.auc:.3f} |"
        )
    whole = found["all"]
    better = "above" if whole.accuracy > whole.majority else "below"
    beyond = "beyond" if whole.rank > whole.chance_rank[1] else "within"
    lines += ["", f"On all sentences the accuracy lies {better} that of always saying the "
              f"commonest label, and the rank correlation {beyond} what chance deals."]  # fmt: skip
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scorer", default="{kind: vader}")
    parser.add_argument("--sentences", type=Path, default=SENTENCES)
    parser.add_argument("--no-record", action="store_true")
    wish = parser.parse_args()
    if not wish.sentences.is_file():
        print(f"no labelled sentences at {wish.sentences}: nothing measured")
        return
    lines = told(*figures_of(wish.sentences, wish.scorer))
    if wish.no_record:
        print("\n".join(lines))
    else:
        write("scorers", "Scorers of news against people's labels", lines)


if __name__ == "__main__":
    main()
