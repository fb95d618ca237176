"""How much some scores were surprised by what happened: by what a careless search chooses."""

import numpy as np

from touchstone.models import OUTCOMES


def surprise_of(score, labels, rows):
    """Mean log-loss of scores (n, n_outcomes) over the rows whose outcome is known."""
    known = labels.known[rows]
    outcomes = OUTCOMES["barrier" if score.shape[1] == 3 else "buy"]
    hit = labels.outcome[rows][known][:, None] == np.array(outcomes)
    said = np.clip(score[known], 1e-6, 1 - 1e-6)
    if score.shape[1] == 1:
        return float(-np.mean(np.where(hit, np.log(said), np.log1p(-said)))) if known.any() else 0.0
    return float(-np.mean(np.log(said)[hit])) if known.any() else 0.0
