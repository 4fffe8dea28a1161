"""What overlaps in a scene that should not: boxes, texts, and lines across either. For tests of whole pictures."""

import itertools

from netcfg.draw.scene import Group, Path, Text


def flat(shapes):
    """All shapes, those in groups included."""
    for shape in shapes:
        if isinstance(shape, Group):
            yield from flat(shape.shapes)
        else:
            yield shape


def groups(shapes, kind):
    """The groups of a kind, wherever they are."""
    for shape in shapes:
        if isinstance(shape, Group):
            if shape.kind.startswith(kind):
                yield shape
            yield from groups(shape.shapes, kind)


def text_rectangle(text):
    return text.left, text.y - text.size * 0.75, text.left + text.width, text.y + text.size * 0.2


def place_rectangle(group):
    x, y, width, height = group.place
    return x, y, x + width, y + height


def overlap(one, other, by=0.0):
    return (
        one[0] < other[2] - by
        and other[0] < one[2] - by
        and one[1] < other[3] - by
        and other[1] < one[3] - by
    )


def inside(one, other, slack=0.01):
    return (
        other[0] <= one[0] + slack
        and other[1] <= one[1] + slack
        and one[2] <= other[2] + slack
        and one[3] <= other[3] + slack
    )


def _runs_through(segment, rectangle):
    (x0, y0), (x1, y1) = segment
    line = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return (
        line[0] < rectangle[2] - 0.1
        and line[2] > rectangle[0] + 0.1
        and line[1] < rectangle[3] - 0.1
        and line[3] > rectangle[1] + 0.1
    )


def _ends_in(path, rectangle):
    """Whether a line leads to what is there; into a solid's slanted side it leads a little further."""
    x, y = path.points[-1]
    return rectangle[0] <= x <= rectangle[2] and rectangle[1] <= y <= rectangle[3]


def flaws(scene):
    """A sentence for each flaw."""
    boxes = [(group.id, place_rectangle(group)) for group in groups(scene.shapes, "box")]
    texts = [(shape.text, text_rectangle(shape)) for shape in flat(scene.shapes) if isinstance(shape, Text)]
    paths = [shape for shape in flat(scene.shapes) if isinstance(shape, Path)]
    page = 0.0, 0.0, scene.width, scene.height
    found = [f"{name} leaves the page" for name, box in [*boxes, *texts] if not inside(box, page)]
    for (name, one), (other_name, other) in itertools.combinations(boxes, 2):
        if overlap(one, other, 0.01):
            found.append(f"boxes {name} and {other_name} overlap")
    for (name, one), (other_name, other) in itertools.combinations(texts, 2):
        if overlap(one, other, 0.01):
            found.append(f"texts {name!r} and {other_name!r} overlap")
    for path in paths:
        for segment in itertools.pairwise(path.points):
            found += [
                f"a line at {segment} runs through {name!r}"
                for name, box in [*boxes, *texts]
                if _runs_through(segment, box) and not _ends_in(path, box)
            ]
    found += [f"two lines lie on each other at {place}" for place in _shared(paths)]
    return found


def _shared(paths):
    """Where lines run on each other; those of one signal are drawn once."""
    runs = {0: {}, 1: {}}
    for path in paths:
        for first, second in itertools.pairwise(path.points):
            axis = 0 if first[0] == second[0] else 1
            low, high = sorted((first[1 - axis], second[1 - axis]))
            runs[axis].setdefault(round(first[axis], 2), []).append((low, high))
    for axis, lines in runs.items():
        for place, stretches in lines.items():
            stretches.sort()
            for (_, high), (low, _) in itertools.pairwise(stretches):
                if low < high - 0.1:
                    yield "xy"[axis], place, low


def detours(scene, sideways):
    """A sentence for each line that passes its target and comes back to it, or runs back before it leaves."""
    along = 0 if sideways else 1
    paths = [shape for shape in flat(scene.shapes) if isinstance(shape, Path) and shape.arrow]
    return [f"a line passes its target: {path.points}" for path in paths if _is_detour(path.points, along)]


def _is_detour(points, along):
    """Between columns lines run back, against the others; what counts is how they come there, and go on from there."""
    back = [
        place
        for place, (one, other) in enumerate(itertools.pairwise(points))
        if other[along] < one[along] - 0.01
    ]
    if not back:
        return False
    across = [point[1 - along] for point in points]
    arriving, leaving = across[back[-1] + 1 :], across[: back[0] + 1]
    enters_from_side = across[-1] != across[-2]
    return not (enters_from_side or _grows_or_falls(arriving)) or not _grows_or_falls(leaving[-4:-1])


def _grows_or_falls(numbers):
    return numbers in (sorted(numbers), sorted(numbers, reverse=True))
