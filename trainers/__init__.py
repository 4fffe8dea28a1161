"""Training: the loop, the run folder, checkpoints, and what a reader sees meanwhile."""
