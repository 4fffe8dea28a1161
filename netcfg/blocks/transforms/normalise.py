"""From colours to numbers around zero."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.transforms.base import Transform, targets

if TYPE_CHECKING:
    from collections.abc import Callable


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
"""What torchvision's weights expect: of red, green and blue from 0 to 1."""
_LARGEST = 2.0
"""No mean or deviation of numbers from 0 to 1 comes near it."""


class Normalise(Transform, name="normalise"):
    """Pictures from [0, 1] to (value - mean) / std, per channel, flow like any picture. Stands last.

    Without it, pictures reach a network as numbers from 0 to 1.
    Source: AUNets, which subtracts ImageNet's mean, and divides by its std only when it starts from ImageNet; then its
    validation while training still divides by nothing (`validation_std = 1`).
    Example::

        [normalise]
        mean = imagenet       # the same as 0.485, 0.456, 0.406
        std = imagenet        # 0.229, 0.224, 0.225
    """

    per_sample: ClassVar[bool] = False

    mean: tuple[float, ...] | Literal["imagenet"] = Option(
        (0.0,), description="subtracted; one number, one per channel, or ImageNet's"
    )
    std: tuple[Annotated[float, Option(gt=0)], ...] | Literal["imagenet"] = Option(
        (1.0,), description="divided by, after that; as `mean`"
    )
    validation_std: tuple[Annotated[float, Option(gt=0)], ...] | None = Option(
        None, description="divided by in the validation split; None: `std`, as in the others"
    )

    @property
    def means(self) -> tuple[float, ...]:
        """What is subtracted, in numbers."""
        return self.mean if isinstance(self.mean, tuple) else IMAGENET["mean"]

    @property
    def deviations(self) -> tuple[float, ...]:
        """What is divided by, in numbers."""
        return self.std if isinstance(self.std, tuple) else IMAGENET["std"]

    def doubts(self) -> dict[str, tuple[str, str, str]]:
        """Numbers of 0 to 255, as many published settings have them."""
        written = {"mean": self.means, "std": self.deviations, "validation_std": self.validation_std or ()}
        key = next((key for key, values in written.items() if max(values, default=0) > _LARGEST), None)
        if key is None:
            return {}
        same = {
            name: ", ".join(f"{value / 255:.4g}" for value in values)
            for name, values in written.items()
            if values
        }
        options = " and ".join(f"`{name} = {values}`" for name, values in same.items())
        message = f"`{key}` looks like one of pictures from 0 to 255, and pictures here are from 0 to 1"
        return {key: ("NC503", message, f"the same for pictures from 0 to 1: {options}")}

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged shapes. Raises `ShapeError` where the numbers do not fit the channels."""
        for name in targets(self, fields, ("image", "flow")):
            channels = fields[name].shape[-3]
            given = {"mean": self.means, "std": self.deviations}
            given["validation_std"] = self.validation_std or (1.0,)
            for key, values in given.items():
                if len(values) not in (1, channels):
                    raise ShapeError(
                        f"has {len(values)} numbers in `{key}` for the {channels} channels of `{name}`"
                    )
        return dict(fields)

    def in_split(self, split: Split) -> "Normalise":
        """In validation with its own std, where that is written."""
        if split != "validation" or self.validation_std is None:
            return self
        return self.model_copy(update={"std": self.validation_std})

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on batches of float tensors on the training device."""
        from netcfg.datasets.transforms.geometry import NormaliseBatch

        return NormaliseBatch(targets(self, fields, ("image", "flow")), self.means, self.deviations)
