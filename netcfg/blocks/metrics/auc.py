"""The area under the ROC curve."""

from netcfg.blocks.metrics.two_afc import TwoAfc


class Auc(TwoAfc, name="auc"):
    """The area under the ROC curve, per action unit, and the mean.

    The same number as `two_afc`: the share of pairs of a positive and a negative in which the positive scores
    higher, ties counting half; none without a positive, or without a negative. Takes any score, no threshold.
    Shapes: scores (A) or (A, 1, 1), labels (A).
    Source: Fawcett, "An introduction to ROC analysis", 2006.
    Example::

        [auc]
        input = AUNet
        target = labels
    """
