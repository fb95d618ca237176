"""Weights that follow the market as it runs: scores now, their outcomes when they are known.

    stream = Stream(online)
    stream.learn(known_by_now, now)      # what earlier rows came to
    score = stream.push(scores, assets, now)

What it says equals what the batch `combine(members, outcomes)` says of the same rows, bit for bit.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int8, Int64
from touchstone.ensembles import Members, Outcomes
from touchstone.ensembles.combiners.online import Online
from touchstone.ensembles.hedge import charge, due, moment, settle, weigh
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
        self._online = online
        self._rule = online.rule
        self._log_weight = online.log_weight.copy()
        n_members = self._log_weight.size
        self._moment = moment(n_members)
        self._moment_known = _NEVER
        self._now = _NEVER
        self._score = np.empty((n_members, 0, online.n_outcomes))
        self._asset, self._instant = np.empty(0, np.int64), np.empty(0, np.int64)

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
        if np.unique(asset).size != asset.size:
            raise DataError(f"stream: an instrument comes twice in the push at {now}")
        settle(self._moment, self._rule, self._log_weight)
        self._now = now
        self._score = np.concatenate([self._score, score], axis=1)
        self._asset = np.r_[self._asset, asset]
        self._instant = np.r_[self._instant, instant]
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
        self._refuse(given, outcomes.instant)
        rows = self._rows(outcomes.asset, outcomes.instant)
        came = self._online.came(given)
        for j in due(known, outcomes.instant, outcomes.asset):
            if known[j] != self._moment_known:
                settle(self._moment, self._rule, self._log_weight)
                self._moment_known = int(known[j])
            charge(self._score, rows[j], came, j, self._rule, self._moment)
        self._keep(np.setdiff1d(np.arange(self._asset.size), rows))

    def forget(self, before: int) -> int:
        """Let rows of an instant before this wait no longer; returns how many."""
        kept = np.flatnonzero(self._instant >= before)
        n_forgotten = self._instant.size - kept.size
        self._keep(kept)
        return n_forgotten

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs beside the combination, as JSON holds it, every digit kept."""
        return {
            "log_weight": self._log_weight.tolist(),
            "moment_loss": self._moment.loss.tolist(),
            "moment_weight": float(self._moment.weight[0]),
            "moment_known": self._moment_known,
            "now": self._now,
            "score": self._score.tolist(),
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
            stream._log_weight = np.array(state["log_weight"], np.float64)
            stream._moment.loss[:] = state["moment_loss"]
            stream._moment.weight[0] = state["moment_weight"]
            stream._moment_known, stream._now = int(state["moment_known"]), int(state["now"])
            stream._asset = np.array(state["asset"], np.int64)
            stream._instant = np.array(state["instant"], np.int64)
            shape = (n_members, stream._asset.size, online.n_outcomes)
            stream._score = np.array(state["score"], np.float64).reshape(shape)
        except (KeyError, ValueError, TypeError) as error:
            raise ArtifactError(f"not the state of a stream: {error!r}") from None
        if stream._log_weight.shape != (n_members,) or stream._instant.shape != (shape[1],):
            raise ArtifactError(f"the state of a stream of other members: needs {n_members}")
        return stream

    def _refuse(self, given: Outcomes, instant: Int64) -> None:
        if not np.isfinite(given.realised).all() or not (given.weight > 0).all():
            raise DataError("stream: outcomes need finite `realised` and positive `weight`")
        if (given.known <= instant).any():
            raise DataError("stream: an outcome is known no later than its row")

    def _rows(self, asset: Int64, instant: Int64) -> Int64:
        """Places among the waiting rows."""
        order = np.lexsort((self._asset, self._instant))
        rows = np.empty(asset.size, np.int64)
        begins = np.searchsorted(self._instant[order], instant, side="left")
        ends = np.searchsorted(self._instant[order], instant, side="right")
        for j, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            at = begin + np.searchsorted(self._asset[order[begin:end]], asset[j])
            if at == end or self._asset[order[at]] != asset[j]:
                raise DataError(
                    f"stream: no row of instrument {int(asset[j])} at {int(instant[j])} waits for "
                    "an outcome"
                )
            rows[j] = order[at]
        if np.unique(rows).size != rows.size:
            raise DataError("stream: two outcomes of one row")
        return rows

    def _keep(self, rows: Int64) -> None:
        self._score = np.ascontiguousarray(self._score[:, rows])
        self._asset, self._instant = self._asset[rows], self._instant[rows]
