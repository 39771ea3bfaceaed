"""What painting the station costs: ms a frame while 1 and 8 EVSEs charge, target 10.

    python -m tests.benchmarks.bench_picture [--json FILE] [--frames N]

"moving" is a frame of the running energy, "figures" one in which the numbers of every EVSE change,
from the snapshot to the pixels, "first" the whole picture from nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

TARGET_MS = 10.0
SIZE = (1280, 560)


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in ms."""

    evses: int
    moving: float
    figures: float
    first: float


def measure(evses: int, frames: int) -> Result:
    """Paint `evses` charging EVSEs into an image of SIZE. Needs a QGuiApplication."""
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QImage, QPainter

    from app.kernel.catalogue import Catalogue
    from tests.ui.station import scenes
    from ui.station.picture import Picture
    from ui.theme import Theme

    scene = scenes.row(evses, scenes.charging)
    extra = scenes.extra(scene)
    picture = Picture(Theme.load("dark"), Catalogue.load())
    picture.resize(*SIZE, 1.0)
    picture.show(scene, extra)
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    whole = QRectF(0, 0, *SIZE)

    def paint(rects: list[QRectF]) -> None:
        painter = QPainter(image)
        for rect in rects:
            part = rect.intersected(whole)
            if not part.isEmpty():
                painter.setClipRect(part.toAlignedRect())
                picture.paint(painter, part)
        painter.end()

    def moving(frame: int) -> None:
        for number in picture.views:
            picture.mood.phases[number] = frame * 1.5
        paint([picture.cable_rect(number) for number in picture.views])

    def figures(frame: int) -> None:
        changed = tuple(
            replace(
                e, power=e.power - 100.0 * frame, session_energy=e.session_energy + 10.0 * frame
            )
            for e in scene.evses
        )
        paint(picture.show(replace(scene, evses=changed), extra) or [whole])

    def first(frame: int) -> None:
        picture.refit()
        paint([whole])

    return Result(
        evses,
        median(moving, frames),
        median(figures, frames),
        median(first, max(3, frames // 10)),
    )


def median(step: Callable[[int], None], frames: int) -> float:
    """The median time of a step, ms, after two to warm up."""
    times = []
    for frame in range(frames + 2):
        start = time.perf_counter()
        step(frame)
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times[2:]), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--frames", type=int, default=60)
    chosen = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    results = [measure(evses, chosen.frames) for evses in (1, 8)]
    print(
        f"{'EVSEs':>6} {'moving':>9} {'figures':>9} {'first':>9}   ms a frame, target {TARGET_MS}"
    )
    for result in results:
        print(f"{result.evses:>6} {result.moving:>9} {result.figures:>9} {result.first:>9}")
    if chosen.json:
        chosen.json.write_text(
            json.dumps({"target_ms": TARGET_MS, "picture": [asdict(r) for r in results]}, indent=2)
            + "\n",
            "utf-8",
        )
    app.quit()


if __name__ == "__main__":
    main()
