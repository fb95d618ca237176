"""The ensembles once more, a row at a time in plain Python, from the papers' formulas."""

from collections import defaultdict
from math import exp, log


def probability_of_what_came(row, outcome):
    """`row` is one member's scores of one row."""
    p = {1: row[0]}.get(outcome, 1 - row[0]) if len(row) == 1 else row[outcome + 1]
    return max(float(p), 1e-6)


def hedge(members, outcomes, config, start):
    """Weights of every row: known losses, moment by moment; Raftery et al. (2010), eq. 5-7."""
    n_members, n_rows, _ = members.score.shape
    decay = 1.0 if config.half_life is None else 0.5 ** (1 / config.half_life)
    moments = defaultdict(list)
    for i in range(n_rows):
        moments[int(outcomes.known[i])].append(i)
    weights = [None] * n_rows
    for i in range(n_rows):
        weight = list(start)
        for known in sorted(m for m in moments if m <= members.instant[i]):
            total = sum(outcomes.weight[j] for j in moments[known])
            raised = []
            for k in range(n_members):
                loss = sum(
                    -outcomes.weight[j]
                    * log(probability_of_what_came(members.score[k, j], outcomes.outcome[j]))
                    for j in moments[known]
                )
                raised.append(weight[k] ** decay * exp(-config.learning_rate * loss / total))
            weight = [r / sum(raised) for r in raised]
            weight = [(1 - config.share) * w + config.share / n_members for w in weight]
        weights[i] = weight
    return weights


def effective_rows(members, outcomes):
    """Sum of the mean of 1 / (labels alive) over each label's bars, over Kish's design effect."""
    n = members.instant.size
    bars = sorted(set(members.instant.tolist()) | set(outcomes.known.tolist()))
    alive = defaultdict(int)
    spans = []
    for i in range(n):
        span = [b for b in bars if members.instant[i] < b <= outcomes.known[i]]
        spans.append(span)
        for b in span:
            alive[members.asset[i], b] += 1
    unique = sum(
        sum(1 / alive[members.asset[i], b] for b in spans[i]) / len(spans[i]) for i in range(n)
    )
    n_members = len(members.score)
    gain = [
        [
            log(probability_of_what_came(members.score[k, i], outcomes.outcome[i]))
            for k in range(n_members)
        ]
        for i in range(n)
    ]
    gain = [[g - sum(row) / n_members for g in row] for row in gain]
    mean = [sum(row[k] for row in gain) / n for k in range(n_members)]
    gain = [[g - m for g, m in zip(row, mean, strict=True)] for row in gain]
    apart = sum(g**2 for row in gain for g in row)
    together = 0.0
    for t in set(members.instant.tolist()):
        for k in range(n_members):
            together += sum(gain[i][k] for i in range(n) if members.instant[i] == t) ** 2
    return unique / max(1.0, together / apart)


def posterior(members, outcomes, n_effective, temper):
    """Hoeting et al. (1999), eq. 2, with a marginal likelihood of `n_effective` rows."""
    total = sum(outcomes.weight)
    evidence = [
        temper
        * n_effective
        * sum(
            w * log(probability_of_what_came(row, y))
            for row, y, w in zip(score, outcomes.outcome, outcomes.weight, strict=True)
        )
        / total
        for score in members.score
    ]
    odds = [exp(e - max(evidence)) for e in evidence]
    return [o / sum(odds) for o in odds]


def pooled_loss(members, outcomes, weights):
    """Weighted mean of -ln sum_k w_ik p_ik."""
    loss = 0.0
    for i, weight in enumerate(weights):
        p = sum(
            w * probability_of_what_came(members.score[k, i], outcomes.outcome[i])
            for k, w in enumerate(weight)
        )
        loss -= outcomes.weight[i] * log(p)
    return loss / sum(outcomes.weight)


def gate(theta, inputs):
    """Softmax of a linear function; Jacobs et al. (1991), section 1."""
    raised = [exp(sum(x * theta[d][k] for d, x in enumerate(inputs))) for k in range(len(theta[0]))]
    return [r / sum(raised) for r in raised]


def selection(likelihood, share, n_steps):
    """Caruana et al. (2004), section 2: every member tried at every step."""
    n_rows, n_members = likelihood.shape
    bag, losses = [], []
    for _ in range(n_steps):
        tried = []
        for k in range(n_members):
            candidate = [*bag, k]
            mean = [
                sum(likelihood[i, m] for m in candidate) / len(candidate) for i in range(n_rows)
            ]
            tried.append(-sum(s * log(m) for s, m in zip(share, mean, strict=True)))
        best = tried.index(min(tried))
        bag.append(best)
        losses.append(tried[best])
    return bag, losses


def diversity_of_two(right, other, share):
    """N11 .. N00 as shares of the rows -> disagreement, Q, double fault; Kuncheva & Whitaker."""
    n = defaultdict(float)
    for a, b, s in zip(right, other, share, strict=True):
        n[int(a), int(b)] += s
    cross, product = n[0, 1] * n[1, 0], n[1, 1] * n[0, 0]
    q = (product - cross) / (product + cross) if product + cross else 0.0
    return n[0, 1] + n[1, 0], q, n[0, 0]
