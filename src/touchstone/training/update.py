"""From a batch's loss to the weights after it: backward, clip, step; and whether that was sound."""

import torch
from torch import nn

from touchstone.training.job import TrainingConfig


class Update:
    """Takes a network's steps, phases of a curriculum included: it holds the scale of fp16.

    Gradients of fp16 that are too small for it would be zero: the loss is scaled up, the gradient
    scaled back before it is clipped, a step that overflowed left out and the scale halved. Nothing
    here waits for the device, so a step can be recorded with all of it.

    Source: Micikevicius et al. (2018), Mixed Precision Training, section 3.2.
    """

    def __init__(
        self, recipe: TrainingConfig, network: nn.Module, optimiser: torch.optim.Optimizer
    ) -> None:
        self.clip, self.optimiser = recipe.clip, optimiser
        self.parameters = list(network.parameters())
        device = self.parameters[0].device
        self.scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
        self._longest = torch.zeros((), device=device)

    def __call__(self, loss: torch.Tensor) -> None:
        """One step down the gradient of a loss, ()."""
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's has none
        self.scaler.unscale_(self.optimiser)
        length = torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        torch.maximum(self._longest, length, out=self._longest)  # a NaN stays one

    def begin(self) -> None:
        """Watch the gradients from here on."""
        self._longest.zero_()

    def broken(self) -> bool:
        """Whether a gradient since `begin` was not finite; waits for the device.

        One whose length overflows is clipped to nothing: no loss would ever show it. fp16 finds its
        scale by such steps: they count once there is no scale left to halve.
        """
        if self.scaler.is_enabled() and self.scaler.get_scale() >= 1:
            return False
        return not bool(self._longest.isfinite())

    def state(self) -> dict[str, float]:
        """Where the scale stands; empty but for fp16."""
        return self.scaler.state_dict()

    def load(self, state: dict[str, float]) -> None:
        """Go on from there."""
        if state:
            self.scaler.load_state_dict(state)
