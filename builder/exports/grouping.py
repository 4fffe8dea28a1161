"""Bodies of classes that are the same but for numbers: one class, and the numbers that it is made with."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from netcfg.shapes import Shape, show

WIDTH = 100
"""Of a line of code; a comment with a shape may stand behind."""
LONGEST = 12
"""A size is written as far as that; a longer one, of a named height or width, is a letter."""
CHANNELS = (
    "in_channels",
    "out_channels",
    "num_features",
    "in_features",
    "out_features",
    "num_channels",
    "groups",
)
"""Arguments that count the same thing, so that one of a class may stand for several of its layers."""


@dataclass(frozen=True)
class Line:
    """A line of code; `shape` is what it gives, and is written behind it."""

    text: str
    shape: Shape | None = None


@dataclass(eq=False)
class Body:
    """What stands in the class of one level. `inputs` and `returns` are the names that go in and out of `forward`."""

    template: str
    is_network: bool
    base: str
    init: list[Line]
    inputs: list[str]
    forward: list[Line]
    returns: list[str]
    result: str = "Tensor"
    doc: str = ""


@dataclass(frozen=True)
class ClassText:
    """A class: its name, what it is made with, and its source."""

    name: str
    parameters: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class _Slot:
    """A number in a source: where it stands, what it is, and what the argument there is called."""

    line: int
    start: int
    end: int
    value: Any
    text: str
    name: str


def class_texts(
    bodies: Sequence[Body],
    used: set[str],
    known: Sequence[ClassText],
    written: Mapping[str, tuple[str, ...]],
) -> list[tuple[ClassText, str]]:
    """For each body its class and the call that makes it. `used` are names that are taken; it grows.

    `written` says what further classes are made with.
    """
    signatures = {**written, **{one.name: one.parameters for one in known}}
    slots = [_slots(body, signatures) for body in bodies]
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, body in enumerate(bodies):
        key = (body.template, body.base, _masked(body, slots[number]))
        groups.setdefault(key, []).append(number)
    made: dict[int, tuple[ClassText, str]] = {}
    for numbers in groups.values():
        name = _free(camel(bodies[numbers[0]].template), used)
        columns = _columns([slots[number] for number in numbers])
        parameters = _parameters(columns, [slots[number] for number in numbers], bodies[numbers[0]])
        text = _class(name, [bodies[n] for n in numbers], slots[numbers[0]], columns, parameters)
        made |= {number: (text, _call(name, parameters, place)) for place, number in enumerate(numbers)}
    return [made[number] for number in range(len(bodies))]


def camel(name: str) -> str:
    """`basic_block` as the name of a class."""
    text = "".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_") if word)
    text = "".join(one for one in text if one.isalnum() or one == "_")
    return text if text.isidentifier() and not keyword.iskeyword(text) else f"Net{text}"


def _free(name: str, used: set[str]) -> str:
    number, free = 2, name
    while free in used or free in vars(builtins):
        free, number = f"{name}{number}", number + 1
    used.add(free)
    return free


# --- numbers in a source


def _sources(body: Body) -> tuple[list[str], list[str]]:
    return [line.text for line in body.init], [line.text for line in body.forward]


def _slots(body: Body, signatures: dict[str, tuple[str, ...]]) -> list[_Slot]:
    """All numbers of a body, those of `forward` behind those of `__init__`, whose lines are counted on."""
    init, forward = _sources(body)
    found = _numbers(init, 0, signatures)
    return [*found, *_numbers(forward, len(init), signatures)]


def _numbers(lines: list[str], offset: int, signatures: dict[str, tuple[str, ...]]) -> list[_Slot]:
    if not lines:
        return []
    # Positions stay as they are: only the word in front is another one.
    tree = ast.parse("\n".join(line.replace("return ", "gives =", 1) for line in lines))
    found = []
    for node, name in _walk(tree, "value", signatures):
        assert isinstance(node, ast.expr)
        assert node.end_col_offset is not None
        line = node.lineno - 1
        if node.end_lineno != node.lineno:
            continue
        raw = lines[line].encode()
        text = raw[node.col_offset : node.end_col_offset].decode()
        found.append(
            _Slot(line + offset, node.col_offset, node.end_col_offset, ast.literal_eval(text), text, name)
        )
    return sorted(found, key=lambda slot: (slot.line, slot.start))


def _walk(node: ast.AST, name: str, signatures: dict[str, tuple[str, ...]]) -> Iterator[tuple[ast.AST, str]]:
    """Numbers and tuples of numbers, with the names of the arguments they are given for."""
    if _is_number(node) or (isinstance(node, ast.Tuple) and node.elts and all(map(_is_number, node.elts))):
        yield node, name
    elif isinstance(node, ast.Call):
        yield from _walk(node.func, name, signatures)
        taken = _arguments_of(node.func, signatures)
        for place, argument in enumerate(node.args):
            yield from _walk(argument, taken[place] if place < len(taken) else "size", signatures)
        for given in node.keywords:
            yield from _walk(given.value, given.arg or "value", signatures)
    elif not isinstance(node, ast.Subscript):
        for child in ast.iter_child_nodes(node):
            yield from _walk(child, name, signatures)
    else:
        yield from _walk(node.value, name, signatures)


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _is_number(node.operand)
    return isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float)


def _arguments_of(function: ast.expr, signatures: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if isinstance(function, ast.Name):
        if function.id == "range":
            return ("turns",)
        return signatures.get(function.id, ())
    if (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "nn"
    ):
        kind = vars(nn).get(function.attr)
        if isinstance(kind, type) and function.attr not in ("Sequential", "Parameter"):
            return tuple(inspect.signature(kind).parameters)
    return ()


def _masked(body: Body, slots: Sequence[_Slot]) -> str:
    """A body with its numbers left out."""
    init, forward = _sources(body)
    lines = _filled([*init, *forward], slots, ["#"] * len(slots))
    return "\n".join([*lines, str(len(init)), *body.inputs, *body.returns])


def _filled(lines: Sequence[str], slots: Sequence[_Slot], texts: Sequence[str]) -> list[str]:
    """Lines with other texts in the places of numbers."""
    raw = [line.encode() for line in lines]
    for slot, text in sorted(zip(slots, texts, strict=True), key=lambda pair: -pair[0].start):
        line = raw[slot.line]
        raw[slot.line] = line[: slot.start] + text.encode() + line[slot.end :]
    return [line.decode() for line in raw]


# --- what a class is made with


def _columns(slots: Sequence[Sequence[_Slot]]) -> list[tuple[Any, ...] | None]:
    """For each number what it is in every use, where it differs; None where it does not."""
    columns: list[tuple[Any, ...] | None] = []
    for same in zip(*slots, strict=True):
        values = tuple((type(slot.value).__name__, slot.value) for slot in same)
        columns.append(values if len(set(values)) > 1 else None)
    return columns


@dataclass(frozen=True)
class _Parameter:
    name: str
    texts: tuple[str, ...]
    values: tuple[Any, ...]
    places: frozenset[int]


def _parameters(
    columns: Sequence[tuple[Any, ...] | None], slots: Sequence[Sequence[_Slot]], body: Body
) -> list[_Parameter]:
    """Numbers that differ in the same way, and count the same, are one argument."""
    taken = {part for line in body.init for part in _attributes(line.text)} | {"self", "x", *dir(nn.Module)}
    lines = _sources(body)[0]
    found: dict[tuple[Any, ...], list[int]] = {}
    for place, column in enumerate(columns):
        if column is not None:
            name = slots[0][place].name
            found.setdefault((column, "channels" if name in CHANNELS else name), []).append(place)
    parameters: list[_Parameter] = []
    for (column, _), places in found.items():
        slot = slots[0][places[0]]
        name = slot.name
        if name in taken:
            layer = next(iter(_attributes(lines[slot.line])), "") if slot.line < len(lines) else ""
            name = f"{layer}_{name}" if layer.isidentifier() else f"{name}_"
        stem, number = name, 2
        while name in taken or keyword.iskeyword(name):
            name, number = f"{stem}{number}", number + 1
        taken.add(name)
        texts = tuple(one[places[0]].text for one in slots)
        parameters.append(_Parameter(name, texts, column, frozenset(places)))
    return parameters


def _attributes(text: str) -> Iterator[str]:
    if text.startswith("self."):
        yield text[5:].partition(" ")[0].partition(".")[0].partition("[")[0]


def _call(name: str, parameters: Sequence[_Parameter], use: int) -> str:
    texts: list[str] = []
    for place, one in enumerate(parameters):
        is_bare = place == len([text for text in texts if "=" not in text]) and place < 3
        is_bare = is_bare and (one.name in CHANNELS or place == 0)
        texts.append(one.texts[use] if is_bare else f"{one.name}={one.texts[use]}")
    return f"{name}({', '.join(texts)})"


def _type(values: Sequence[Any]) -> str:
    kinds = {name for name, _ in values}
    if kinds == {"tuple"}:
        return "tuple[int, ...]"
    return " | ".join(sorted({"tuple": "tuple[int, ...]"}.get(kind, kind) for kind in kinds))


# --- the text


def _class(
    name: str,
    bodies: Sequence[Body],
    slots: Sequence[_Slot],
    columns: Sequence[tuple[Any, ...] | None],
    parameters: Sequence[_Parameter],
) -> ClassText:
    body = bodies[0]
    init, forward = _sources(body)
    texts, kept = [], []
    for place, slot in enumerate(slots):
        of = next((one for one in parameters if place in one.places), None)
        if of is None:
            texts.append(slot.text)
        elif slot.line < len(init):
            texts.append(of.name)
        else:
            texts.append(f"self.{of.name}")
            kept.append(of.name)
    lines = _filled([*init, *forward], slots, texts)
    made, computed = lines[: len(init)], lines[len(init) :]
    shapes = [_shape_text([one.init[n].shape for one in bodies], parameters) for n in range(len(init))]
    then = [
        _shape_text([one.forward[n].shape for one in bodies], parameters) for n in range(len(body.forward))
    ]
    source = [f"class {name}({body.base}):"]
    if body.doc:
        source += [f'    """{body.doc}"""', ""]
    if made or parameters:
        arguments = ", ".join(["self", *(f"{one.name}: {_type(one.values)}" for one in parameters)])
        source += _wrapped(f"    def __init__({arguments}) -> None:")
        if not (made and made[0].startswith("super()")):
            source.append("        super().__init__()")
        source += [f"        self.{one} = {one}" for one in dict.fromkeys(kept)]
        for text, shape in zip(made, shapes, strict=True):
            source += _commented(f"        {text}", shape)
    if body.base != "nn.Sequential" and (computed or body.returns):
        if made or parameters or body.doc:
            source += [""] if source[-1] else []
        inputs = ", ".join(["self", *(f"{one}: Tensor" for one in body.inputs)])
        source += _wrapped(f"    def forward({inputs}) -> {_result(body)}:")
        for number, text in enumerate(computed):
            source += _commented(f"        {text}", then[number])
        if body.result == "dict":
            source += _wrapped(f"        return {{{', '.join(body.returns)}}}")
    return ClassText(name, tuple(one.name for one in parameters), shortened("\n".join(source) + "\n"))


def shortened(source: str) -> str:
    """Without strides of 1, which convolutions have where nothing is said."""
    return re.sub(r"(Conv(?:Transpose)?[123]d\w*\([^()]*), stride=1\b", r"\1", source)


def _result(body: Body) -> str:
    if body.result == "dict":
        return "dict[str, Tensor]"
    return "Tensor" if len(body.returns) == 1 else f"tuple[{', '.join(['Tensor'] * len(body.returns))}]"


def _shape_text(shapes: Sequence[Shape | None], parameters: Sequence[_Parameter]) -> str:
    """A shape in words: sizes that differ between uses by the argument that they are, else by a letter."""
    first = shapes[0]
    if first is None or len({len(one or ()) for one in shapes}) > 1:
        return ""
    words = []
    for axis, sizes in enumerate(zip(*(one or () for one in shapes), strict=True)):
        text = show((sizes[0],))
        if len(set(sizes)) == 1 and (len(text) <= LONGEST or len(first) != 3):
            words.append(text)
            continue
        column = tuple(("int", size) for size in sizes)
        named = next((one.name for one in parameters if one.values == column), None)
        words.append(named or ("CHW"[axis] if len(first) == 3 else "…"))
    return "×".join(words)


def _commented(line: str, shape: str) -> list[str]:
    lines = _wrapped(line)
    if shape:
        lines[-1] += f"  # {shape}"
    return lines


def _wrapped(line: str) -> list[str]:
    """A line, broken at the commas of its outermost brackets where it is too long."""
    if len(line) <= WIDTH:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    depth, start = 0, -1
    parts: list[str] = []
    quoted = False
    for place, one in enumerate(line):
        if one == '"':
            quoted = not quoted
        if quoted:
            continue
        if one in "([{":
            depth += 1
            if depth == 1:
                # The last bracket at this depth is the one that is opened.
                start, begin, parts = place, place + 1, []
        elif one in ")]}":
            depth -= 1
            if depth == 0:
                parts.append(line[begin:place].strip())
                end = place
        elif one == "," and depth == 1:
            parts.append(line[begin:place].strip())
            begin = place + 1
    if start < 0 or not any(parts):
        return [line]
    inner = [text for part in parts if part for text in _wrapped(f"{indent}    {part},")]
    return [line[: start + 1], *inner, f"{indent}{line[end:]}"]
