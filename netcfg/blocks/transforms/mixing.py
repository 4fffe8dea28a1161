"""What transforms have in common that mix each sample of a batch with another one, labels too."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import Transform, When, targets
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from netcfg.datasets.transforms.mixing import Mixture

LABELS = "the field of labels: a class, or a vector of parts from 0 to 1"
TO = "what the mixed labels are called; None: `soft_` before `labels`"


class Mixing(Transform):
    """A transform of batches in training, after which a picture shows two samples, each by its part.

    Its labels are a new field, a probability for each class; in other splits, where nothing is mixed, they are 0 and 1.
    """

    per_sample: ClassVar[bool] = False
    draws_batch: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = frozenset({"when"})

    alpha: Annotated[float, Option(gt=0, le=100)] = Option(
        1.0, description="parts are drawn from Beta(alpha, alpha): 1 is any part alike, less is rather 0 or 1"
    )
    probability: Probability = Option(1.0, description="how likely a batch is mixed")
    labels: str = Option("class", description=LABELS)
    to: str | None = Option(None, description=TO)
    when: When = Option("train", description="in training only")

    @property
    def soft(self) -> str:
        """What the mixed labels are called."""
        return self.to or f"soft_{self.labels}"

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the mixed labels. Raises `ShapeError` for labels that cannot be mixed, or clips of any length."""
        spec = fields.get(self.labels)
        if spec is None or spec.kind not in ("class", "vector"):
            known = [name for name, spec in fields.items() if spec.kind in ("class", "vector")]
            found = "which the data do not have" if spec is None else f"which is {spec}, {spec.kind}"
            raise ShapeError(
                f"mixes the labels `{self.labels}`, {found}",
                option="labels" if "labels" in self.model_fields_set else None,
                help=did_you_mean(self.labels, known)
                or (f"`labels` is one of {', '.join(known)}" if known else None),
            )
        if spec.kind == "class" and not spec.names:
            raise ShapeError(
                f"makes a probability for each class of `{self.labels}`, and nobody says how many there are"
            )
        pictures = targets(self, fields, ("image",))
        if not pictures:
            raise ShapeError("mixes pictures, and the data have none")
        for name in pictures:
            if not all(isinstance(size, int) for size in fields[name].shape):
                raise ShapeError(
                    f"mixes pictures of one size, and `{name}` is {fields[name]}",
                    help="bring them to one size above it: [resize], or a crop",
                )
        soft = FieldSpec((len(spec.names),), "vector", spec.names) if spec.kind == "class" else spec
        # A second one mixes on what the first one has mixed.
        if fields.get(self.soft, soft) != soft or self.soft == self.labels:
            raise ShapeError(
                f"would overwrite the field `{self.soft}`", option="to", help="give it another name"
            )
        return {**fields, self.soft: soft}

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The labels, in place of the mixed ones."""
        return tuple(dict.fromkeys(self.labels if name == self.soft else name for name in wanted))

    def spoils(self, fields: Mapping[str, FieldSpec]) -> dict[str, str]:
        """All that is of one of the two samples alone."""
        kept = {self.soft, *targets(self, fields, ("image",))}
        help = (
            f"`{self.soft}` holds the mixed labels, which [cross_entropy] takes with `target = {self.soft}` and "
            "`soft_labels = True`"
            if fields[self.labels].kind == "class"
            else f"`{self.soft}` holds the mixed labels"
        )
        return {name: help for name in fields if name not in kept}

    def bypass(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """The labels as parts of 0 and 1."""
        from netcfg.datasets.transforms.mixing import SoftLabels

        return SoftLabels(self.labels, self.soft, self._classes(fields))

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on batches of float tensors on the training device."""
        from netcfg.datasets.transforms.mixing import MixBatch, SoftLabels

        return MixBatch(
            pictures=targets(self, fields, ("image",)),
            labels=SoftLabels(self.labels, self.soft, self._classes(fields)),
            alpha=self.alpha,
            probability=self.probability,
            mixture=self.mixture(),
        )

    @abstractmethod
    def mixture(self) -> "Mixture":
        """How two pictures become one."""

    def _classes(self, fields: Mapping[str, FieldSpec]) -> int | None:
        """How many there are; None where labels are parts already."""
        spec = fields[self.labels]
        return len(spec.names) if spec.kind == "class" else None
