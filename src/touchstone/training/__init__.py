"""Fits models: one loop, a generator of epochs, so that whoever drives it saves, shows or stops.

    for epoch in training.fit(job, ledger): ...      # or: training.run(job, ledger).fitted

It opens no file and prints nothing. Every fit is written to the ledger when it ends, however it
ends: finished, stopped by its driver, or failed. Torch is imported when the first network is
fitted and not before.
"""

from collections.abc import Generator

from touchstone.ledger import Ledger, Watching
from touchstone.models import MODELS, Fitted, head_of
from touchstone.training.adoption import adopted as adopted
from touchstone.training.adoption import same_weights as same_weights
from touchstone.training.checkpoint import checkpoint_name as checkpoint_name
from touchstone.training.job import Epoch as Epoch
from touchstone.training.job import Fit as Fit
from touchstone.training.job import Job as Job
from touchstone.training.job import Phase as Phase
from touchstone.training.job import PhaseSamples as PhaseSamples
from touchstone.training.job import State as State
from touchstone.training.job import TrainingConfig as TrainingConfig
from touchstone.training.refusals import answers_there as answers_there
from touchstone.training.refusals import check, no_memory, out_of_memory
from touchstone.training.tabular import looks


def fit(job: Job, ledger: Ledger) -> Generator[Epoch, None, Fitted]:
    """Fit one model, epoch by epoch.

    Returns:
        As the generator's value, the model with the weights of its best epoch on validation rows,
        or of the last where `job.epochs` is fixed. On the CPU with one thread the weights are the
        same bits for the same job, whether it ran through or went on from a checkpoint.

    Raises:
        TrainingError: rows, features or settings from which no model can come; says what to
            change.
    """
    return (yield from _recorded(job, ledger)).fitted


def driven(job: Job, ledger: Ledger) -> Generator[Epoch, None, Fit]:
    """`fit` for whoever drives it and wants all of the `Fit` as the generator's value."""
    return _recorded(job, ledger)


def run(job: Job, ledger: Ledger) -> Fit:
    """`fit` to its end, at once."""
    epochs = _recorded(job, ledger)
    while True:
        try:
            next(epochs)
        except StopIteration as end:
            done: Fit = end.value
            return done


def _recorded(job: Job, ledger: Ledger) -> Generator[Epoch, None, Fit]:
    """The epochs of a fit, and its row in the ledger."""
    facts: dict[str, object] = {
        "model": getattr(job.model, "kind", "?"),
        "head": head_of(job.model),
        "seed": job.seed,
        "rows_available": len(job.train.rows),
        "status": "finished",
    }
    try:
        check(job)
        done = yield from _follow(job, facts, ledger)
    except BaseException as error:
        stopped = isinstance(error, GeneratorExit | KeyboardInterrupt)
        facts |= {"status": "stopped"} if stopped else {"status": "failed", "reason": str(error)}
        raise
    else:
        facts |= {"rows_used": done.rows_used, "best_epoch": done.best_epoch}
    finally:
        ledger.record("fit", job.fingerprint, job.data, facts)
    return done


def _follow(job: Job, facts: dict[str, object], ledger: Ledger) -> Generator[Epoch, None, Fit]:
    """Pass the epochs on, keeping the best one's metrics among the facts."""
    epochs = _epochs(job)
    try:
        while True:
            try:
                epoch = next(epochs)
            except StopIteration as end:
                done: Fit = end.value
                return done
            except (MemoryError, RuntimeError) as error:
                if out_of_memory(error):
                    raise no_memory(job) from None
                raise
            facts["epochs"] = epoch.index
            if epoch.best:
                facts["metrics"] = epoch.metrics
            if isinstance(ledger, Watching):
                ledger.watch(job, epoch)
            yield epoch
    finally:
        epochs.close()


def _epochs(job: Job) -> Generator[Epoch, None, Fit]:
    if MODELS.part_of(job.model).inputs == "tabular":
        return looks(job)
    # Torch takes more than a second to import: only a study that fits a network pays for it.
    from touchstone.training.loop import passes  # noqa: PLC0415

    return passes(job)
