"""The three option blocks of an AUDetNet file, which its `{General}` holds in this order under any names.

Source: AUDetNet, README, "General options".
"""

from typing import Annotated, Literal

from pydantic import Field

from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.general.base import General

Weight = Annotated[float, Field(ge=0)]


class TrainingOptions(General, name="training_options"):
    """First block of an AUDetNet file: how long, and how often the main networks step.

    Source: AUDetNet, README, "General options".
    Example::

        [training_options]
        batch_size = 16
        max_epochs = 10
        max_test_iters = 20
        train_main_net_every_n_batches = 5
        learning_rate_scheduler = Linear
        decay_lr_over_last_n_epochs = 5
    """

    batch_size: PositiveInt = Field(description="samples in one step")
    max_epochs: PositiveInt = Field(description="passes over the training data")
    max_test_iters: PositiveInt = Field(description="batches of one test")
    train_main_net_every_n_batches: PositiveInt = Field(
        description="the critics step on every batch, the others on these"
    )
    learning_rate_scheduler: str = Field("None", description="`Linear`, or anything else for constant rates")
    decay_lr_over_last_n_epochs: Annotated[int, Field(ge=0)] = Field(
        0, description="epochs of the linear decay"
    )


class DataOptions(General, name="data_options"):
    """Second block of an AUDetNet file: labels, balance, normalisation.

    Source: AUDetNet, README, "General options".
    Example::

        [data_options]
        regress_au_intensities = False
        balance_dataset_with_momu = False
    """

    regress_au_intensities: bool = Field(description="intensities 0..5 instead of occurrence")
    balance_dataset_with_momu: bool = Field(
        False, description="draw samples so that action units are balanced"
    )
    epoch_size: PositiveInt | None = Field(None, description="samples of a balanced epoch")
    sampling_size: PositiveInt | None = Field(None, description="samples drawn for one action unit at a time")
    mean: tuple[float, ...] = Field((0.5, 0.5, 0.5), description="subtracted per channel, of pixels in 0..1")
    std: tuple[float, ...] = Field((0.5, 0.5, 0.5), description="divided by per channel")

    def conflict(self) -> str | None:
        """Balancing needs both sizes, and an epoch is a whole number of draws."""
        if not self.balance_dataset_with_momu:
            return None
        if self.epoch_size is None or self.sampling_size is None:
            missing, example = ("epoch_size", 24_000) if self.epoch_size is None else ("sampling_size", 12)
            return (
                f"balances the data, and does not say `{missing}`: write for example `{missing} = {example}`"
            )
        rest = self.epoch_size % self.sampling_size
        if not rest:
            return None
        return (
            f"draws {self.sampling_size} frames at a time, which does not divide the {self.epoch_size} of an epoch: "
            f"write for example `epoch_size = {max(self.epoch_size - rest, self.sampling_size)}`"
        )


class LossOptions(General, name="loss_options"):
    """Third block of an AUDetNet file: the losses and their weights.

    Source: AUDetNet, README, "General options".
    Example::

        [loss_options]
        au_regression_loss_function = BCEWithLogits
        reconstruction_loss_function = L1
        gradient_loss_lambda_discr = 10
        discriminator_loss_lambda = 0.1
        reconstruction_loss_lambda = 10
    """

    au_regression_loss_function: Literal["MSE", "BCEWithLogits"] = Field(description="of the action units")
    reconstruction_loss_function: Literal["L1"] = Field(description="of the decoded image")
    gradient_loss_lambda_discr: Weight = Field(
        0.0, description="gradient penalty of the pair critic; to be written where it trains"
    )
    gradient_loss_lambda_img_discr: Weight = Field(0.0, description="gradient penalty of the image critic")
    discriminator_loss_lambda: Weight = Field(
        0.0, description="the pair critic's part in the main loss; to be written where it trains"
    )
    img_discriminator_loss_lambda: Weight = Field(0.0, description="the image critic's part in the main loss")
    reconstruction_loss_lambda: Weight = Field(description="the reconstruction's part in the main loss")


POSITIONAL: tuple[type[General], ...] = (TrainingOptions, DataOptions, LossOptions)
