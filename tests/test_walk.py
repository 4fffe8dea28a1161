"""A network is understood in one walk: what a block gives is known before the next one is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

import netcfg
from netcfg.blocks.base import Block
from netcfg.blocks.registry import find, forget, recorded
from netcfg.shapes import Shape

HAPPENED: list[str] = []


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    with recorded() as brought:

        class Watched(Block, name="watched"):
            """Says when it is read, and when its shape is asked for."""

            by_sample: ClassVar[bool] = True

            def conflict(self) -> str | None:
                HAPPENED.append(f"{self.name} read")
                return None

            def shape(self, *inputs: Shape) -> Shape:
                HAPPENED.append(f"{self.name} knows {inputs[0]}")
                return (*inputs[0], 1)

            def inline(self, *names: str) -> str:
                return f"{names[0]}[..., None]"

    HAPPENED.clear()
    yield
    forget(brought)


HEAD = "{N}\n[net]\n[input]\nname = x\nfeatures = 2\n"


def test_a_shape_is_known_before_the_next_block_is_read() -> None:
    netcfg.load(HEAD + "[watched]\nname = a\n[watched]\nname = b\n")
    assert HAPPENED == ["a read", "a knows (2,)", "b read", "b knows (2, 1)"]


def test_so_it_is_inside_a_template() -> None:
    netcfg.load(
        "{Define t}\n[watched]\nname = a\n[watched]\nname = b\n" + HEAD + "[t]\n[watched]\nname = c\n"
    )
    assert [what.split()[0] for what in HAPPENED] == ["a", "a", "b", "b", "c", "c"]


def test_networks_fail_each_for_themselves() -> None:
    wrong = "[net]\nchannels = 3\n[maxpool]\npool_size = 2\nstride = 2\npad = 2\n"
    _, findings = netcfg.check(f"{{A}}\n{wrong}{{B}}\n{wrong}")
    assert [(finding.code, finding.span.line) for finding in findings if finding.span] == [
        ("NC301", 7),
        ("NC301", 14),
    ]


def test_where_net_cannot_be_read_nothing_is_said_of_shapes() -> None:
    text = "{N}\n[net]\nchannels = three\n[flatten]\n[maxpool]\npool_size = 2\nstride = 2\n"
    assert [finding.code for finding in netcfg.check(text)[1]] == ["NC105"]


@pytest.mark.parametrize(
    ("name", "options", "depends"),
    [
        ("convolutional", {"filters": 2, "kernel_size": (1,)}, False),
        ("convolutional", {"filters": 2, "kernel_size": (1,), "batch_normalise": True}, True),
        ("detach", {}, False),
        ("shuffle_batch", {}, True),
        ("batch_norm", {}, True),
        ("dropout", {}, True),
    ],
)
def test_a_block_is_asked_whether_samples_depend_on_each_other(
    name: str, options: dict[str, object], depends: bool
) -> None:
    kind = find("network", name)
    assert kind is not None
    block = kind(**options)
    assert isinstance(block, Block)
    assert block.depends_on_batch() == depends
