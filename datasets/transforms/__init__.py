"""What transforms do to samples and batches."""
