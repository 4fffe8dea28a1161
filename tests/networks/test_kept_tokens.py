"""`[keep_tokens]` and `[put_tokens]`: which tokens are kept, and where they are put back."""

from __future__ import annotations

import pytest
import torch

import netcfg
from netcfg.source import ProgramError

TEXT = """{Net}
[net]
[input]
name = row
shape = 6, 4
axes = tokens, features
[input]
name = order
shape = 6
axes = tokens
[input]
name = rest
shape = 6, 4
axes = tokens, features
[keep_tokens]
name = kept
from = row
by = order
count = 2
[put_tokens]
name = whole
by = order
into = rest
[output]
name = kept
from = kept
[output]
name = whole
from = whole
"""


def test_the_smallest_are_kept_in_their_order_and_put_back() -> None:
    network = netcfg.build(netcfg.load(TEXT))["Net"]
    row, rest = torch.randn(2, 6, 4, requires_grad=True), torch.randn(2, 6, 4, requires_grad=True)
    order = torch.tensor([[5, 0, 4, 1, 3, 2], [9.5, 8, -7, 6, 5, -4]])
    made = network(row=row, order=order, rest=rest)
    places = [[1, 3], [2, 5]]
    for sample, seen in enumerate(places):
        others = [place for place in range(6) if place not in seen]
        assert torch.equal(made["kept"][sample], row[sample, seen])
        assert torch.equal(made["whole"][sample, seen], row[sample, seen])
        assert torch.equal(made["whole"][sample, others], rest[sample, others])
    made["whole"].sum().backward()
    for sample, seen in enumerate(places):
        assert row.grad is not None
        assert rest.grad is not None
        assert row.grad[sample].sum(1).nonzero().flatten().tolist() == seen
        assert not rest.grad[sample, seen].any()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("count = 2", "count = 7", "keeps 7 of 6 tokens"),
        ("name = order\nshape = 6\n", "name = order\nshape = 5\n", "goes by a number for each of 6 tokens"),
        ("name = rest\nshape = 6, 4", "name = rest\nshape = 6, 3", "puts 2×4 into 6×3"),
    ],
)
def test_sizes_that_do_not_fit(before: str, after: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        netcfg.load(TEXT.replace(before, after))
