"""How much does a model lose when what it sees is off by less than a feature's own noise?

Every value of a window may move by a share `eps` of its feature's noise: the standard deviation
of its change from one bar to the next, on the train rows. Four ways of moving it, all as large:
at random, and by three attackers who know the model and what came of each row. The market stays:
outcomes and returns are those of the true bars, only what the model sees is moved.

An attacker lowers the score of a row that reached the target and raises that of one that did not.
None of it is a forecast of what bars will do: the attacks are the worst of their kind, the random
move is what noise does, and the distance of both says how much a model rests on fine detail.

Sources: Goodfellow, Shlens & Szegedy (2015), Explaining and Harnessing Adversarial Examples;
Madry et al. (2018), Towards Deep Learning Models Resistant to Adversarial Attacks.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.errors import ConfigError
from touchstone.explain import Subject
from touchstone.explain.changed import free_of, scored, usual
from touchstone.explain.gradients import has_gradients, logit_gradient
from touchstone.metrics import classification as c
from touchstone.metrics.ranked import ranked, ranked_pr_auc
from touchstone.seeding import generator
from touchstone.validation.day_bootstrap import counted_interval, days_of

Attack = Literal["random", "fgsm", "pgd", "greedy"]

SHARES: Final = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5)
"""Of each feature's noise."""
_PGD_STEPS: Final = 10
_PGD_STRIDE: Final = 2.5
"""Steps of PGD are this times eps over their number, so that a corner can be reached and left."""
_N_RESAMPLES: Final = 399
_CHUNK: Final = 512
"""Rows attacked at a time."""

Interval = tuple[float, float] | None


class Exposed(NamedTuple):
    """One fold, and what decides there."""

    subject: Subject
    threshold: float
    """p(+1) from which on a row is accepted."""


class Measured(NamedTuple):
    """A measure with its 95 % interval over days."""

    value: float | None
    interval: Interval


class Point(NamedTuple):
    """What the model is worth under one attack of one size, on the rows of all folds."""

    attack: Attack
    share: float
    """Of the noise."""
    accuracy: Measured
    """Share of rows whose decision is right: accepted and at the target, or refused and not."""
    pr_auc: Measured
    """Of the attacked scores; within a fold's scores no threshold plays a part."""
    net: Measured
    """Mean realised return of the accepted rows less the round trip, fraction."""
    n_accepted: int
    n_flipped: int
    """Rows whose decision is another one than without the attack."""
    moved: float
    """Mean absolute change of the score, p(+1)."""


class Robustness(NamedTuple):
    """The curve of every attack over its size."""

    points: tuple[Point, ...]
    """By attack, then by share, rising; the first of each is the model as it is."""
    n_rows: int
    base_rate: float
    has_gradients: bool
    """Whether the attackers follow the gradient; else they search, which finds less."""
    noise: Float64
    """Of each feature, in standard deviations of the feature, (n_features,): of the first fold."""


def attacks_on(subject: Subject) -> tuple[Attack, ...]:
    """Which attacks a model can be put to, the control first."""
    if has_gradients(subject.fitted):
        return ("random", "fgsm", "pgd")
    return ("random", "greedy")


def robustness(
    exposed: Sequence[Exposed],
    round_trip: float,
    shares: Sequence[float] = SHARES,
    held: tuple[str, ...] = (),
    advance: Callable[[str], None] = lambda _: None,
) -> Robustness:
    """The model under random noise and under attack, sizes rising.

    Args:
        exposed: the folds of one kind of model.
        round_trip: cost of buying and selling, fraction.
        shares: of each feature's noise, rising from 0.
        held: features that are known without noise, as the calendar, and are not moved.
        advance: told after each attack on each fold.

    Raises:
        ConfigError: no fold, shares that do not rise from 0, or every feature held.
    """
    if not exposed or shares[0] != 0 or list(shares) != sorted(set(shares)):
        raise ConfigError(f"robustness needs a fold, and shares that rise from 0, got {shares}")
    ways = attacks_on(exposed[0].subject)
    scores: dict[tuple[Attack, float], list[Float64]] = {(w, s): [] for w in ways for s in shares}
    for one in exposed:
        for way in ways:
            for share, said in zip(shares, _attacked(one.subject, way, shares, held), strict=True):
                scores[way, share].append(said)
            advance(f"{one.subject.name}, {way}")
    pool = _Pool.of(exposed, round_trip)
    clean = np.concatenate(scores[ways[0], shares[0]])
    points = tuple(
        pool.point(way, share, np.concatenate(said), clean) for (way, share), said in scores.items()
    )
    first = exposed[0].subject
    return Robustness(
        points, clean.size, float(pool.hit.mean()), has_gradients(first.fitted), usual(first).noise
    )


def attacked(
    subject: Subject, windows: Float32, ids: Int32, hit: Bool, by: tuple[Attack, Float64]
) -> Float32:
    """Windows moved by one attack, each value by at most its radius.

    Args:
        subject: whose model is attacked.
        windows: (n, lookback, n_features), scaled.
        ids: (n,) instrument of each.
        hit: (n,) whether the row reached the target: what the attacker works against.
        by: the attack, and the radius of each feature, scaled, (n_features,), none negative.
    """
    way, radius = by
    if way == "random":
        return _random(subject, windows, radius)
    if way == "greedy":
        return _greedy(subject, windows, (ids, hit), radius)
    fgsm = _fgsm(subject, windows, (ids, hit), radius)
    if way == "fgsm":
        return fgsm
    pgd = _pgd(subject, windows, (ids, hit), radius)
    return _worse(subject, (windows, fgsm, pgd), ids, hit)


def _attacked(
    subject: Subject, way: Attack, shares: Sequence[float], held: tuple[str, ...]
) -> list[Float64]:
    """p(+1) of the subject's rows under an attack of each size, by the one scoring path."""
    noise = np.where(free_of(subject.names, held), usual(subject).noise, 0.0)
    out = [np.empty(subject.rows.size) for _ in shares]
    for start in range(0, subject.rows.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = subject.rows[part]
        windows, ids = subject.windows.gather(rows), subject.windows.ids(rows)
        hit = subject.outcome[part] == 1
        own = subject._replace(rows=rows)
        for share, said in zip(shares, out, strict=True):
            moved = windows
            if share > 0:
                moved = attacked(own, windows, ids, hit, (way, share * noise))
            said[part] = scored(subject.fitted, moved, ids)
    return out


def _random(subject: Subject, windows: Float32, radius: Float64) -> Float32:
    """Every value by its whole radius, up or down by chance: as large a move as an attacker's.

    A row's signs follow from the row alone, and are the same for every size.
    """
    signs = np.empty(windows.shape, np.float32)
    for i, row in enumerate(subject.rows):
        rng = generator(subject.seed, "noise", subject.name, int(row))
        signs[i] = 2.0 * rng.integers(0, 2, windows.shape[1:]) - 1
    return np.asarray(windows + signs * radius.astype(np.float32), np.float32)


def _fgsm(
    subject: Subject, windows: Float32, truth: tuple[Int32, Bool], radius: Float64
) -> Float32:
    """One step of the sign of the loss's gradient: the logit's, up where the row missed."""
    ids, hit = truth
    _, slope = logit_gradient(subject.fitted, windows, ids)
    step = radius.astype(np.float32) * np.sign(slope) * _harm(hit)
    return np.asarray(windows + step, np.float32)


def _harm(hit: Bool) -> Float32:
    """Which way a row's logit has to go to do harm, (n, 1, 1)."""
    return np.where(hit, -1, 1).astype(np.float32)[:, None, None]


def _pgd(subject: Subject, windows: Float32, truth: tuple[Int32, Bool], radius: Float64) -> Float32:
    """The worst of the places, by the logit, that ten projected steps of the gradient's sign pass.

    They begin at a random place in the box.
    """
    (ids, hit), harm = truth, _harm(truth[1])
    limit = radius.astype(np.float32)
    rng = generator(subject.seed, "pgd", subject.name, int(subject.rows[0]))
    move = limit * rng.uniform(-1, 1, windows.shape).astype(np.float32)
    worst, most = move, np.full(hit.size, -np.inf, np.float32)
    for _ in range(_PGD_STEPS + 1):
        logit, slope = logit_gradient(subject.fitted, windows + move, ids)
        done = logit * harm[:, 0, 0]
        worst = np.where((done > most)[:, None, None], move, worst)
        most = np.maximum(most, done)
        step = limit * np.float32(_PGD_STRIDE / _PGD_STEPS) * np.sign(slope) * harm
        move = np.clip(move + step, -limit, limit)
    return np.asarray(windows + worst, np.float32)


def _worse(
    subject: Subject, candidates: Sequence[Float32], ids: Int32, hit: Bool
) -> Float32:  # fmt: skip
    """Of each row the candidate whose score does it most harm, the first of equals."""
    said = np.stack([scored(subject.fitted, windows, ids) for windows in candidates])
    worst = np.where(hit, said.argmin(0), said.argmax(0))
    found: Float32 = np.stack(candidates)[worst, np.arange(len(ids))]
    return found


def _greedy(
    subject: Subject, windows: Float32, truth: tuple[Int32, Bool], radius: Float64
) -> Float32:
    """Feature by feature, the whole window up or down by its radius where that does more harm.

    The feature that does most harm alone comes first. No gradient is needed; an attacker who
    moved single bars might find more.
    """
    ids, hit = truth
    sign, n = np.where(hit, -1.0, 1.0), len(windows)
    now = sign * scored(subject.fitted, windows, ids)
    moves = [(int(j), way) for j in np.flatnonzero(radius > 0) for way in (-1.0, 1.0)]
    if not moves:
        return windows
    harm = np.stack([
        sign * scored(subject.fitted, _shifted(windows, j, way * radius[j]), ids) - now
        for j, way in moves
    ])  # fmt: skip
    up, down = harm[1::2], harm[0::2]
    best = np.argsort(-np.maximum(up, down), 0, kind="stable")
    features = np.array([j for j, _ in moves[::2]])
    moved = windows.copy()
    for turn in range(len(features)):
        k = best[turn]
        j, way = features[k], np.where(up[k, np.arange(n)] >= down[k, np.arange(n)], 1.0, -1.0)
        tried = moved.copy()
        tried[np.arange(n), :, j] += (way * radius[j]).astype(np.float32)[:, None]
        after = sign * scored(subject.fitted, tried, ids)
        better = after > now
        moved[better], now = tried[better], np.where(better, after, now)
    return moved


def _shifted(windows: Float32, feature: int, by: float) -> Float32:
    moved = windows.copy()
    moved[:, :, feature] += np.float32(by)
    return moved


class _Pool(NamedTuple):
    """The rows of all folds, (n,)."""

    hit: Bool
    net: Float64
    """Realised return less the round trip."""
    day: Int64
    """The place of each row's day among the days."""
    n_days: int
    threshold: Float64
    """Of the row's fold."""
    seed: int

    @classmethod
    def of(cls, exposed: Sequence[Exposed], round_trip: float) -> "_Pool":
        """Put the folds together."""
        subjects = [one.subject for one in exposed]
        days = days_of(np.concatenate([s.day for s in subjects]))
        return cls(
            np.concatenate([s.outcome == 1 for s in subjects]),
            np.concatenate([s.realised for s in subjects]) - round_trip,
            days.at,
            days.n,
            np.concatenate([np.full(e.subject.rows.size, e.threshold) for e in exposed]),
            subjects[0].seed,
        )

    def point(self, way: Attack, share: float, said: Float64, clean: Float64) -> Point:
        """Every measure of these scores; the days drawn are the same for all attacks and sizes."""
        taken, before = said >= self.threshold, clean >= self.threshold
        order = ranked(said, self.hit, self.day)
        return Point(
            way,
            share,
            self._ratio(taken == self.hit, np.ones(said.size)),
            self._measured(
                c.pr_auc(said, self.hit), lambda counts: ranked_pr_auc(order, counts)
            ),
            self._ratio(self.net * taken, taken),
            int(taken.sum()),
            int((taken != before).sum()),
            float(np.abs(said - clean).mean()),
        )  # fmt: skip

    def _ratio(self, above: Float64 | Bool, below: Float64 | Bool) -> Measured:
        top, bottom = (np.bincount(self.day, x, self.n_days) for x in (above, below))
        return self._measured(
            _over(float(np.sum(above)), float(np.sum(below))),
            lambda counts: _over(float(counts @ top), float(counts @ bottom)),
        )

    def _measured(
        self, value: float | None, of_days: Callable[[Float64], float | None]
    ) -> Measured:
        rng = generator(self.seed, "robustness", "days")
        ends = counted_interval(of_days, self.n_days, rng, n_resamples=_N_RESAMPLES)
        return Measured(value, None if value is None else ends)


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
