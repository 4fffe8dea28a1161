"""The training step: networks, losses, optimizers, their state."""
