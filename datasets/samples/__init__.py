"""Samples out of files: names, labels, folds, what is kept in memory."""
