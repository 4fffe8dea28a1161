"""The weights of the networks that losses compare pictures by."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from netcfg.builder.adaptation import WeightsError
from netcfg.builder.weights import read_state
from netcfg.source import Span, shown_path


def state_of(network: str, weights: str, written_at: Span | None) -> dict[str, Tensor] | None:
    """The tensors of torchvision's VGG by its names, of `imagenet` or of a file beside the `.cfg`; None: `random`.

    Raises `WeightsError` (NC601) where they cannot be had, (NC602) where a file holds another network.
    """
    if weights == "random":
        return None
    if weights == "imagenet":
        import torchvision

        known = torchvision.models.get_model_weights(network).DEFAULT
        try:
            state: dict[str, Tensor] = known.get_state_dict(progress=True, check_hash=True)
        except (OSError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise WeightsError(f"cannot fetch {known.url}: {reason}", "NC601") from None
        return state
    path = Path(weights)
    beside = Path(written_at.file.name).parent / path if written_at is not None else path
    file = beside if beside.is_file() else path
    state = read_state(file)
    if "features.0.weight" not in state:
        raise WeightsError(
            f"{shown_path(file)} holds no {network} of torchvision's: there is no `features.0.weight`",
            "NC602",
        )
    return state


__all__ = ["state_of"]
