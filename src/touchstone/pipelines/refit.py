"""A study whose fits are drawn by a seed of their own and last a number of epochs found before."""

from typing import Annotated

from pydantic import Field, NonNegativeInt

from touchstone.config import Config
from touchstone.errors import ConfigError


class RefitConfig(Config):
    """A recipe that a search has found: its epochs are kept instead of looked for again.

    With the study's own seed and the epochs that a fit chose by itself, the weights are those that
    it chose.
    """

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    """Of the fits, in place of the study's; all else is drawn by the study's."""
    epochs: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    """Epochs (trees: rounds) of each fold's fit, whatever validation says; 0: as the kind does.
    Before the seal their median is used, as in any study."""


def seed_of(refit: RefitConfig | None, seed: int) -> int:
    """What a study's fits are drawn by; `seed` is the study's."""
    return seed if refit is None else refit.seed


def epochs_of(refit: RefitConfig | None, fold: int) -> int | None:
    """Epochs of the fit of a fold, counted from 0; None: until validation stops it."""
    return None if refit is None else refit.epochs[fold] or None


def fits_study(refit: RefitConfig | None, n_models: int, n_folds: int) -> None:
    """Check a refit against its study.

    Raises:
        ConfigError: more than one model, or other folds than there are.
    """
    if refit is None:
        return
    if n_models != 1:
        raise ConfigError(f"refit: needs a study of one model, got {n_models}: leave refit out")
    if len(refit.epochs) != n_folds:
        raise ConfigError(
            f"refit.epochs: needs one number a fold, {n_folds}, got {len(refit.epochs)}"
        )
