"""The sections of `{General}`: how a program trains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netcfg.blocks.kinds import General


class Training(General, name="training"):
    """How long, in what portions, and when to stop.

    Example::

        [training]
        batch_size = 24
        max_epochs = 12
        monitor = f1
        patience = 2
    """

    batch_size: Annotated[int, Field(gt=0, le=65_536)] = Field(32, description="samples in one step")
    max_epochs: Annotated[int, Field(gt=0, le=1_000_000)] = Field(10, description="passes over the data")
    monitor: str | None = Field(None, description="the metric that picks the best epoch; None: the first one")
    patience: Annotated[int, Field(ge=0)] | None = Field(
        None, description="stop after this many epochs without a better monitored metric; None: never"
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(0, description="of weights, order and augmentation")
    workers: Annotated[int, Field(ge=0, le=256)] | None = Field(
        None, description="processes that prepare data; None: chosen from the machine's cores"
    )
    shuffle: Literal["epoch", "once", "never"] = Field(
        "epoch",
        description="draw a new order of the training samples each epoch, one for all epochs, or none",
    )
    drop_last: bool = Field(False, description="leave out a last, smaller batch in training")
    first_epoch_in_eval_mode: bool = Field(
        False, description="leave dropout off in the first epoch, as AUNets' published code does"
    )
