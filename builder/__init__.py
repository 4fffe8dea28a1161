"""From graphs to PyTorch modules, and their weights from and to files."""
