"""A real X server without a screen, and hands: pointer and keys by xdotool."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Place = tuple[int, int]

STEPS = 14
"""Motion events of a drag."""
STEP_S = 0.03
"""Between two of them: a drag takes over 400 ms, as a hand does."""


class Screen:
    """An X display of our own."""

    def __init__(self, environment: dict[str, str], size: str = "1600x1000x24") -> None:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
        self._server = subprocess.Popen(
            command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            self._server.wait(10)
            raise AssertionError(f"Xvfb ended with {self._server.returncode}")
        self.environment = {**environment, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(10)

    def hands(self, *words: object) -> str:
        """Run xdotool."""
        command = ["xdotool", *(str(word) for word in words)]
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def drag(self, start: Place, goal: Place) -> None:
        """Press, carry in many small motions, let go."""
        words: list[object] = ["mousemove", *start, "sleep", 0.2, "mousedown", 1, "sleep", 0.05]
        for step in range(1, STEPS + 1):
            x = start[0] + (goal[0] - start[0]) * step // STEPS
            y = start[1] + (goal[1] - start[1]) * step // STEPS
            words += ["mousemove", x, y, "sleep", STEP_S]
        self.hands(*words, "mouseup", 1)

    def key(self, *keys: str) -> None:
        for key in keys:
            self.hands("key", "--clearmodifiers", key)

    def picture(self, file: Path) -> None:
        """Keep what is on the screen, where there is a tool for it."""
        if shutil.which("import"):
            command = ["import", "-window", "root", str(file)]
            subprocess.run(command, env=self.environment, timeout=20, check=False)


class Window:
    """The program on that screen, and where its buttons are."""

    def __init__(self, screen: Screen, folder: Path, *arguments: str) -> None:
        self.screen, self._places = screen, folder / "places.json"
        self._log = (folder / "window.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.shown_window", str(self._places), *arguments],
            env=screen.environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def seen(self) -> dict[str, Any]:
        if not self._places.exists():
            return {"main": False, "active": False, "focus": None, "buttons": []}
        found: dict[str, Any] = json.loads(self._places.read_text("utf-8"))
        return found

    def until(self, what: str, condition: Callable[[dict[str, Any]], Any], seconds: float) -> Any:
        """The first true answer about what is seen."""
        deadline = time.monotonic() + seconds
        while True:
            if self._process.poll() is not None:
                raise AssertionError(f"the window ended ({self._process.returncode}): {self.log}")
            if found := condition(self.seen()):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}; {self.seen()}; {self.log}")
            time.sleep(0.05)

    def open(self) -> None:
        """Until it is shown and has the keyboard."""
        self.until("the window", lambda seen: seen["main"], 30)
        found = self.screen.hands("search", "--onlyvisible", "--name", "^Forecourt$")
        self.screen.hands("windowfocus", "--sync", found.split()[-1])
        self.until("the keyboard", lambda seen: seen["active"], 5)

    def button(self, ident: str, seconds: float = 5.0) -> dict[str, Any]:
        """A button by its id or by how its accessible name begins, as soon as it is there."""

        def find(seen: dict[str, Any]) -> dict[str, Any] | None:
            return next((one for one in seen["buttons"] if _is(one, ident)), None)

        found: dict[str, Any] = self.until(f"button {ident}", find, seconds)
        return found

    def centre(self, ident: str) -> Place:
        x, y, width, height = self.button(ident)["rect"]
        return x + width // 2, y + height // 2

    def tab_to(self, ident: str, most: int = 80) -> None:
        """Press Tab until the focus lies there."""
        passed = []
        for _ in range(most):
            before = self.seen()["focus"]
            if before is not None and _is(before, ident):
                return
            self.screen.key("Tab")
            self.until_focus_leaves(before)
            passed.append(self.seen()["focus"])
        raise AssertionError(f"Tab does not lead to {ident}, only to {passed}")

    def until_focus_leaves(self, before: dict[str, Any] | None) -> None:
        self.until("another focus", lambda seen: seen["focus"] != before, 3)

    def close(self) -> int:
        """Close it by its keys; returns the exit code."""
        self.screen.key("ctrl+q")
        return self._process.wait(15)

    def end(self) -> None:
        """Whatever happened, nothing stays behind."""
        self._process.kill()
        self._process.wait(10)
        self._log.close()


def _is(button: dict[str, Any], ident: str) -> bool:
    return bool(button["id"] == ident or button["name"].startswith(ident))


@contextmanager
def screen_of(environment: dict[str, str]) -> Iterator[Screen]:
    screen = Screen(environment)
    try:
        yield screen
    finally:
        screen.close()
