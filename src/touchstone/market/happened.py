"""What happened to the instruments of a panel beside their bars, as columns of its rows."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64

NEVER: Final = np.iinfo(np.int64).max


class Happened(NamedTuple):
    """Corporate actions and halts, all (n_rows,): what comes before a bar's opening fills."""

    ratio: Float64
    """New shares for one old at this bar's open; 1 where nothing splits."""
    dividend: Float64
    """Cash a share, after the split; 0 where nothing is paid."""
    halted: Bool
    """The bar overlaps a halt: nothing can be filled in it."""
    recovery: Float64
    """Share of the last price that a holder gets at this last bar; NaN where it trades on."""
    gone: Int64
    """When that delisting holds, ns UTC; `NEVER` elsewhere."""

    def where(self, keep: Bool, first: Int64) -> "Happened":
        """Those of the rows where `keep` (n_rows,) holds.

        What splits or pays at a row that goes does so at the instrument's next one that stays; a
        delisting moves to the last one that stays.

        Args:
            keep: rows that stay.
            first: first row of the instrument of each row, (n_rows,).
        """
        kept = np.flatnonzero(keep)
        own = first[kept]
        before = np.maximum(np.r_[-1, kept[:-1]][: kept.size] + 1, own)
        log = np.r_[0.0, np.cumsum(np.log(self.ratio))]
        paid = np.r_[0.0, np.cumsum(self.dividend)]
        split = log[kept + 1] - log[before]
        ratio = np.where(before == kept, self.ratio[kept], np.exp(split))
        dividend = np.where(before == kept, self.dividend[kept], paid[kept + 1] - paid[before])
        recovery, gone = self.recovery[kept], self.gone[kept]
        for row in np.flatnonzero(~np.isnan(self.recovery) & ~keep).tolist():
            at = int(np.searchsorted(kept, row)) - 1
            if at >= 0 and own[at] == first[row]:
                recovery[at], gone[at] = self.recovery[row], self.gone[row]
        return Happened(ratio, dividend, self.halted[kept], recovery, gone)
