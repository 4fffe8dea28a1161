"""A program that trains in a second or two on drawn faces, for tests of what stands around a training."""

from __future__ import annotations

NETWORK = """[convolutional]
filters = 2
kernel_size = 3
[global_avgpool]
[connected]
output_features = 2
"""
MEAN_COLOURS = NETWORK[NETWORK.index("[global_avgpool]") :]
"""What learns of the means of channels alone: next to no time a batch."""


def small_training(
    network: str = NETWORK, subjects: int = 4, metric: str = "", further: str = "", **training: object
) -> str:
    """Its text: `{Net}` of these blocks answers two action units; `training` are the options of [training], `metric` is
    judged where one is named, `further` groups stand behind.
    """
    options = {"batch_size": 4, "max_epochs": 2, **training}
    judged = f"{{Metric}}\n[{metric}]\ninput = Net\ntarget = labels\ndecision = logit\n" if metric else ""
    return (
        "{General}\n[training]\n"
        + "".join(f"{key} = {value}\n" for key, value in options.items())
        + f"{{Data}}\n[synthetic_faces]\nimage_size = 16\nsubjects = {subjects}\nclips = 1\nclip_length = 4\n"
        + "action_units = 6, 12\n"
        + f"{{Net}}\n[net]\nchannels = 3\n{network}"
        + "{Loss}\n[bce_with_logits]\ninput = Net\ntarget = labels\n"
        + "{Optimizer}\n[sgd]\nnetworks = Net\nminimise = bce_with_logits\nlearning_rate = 0.1\n"
        + judged
        + further
    )
