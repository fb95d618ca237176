"""Ask for memory before it is read.

An account reads a few bars of one instrument and then of another: no processor guesses that, and
waiting was nearly half of a backtest's time. What will be read is known a bar before.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from touchstone.execution.columns import Market, Wishes
from touchstone.execution.compiled import inlined

_READ, _KEEP, _DATA = 0, 3, 1


@intrinsic
def prefetch(_: Any, column: Any, row: Any) -> Any:  # noqa: ARG001  numba types it
    """Ask for the memory of `column[row]`; nothing is read, and no row is too far."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, flag = signature.args[0], ir.IntType(32)
        array = make_array(kind)(context, builder, values[0])
        at = [values[1]] + [ir.Constant(ir.IntType(64), 0)] * (kind.ndim - 1)
        place = cgutils.get_item_pointer(context, builder, kind, array, at)
        place = builder.bitcast(place, cgutils.voidptr_t)
        wanted = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, flag, flag, flag])
        ask = cgutils.get_or_insert_function(builder.module, wanted, "llvm.prefetch.p0")
        builder.call(ask, [place, flag(_READ), flag(_KEEP), flag(_DATA)])
        return context.get_dummy_value()

    return types.void(column, types.intp), generate


@inlined
def prefetch_wishes(market: Market, wishes: Wishes, t: int) -> None:
    """Ask for what the wishes of time `t` will read, the bars that follow them too."""
    if t + 1 >= wishes.first.size:
        return
    for w in range(wishes.first[t], wishes.first[t + 1]):
        row = wishes.row[w]
        prefetch(market.bars, row)
        prefetch(market.bars, row + 2)
        prefetch(market.bars, row + 4)
        if wishes.stay.size > 0:
            prefetch(wishes.stay, row + 1)
