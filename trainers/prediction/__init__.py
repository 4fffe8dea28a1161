"""Weights put to use: predictions and what shows them."""
