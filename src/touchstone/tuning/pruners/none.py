"""Every trial runs to its end."""

from typing import Literal

from optuna.pruners import BasePruner, NopPruner

from touchstone.config import Config
from touchstone.tuning.pruners import PRUNERS


class NoneConfig(Config):
    """Nothing is ended early."""

    kind: Literal["none"] = "none"


@PRUNERS.register(NoneConfig)
def none(_: NoneConfig, __: int) -> BasePruner:
    """Optuna's pruner that prunes nothing."""
    return NopPruner()
