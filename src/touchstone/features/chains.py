"""Chains: primitives of one moment, and joints, run one after the other over a tile of bars.

What they hand to each other lies in tiles that are used again and again: it stays in the
first-level cache. Only what is looked back at, or read by another kind of kernel, has a column.
"""

from typing import Final

from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.features import joints, points

TILE: Final = 512
"""Elements of a column that a chain works on at a time."""
WIDEST: Final = 5
"""Columns a kernel takes at most."""
KERNELS: Final = (
    points.absolute, points.sign, points.sqrt, points.log, points.exp, points.sin, points.cos,
    joints.scaled, joints.deviation,
    points.add, points.subtract, points.multiply, points.divide, points.smaller, points.larger,
    points.less, points.at_most, points.equal, points.unequal, points.power,
    joints.shift, joints.skewness, joints.peakedness,
    points.where, points.div, joints.spread, joints.trend, joints.correlation,
    joints.gap, joints.mixed,
    joints.third, joints.fourth,
)  # fmt: skip
"""Kernels by the number that `chain` knows them by; those of one column first, of two next, ..."""


@njit(nogil=True, cache=True, _nrt=False)
def _of_one(kernel: int, a: Float64, out: Float64, weight: float) -> None:
    if kernel == 0:
        points.absolute(a, out)
    elif kernel == 1:
        points.sign(a, out)
    elif kernel == 2:
        points.sqrt(a, out)
    elif kernel == 3:
        points.log(a, out)
    elif kernel == 4:
        points.exp(a, out)
    elif kernel == 5:
        points.sin(a, out)
    elif kernel == 6:
        points.cos(a, out)
    elif kernel == 7:
        joints.scaled(a, out, weight)
    else:
        joints.deviation(a, out, weight)


@njit(nogil=True, cache=True, _nrt=False)
def _of_two(kernel: int, a: Float64, b: Float64, out: Float64, weight: float) -> None:  # noqa: C901, PLR0912  one line a kernel
    if kernel == 9:
        points.add(a, b, out)
    elif kernel == 10:
        points.subtract(a, b, out)
    elif kernel == 11:
        points.multiply(a, b, out)
    elif kernel == 12:
        points.divide(a, b, out)
    elif kernel == 13:
        points.smaller(a, b, out)
    elif kernel == 14:
        points.larger(a, b, out)
    elif kernel == 15:
        points.less(a, b, out)
    elif kernel == 16:
        points.at_most(a, b, out)
    elif kernel == 17:
        points.equal(a, b, out)
    elif kernel == 18:
        points.unequal(a, b, out)
    elif kernel == 19:
        points.power(a, b, out)
    elif kernel == 20:
        joints.shift(a, b, out, weight)
    elif kernel == 21:
        joints.skewness(a, b, out, weight)
    else:
        joints.peakedness(a, b, out, weight)


@njit(nogil=True, cache=True, _nrt=False)
def _of_three(kernel: int, a: Float64, b: Float64, c: Float64, out: Float64, weight: float) -> None:
    if kernel == 23:
        points.where(a, b, c, out)
    elif kernel == 24:
        points.div(a, b, c, out)
    elif kernel == 25:
        joints.spread(a, b, c, out, weight)
    elif kernel == 26:
        joints.trend(a, b, c, out, weight)
    else:
        joints.correlation(a, b, c, out)


@njit(nogil=True, cache=True, _nrt=False)
def chain(code: Int64, weights: Float64, arena: Float64, size: int) -> None:
    """Run point primitives and joints one after the other, tile by tile.

    Args:
        code: a row each: how many columns it takes, its place in `KERNELS`, then for its result
            and each of its columns where in the arena it begins and 1, or 0 where one tile
            serves all, (n, 4 + 2 * WIDEST).
        weights: the joints' two numbers, (n, 2).
        arena: all columns of a workspace, flat.
        size: elements of a column.
    """
    for start in range(0, size, TILE):
        n = min(TILE, size - start)
        for k in range(code.shape[0]):
            n_args, kernel = code[k, 0], code[k, 1]
            i = code[k, 2] + code[k, 3] * start
            out = arena[i : i + n]
            i = code[k, 4] + code[k, 5] * start
            a = arena[i : i + n]
            if n_args == 1:
                _of_one(kernel, a, out, weights[k, 0])
                continue
            i = code[k, 6] + code[k, 7] * start
            b = arena[i : i + n]
            if n_args == 2:
                _of_two(kernel, a, b, out, weights[k, 0])
                continue
            i = code[k, 8] + code[k, 9] * start
            c = arena[i : i + n]
            if n_args == 3:
                _of_three(kernel, a, b, c, out, weights[k, 0])
                continue
            i = code[k, 10] + code[k, 11] * start
            d = arena[i : i + n]
            if kernel == 28:
                joints.gap(a, b, c, d, out)
                continue
            if kernel == 29:
                joints.mixed(a, b, c, d, out, weights[k, 0])
                continue
            i = code[k, 12] + code[k, 13] * start
            e = arena[i : i + n]
            if kernel == 30:
                joints.third(a, b, c, d, e, out, weights[k, 0], weights[k, 1])
            else:
                joints.fourth(a, b, c, d, e, out, weights[k, 0], weights[k, 1])
