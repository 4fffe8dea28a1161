"""Classes of modules that others have written: what their constructors take, and arguments read from text.

A class is imported once; what its constructor takes is kept beside what its modules are (see `netcfg.blocks.measured`).
"""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from netcfg.blocks.base import Mistake
from netcfg.blocks.values import read_float, read_int, read_literal_bool, read_text, split_list
from netcfg.source import did_you_mean
from netcfg.words import named, to_write

if TYPE_CHECKING:
    from torch import nn

_UNREADABLE = "object"
_ANY = "any"
_CLASS = "class"
_NONE = "None"
_CHOICE = "choice:"


class Unknown(Exception):
    """No class of modules stands at a path; the text says why."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class Argument(NamedTuple):
    """What a constructor takes under a name: `types` are words such as `int`, `float`, `list[int]`."""

    types: tuple[str, ...]
    required: bool


def find_class(path: str) -> "type[nn.Module]":
    """The class of modules at an import path. Raises `Unknown`."""
    from torch import nn

    found = find_object(path)
    if not isinstance(found, type) or not issubclass(found, nn.Module):
        what = "a class" if isinstance(found, type) else f"of type {type(found).__name__}"
        raise Unknown(f"`{path}` is {what}, and no class of `nn.Module`")
    return found


def find_object(path: str) -> Any:
    """What stands at an import path. Raises `Unknown`."""
    module, _, name = path.rpartition(".")
    if not module:
        raise Unknown(f"`{path}` is no import path", "such as `torch.nn.Bilinear`")
    try:
        home = import_module(module)
    except Exception as error:  # whatever another's file raises when it runs
        raise Unknown(f"`{module}` cannot be imported: {str(error).partition(chr(10))[0]}") from None
    if not hasattr(home, name):
        public = [word for word in vars(home) if not word.startswith("_")]
        raise Unknown(f"`{module}` has no `{name}`", did_you_mean(name, public))
    return getattr(home, name)


def described(path: str) -> dict[str, Any]:
    """What the constructor of a class takes, as plain data: `arguments`, and whether it takes `others`.

    `error` and `help` instead, where there is no such class.
    """
    try:
        kind = find_class(path)
    except Unknown as error:
        return {"error": str(error), "help": error.help}
    try:
        hints = get_type_hints(kind.__init__)
    except Exception:  # names in annotations that nobody has
        hints = {}
    arguments: dict[str, Any] = {}
    others = False
    for parameter in list(inspect.signature(kind.__init__).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            others = True
        elif parameter.kind not in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            annotation = hints.get(parameter.name, parameter.annotation)
            arguments[parameter.name] = {
                "types": list(_types(annotation, parameter.default)),
                "required": parameter.default is parameter.empty,
            }
    return {"arguments": arguments, "others": others}


def _types(annotation: Any, default: Any) -> Iterator[str]:
    """The words for an annotation; without one, for the default value."""
    empty = inspect.Parameter.empty
    if annotation is empty or annotation is Any:
        simple = type(default) in (bool, int, float, str)
        yield type(default).__name__ if simple and default is not empty else _ANY
        return
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _types(member, empty)
    elif origin is Literal:
        yield _CHOICE + "|".join(map(str, get_args(annotation)))
    elif annotation is type(None):
        yield _NONE
    elif annotation in (bool, int, float, str):
        yield annotation.__name__
    elif origin in (list, tuple, Sequence, list | tuple) and get_args(annotation)[:1]:
        item = get_args(annotation)[0]
        yield f"list[{item.__name__}]" if item in (int, float, bool, str) else "list[any]"
    elif annotation in (list, tuple) or str(annotation).startswith("torch.Size"):
        yield "list[any]"
    elif (
        annotation in (type, Callable)
        or origin in (type, types.FunctionType)
        or "Callable" in str(annotation)
    ):
        yield _CLASS
    else:
        yield _UNREADABLE


def mistakes(
    path: str, taken: Mapping[str, Argument], others: bool, given: Mapping[str, str]
) -> Iterator[Mistake]:
    """What is wrong with the arguments written for a class."""
    unknown = [key for key in given if key not in taken and not others]
    for key in unknown:
        message = f"`{path}` takes no argument `{key}`"
        help = did_you_mean(key, taken) or (f"it takes {named(list(taken))}" if taken else "it takes none")
        yield Mistake(key, message, help, "NC103")
    missing = [key for key, argument in taken.items() if argument.required and key not in given]
    missing = [key for key in missing if not any(did_you_mean(other, [key]) for other in unknown)]
    if missing:
        names = " and ".join(f"`{key}`" for key in missing)
        yield Mistake(None, f"`{path}` needs {names}", to_write(missing), "NC104")
    for key, text in given.items():
        if key in taken:
            try:
                read_argument(text, taken[key].types)
            except ValueError as error:
                yield Mistake(key, f"`{key}` must be {error}", None, "NC105", of_value=True)


class Imported(NamedTuple):
    """An argument that is a class or a function, by its import path."""

    path: str


def read_argument(text: str, types: Sequence[str]) -> Any:
    """A value by the types that an argument may have. Raises `ValueError` with the rest of "must be …"."""
    expected = []
    for word in sorted(types, key=lambda word: _ORDER.index(word) if word in _ORDER else -1):
        try:
            return _chosen(text, word) if word.startswith(_CHOICE) else _READERS[word](text)
        except ValueError as error:
            expected.append(str(error).partition(", found")[0])
    raise ValueError(f"{' or '.join(dict.fromkeys(expected))}, found `{text}`")


def _chosen(text: str, word: str) -> Any:
    choices = word.removeprefix(_CHOICE).split("|")
    if read_text(text) not in choices:
        raise ValueError(f"one of {', '.join(f'`{choice}`' for choice in choices)}, found `{text}`")
    return _guessed(text)


def _none(text: str) -> None:
    if text != _NONE:
        raise ValueError("`None`")


def _imported(text: str) -> Imported:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"the import path of a class or function, such as `torch.nn.ReLU`, found `{text}`")
    return Imported(text)


def _object(text: str) -> Any:
    raise ValueError(
        f"an object that no text stands for: a Python file of one's own makes it, found `{text}`"
    )


def _guessed(text: str) -> Any:
    """A value by how it looks, where nobody says what it is."""
    if len(items := split_list(text)) > 1:
        return tuple(_guessed(item) for item in items if item)
    for reader in (_none, read_int, read_float, read_literal_bool):
        try:
            return reader(text)
        except ValueError:
            continue
    return read_text(text)


def _list_of(reader: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(text: str) -> tuple[Any, ...]:
        try:
            return tuple(reader(item) for item in split_list(text) if item)
        except ValueError as error:
            raise ValueError(f"a comma list, each item {error}") from None

    return read


_READERS: dict[str, Callable[[str], Any]] = {
    _NONE: _none,
    "bool": read_literal_bool,
    "int": read_int,
    "float": read_float,
    "list[int]": _list_of(read_int),
    "list[float]": _list_of(read_float),
    "list[bool]": _list_of(read_literal_bool),
    _CLASS: _imported,
    "list[str]": _list_of(read_text),
    "list[any]": _list_of(_guessed),
    _ANY: _guessed,
    "str": read_text,
    _UNREADABLE: _object,
}
_ORDER = list(_READERS)
