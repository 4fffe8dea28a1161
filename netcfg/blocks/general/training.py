"""The sections of `{General}`: how a program trains."""

from typing import Annotated, Literal

from pydantic import Field

from netcfg.blocks.general.base import General

AUTO = "auto"
MAX_WORKERS = 256
"""Processes that prepare data."""
MAX_EPOCHS = 1_000_000
"""Passes over the data."""


class Settings(General):
    """A section of `{General}` that is known by its name; AUDetNet's option blocks go by position."""


class Training(Settings, name="training"):
    """How long, in what portions, and when to stop.

    Example::

        [training]
        batch_size = 24
        max_epochs = 12
        monitor = f1
        patience = 2
    """

    batch_size: Annotated[int, Field(gt=0, le=65_536)] = Field(32, description="samples in one step")
    eval_batch_size: Annotated[int, Field(gt=0, le=65_536)] | None = Field(
        None, description="samples in one batch of an evaluation, which needs less memory; None: `batch_size`"
    )
    eval_frames: Annotated[int, Field(gt=0, le=1_000_000)] | None = Field(
        None,
        description="of clips of any length: at most so many frames in one batch of an evaluation, padding counted; "
        "`eval_batch_size`, where it is written, is a bound beside it",
    )
    batches_per_epoch: Annotated[int, Field(gt=0)] | None = Field(
        None, description="an epoch is at most so many batches, of samples drawn anew each time; None: all"
    )
    max_epochs: Annotated[int, Field(gt=0, le=MAX_EPOCHS)] = Field(10, description="passes over the data")
    max_steps: Annotated[int, Field(gt=0)] | None = Field(
        None, description="end after so many batches, within an epoch too, where that comes first"
    )
    monitor: str | None = Field(
        AUTO,
        description="the metric, or the loss, that picks the best epoch; auto: the first metric, without any what is "
        "minimised last; None: nothing does, the last epoch's weights are kept",
    )
    patience: Annotated[int, Field(ge=0)] | None = Field(
        None, description="stop after this many epochs without a better monitored figure; None: never"
    )
    patience_above: float | None = Field(
        None,
        description="of a metric of which more is better: an epoch counts as a better one only above this, as in "
        "AUNets' published code above an F1 of 0; None: any better one",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(0, description="of weights, order and augmentation")
    workers: Annotated[int, Field(ge=0, le=MAX_WORKERS)] | None = Field(
        None, description="processes that prepare data; None: chosen from the machine's cores"
    )
    keep: Literal["auto", "memory", "disk", "none"] = Field(
        "auto",
        description="where samples of one size stay once they are decoded and scaled, for the epochs after; disk: in "
        "netcfg's cache, for later runs too (pictures in files), which takes `$NETCFG_CACHE_LIMIT` gigabytes at most, "
        "20 where that is not set; auto: in memory where a tenth of what is free holds them, else on disk",
    )
    shuffle: Literal["epoch", "once", "never"] = Field(
        "epoch",
        description="draw a new order of the training samples each epoch, one for all epochs, or none",
    )
    max_validation_batches: Annotated[int, Field(gt=0)] | None = Field(
        None, description="judge an epoch by so many batches of the validation split; None: by all of it"
    )
    validate_every: Annotated[int, Field(gt=0)] = Field(
        1, description="judge every so manieth epoch, and the last one; others are never the best"
    )
    drop_last: bool = Field(False, description="leave out a last, smaller batch in training")
    first_epoch_in_eval_mode: bool = Field(
        False, description="leave dropout off in the first epoch, as AUNets' published code does"
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="evaluate and keep a moving average of the weights, of which this part stays at each "
        "batch (after n batches at most (1 + n) / (10 + n)); None: the weights themselves",
    )
    precision: Literal["f32", "bf16", "fp16"] = Field(
        "f32", description="of the signals; weights and their updates are always in f32"
    )
    compile: bool = Field(False, description="generate code for the networks first, which takes minutes")
    deterministic: bool = Field(
        False, description="use only operations that give the same bits each time, which can be slower"
    )

    @property
    def judged_together(self) -> int:
        """How many samples an evaluation takes at most at once."""
        if self.eval_batch_size is not None:
            return self.eval_batch_size
        return self.batch_size if self.eval_frames is None else self.eval_frames

    def conflict(self) -> str | None:
        """Patience waits for something to become better."""
        if self.monitor is None and self.patience is not None:
            return (
                f"has `patience = {self.patience}`, and with `monitor = None` no epoch is better than another"
            )
        return None


class Pictures(Settings, name="pictures"):
    """Pictures of a few samples after every epoch, one row per signal, in the run's `pictures` folder.

    The samples are drawn once from the validation split, by the seed of [training]; without such a split, from
    the training samples. Networks are in evaluation mode. Signals of the shape 3×H×W (or 1×H×W)
    are shown as the data's [normalise] left them, brought back to colours. What {Generation} makes lies in `samples`,
    the same draws after every `samples_every` epochs, and all of them one below the other.
    Example::

        [pictures]
        show = image, reconstruction
        samples = 8
    """

    show: tuple[str, ...] = Field(description="the signals, from top to bottom")
    samples: Annotated[int, Field(gt=0, le=64)] = Field(8, description="how many")
    samples_every: Annotated[int, Field(gt=0)] | None = Field(
        None, description="after so many epochs, and the last, also make samples by {Generation}; None: never"
    )
    gradient_flow: bool = Field(
        False, description="after every epoch, also plot how large the gradient of each parameter is"
    )


class Published(Settings, name="published"):
    """Figures that a paper has printed, which `netcfg sweep` shows beside its own where the data are the same.

    Example::

        [published]
        metric = f1
        of = au
        rows = 1, 2, 4
        figures = 0.534, 0.447, 0.558
        mean = 0.513
        data = bp4d
        source = Romero et al. 2018, table 3
    """

    metric: str = Field(description="the metric that the figures are of")
    of: str | None = Field(
        None, description="the variable whose values `rows` names; None: `rows` names labels"
    )
    rows: tuple[str, ...] = Field(description="what each figure is of")
    figures: tuple[float, ...] = Field(description="one for each of `rows`, in the metric's own unit")
    mean: float | None = Field(None, description="what they come to, as printed")
    data: tuple[str, ...] | None = Field(
        None, description="the sources of {Data} they belong to; with another they are not shown; None: any"
    )
    source: str = Field("", description="where they are printed")

    def conflict(self) -> str | None:
        """A figure for every row, each row once."""
        if len(self.rows) != len(self.figures):
            return f"has {len(self.rows)} `rows` and {len(self.figures)} `figures`"
        if len(set(self.rows)) < len(self.rows):
            return "names a row twice"
        return None

    @property
    def by_row(self) -> dict[str, float]:
        """The figures by row, the mean as `mean`."""
        mean = {} if self.mean is None else {"mean": self.mean}
        return dict(zip(self.rows, self.figures, strict=True)) | mean
