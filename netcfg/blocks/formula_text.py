"""The text of a formula: what may stand in it, and which signals it names.

It is read by Python's own parser and then held to a list of what is allowed, so that nothing of it is ever run but what
`netcfg.blocks.formula_terms` writes for it.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from netcfg.axes import AXES
from netcfg.source import did_you_mean

MAX_LENGTH = 2_000
MAX_DEPTH = 100
HERE = "in"
"""What a formula calls the block before it."""
PI = "pi"

_HERE_WORD = re.compile(r"(?<![\w.])in(?!\w)")
_HERE_NAME = (
    "ín"  # as long as `in`, which Python's grammar keeps for itself, and no name that a block may have
)

UNARY = {"exp", "log", "sqrt", "abs", "sigmoid", "tanh", "softplus", "relu", "sin", "cos", "sign", "floor"}
ALONG = {"softmax", "log_softmax", "argmax", "cumsum", "cumprod"}
"""Functions along one axis."""
OVER = {"mean", "sum", "var"}
"""Functions over axes, all of them by default."""
EXTREME = {"min", "max"}
"""Of several, or over the axes of one."""
COUNTS = {"clip": 3, "where": 3}
SERIES = {"linspace": (3, 3), "arange": (1, 3)}
"""Numbers along an axis that no signal has, and how many arguments they take: numbers all."""
FUNCTIONS = sorted(UNARY | ALONG | OVER | EXTREME | set(COUNTS) | set(SERIES))

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_SIGNS = (ast.USub, ast.UAdd)


class FormulaError(ValueError):
    """A text that is no formula; the message is the rest of "must be …". `item` is the part of it to blame."""

    def __init__(self, message: str, item: str = "", help: str | None = None) -> None:
        super().__init__(message)
        self.item = item
        self.help = help


class Parsed(NamedTuple):
    """A formula that holds nothing but what is allowed. `names` are the signals in it, each once, in their order."""

    tree: ast.expr
    source: str
    names: tuple[str, ...]

    def text_of(self, node: ast.AST) -> str:
        """A part as it is written."""
        assert isinstance(node, ast.expr)
        text = (
            self.source if self.source.isascii() else self.source.encode()
        )  # Python counts columns in bytes
        part = text[node.col_offset : node.end_col_offset]
        return (part if isinstance(part, str) else part.decode()).replace(_HERE_NAME, HERE)

    def tables(self) -> list[tuple[str, int]]:
        """The signals in which rows are looked up, and which of `names` they are."""
        found = {
            dotted(self, node.value): None for node in ast.walk(self.tree) if isinstance(node, ast.Subscript)
        }
        return [(name, self.names.index(name)) for name in found]


class Formula(NamedTuple):
    """An option that holds a formula."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def parsed(self) -> Parsed:
        """What it says."""
        return parse(self.text)


def read_formula(text: str) -> Formula:
    """`(a - b) ** 2`."""
    parse(text)
    return Formula(text)


@lru_cache(maxsize=4096)
def parse(text: str) -> Parsed:
    """A formula's tree and names. Raises `FormulaError`."""
    if len(text) > MAX_LENGTH:
        message = f"a formula of at most {MAX_LENGTH:,} characters, found {len(text):,}"
        raise FormulaError(message, help="several [formula] blocks, which name each other")
    source = _HERE_WORD.sub(_HERE_NAME, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of `1if`, would reach the terminal
            tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        message = f"a formula of names, numbers, + - * / ** ( ) and functions, found `{_short(text)}`"
        raise FormulaError(
            message, help="such as `(a - b) ** 2` or `mean(x, over = (height, width))`"
        ) from None
    _expect_shallow(tree)
    parsed = Parsed(tree, source, ())
    names = tuple(dict.fromkeys(_names(parsed, tree)))
    if not names:
        message = f"a formula that names a signal, found `{_short(text)}`"
        raise FormulaError(message, help="`in` is the block before; numbers alone are a [constant]")
    return parsed._replace(names=names)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def _expect_shallow(tree: ast.expr) -> None:
    """Refuse what nests so deep that its line could not be read by Python again."""
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [
            child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
        ]
        if not level:
            return
    message = f"a formula of at most {MAX_DEPTH} levels, found more, one inside the other"
    raise FormulaError(message, help="several [formula] blocks, which name each other")


def _names(parsed: Parsed, tree: ast.expr) -> Iterator[str]:
    """The signals that a tree names, whatever else it holds being allowed."""
    if isinstance(tree, ast.Name | ast.Attribute):
        name = dotted(parsed, tree)
        if not name.isascii():  # Python has names that no block can have
            message = f"a formula of names that a block can have, found `{_short(name)}`"
            raise FormulaError(message, name, "names are letters from a to z, digits and `_`")
        if name != PI:
            yield name
        return
    for part in _parts(parsed, tree):
        yield from _names(parsed, part)


def dotted(parsed: Parsed, tree: ast.expr) -> str:
    """A signal as it is called, a port behind a dot. Raises `FormulaError` where something else has the dot."""
    head = tree
    while isinstance(head, ast.Attribute):
        head = head.value
    if not isinstance(head, ast.Name):
        text = parsed.text_of(tree)
        message = f"a formula without attributes, found `{_short(text)}`"
        raise FormulaError(message, text, "only a signal has something behind a dot: a port, as in `z.mean`")
    return re.sub(r"\s", "", parsed.text_of(tree))


def _parts(parsed: Parsed, tree: ast.expr) -> list[ast.expr]:
    """What an allowed node is made of. Raises `FormulaError` at any other."""
    text = parsed.text_of(tree)
    if isinstance(tree, ast.Constant):
        value = tree.value
        if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e30:
            message = f"a formula of numbers up to 1e30, found `{_short(text)}`"
            raise FormulaError(message, text, "a number, or the name of a signal without quotes")
        return []
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, _SIGNS):
        return [tree.operand]
    if isinstance(tree, ast.BinOp) and type(tree.op) in OPERATORS:
        return [tree.left, tree.right]
    if isinstance(tree, ast.Compare):
        return _compared(tree, text)
    if isinstance(tree, ast.Call):
        return _arguments(tree, text)
    if isinstance(tree, ast.Subscript):
        return _looked_up(tree, text)
    help = f"+ - * / **, < <= > >= == !=, and the functions {', '.join(FUNCTIONS)}"
    if isinstance(tree, ast.BoolOp) or (isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)):
        help = "for `p and q` write `p * q`, for `p or q` write `max(p, q)`, for `not p` write `1 - p`"
    if isinstance(tree, ast.IfExp):
        help = "for `a if p else b` write `where(p, a, b)`"
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitXor):
        help = "for `a ^ 2` write `a ** 2`"
    raise FormulaError(f"a formula, which cannot hold `{_short(text)}`", text, help)


def _compared(tree: ast.Compare, text: str) -> list[ast.expr]:
    if len(tree.ops) > 1:
        message = f"a formula without a chain of comparisons, found `{_short(text)}`"
        raise FormulaError(message, text, "for `a < b < c` write `(a < b) * (b < c)`")
    if type(tree.ops[0]) not in COMPARISONS:
        help = "for `a is b` write `a == b`"
        raise FormulaError(f"a formula that compares by < <= > >= == !=, found `{_short(text)}`", text, help)
    return [tree.left, tree.comparators[0]]


def _looked_up(tree: ast.Subscript, text: str) -> list[ast.expr]:
    """`table[t]`: a signal, and what says which row of it."""
    of_numbers = any(isinstance(node, ast.Slice | ast.Tuple | ast.Constant) for node in ast.walk(tree.slice))
    if isinstance(tree.value, ast.Name | ast.Attribute) and not of_numbers:
        return [tree.value, tree.slice]
    message = f"a formula, which cannot hold `{_short(text)}`"
    help = "`table[t]` is the row that the class `t` says; by numbers there are [token] and [select_subset]"
    raise FormulaError(message, text, help)


def _arguments(tree: ast.Call, text: str) -> list[ast.expr]:
    name = tree.func.id if isinstance(tree.func, ast.Name) else ""
    if name not in FUNCTIONS:
        said = text.partition("(")[0].strip()
        help = did_you_mean(said.rpartition(".")[2], FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}"
        raise FormulaError(f"a formula of its own functions, and `{_short(said)}` is none", said, help)
    axes = over(tree)
    if any(word.arg != "over" for word in tree.keywords) or (axes is None and tree.keywords):
        raise FormulaError(f"a formula, which cannot hold `{_short(text)}`", text, _usage(name))
    few, many = _counts(name, bool(axes))
    if any(isinstance(part, ast.Starred) for part in tree.args) or not few <= len(tree.args) <= many:
        raise FormulaError(f"a formula, which cannot hold `{_short(text)}`", text, _usage(name))
    one_axis = name in ALONG or name in SERIES
    if axes and (name in UNARY or name in COUNTS or (one_axis and len(axes) > 1)):
        raise FormulaError(f"a formula, which cannot hold `{_short(text)}`", text, _usage(name))
    return tree.args


def over(tree: ast.Call) -> tuple[str, ...] | None:
    """The axes that a call names, by name; () without, None where they are no axes."""
    if not tree.keywords:
        return ()
    value = tree.keywords[0].value
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    names = [part.id for part in parts if isinstance(part, ast.Name) and part.id in AXES.values()]
    return tuple(names) if names and len(set(names)) == len(parts) else None


def _counts(name: str, has_axes: bool) -> tuple[int, int]:
    """How many arguments a function takes."""
    if name in COUNTS:
        return COUNTS[name], COUNTS[name]
    if name in SERIES:
        return SERIES[name]
    return (1, 50) if name in EXTREME and not has_axes else (1, 1)


def _usage(name: str) -> str:
    axes = ", ".join(AXES.values())
    if name in ALONG:
        return f"`{name}(x)` or `{name}(x, over = features)`, with one of {axes}"
    if name in OVER:
        return f"`{name}(x)` or `{name}(x, over = (height, width))`, with {axes}"
    if name in EXTREME:
        return f"`{name}(a, b)`, `{name}(x)` or `{name}(x, over = (height, width))`, with {axes}"
    if name == "linspace":
        return f"`linspace(first, last, how_many)` or `linspace(0, 1, 8, over = width)`, with one of {axes}"
    if name == "arange":
        return f"`arange(how_many)`, `arange(first, end)` or `arange(first, end, step)`, `over` one of {axes}"
    return {"clip": "`clip(x, low, high)`", "where": "`where(p, a, b)`"}.get(name, f"`{name}(x)`")
