"""What a page shows of a run as pictures: its program, drawn anew, and the samples that its folder holds."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from netcfg.program import Program
from netcfg.source import NetcfgError, shown_path

MOST_BYTES = 6_000_000
"""Of the pictures of one run, as they are in its folder."""
_SHOWN = ("figures/*_examples.png", "figures/*_projection.png")
_LATEST = ("pictures/epoch_*.png", "samples/over_time*.png", "gradient_flow/*.png")
_ID = re.compile(r' id="[^"]*"')


def program_pictures(program: Program) -> Iterator[tuple[str, str]]:
    """The networks, and where there is one the training step: what each picture shows, and its SVG."""
    from netcfg.draw import picture
    from netcfg.draw.training.picture import training_picture

    yield "networks", _plain(picture(program.graphs)._repr_svg_())
    if program.phases:
        try:
            yield "training step", _plain(training_picture(program)._repr_svg_())
        except NetcfgError:  # of several networks that nothing connects, say
            return


def _plain(svg: str) -> str:
    """Without the names of its parts, which another picture of the page may have as well."""
    return _ID.sub("", svg)


def samples(run: Path) -> Iterator[str]:
    """The pictures in a run's folder as elements, the file in them; and what there was no room for."""
    left, without = MOST_BYTES, []
    for file in _files(run):
        data = file.read_bytes()
        name = file.relative_to(run).as_posix()
        if len(data) > left:
            without.append(name)
            continue
        left -= len(data)
        source = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        title = re.sub(r"[_/]+", " ", name.removesuffix(".png"))
        shown = f'<img src="{source}" alt="{escape(title)}"><figcaption>{escape(title)}</figcaption>'
        yield f'<figure class="wide">{shown}</figure>'
    if without:
        yield f"<p>Too large for this page: {escape(', '.join(without))}, in {escape(shown_path(run))}.</p>"


def _files(run: Path) -> Iterator[Path]:
    for pattern in _SHOWN:
        yield from sorted(run.glob(pattern))
    for pattern in _LATEST:
        yield from sorted(run.glob(pattern))[-1:]


__all__ = ["MOST_BYTES", "program_pictures", "samples"]
