"""Outlines written as SVG path data, for everything that is drawn rather than laid out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

_TOKEN = re.compile(r"([MmLlHhVvCcQqAaZz])|(-?(?:\d+\.?\d*|\.\d+))")
_COUNT = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "A": 7, "Z": 0}


@cache
def outline(data: str) -> QPainterPath:
    """The painter path of SVG path data (M L H V C Q A Z, absolute and relative; arcs unrotated).

    The path is shared: callers copy it before changing it. Raises ValueError for other commands.
    """
    path = QPainterPath()
    for command, numbers in _steps(data):
        _draw(path, command, numbers)
    return path


def _steps(data: str) -> Iterator[tuple[str, list[float]]]:
    command, numbers = "", list[float]()
    for letter, number in _TOKEN.findall(data):
        if letter:
            if numbers:
                raise ValueError(f"path data: too few numbers before {letter}")
            command = letter
            if _COUNT[letter.upper()] == 0:
                yield command, []
            continue
        if not command:
            raise ValueError("path data begins with a number")
        numbers.append(float(number))
        if len(numbers) == _COUNT[command.upper()]:
            yield command, numbers
            numbers = []
            command = {"M": "L", "m": "l"}.get(command, command)


def _draw(path: QPainterPath, command: str, numbers: list[float]) -> None:
    here = path.currentPosition()
    base = here if command.islower() else QPointF(0, 0)

    def point(i: int) -> QPointF:
        return QPointF(base.x() + numbers[i], base.y() + numbers[i + 1])

    match command.upper():
        case "M":
            path.moveTo(point(0))
        case "L":
            path.lineTo(point(0))
        case "H":
            path.lineTo(base.x() + numbers[0], here.y())
        case "V":
            path.lineTo(here.x(), base.y() + numbers[0])
        case "C":
            path.cubicTo(point(0), point(2), point(4))
        case "Q":
            path.quadTo(point(0), point(2))
        case "A":
            _arc(path, numbers[0], numbers[1], bool(numbers[3]), bool(numbers[4]), point(5))
        case _:
            path.closeSubpath()


def _arc(
    path: QPainterPath, rx: float, ry: float, large: bool, clockwise: bool, end: QPointF
) -> None:
    """An elliptic arc from the current position, centre found as SVG 1.1 appendix F.6.5 does."""
    start = path.currentPosition()
    dx, dy = (start.x() - end.x()) / 2, (start.y() - end.y()) / 2
    stretch = math.sqrt((dx / rx) ** 2 + (dy / ry) ** 2)
    if stretch > 1:
        rx, ry = rx * stretch, ry * stretch
    below = (rx * dy) ** 2 + (ry * dx) ** 2
    factor = math.sqrt(max(0.0, ((rx * ry) ** 2 - below) / below)) if below else 0.0
    if large == clockwise:
        factor = -factor
    ox, oy = factor * rx * dy / ry, -factor * ry * dx / rx
    cx, cy = ox + (start.x() + end.x()) / 2, oy + (start.y() + end.y()) / 2
    first = math.degrees(math.atan2((dy - oy) / ry, (dx - ox) / rx))
    last = math.degrees(math.atan2((-dy - oy) / ry, (-dx - ox) / rx))
    sweep = (last - first) % 360 if clockwise else -((first - last) % 360)
    path.arcTo(QRectF(cx - rx, cy - ry, 2 * rx, 2 * ry), -first, -sweep)
