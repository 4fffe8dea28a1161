"""Plain PyTorch modules that blocks lower to. They know nothing of blocks or files."""
