"""How large pictures are beside their errors, in decibels."""

from netcfg.blocks.metrics.figures import own_name
from netcfg.blocks.metrics.judgement import Case, Rows
from netcfg.blocks.metrics.pictured import Pictured


class Psnr(Pictured, name="psnr"):
    """Peak signal-to-noise ratio in decibels, the mean over pictures.

    Of each picture 10 log10(range² / mean squared difference); one that is equal to its target has none. With a `mask`,
    over what it shows. Higher is better.
    Shapes: pictures C×H×W both.
    Source: torchmetrics' `peak_signal_noise_ratio`, of each picture by itself.
    Example::

        [psnr]
        input = Decoder
        target = image
    """

    def rows(self, case: Case) -> Rows:
        """The figure of each picture."""
        import torch

        from netcfg.trainers.judging.answers import masked
        from netcfg.trainers.judging.scores import expect_numbers

        assert case.targets is not None
        expect_numbers(own_name(self), self.input, case.scores, finite=True)
        counts = masked(case.targets, case.mask)
        apart = (case.scores - case.targets).double().square().masked_fill(~counts, 0)
        number = counts.reshape(len(counts), -1).sum(1)
        mean = apart.reshape(len(apart), -1).sum(1) / number
        known = (number > 0) & (mean > 0)
        figure = 10 * torch.log10(self.span**2 / torch.where(known, mean, 1.0))
        return {"figure": torch.where(known, figure, torch.nan)}
