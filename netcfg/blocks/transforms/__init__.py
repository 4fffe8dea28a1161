"""What is done to samples and batches on their way to a network."""
