"""Programs that nobody would write: random sections, with random options that their schemas allow.

A wild one may name anything; a tame one names what is there, so that most of its blocks get as far as shapes and plans.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from random import Random
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from netcfg.blocks.base import Block, Section
from netcfg.blocks.registry import Group, sections
from netcfg.blocks.values import Reference
from netcfg.passes.schema import check_section
from netcfg.source import Finding, SourceFile
from netcfg.syntax import Group as Written
from netcfg.syntax import parse

WORDS = (
    "image",
    "labels",
    "flow",
    "a",
    "b",
    "N",
    "M",
    "N.a",
    "relu",
    "None",
    "imagenet",
    "x y",
    "détail",
    "L",
)
TAME_WORDS = {
    "input": "N", "target": "labels", "networks": "N", "activation": "relu", "show": "image", "critic": "N",
    "image": "image", "of": "image", "labels": "labels",
}  # fmt: skip
LEFT_OUT = {"weights", "weights_from", "shared_with", "layout", "from", "only", "fields", "name", "monitor"}
FRAMES = {"net", "input", "output"}
OUT_OF_RANGE = 0.01
SMALL = (1, 1, 2, 2, 3, 4, 8)


class Maker:
    """Writes one program."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.tame = random.random() < 0.7
        self.losses: list[str] = []
        self.count = 0

    def program(self) -> str:
        """One or two networks, and sometimes all that trains them."""
        likely = self.random.random
        parts = [self._network(name) for name in ("N", "M")[: 1 + (likely() < 0.3)]]
        parts.append("{Define t}\n[parameters]\np = 4\n" + self._some("network", 2))
        if likely() < 0.4:
            parts.append("{General}\n[variables]\nw = 4\nv = ${w * 2}\n" + self._some("general", 1))
        if likely() < 0.6:
            parts += self._training()
        if likely() < 0.15:
            parts.append("{Model}\n[N]\nname = a\n[M]\nname = b\n" + self._some("network", 2))
        return "\n".join(parts) + "\n"

    def _network(self, name: str) -> str:
        size = 16 if self.tame else self.random.choice((1, 8, 16, 33))
        sizes = f"height = {size}\nwidth = {size}\n" if self.random.random() < 0.8 else ""
        channels = 3 if self.tame else self.random.choice((1, 3, 4))
        blocks = self._some("network", self.random.choice((1, 2, 4, 9)))
        return f"{{{name}}}\n[net]\nchannels = {channels}\n{sizes}{blocks}"

    def _training(self) -> list[str]:
        source = "[synthetic_faces]\nimage_size = 16\n" if self.tame else ""
        parts = ["{Data}\n" + source + self._some("data", 2)]
        titles: tuple[tuple[Group, str], ...] = (
            ("loss", "Loss"),
            ("optimizer", "Optimizer"),
            ("metric", "Metric"),
        )
        return parts + [
            f"{{{title}}}\n{self._some(group, 2)}" for group, title in titles if self.random.random() < 0.9
        ]

    def _some(self, group: Group, most: int) -> str:
        """Some sections of a group."""
        rows: list[str] = []
        kinds = [kind for kind in sections(group).values() if not (self.tame and self._is_framing(kind))]
        for _ in range(self.random.randint(1, most)):
            if group == "network" and self.random.random() < 0.08:
                rows += ["[t]", f"p = {self.random.choice(SMALL)}"]
            else:
                rows += self._valid_section(self.random.choice(kinds))
        return "\n".join(rows)

    @staticmethod
    def _is_framing(kind: type[Section]) -> bool:
        """Whether it stands where no other may: it frames a network, is a source, or an AUDetNet file's."""
        return kind.type_name in FRAMES or kind.family == "source" or kind.type_name.endswith("_options")

    def _valid_section(self, kind: type[Section]) -> list[str]:
        """The options of some draws do not go together: a tame program draws again."""
        for _ in range(1 + 7 * self.tame):
            rows = self._section(kind)
            findings: list[Finding] = []
            (group,) = parse(SourceFile("section.cfg", "\n".join(["{N}", *rows])), findings).items
            if isinstance(group, Written) and check_section(group.sections[0], kind, findings) is not None:
                break
        if kind.group == "loss":
            name = next((row for row in rows if row.startswith("name = ")), kind.type_name)
            self.losses.append(name.removeprefix("name = "))
        return rows

    def _section(self, kind: type[Section]) -> list[str]:
        rows = [f"[{kind.type_name}]"]
        for key, field in kind.model_fields.items():
            name = field.alias or key
            wanted = 1.0 if field.is_required() else 0.25
            if name == "repeat" or (self.tame and name in LEFT_OUT):
                wanted = 0.02
            elif issubclass(kind, Block) and name == kind.reference_option:
                wanted = 0.9
            if key not in kind.unavailable and self.random.random() < wanted:
                rows.append(f"{name} = {self._option(kind, name, field.annotation, field.metadata)}")
        if self.tame and not any(row.startswith("name =") for row in rows) and self.random.random() < 0.3:
            self.count += 1
            rows.append(f"name = s{self.count}")
        return rows

    def _option(self, kind: type[Section], name: str, annotation: Any, bounds: Sequence[Any]) -> str:
        if self.tame and issubclass(kind, Block) and name == kind.reference_option:
            return "-1, -1" if kind.input_count is None else "-1"
        return "1" if self.tame and name == "dim" else self._value(name, annotation, bounds)

    def _value(self, key: str, annotation: Any, bounds: Sequence[Any]) -> str:
        origin = get_origin(annotation)
        if origin is Annotated:
            inner, *more = get_args(annotation)
            found = [item for entry in more for item in getattr(entry, "metadata", [entry])]
            return self._value(key, inner, [*bounds, *found])
        if origin in (Union, types.UnionType):
            return self._value(key, self.random.choice(get_args(annotation)), bounds)
        if origin is Literal:
            return str(self.random.choice(get_args(annotation)))
        if origin is tuple:
            item, length = get_args(annotation)[0], self.random.randint(1, 3)
            return ", ".join(self._value(key, item, bounds) for _ in range(length))
        return self._plain(key, annotation, bounds)

    def _plain(self, key: str, kind: Any, bounds: Sequence[Any]) -> str:
        if kind is bool:
            return self.random.choice(("True", "False", "1", "no"))
        if kind is int:
            return str(self._number(bounds, self.random.choice((*SMALL, 0, 40, 4_000)), 1))
        if kind is float:
            return (
                f"{self._number(bounds, self.random.choice((0.0, 0.1, 0.5, 1.0, 10.0, 1e-9, 1e9)), 0.01):g}"
            )
        if kind is Reference:
            far = ("-2", "0", "1", "a", "b", "input", "b.x", "-9", "7")
            return self.random.choice(("-1", "-1", "0", "input") if self.tame else far)
        return "None" if kind is type(None) else self._text(key)

    def _text(self, key: str) -> str:
        if not self.tame:
            return self.random.choice((*WORDS, "$v", "${v + 1}"))
        if key == "minimise":
            return " + ".join(self.losses) or "mse"
        return TAME_WORDS.get(key, "s1")

    def _number(self, bounds: Sequence[Any], number: float, step: float) -> float:
        """The number, moved into the bounds of its option, or now and then left out of them."""
        if self.random.random() < OUT_OF_RANGE:
            return number
        for bound in bounds:
            number = max(number, getattr(bound, "ge", number), getattr(bound, "gt", number - step) + step)
            number = min(number, getattr(bound, "le", number), getattr(bound, "lt", number + step) - step)
        return number


def program(random: Random) -> str:
    """The text of one."""
    return Maker(random).program()
