"""Some tokens of a row, and these back in their places: what masked autoencoders compute with."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, Count, Reference, ShapeError, expect_known
from netcfg.blocks.network.tokens import ROWS, expect_row
from netcfg.shapes import Shape, Size, differ, show

_OF_A_PLACE = 2
"""Numbers of four bytes that one of eight takes, which says where a token stood."""


def _expect_numbers(shape: Shape, tokens: Size) -> None:
    """Refuse what is not one number for each of so many tokens."""
    if len(shape) != 1 or differ(shape[0], tokens):
        raise ShapeError(
            f"goes by a number for each of {tokens} tokens, and is given {show(shape) or 'one number'}",
            argument=1,
            option="by",
        )


def _places(by: str, count: str) -> str:
    """In Python, where the tokens with so many smallest numbers stand, in their order: N×count×1."""
    return f"{by}.detach().topk({count}, 1, False)[1].sort(1)[0][:, :, None]"


class KeepTokens(Block, name="keep_tokens"):
    """Of a row of tokens those alone whose number is among the smallest, in their order.

    By a `[random]` for each token (uniform ones, or a permutation) they are some tokens by chance, other ones for each
    sample: what the encoder of a masked autoencoder sees. `by` gets no gradient. `[put_tokens]` puts them back.
    Shapes: L×F, and `by` L -> count×F.
    Source: He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022.
    Example::

        [keep_tokens]          # 5x16, 5 -> 3x16
        by = -1
        count = 3
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ROWS
    roles: ClassVar[tuple[str, ...]] = ("by",)

    by: Reference = Field(description="the signal that has a number for each token")
    count: Count = Field(description="how many are kept")

    def shape(self, *inputs: Shape) -> Shape:
        """As many as are kept."""
        expect_row(inputs[0])
        tokens, features = inputs[0]
        tokens = expect_known(tokens, "how many tokens there are")
        _expect_numbers(inputs[1], tokens)
        if self.count > tokens:
            raise ShapeError(
                f"keeps {self.count} of {tokens} tokens", option="count", help=f"{tokens} at most"
            )
        return (self.count, features)

    def axes(self, *inputs: str) -> str:
        """As they were."""
        return inputs[0]

    def gradient_reaches(self, count: int) -> frozenset[int]:
        """The tokens."""
        return frozenset({0})

    def inline(self, *names: str) -> str:
        """What stands in these places."""
        tokens, by = names
        places = f"{_places(by, str(self.count))}.expand(-1, -1, {tokens}.shape[2])"
        return f"{tokens}.expand({by}.shape[0], -1, -1).gather(1, {places})"

    def gradient_needs(self) -> frozenset[str]:
        """The tokens, and where they stood."""
        return frozenset({"input"})

    def kept(self, *inputs: Shape) -> Size:
        """The places."""
        return _OF_A_PLACE * self.count

    def scratch(self, *inputs: Shape) -> Size:
        """The places, before and in their order."""
        return 2 * _OF_A_PLACE * self.count

    def label(self) -> str:
        """How many."""
        return str(self.count)


class PutTokens(Block, name="put_tokens"):
    """Puts tokens that a `[keep_tokens]` has kept, by the same numbers, back into a row, where they stood.

    Elsewhere the row stays as it is: a learned token, most often, which says that something is to be filled in there.
    Shapes: K×F, `by` L and `into` L×F -> L×F.
    Source: He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022.
    Example::

        [put_tokens]           # 3x16, 5, 5x16 -> 5x16
        by = -1
        into = -1
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ROWS
    roles: ClassVar[tuple[str, ...]] = ("by", "into")

    by: Reference = Field(description="the signal that has a number for each token of the row")
    into: Reference = Field(description="the row into which they are put")

    def shape(self, *inputs: Shape) -> Shape:
        """That of the row."""
        expect_row(inputs[0])
        expect_row(inputs[2])
        (kept, *others), (tokens, *features) = inputs[0], inputs[2]
        tokens = expect_known(tokens, "how many tokens there are")
        _expect_numbers(inputs[1], tokens)
        if expect_known(kept, "how many tokens are put back") > tokens or differ(others[0], features[0]):
            raise ShapeError(
                f"puts {show(inputs[0])} into {show(inputs[2])}",
                argument=2,
                option="into",
                help="as many tokens at most, of as many features",
            )
        return inputs[2]

    def axes(self, *inputs: str) -> str:
        """Those of the row."""
        return inputs[2] or inputs[0]

    def gradient_reaches(self, count: int) -> frozenset[int]:
        """Tokens, and the row."""
        return frozenset({0, 2})

    def inline(self, *names: str) -> str:
        """Written over the row."""
        tokens, by, into = names
        places = f"{_places(by, f'{tokens}.shape[1]')}.expand(-1, -1, {tokens}.shape[2])"
        return f"{into}.expand({tokens}.shape[0], -1, -1).scatter(1, {places}, {tokens})"

    def gradient_needs(self) -> frozenset[str]:
        """None of them, but where they are put."""
        return frozenset()

    def kept(self, *inputs: Shape) -> Size:
        """The places."""
        return _OF_A_PLACE * inputs[0][0]

    def scratch(self, *inputs: Shape) -> Size:
        """The places, before and in their order."""
        return 2 * _OF_A_PLACE * inputs[0][0]
