"""Time shift: the window, and the answer, of a bar or two earlier or later."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from touchstone.config import Config, Range
from touchstone.training.augmentations import AUGMENTATIONS, Move, Setting

if TYPE_CHECKING:
    import torch


class TimeShiftConfig(Config):
    """A row becomes one of its neighbours, with the label, tasks, teacher and weight of that one.

    The label is not kept but made anew. It pays where only some of the train rows are drawn.
    """

    kind: Literal["time_shift"] = "time_shift"
    bars: Annotated[int, Field(ge=1, le=24), Range(1, 2, step=1)] = 1
    """Most bars that a row is moved by. It stays where its neighbour is no train row of the same
    instrument: before its first window, behind the train range, or of unknown outcome."""

    @property
    def reach(self) -> int:
        """As `bars`."""
        return self.bars


@AUGMENTATIONS.register(TimeShiftConfig)
def time_shift(config: TimeShiftConfig, setting: Setting) -> Move:  # noqa: ARG001 (of all parts)
    """Uniform over -bars .. bars, 0 among them: 2 bars / (2 bars + 1) of the inner rows move."""

    def move(row: "torch.Tensor", chance: "torch.Generator") -> "torch.Tensor":
        bars = config.bars
        return row.new_empty(row.shape).random_(-bars, bars + 1, generator=chance)

    return move
