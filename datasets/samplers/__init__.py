"""What samplers do: which samples an epoch shows."""
