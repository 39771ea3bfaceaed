"""Paints scenes of the picture into PNG files: `python -m tests.ui.preview OUT [scene ...]`.

Options: --size 1200x560, --theme dark|light|both, --ratio 1. Runs without a screen.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--size", default="1200x560")
    parser.add_argument("--theme", default="both", choices=("dark", "light", "both"))
    parser.add_argument("--ratio", default="1")
    parser.add_argument("--zoom", type=int, default=100)
    parser.add_argument("--boot", default="accepted")
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--select", type=int, default=1)
    chosen = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_SCALE_FACTOR"] = chosen.ratio
    from PySide6.QtWidgets import QApplication

    from app.kernel.catalogue import Catalogue
    from app.ocpp.context import BootState
    from tests.ui.station.scenes import SCENES, extra
    from ui.station.canvas import StationCanvas
    from ui.theme import Theme

    app = QApplication([])
    chosen.out.mkdir(parents=True, exist_ok=True)
    width, height = (int(n) for n in chosen.size.split("x"))
    themes = ("dark", "light") if chosen.theme == "both" else (chosen.theme,)
    for name in chosen.scenes or SCENES:
        for theme in themes:
            Theme.load(theme).apply(app)
            canvas = StationCanvas(Theme.load(theme), Catalogue.load())
            canvas.resize(width, height)
            snapshot = SCENES[name]()
            canvas.set_snapshot(
                snapshot,
                extra(snapshot, boot=BootState(chosen.boot), online=not chosen.offline, queue=3),
            )
            canvas.set_selected(chosen.select)
            canvas.set_zoom(chosen.zoom)
            canvas.show()
            app.processEvents()
            path = chosen.out / f"{name}-{theme}-{chosen.size}.png"
            canvas.grab().save(str(path))
            print(path)
            canvas.close()


if __name__ == "__main__":
    main()
