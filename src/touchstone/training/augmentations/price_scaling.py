"""Price scaling: the same course at another size."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeInt

from touchstone.config import Config, Range
from touchstone.errors import ConfigError
from touchstone.training.augmentations import AUGMENTATIONS, Change, Seen, Setting

if TYPE_CHECKING:
    import torch


class PriceScalingConfig(Config):
    """A factor per window on features that have a size: prices, their differences, returns, ranges.

    Most features are free of the price's scale, and scaling the bars would not change them at all.
    On those that measure moves, the factor makes them larger or smaller, as another volatility
    would. Of a bounded oscillator, a flag or a weekday it makes what cannot be: name the columns
    where there are such. The label stays: a small size is meant.
    """

    kind: Literal["price_scaling"] = "price_scaling"
    size: Annotated[float, Field(gt=0, le=0.5), Range(0.005, 0.1, log=True)] = 0.02
    """Standard deviation of the factor's logarithm."""
    columns: tuple[NonNegativeInt, ...] = ()
    """Places of the columns among the study's features; none given: all."""


@AUGMENTATIONS.register(PriceScalingConfig)
def price_scaling(config: PriceScalingConfig, setting: Setting) -> Change:
    """Multiply by g about the feature's own zero, g = exp(size * N(0, 1)), one g per window.

    Raises:
        ConfigError: a column that the study does not have.

    Source: the scaling of Um et al. (2017), Data augmentation of wearable sensor data, section 3.
    """
    zero, n_features = setting.zero, len(setting.zero)
    if max(config.columns, default=0) >= n_features:
        raise ConfigError(
            f"price_scaling: column {max(config.columns)} is asked for, the study has "
            f"{n_features} features, 0 to {n_features - 1}: name columns among them"
        )
    scaled = zero.new_zeros(n_features)
    scaled[list(config.columns) or slice(None)] = 1.0

    def change(seen: Seen, chance: "torch.Generator") -> Seen:
        windows = seen.windows
        draw = windows.new_empty((len(windows), 1, 1)).normal_(generator=chance)
        more = (draw * config.size).expm1() * scaled  # 0 leaves a column as it is
        return seen._replace(windows=windows.add_((windows - zero) * more))

    return change
