"""Weights that follow the market as it runs: scores now, their outcomes when they are known.

    stream = Stream(online)
    stream.learn(known_by_now, now)      # what earlier rows came to
    score = stream.push(scores, assets, now)

What it says equals what the batch `combine(members, outcomes)` says of the same rows, bit for bit.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.ensembles import Members, Outcomes
from touchstone.ensembles.combiners.online import Online
from touchstone.ensembles.hedge import Arrived, due, learn, moment, settle, weigh
from touchstone.ensembles.rows import check_scores, pool
from touchstone.errors import ArtifactError, DataError

_NEVER = int(np.iinfo(np.int64).min)


class Known(NamedTuple):
    """Outcomes of rows pushed before, each named by its instrument and instant; all (n,)."""

    asset: Int64
    instant: Int64
    """`now` of the push that the row was in."""
    outcome: Int8
    realised: Float64
    known: Int64
    """ns UTC at which the outcome became known, no later than `now` of the call."""
    weight: Float64
    """Positive."""


class Stream:
    """An `online` combination on its way through time; the combination itself is not changed.

    Rows wait, with what the members said of them, until their outcome is learnt. Outcomes of one
    moment that are given in one call are taken in the batch's order; over several calls, in the
    order of the calls, which may differ from the batch in the last bit.
    """

    def __init__(self, online: Online) -> None:
        self._online, self._rule = online, online.rule
        self._log_weight = online.log_weight.copy()
        self._moment, self._now = moment(online.log_weight.size), _NEVER
        self._score = np.empty((online.log_weight.size, 64, online.n_outcomes))
        self._is_free = np.ones(64, np.bool_)
        # waiting rows, rising by instant and then by instrument, and their places in the scores
        self._instant, self._asset, self._place = (np.empty(0, np.int64) for _ in range(3))

    @property
    def weight(self) -> Float64:
        """The weights at this moment, (n_members,)."""
        weight = np.empty(self._log_weight.size)
        weigh(self._log_weight, weight)
        return weight

    @property
    def n_waiting(self) -> int:
        """Rows whose outcome was not learnt yet."""
        return self._asset.size

    def push(self, score: Float64, asset: Int64, now: int) -> Float64:
        """Combine rows whose close is known now, (n_rows, n_outcomes), and let them wait.

        Args:
            score: (n_members, n_rows, n_outcomes).
            asset: (n_rows,) number of each row's instrument, each once.
            now: ns UTC, after that of every earlier push.

        Raises:
            DataError: scores that cannot be combined, an instrument twice, or a time that is past.
        """
        if now <= self._now:
            raise DataError(f"stream: pushed at {now}, no later than {self._now} of the last push")
        instant = np.full(asset.shape, now, np.int64)
        members = Members(score, instant, asset)
        check_scores(members, self._log_weight.size, self._online.n_outcomes)
        order = np.argsort(asset, kind="stable")
        if (np.diff(asset[order]) == 0).any():
            raise DataError(f"stream: an instrument comes twice in the push at {now}")
        settle(self._moment, self._rule, self._log_weight)
        self._now = now
        self._wait(score[:, order], instant, asset[order])
        return pool(score, self.weight)

    def learn(self, outcomes: Known, now: int) -> None:
        """Take outcomes that are known now; the next push is combined by them.

        An outcome that comes late, known by the last push already, counts as known now.

        Raises:
            DataError: an outcome of a row that does not wait, that is known later than now or no
                later than its row, or values that are not finite.
        """
        known = np.maximum(outcomes.known, self._now + 1)
        if known.size and known.max() > now:
            raise DataError(
                f"stream: an outcome known at {int(known.max())} was given at {now}, and the last "
                f"push was at {self._now}: learn what is known, after that push"
            )
        given = Outcomes(outcomes.outcome, outcomes.realised, known, outcomes.weight)
        _refuse(given, outcomes.instant)
        at = _found(self._instant, self._asset, outcomes.instant, outcomes.asset)
        missing = np.flatnonzero(at < 0)
        if missing.size:
            asset, instant = outcomes.asset[missing[0]], outcomes.instant[missing[0]]
            raise DataError(
                f"stream: no row of instrument {int(asset)} at {int(instant)} waits for an outcome"
            )
        if np.unique(at).size != at.size:
            raise DataError("stream: two outcomes of one row")
        order = due(known, outcomes.instant, outcomes.asset)
        arrived = Arrived(self._online.came(given), self._place[at], order)
        learn(self._score, arrived, self._rule, self._log_weight, self._moment)
        waits = np.ones(self._asset.size, np.bool_)
        waits[at] = False
        self._keep(waits)

    def forget(self, before: int) -> int:
        """Let rows of an instant before this wait no longer; returns how many."""
        waits = self._instant >= before
        self._keep(waits)
        return int((~waits).sum())

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs beside the combination, as JSON holds it, every digit kept."""
        return {
            "log_weight": self._log_weight.tolist(),
            "moment": [part.tolist() for part in self._moment],
            "now": self._now,
            "score": self._score[:, self._place].tolist(),
            "asset": self._asset.tolist(),
            "instant": self._instant.tolist(),
        }

    @classmethod
    def restore(cls, online: Online, state: Mapping[str, Any]) -> "Stream":
        """The stream that told this state, going on with the same bits.

        Raises:
            ArtifactError: it is no state of a stream of this combination.
        """
        stream = cls(online)
        n_members = online.log_weight.size
        try:
            asset, instant = (np.array(state[name], np.int64) for name in ("asset", "instant"))
            score = np.array(state["score"], np.float64)
            stream._log_weight[:] = np.array(state["log_weight"], np.float64)
            for part, told in zip(stream._moment, state["moment"], strict=True):
                part[:] = np.array(told)
            stream._now = int(state["now"])
            score = score.reshape((n_members, asset.size, online.n_outcomes))
            if instant.shape != asset.shape:
                raise ValueError(f"{instant.size} instants of {asset.size} rows")
        except (KeyError, ValueError, TypeError) as error:
            raise ArtifactError(
                f"not the state of a stream of {n_members} members: {error!r}"
            ) from None
        stream._wait(score, instant, asset)
        return stream

    def _wait(self, score: Float64, instant: Int64, asset: Int64) -> None:
        """Add rows, later than all that wait, in the order of their instruments."""
        free = np.flatnonzero(self._is_free)
        if free.size < asset.size:
            more = max(self._is_free.size, asset.size)
            self._score = np.concatenate(
                [self._score, np.empty((len(score), more, score.shape[2]))], axis=1
            )
            self._is_free = np.r_[self._is_free, np.ones(more, np.bool_)]
            free = np.flatnonzero(self._is_free)
        place = free[: asset.size]
        self._score[:, place], self._is_free[place] = score, False
        self._instant = np.r_[self._instant, instant]
        self._asset, self._place = np.r_[self._asset, asset], np.r_[self._place, place]

    def _keep(self, waits: Bool) -> None:
        self._is_free[self._place[~waits]] = True
        self._instant, self._asset = self._instant[waits], self._asset[waits]
        self._place = self._place[waits]


def _refuse(given: Outcomes, instant: Int64) -> None:
    if not np.isfinite(given.realised).all() or not (given.weight > 0).all():
        raise DataError("stream: outcomes need finite `realised` and positive `weight`")
    if (given.known <= instant).any():
        raise DataError("stream: an outcome is known no later than its row")


@njit(cache=True)
def _found(instants: Int64, assets: Int64, instant: Int64, asset: Int64) -> Int64:
    """Where each row stands among rows that rise by instant, then by instrument; -1: nowhere."""
    out = np.full(asset.size, -1)
    for j in range(asset.size):
        low, high = 0, assets.size
        while low < high:
            middle = (low + high) // 2
            is_before = instants[middle] < instant[j] or (
                instants[middle] == instant[j] and assets[middle] < asset[j]
            )
            low, high = (middle + 1, high) if is_before else (low, middle)
        if low < assets.size and instants[low] == instant[j] and assets[low] == asset[j]:
            out[j] = low
    return out
