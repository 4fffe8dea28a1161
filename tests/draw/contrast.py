"""How well texts can be read on what is behind them: WCAG's contrast, in scenes and on pages."""

from netcfg.draw.scene import Group, Polygon, Rect, Text

ENOUGH = 4.5


def luminance(colour):
    """Relative luminance of `#rrggbb`."""
    levels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in levels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """From 1, the same, to 21, black on white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def texts_on_colours(scene):
    """Each text of a scene, its colour, and the one that was drawn last behind its middle."""
    behind = [(0.0, 0.0, scene.width, scene.height, scene.background)]
    for shape in _flat(scene.shapes):
        if isinstance(shape, Rect):
            behind.append((shape.x, shape.y, shape.x + shape.width, shape.y + shape.height, shape.fill))
        elif isinstance(shape, Polygon):
            xs, ys = zip(*shape.points, strict=True)
            behind.append((min(xs), min(ys), max(xs), max(ys), shape.fill))
        elif hasattr(shape, "radius") and hasattr(shape, "fill"):
            r = shape.radius
            behind.append((shape.x - r, shape.y - r, shape.x + r, shape.y + r, shape.fill))
        elif isinstance(shape, Text):
            x, y = shape.left + shape.width / 2, shape.y - shape.size / 3
            fill = next(
                each[4] for each in reversed(behind) if each[0] <= x <= each[2] and each[1] <= y <= each[3]
            )
            yield shape.text, shape.fill, fill


def _flat(shapes):
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _flat(shape.shapes)
        else:
            yield shape
