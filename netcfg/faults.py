"""Errors in the code of sections, told as findings: which section, where it is written, what it raised.

Nothing here runs before something has failed. Who is to blame stands in the traceback: the innermost call of a
section's method, or of a line of a network's written `forward`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from traceback import walk_tb
from types import FrameType
from typing import NamedTuple

from netcfg.blocks.base import Section
from netcfg.extensions import included_files
from netcfg.graph import Node
from netcfg.shapes import Shape, show
from netcfg.source import Finding, NetcfgError, Note, ProgramError, Span
from netcfg.tracebacks import notes_in, said, span_in

NODES = "__netcfg_nodes__"
"""What a written `forward` calls, among its globals, the nodes that its lines compute, by line."""


class _Blame(NamedTuple):
    kind: type[Section]
    what: str
    span: Span | None
    declared: str = ""


def failing(
    kind: type[Section], error: BaseException, what: str, span: Span | None, declared: str = ""
) -> Finding:
    """A section whose own code raises (NC701). `what` failed: `forward`, or words of ours."""
    shown = what if " " in what else f"`{what}`"
    message = f"[{kind.type_name}] fails in {shown}: {said(error)}{declared}"
    notes = notes_in(error, _files(kind))
    return Finding("NC701", message, span, notes, _remedy(error, kind))


def untrue(kind: type[Section], message: str, span: Span | None, help: str) -> Finding:
    """A section that gives another thing than it declares (NC702), with a note at its class."""
    return Finding("NC702", f"[{kind.type_name}] {message}", span, _home(kind), help)


def blamed(error: Exception) -> Finding | None:
    """What an error says as a finding, where it arose in the code of a section; None where it did not."""
    if _is_ours(error):
        return None
    blame = _blame(error)
    if blame is not None:
        return _finding(blame, error)
    for file, span in included_files().items():
        notes = notes_in(error, {file})
        if notes:
            place = notes[-1].span
            message = f"{place.file.name}, line {place.line}: {said(error)}"
            return Finding("NC701", message, span, notes, help="mend the Python file")
    return None


@contextmanager
def told() -> Iterator[None]:
    """Inside, what the code of a section raises becomes a `ProgramError` of one finding."""
    try:
        yield
    except Exception as error:
        finding = blamed(error)
        if finding is None:
            raise
        raise ProgramError([finding]) from error


@contextmanager
def told_of(section: Section, what: str, given: Callable[[], str] = str) -> Iterator[None]:
    """The same, where the section at work is known: what nobody else is to blame for is its own.

    `given` says what it was fed, for the end of the message.
    """
    try:
        yield
    except Exception as error:
        if _is_ours(error):
            raise
        blame = _blame(error) or _Blame(type(section), what, section.written_at, given())
        raise ProgramError([_finding(blame, error)]) from error


def failing_node(node: Node, error: Exception, what: str) -> Finding:
    """A block whose module cannot be made."""
    return failing(type(node.block), error, what, node.span, _declared(node))


def _finding(blame: _Blame, error: BaseException) -> Finding:
    return failing(blame.kind, error, blame.what, blame.span, blame.declared)


def _blame(error: BaseException) -> _Blame | None:
    found = None
    for frame, line in walk_tb(error.__traceback__):
        found = _blame_of(frame, line) or found
    return found


def _blame_of(frame: FrameType, line: int) -> _Blame | None:
    nodes = frame.f_globals.get(NODES)
    if nodes is not None:
        node = nodes.get(line)
        return _Blame(type(node.block), "forward", node.span, _declared(node)) if node else None
    code = frame.f_code
    named = code.co_varnames[0] if code.co_argcount else ""
    first = frame.f_locals.get(named) if named in ("self", "cls") else None
    if isinstance(first, Section):
        return _Blame(type(first), code.co_name, first.written_at)
    if isinstance(first, type) and issubclass(first, Section) and _is_named(first):
        return _Blame(first, code.co_name, None)
    return None


def _declared(node: Node) -> str:
    takes = list(node.given)
    gives = [signal.shape for signal in node.outputs.values()]
    return f" (it is fed {listed(takes)}, and declares {listed(gives)})"


def listed(shapes: Iterable[Shape]) -> str:
    """Shapes of one sample each, in words."""
    return " and ".join(show(shape) or "one number" for shape in shapes) or "nothing"


def _is_named(kind: type[Section]) -> bool:
    """Whether it is a section that a file may write, and no base class."""
    return "type_name" in kind.__dict__


def _is_ours(error: Exception) -> bool:
    """What other parts of netcfg or torch explain better, wherever it arose."""
    module = type(error).__module__
    # That a worker was killed torch says by a signal, which reaches whatever runs just then.
    is_lost = isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")
    return (
        is_lost or isinstance(error, NetcfgError) or module.startswith(("torch._dynamo", "torch._inductor"))
    )


NO_MEMORY = "the machine's memory is full: fewer `workers`, a smaller batch_size, or smaller pictures"


def lacks_memory(error: BaseException) -> bool:
    """Whether the machine's memory did not suffice, as Python, NumPy or torch says it."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def _remedy(error: BaseException, kind: type[Section]) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return "a smaller batch_size, or smaller sizes"
    if lacks_memory(error):
        return NO_MEMORY
    is_ours = kind.__module__.startswith("netcfg.")
    return "this is a fault of netcfg: please report it" if is_ours else "mend the Python file"


def _files(kind: type[Section]) -> Collection[str]:
    """The files of a section's author: its own, and those of the package that it belongs to."""
    module = sys.modules.get(kind.__module__)
    own = {module.__file__} if module is not None and module.__file__ else set[str]()
    package = kind.__module__.partition(".")[0]
    if package == "netcfg":
        return own
    beside = [other for name, other in list(sys.modules.items()) if name.partition(".")[0] == package]
    return own | {path for other in beside if (path := other.__dict__.get("__file__"))}


def _home(kind: type[Section]) -> tuple[Note, ...]:
    """A note at the class of a section."""
    try:
        file, line = inspect.getsourcefile(kind), inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):
        return ()
    return (Note(span_in(file, line), "it is defined here"),) if file else ()
