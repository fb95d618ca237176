"""What a network is told it did wrong, one file each: log-probabilities in, a loss per row out.

A loss sees log-probabilities, never logits, so each is written once for both heads: (n, 3) for
`barrier`, (n, 2) for `buy` (not +1, +1). The column of +1 is always the last. The files use the
methods of the tensors they get and import no torch, so that a study without a network does not
load it.
"""

from typing import TYPE_CHECKING, Any, Protocol

from touchstone.registration import Family

if TYPE_CHECKING:
    import torch


class Loss(Protocol):
    """A part of the family."""

    def __call__(
        self, log_p: "torch.Tensor", truth: "torch.Tensor", config: Any, /
    ) -> "torch.Tensor":
        """Loss of each row.

        Args:
            log_p: (n, n_classes) logarithms of probabilities that sum to one.
            truth: (n,) int64, the class that came.
            config: the loss's own.

        Returns:
            (n,), not weighted: the loop weighs rows.
        """


LOSSES: Family[Loss] = Family("loss", __name__)
