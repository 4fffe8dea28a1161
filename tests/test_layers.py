"""Who may import whom, what a light command leaves unloaded, and what is packaged."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "netcfg": "netcfg",
    "builder": "netcfg.builder",
    "trainers": "netcfg.trainers",
    "datasets": "netcfg.datasets",
}
LAYERS = [
    {
        "netcfg.codes",
        "netcfg.explained",
        "netcfg.spelling",
        "netcfg.vocabulary",
        "netcfg.counterparts",
        "netcfg.source",
        "netcfg.shapes",
        "netcfg.files",
        "netcfg.words",
        "netcfg.axes",
        "netcfg.folding",
        "netcfg.tracebacks",
        "netcfg.results",
        "netcfg.markup",
        "netcfg.grouped",
        "netcfg.frames",
        "netcfg.version",
    },
    {"netcfg.syntax"},
    {"netcfg.blocks", "netcfg.extensions"},
    {"netcfg.graph", "netcfg.program", "netcfg.faults"},
    {"netcfg.passes"},
    {"netcfg.compile"},
    {
        "netcfg.draw",
        "netcfg.summary",
        "netcfg.plan_text",
        "netcfg.reference",
        "netcfg.index",
        "netcfg.keys",
        "netcfg.compare",
        "netcfg.opened",
        "netcfg.pages",
        "netcfg.tables",
        "netcfg.training",
    },
    {"netcfg"},
    {"netcfg.datasets"},
    {"netcfg.builder"},
    {"netcfg.trainers"},
    {"netcfg.contract"},
    {"netcfg.cli", "netcfg.__main__"},
]
LIGHT = LAYERS[:8]
ROOMS = {
    "netcfg.datasets": [
        "pictures",
        "samples",
        "transforms",
        "flow",
        "samplers",
        "faces",
        "sources",
        "examining",
        "looking",
        "pipeline",
        "together",
    ],
    "netcfg.trainers": ["machine", "step", "runs", "judging", "reporting", "prediction", "sweeps", "fit"],
}
SLOW_TO_START = {"lark", "importlib.metadata", "email", "shutil"}
"""What others import for purposes of their own that a check has no part in: a fifth of its time."""
HEAVY = {"torch", "torchvision", "numpy", "cv2", "matplotlib", "PIL", "safetensors", "torchmetrics"}


def module_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    name = ".".join([FOLDERS[relative.parts[0]], *relative.with_suffix("").parts[1:]])
    return name.removesuffix(".__init__")


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def layer_of(module: str) -> int:
    """The number of the layer of a module; `netcfg` itself is one, what lies in it must be listed."""
    parts = module.split(".")
    for length in range(len(parts), min(len(parts), 2) - 1, -1):
        prefix = ".".join(parts[:length])
        for number, layer in enumerate(LAYERS):
            if prefix in layer:
                return number
    raise AssertionError(f"{module} belongs to no layer")


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(node: ast.AST) -> Iterator[str]:
    """The modules imported when a file is: not inside functions, not for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(child):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative import"
            yield child.module or ""
        else:
            yield from imports(child)


SOURCES = list(sources())


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_a_module_imports_only_what_stands_before_it(path: Path) -> None:
    module = module_of(path)
    later = [
        name
        for name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[0] == "netcfg" and layer_of(name) > layer_of(module)
    ]
    assert later == []


def room_of(module: str) -> tuple[str, int] | None:
    """The folder of a module and the place of its room there, or None where rooms have no order."""
    folder, _, rest = ".".join(module.split(".")[:3]).rpartition(".")
    return (folder, ROOMS[folder].index(rest)) if folder in ROOMS else None


@pytest.mark.parametrize("path", [path for path in SOURCES if room_of(module_of(path))], ids=module_of)
def test_a_room_imports_only_the_rooms_before_it(path: Path) -> None:
    mine = room_of(module_of(path))
    assert mine is not None
    named = {name for _, name in imports_of_functions(path)} | set(
        imports(ast.parse(path.read_text("utf-8")))
    )
    theirs = {name: room_of(name) for name in named if name.startswith(mine[0] + ".")}
    assert [name for name, room in theirs.items() if room and room[1] > mine[1]] == []


def imports_of_functions(path: Path) -> Iterator[tuple[str, str]]:
    """The functions of a file that import something, and what."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = ast.Module(body=list(node.body), type_ignores=[])
            yield from ((node.name, name) for name in imports(body))


def test_what_is_drawn_imports_the_drawing_code_only_when_a_notebook_asks() -> None:
    later = {
        (module, function)
        for path in SOURCES
        if not (module := module_of(path)).startswith("netcfg.blocks")  # these open data and build modules
        for function, name in imports_of_functions(path)
        if name.split(".")[0] == "netcfg" and layer_of(name) > layer_of(module)
    }
    expected = {
        ("netcfg.graph", "_repr_svg_"),
        ("netcfg.program", "_repr_svg_"),
        ("netcfg.program", "from_groups"),
        ("netcfg.passes.plan", "__str__"),
        ("netcfg.passes.plan", "_repr_html_"),
        ("netcfg.results", "_repr_html_"),
        ("netcfg", "build"),
        ("netcfg.opened", "network"),
        ("netcfg.opened", "evaluate"),
        ("netcfg.opened", "predict"),
        ("netcfg.training", "train"),
    }
    assert later == expected


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_our_folders_are_imported_by_their_full_names(path: Path) -> None:
    names = {name.split(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert not names & {"builder", "trainers", "datasets", "cfg"}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if layer_of(module_of(path)) < len(LIGHT)], ids=module_of
)
def test_what_check_needs_imports_nothing_heavy(path: Path) -> None:
    names = {name.split(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert not names & HEAVY


def loaded_by(code: str, folder: Path, watched: Iterable[str] = HEAVY) -> set[str]:
    """Which of the watched modules a fresh interpreter has loaded after some code."""
    program = f"import sys\n{code}\nprint(*({set(watched)!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_importing_netcfg_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded_by("import netcfg", tmp_path) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["summary"],
        ["graph", "-o", "out.svg"],
        ["fmt", "--check"],
        ["summary", "--format", "json"],
        ["summary", "--format", "csv", "--depth", "1"],
        ["diff", str(ROOT / "cfg" / "aunet_of_horizontal.cfg")],
    ],
)
def test_light_commands_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    command, *options = arguments
    file = ROOT / "cfg" / "aunet_of_horizontal.cfg"
    code = f"from netcfg.cli.main import main\nassert main({[command, str(file), *options]!r}) == 0"
    assert loaded_by(code, tmp_path) == set()


def test_a_check_starts_without_what_it_has_no_use_for(tmp_path: Path) -> None:
    file = ROOT / "cfg" / "audetnet.cfg"
    code = f"from netcfg.cli.main import main\nassert main(['check', {str(file)!r}]) == 0"
    assert loaded_by(code, tmp_path, SLOW_TO_START) == set()


def test_plugins_of_pydantic_are_left_out_and_all_else_of_its_loader_is_there(tmp_path: Path) -> None:
    code = """
from netcfg.cli.main import _leave_out_plugins
_leave_out_plugins()
from pydantic.plugin._loader import get_plugins
assert tuple(get_plugins()) == ()
from pydantic.plugin._loader import PYDANTIC_ENTRY_POINT_GROUP
assert PYDANTIC_ENTRY_POINT_GROUP == "pydantic"
"""
    assert loaded_by(code, tmp_path) == set()


def test_datasets_of_others_are_not_hidden(tmp_path: Path) -> None:
    code = """
from importlib.util import find_spec
root = sys.argv[1]
for name in ("datasets", "builder", "trainers", "cfg"):
    spec = find_spec(name)
    places = [str(place) for place in (spec.submodule_search_locations or [spec.origin])] if spec else []
    assert not any(place.startswith(root) for place in places), places
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, netcfg\n{code}", str(ROOT)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def listed_packages() -> set[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(setup["options"]["packages"].split())


def test_every_folder_of_python_files_is_packaged() -> None:
    folders = {path.parent for path in SOURCES} | {path.parent for path in (ROOT / "cfg").rglob("*.cfg")}
    names = {**FOLDERS, "cfg": "netcfg.cfg"}
    wanted = set()
    for folder in folders:
        top, *rest = folder.relative_to(ROOT).parts
        wanted.add(".".join([names[top], *rest]))
    assert listed_packages() == wanted


def test_every_file_beside_the_python_files_is_packaged() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = {
        name: globs.replace(",", " ").split() for name, globs in setup["options.package_data"].items()
    }
    for folder in {path.parent for path in SOURCES}:
        names = {path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}
        top, *rest = folder.relative_to(ROOT).parts
        package = ".".join([FOLDERS[top], *rest])
        unlisted = {
            name for name in names if not any(fnmatch(name, glob) for glob in patterns.get(package, ()))
        }
        assert unlisted == set(), package


def test_every_packaged_folder_is_a_package() -> None:
    without = [path for path in SOURCES if not (path.parent / "__init__.py").is_file()]
    assert without == []


def test_test_modules_have_names_of_their_own() -> None:
    """Pytest imports by file name alone: two of one name stop the whole collection on a fresh machine."""
    names = [path.stem for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    assert sorted(names) == sorted(set(names))
