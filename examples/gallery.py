"""Draw the networks of every shipped file in both styles into examples/gallery, with a page that shows them all.

The pictures are those of `netcfg graph FILE --style NAME --link ''`. Run: python examples/gallery.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import netcfg
from netcfg.draw import FORMATS, Look, picture
from netcfg.draw.links import Links
from netcfg.draw.options import STYLES
from netcfg.graph import Graph
from netcfg.passes.read import shipped_folder

FOLDER = Path(__file__).with_name("gallery")
HEAD = """\
# The networks of the shipped files

Each file twice: as boxes and lines (`netcfg graph FILE`), and as the feature maps its blocks make (`--style volumes`).
Made by `python examples/gallery.py`.
"""


def gallery() -> Iterator[tuple[str, bytes]]:
    """The names and contents of all files in the folder."""
    rows = [HEAD]
    for path in sorted(shipped_folder().glob("*.cfg")):
        graphs = networks(path)
        rows.append(f"## {path.stem}\n\n{about(path)}\n")
        for style in STYLES:
            name = f"{path.stem}_{style}.svg"
            rows.append(f"![{path.stem}, {style}]({name})\n")
            yield name, drawn(path.name, graphs, style)
    yield "README.md", "\n".join(rows).encode()


def networks(path: Path) -> list[Graph]:
    """The checked networks of a file."""
    program, findings = netcfg.check(path)
    assert program is not None, findings
    return list(program.networks.values())


def drawn(title: str, graphs: list[Graph], style: str) -> bytes:
    """The picture as SVG."""
    made = picture(graphs, title=title, look=Look(style=style))
    made.links = Links("")
    return FORMATS[".svg"](made)


def about(path: Path) -> str:
    """The comment at the head of a file, and a link to it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = []
    for line in lines:
        if not line.startswith("#"):
            break
        comment.append(line.removeprefix("#").strip())
    return " ".join([*comment, f"[{path.name}](../../cfg/{path.name})"])


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    made = dict(gallery())
    for old in FOLDER.iterdir():
        if old.name not in made:
            old.unlink()
    for name, content in made.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
