"""Whether a step of `{Optimizer}` ever comes about, in as many batches and epochs as there are."""

from __future__ import annotations

from netcfg.blocks.general.training import Training
from netcfg.program import Phase, Step
from netcfg.source import Finding
from netcfg.words import ordinal


def never_runs(step: Step, training: Training, batches: int | None) -> Finding | None:
    """NC411 for a step of the update that no batch of the run is of; `batches` has an epoch, None where nobody knows.

    Then only what `batches_per_epoch` and `max_steps` bound is known.
    """
    section = step.optimizer if isinstance(step, Phase) else step.section
    epochs, most = training.max_epochs, training.max_steps
    optimizer = step.optimizer if isinstance(step, Phase) else None
    first = optimizer.from_epoch if optimizer is not None else 1
    last = min(epochs, optimizer.until_epoch or epochs) if optimizer is not None else epochs
    if first > epochs:
        message = f"`{step.name}` begins in epoch {first}, and training has {epochs}"
        return Finding("NC411", message, step.span, help="an earlier `from_epoch`, or more epochs")
    epoch = batches or training.batches_per_epoch
    if epoch is None and most is None:
        return None
    if most is not None and epoch is not None and (first - 1) * epoch >= most:
        message = (
            f"`{step.name}` begins in epoch {first}, and `max_steps = {most}` ends training in epoch "
            f"{(most - 1) // epoch + 1}"
        )
        return Finding("NC411", message, step.span, help="an earlier `from_epoch`, or more `max_steps`")
    of_run = optimizer is not None and optimizer.every_of == "run"
    if of_run:
        end = min(most or last * (epoch or 0), last * epoch if epoch else most or 0)
        begin = (first - 1) * batches if batches else 0  # with fewer batches it would begin earlier
        what, count = "the run", end
        comes = end // section.every > begin // section.every
    else:
        left = most - (first - 1) * (batches or 0) if most is not None else None
        count = min(number for number in (epoch, left) if number is not None)
        what, comes = "an epoch" if count == epoch else "the run", section.every <= count
    if comes:
        return None
    runs = f"`{step.name}` runs on every {ordinal(section.every)} batch"
    if section.every <= count:  # of those before or behind its epochs
        message = f"{runs} of the run, and none of these is in its epochs, {first} to {last}"
        return Finding("NC411", message, step.span, help="other epochs, or `every_of = epoch`")
    help = f"`every = {count}` or less, a smaller batch_size, or more data"
    return Finding("NC411", f"{runs}, and {what} has only {count}", step.span, help=help)
