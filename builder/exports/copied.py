"""Classes and functions that an exported file brings along: their source, and whatever it needs, without netcfg."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
import types
from collections.abc import Iterator
from typing import Any

STARTS = frozenset(
    {"initialization", "bias_start", "initialize", "fill", "_initialize", "Initial", "started"}
)
"""Names that only say where parameters start: exported ones come from the file of weights."""
TYPING = {"Any": "typing", "Literal": "typing", "ClassVar": "typing"}
"""What types are written with, and is no class itself; where it comes from."""


class Refused(Exception):
    """What has no form outside; its text goes on after the block's name."""


class Copied:
    """The source of an exported file beside its networks: imports, and definitions in the order they need."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.texts: dict[str, str] = {}
        self.signatures: dict[str, tuple[str, ...]] = {}
        """What classes that were written for the export are made with."""
        self._taken: dict[str, object] = {}

    def take_text(self, name: str, text: str) -> str:
        """Add a definition that was written for the export; gives its name."""
        self.texts.setdefault(name, text)
        return name

    def take(self, definition: type | types.FunctionType) -> str:
        """Add a class or function with all that it needs; gives its name. Raises `Refused` where that cannot be."""
        name = definition.__name__
        if self._taken.setdefault(name, definition) is not definition:
            raise Refused(f"needs two things called {name}")
        if name in self.texts:
            return name
        try:
            text = textwrap.dedent(inspect.getsource(definition))
        except (OSError, TypeError):
            raise Refused(f"has no source ({name})") from None
        text = _without_starts(text)
        scope = vars(sys.modules[definition.__module__])
        self.texts[name] = ""  # a function may call itself
        for other in _names_read(text):
            if other in scope and other != name:
                self._need(other, scope[other], scope, definition.__module__)
        del self.texts[name]
        self.texts[name] = text.rstrip() + "\n"
        return name

    def _need(self, name: str, value: Any, scope: dict[str, Any], home: str) -> None:
        if isinstance(value, types.ModuleType):
            self._import_module(name, value)
        elif isinstance(value, type | types.FunctionType) and _is_ours(value, home):
            self.take(value)
            if value.__name__ != name:
                raise Refused(f"calls {value.__name__} {name}")
        elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            self._import_from(name, value, value.__module__ or "builtins")
        elif name in TYPING:
            self.imports.add(f"from {TYPING[name]} import {name}")
        else:
            self._constant(name, home)

    def _import_module(self, name: str, module: types.ModuleType) -> None:
        full = module.__name__
        if full.startswith("netcfg"):
            raise Refused(f"uses the module {full}")
        if full in ("torch", "torch.nn") or (full == "torch.nn.functional" and name == "F"):
            return
        parent, _, last = full.rpartition(".")
        if name == full:
            self.imports.add(f"import {full}")
        elif last == name and parent:
            self.imports.add(f"from {parent} import {last}")
        elif parent:
            self.imports.add(f"from {parent} import {last} as {name}")
        else:
            self.imports.add(f"import {full} as {name}")

    def _import_from(self, name: str, value: Any, module: str) -> None:
        if module.startswith("netcfg"):
            raise Refused(f"uses {module}.{name}")
        if module == "builtins" or (name == "Tensor" and module.startswith("torch")):
            return
        module = {"torch._tensor": "torch"}.get(module, module)
        called = value.__name__
        self.imports.add(f"from {module} import {called}" + (f" as {name}" if called != name else ""))

    def _constant(self, name: str, home: str) -> None:
        """A value that stands in the module: its assignment."""
        tree = ast.parse(inspect.getsource(sys.modules[home]))
        for statement in tree.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets = [statement.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                text = ast.unparse(statement)
                if name not in self.texts:
                    scope = vars(sys.modules[home])
                    for other in _names_read(text):
                        if other in scope and other != name:
                            self._need(other, scope[other], scope, home)
                    self.texts[name] = text + "\n"
                return
        raise Refused(f"uses `{name}`, whose definition is not in its file")


def _is_ours(value: type | types.FunctionType, home: str) -> bool:
    """Whether it belongs to the file that is copied, or to netcfg."""
    module = value.__module__ or ""
    return (
        module == home
        or module.startswith("netcfg.builder.modules")
        or module.startswith("netcfg.builder.exports")
    )


def _names_read(text: str) -> list[str]:
    """Names in a source that may be global, in order of their first use."""
    tree = ast.parse(text)
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in vars(builtins):
            found.setdefault(node.id)
    return list(found)


def _without_starts(text: str) -> str:
    """A source without what only says where parameters start."""
    tree = ast.parse(text)
    lines = text.splitlines()
    gone: set[int] = set()
    for node, body in _bodies(tree):
        for statement in body:
            if _is_start(statement):
                gone |= set(range(statement.lineno - 1, (statement.end_lineno or statement.lineno)))
        if isinstance(node, ast.FunctionDef):
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if argument.arg in STARTS:
                    gone.add(argument.lineno - 1)
    kept = [line for number, line in enumerate(lines) if number not in gone]
    text = "\n".join(kept) + "\n"
    return text.replace("  # type: ignore[no-untyped-call]", "").replace("\n\n\n    ", "\n\n    ")


def _bodies(tree: ast.AST) -> Iterator[tuple[ast.AST, list[ast.stmt]]]:
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.If | ast.For | ast.While | ast.With
        ):
            yield node, node.body
        if isinstance(node, ast.If | ast.For | ast.While):
            yield node, node.orelse


def _is_start(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ClassDef):
        return False
    if isinstance(statement, ast.FunctionDef):
        return statement.name in STARTS
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
    return bool(names & STARTS)
