"""One pass over real and made samples: where, and where not."""

from __future__ import annotations

import netcfg
from netcfg.passes.plan import network_of, plan
from netcfg.passes.read import shipped_folder


def joined(text: str) -> set[tuple[str | None, ...]]:
    """The networks of the passes that serve several uses, on a batch of AUDetNet's critics."""
    made = plan(netcfg.load(text))
    groups = (group for phase in made.step((0, 1)).phases for group in phase.together if len(group) > 1)
    return {tuple(network_of(made.model, compute.node) for compute in group) for group in groups}


def audetnet() -> str:
    return (shipped_folder() / "audetnet.cfg").read_text()


def test_a_critic_judges_both_batches_in_one_pass() -> None:
    assert joined(audetnet()) == {("Image Discriminator",) * 2, ("Discriminator",) * 2}


def test_a_critic_with_batch_normalisation_judges_them_apart() -> None:
    before, name, critic = audetnet().partition("{Image Discriminator}")
    text = before + name + critic.replace("batch_normalise = 0", "batch_normalise = 1", 1)
    assert joined(text) == {("Discriminator",) * 2}
