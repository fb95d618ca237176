"""What every kind does with rows: refuse what cannot be, look up what came, pool, go to JSON."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int8, Int64
from touchstone.ensembles import Members, Outcomes
from touchstone.errors import ArtifactError, DataError

FLOOR: Final = 1e-6
"""Least probability that a logarithm sees: scores are rounded to that."""
FILE: Final = "ensemble.json"
_SUM_OFF: Final = 1e-3
"""How far from one three probabilities may sum."""
_LATER: Final = "the same members, in the same order, as in the fit"


def checked(members: Members, outcomes: Outcomes) -> None:
    """Refuse rows that nothing can be fitted on.

    Raises:
        DataError: no rows, no members, shapes that differ, values that are not finite or no
            probabilities, weights that are not positive, one kind of outcome throughout, or an
            outcome that is known no later than its row.
    """
    _shaped(members)
    n_rows = members.score.shape[1]
    for name, column in outcomes._asdict().items():
        if column.shape != (n_rows,):
            raise DataError(f"outcomes.{name} has shape {column.shape}, the scores {n_rows} rows")
    _probable(members.score)
    for name in ("realised", "weight"):
        column = getattr(outcomes, name)
        if not np.isfinite(column).all():
            row = int(np.argmin(np.isfinite(column)))
            raise DataError(f"outcomes.{name} of row {row} is {column[row]}: leave such rows out")
    if not (outcomes.weight > 0).all():
        raise DataError("outcomes.weight needs to be positive: leave rows that count for 0 out")
    early = outcomes.known <= members.instant
    if early.any():
        raise DataError(
            f"outcome of row {int(np.argmax(early))} is known no later than the row itself: "
            "`known` is when the label's exit is known"
        )
    if n_kinds(outcomes.outcome, members.score.shape[2]) < 2:
        raise DataError(
            f"all {n_rows} outcomes are of one kind: nothing tells the members apart; give rows "
            "from a longer stretch"
        )


def check_scores(members: Members, n_members: int, n_outcomes: int) -> None:
    """Refuse scores that a fitted combination cannot combine.

    Raises:
        DataError: another number of members or columns, no rows, or values that are not finite or
            no probabilities.
    """
    _shaped(members)
    got = members.score.shape
    if (got[0], got[2]) != (n_members, n_outcomes):
        raise DataError(
            f"scores of {got[0]} members x {got[2]} columns, the ensemble was fitted to "
            f"{n_members} x {n_outcomes}: give {_LATER}"
        )
    _probable(members.score)


def check_outcomes(members: Members, outcomes: Outcomes) -> None:
    """Refuse outcomes that weights cannot learn from.

    Raises:
        DataError: lengths that differ, values that are not finite, weights that are not positive,
            or an outcome that is known no later than its row.
    """
    n_rows = members.score.shape[1]
    columns = outcomes._asdict()
    short = [name for name, column in columns.items() if column.shape != (n_rows,)]
    if short:
        raise DataError(f"outcomes.{short[0]}: {columns[short[0]].shape}, needs ({n_rows},)")
    if (
        not np.isfinite(outcomes.realised).all()
        or not (np.isfinite(outcomes.weight) & (outcomes.weight > 0)).all()
    ):
        raise DataError("outcomes need finite `realised` and positive `weight`: drop other rows")
    if (outcomes.known <= members.instant).any():
        raise DataError("an outcome is known no later than its row: `known` is when the exit is")


def shares(weight: Float64) -> Float64:
    """Weights of rows summing to one, (n_rows,)."""
    return np.asarray(weight / weight.sum(), np.float64)


def column_of(outcome: Int8, n_outcomes: int) -> Int64:
    """Which column of a score came true, (n_rows,): of one column 0 for +1 and -1 for the rest."""
    if n_outcomes == 1:
        return np.where(outcome == 1, 0, -1).astype(np.int64)
    return np.asarray(outcome, np.int64) + 1


def base_rate(members: Members, outcomes: Outcomes) -> Float64:
    """Share of the rows, by weight, in which each column came true, (n_outcomes,)."""
    n_outcomes = members.score.shape[2]
    came = column_of(outcomes.outcome, n_outcomes)
    share = shares(outcomes.weight)
    return np.array([share[came == c].sum() for c in range(n_outcomes)])


def take(members: Members, outcomes: Outcomes, rows: Int64) -> tuple[Members, Outcomes]:
    """Some of the rows."""
    named = {expression: column[rows] for expression, column in members.named.items()}
    some = Members(
        np.take(members.score, rows, axis=1), members.instant[rows], members.asset[rows],
        named, members.name,
    )  # fmt: skip
    return some, outcomes_of(outcomes, rows)


def outcomes_of(outcomes: Outcomes, rows: Int64) -> Outcomes:
    """The outcomes of some of the rows."""
    return Outcomes(
        outcomes.outcome[rows], outcomes.realised[rows], outcomes.known[rows], outcomes.weight[rows]
    )


def n_kinds(outcome: Int8, n_outcomes: int) -> int:
    """How many kinds of outcome, as the columns tell them apart, there are."""
    return int(np.unique(column_of(outcome, n_outcomes)).size)


def likelihood(score: Float64, outcome: Int8, rows: Int64 | None = None) -> Float64:
    """Probability that each member gave to what came, `FLOOR` at least, (n_rows, n_members)."""
    which = np.arange(score.shape[1]) if rows is None else rows
    out = np.empty((which.size, score.shape[0]))
    _likelihood(score, column_of(outcome, score.shape[2]), which, out)
    return out


def pool(score: Float64, weight: Float64) -> Float64:
    """The weighted mean of the members, (n_rows, n_outcomes): the linear opinion pool.

    Args:
        score: (n_members, n_rows, n_outcomes).
        weight: (n_members,), or (n_rows, n_members) where rows differ; sums to one.

    Source: Stone (1961), The opinion pool, Annals of Mathematical Statistics 32(4).
    """
    out = np.empty(score.shape[1:])
    if weight.ndim == 1:
        _pool(score, np.ascontiguousarray(weight), out)
    else:
        _pool_rows(score, np.ascontiguousarray(weight), out)
    return out


def alike(weight: Float64, n_rows: int) -> Float64:
    """One row of weights, seen as `n_rows` of them; read-only."""
    return np.broadcast_to(weight, (n_rows, weight.size))


def to_files(kind: str, content: Mapping[str, Any]) -> dict[str, bytes]:
    """Numbers as JSON, every digit kept; arrays as lists."""
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in content.items()}
    return {FILE: json.dumps({"kind": kind, **plain}).encode()}


def from_files(kind: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The content that `to_files` wrote.

    Raises:
        ArtifactError: no such file, not JSON, or of another kind.
    """
    try:
        content = json.loads(files[FILE])
    except KeyError:
        raise ArtifactError(f"ensemble {kind}: {FILE} is missing") from None
    except ValueError as error:
        raise ArtifactError(f"ensemble {kind}: {FILE} is not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("kind") != kind:
        raise ArtifactError(f"ensemble {kind}: {FILE} was not written by this kind")
    return content


def array(content: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Float64:
    """One array of a content, finite and of this shape; -1 in a shape stands for any length."""
    found = np.array(content[name], np.float64)
    fits = found.ndim == len(shape) and all(
        s in (-1, n) for s, n in zip(shape, found.shape, strict=True)
    )
    if not fits or not np.isfinite(found).all():
        raise ValueError(f"{name} has shape {found.shape}, needs {shape} and finite values")
    return found


@contextmanager
def reading(kind: str) -> Iterator[None]:
    """Say that a file is none of this kind's where its content cannot be read."""
    try:
        yield
    except (KeyError, ValueError, TypeError) as error:
        raise ArtifactError(f"ensemble {kind}: {FILE} cannot be read: {error!r}") from None


def _shaped(members: Members) -> None:
    shape = members.score.shape
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise DataError(
            f"scores of shape {shape}: needs (n_members, n_rows, n_outcomes) with 1 or 3 outcomes"
        )
    if not shape[0] or not shape[1]:
        raise DataError(f"scores of {shape[0]} members and {shape[1]} rows: needs one of each")
    if members.instant.shape != (shape[1],) or members.asset.shape != (shape[1],):
        raise DataError(
            f"instant {members.instant.shape} and asset {members.asset.shape} need the scores' "
            f"{shape[1]} rows"
        )
    if len(members.names) != shape[0] or len(set(members.names)) != shape[0]:
        raise DataError(
            f"{len(members.names)} names of {shape[0]} members: one each, all different"
        )


def _probable(score: Float64) -> None:
    fault, member, row = _fault(score, _SUM_OFF)
    if fault:
        got = score[member, row].tolist()
        needed = (
            "finite values: leave rows out that a member does not score",
            "probabilities in [0, 1]: calibrate the member first",
            "three probabilities that sum to one",
        )[fault - 1]
        raise DataError(f"member {member} says {got} of row {row}, needs {needed}")


@njit(cache=True)
def _fault(score: Float64, sum_off: float) -> tuple[int, int, int]:
    n_members, n_rows, n_outcomes = score.shape
    for k in range(n_members):
        for i in range(n_rows):
            total = 0.0
            for c in range(n_outcomes):
                p = score[k, i, c]
                if not np.isfinite(p):
                    return 1, k, i
                if p < 0.0 or p > 1.0:
                    return 2, k, i
                total += p
            if n_outcomes == 3 and abs(total - 1.0) > sum_off:
                return 3, k, i
    return 0, 0, 0


@njit(cache=True)
def said(score: Float64, k: int, i: int, came: int) -> float:
    """Probability that member k gave in row i to the column that came (-1: the one not shown)."""
    p = 1.0 - score[k, i, 0] if came < 0 else score[k, i, came]
    return float(max(p, FLOOR))


@njit(cache=True)
def pool_row(score: Float64, i: int, weight: Float64, out: Float64) -> None:
    """The weighted mean of row i into `out`, (n_outcomes,), three columns summing to one."""
    n_members, _, n_outcomes = score.shape
    total = 0.0
    for c in range(n_outcomes):
        mean = 0.0
        for k in range(n_members):
            mean += weight[k] * score[k, i, c]
        out[c] = mean
        total += mean
    if n_outcomes == 3:
        for c in range(n_outcomes):
            out[c] /= total
    else:
        out[0] = min(out[0], 1.0)


@njit(cache=True)
def _likelihood(score: Float64, came: Int64, rows: Int64, out: Float64) -> None:
    block = 256
    for begin in range(0, rows.size, block):
        for k in range(score.shape[0]):
            for j in range(begin, min(begin + block, rows.size)):
                out[j, k] = said(score, k, rows[j], came[rows[j]])


@njit(cache=True)
def _pool(score: Float64, weight: Float64, out: Float64) -> None:
    for i in range(out.shape[0]):
        pool_row(score, i, weight, out[i])


@njit(cache=True)
def _pool_rows(score: Float64, weight: Float64, out: Float64) -> None:
    for i in range(out.shape[0]):
        pool_row(score, i, weight[i], out[i])
