"""The first touch of two barriers inside one bar: the one rule that labels and the kernel share."""

from numba import njit


@njit(cache=True, error_model="numpy")
def touch(
    open_: float, high: float, low: float, upper: float, lower: float, entry_bar: bool
) -> tuple[int, float]:
    """Which barrier a long position meets inside one bar, and at what price, before costs.

    The stop is touched when low <= lower; the target, a resting limit, only when the price
    trades through it: high > upper. A bar that spans both counts as the stop. A bar that opens
    beyond a barrier leaves at its open, except the bar whose open was the entry.

    Args:
        open_, high, low: prices of the bar.
        upper, lower: barrier prices; inf and 0 for none.
        entry_bar: whether the position was entered at this bar's open.

    Returns:
        +1 target, -1 stop, 0 neither; and the exit price (0.0 if neither).
    """
    if not entry_bar:
        if open_ <= lower:
            return -1, open_
        if open_ > upper:
            return 1, open_
    if low <= lower:
        return -1, lower
    if high > upper:
        return 1, upper
    return 0, 0.0
