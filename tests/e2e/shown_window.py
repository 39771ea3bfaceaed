"""The program's own window, with somebody beside it who writes down where things are.

    python -m tests.e2e.shown_window PLACES <options of the window>

What is written is what assistive technology could ask for as well: name, place and focus of each button.
Nothing is pressed, moved or sent from here; pointer and keys come from the X server.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QWidget

from app.runtime.cli import main
from ui import application
from ui.__main__ import open_window, self_test

EVERY_MS = 100


class Onlooker(QObject):
    """Writes the buttons of all visible windows to a file, again and again."""

    def __init__(self, app: QApplication, file: Path) -> None:
        super().__init__(app)
        self._app, self._file = app, file
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._write)
        self._timer.start()

    def _write(self) -> None:
        windows = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
        focus = QApplication.focusWidget()
        seen = {
            "main": any(isinstance(one, QMainWindow) for one in windows),
            "active": QApplication.activeWindow() is not None,
            "focus": _told(focus) if focus is not None else None,
            "buttons": [
                _told(button)
                for window in windows
                for button in window.findChildren(QAbstractButton)
                if button.isVisible()
            ],
        }
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(seen), "utf-8")
        fresh.replace(self._file)


def _told(widget: QWidget) -> dict[str, Any]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return {
        "id": widget.objectName(),
        "name": widget.accessibleName() or text,
        "rect": [corner.x(), corner.y(), widget.width(), widget.height()],
        "enabled": widget.isEnabled(),
    }


def run() -> int:
    places, arguments = Path(sys.argv[1]), sys.argv[2:]
    make = application.make_application

    def watched() -> QApplication:
        app = make()
        Onlooker(app, places)
        return app

    application.make_application = watched
    return main(arguments, open_window=open_window, self_test=self_test)


if __name__ == "__main__":
    sys.exit(run())
