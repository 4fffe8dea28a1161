"""The modules behind the sections of `{Loss}`.

Each gives the mean over a batch, or `Counted`: the sum over what counts, and how much that is.

Legend: N samples, A labels, K classes, F features, … the places of a map, of a row, or none.
"""
