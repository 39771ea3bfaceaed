"""`await ask(dialog)`: a dialog without a nested event loop.

A nested loop inside a coroutine leaves other tasks dead for good, so nothing here ever runs one: the
dialog is opened and a future tells how it was closed. `open_in_turns(dialog)` does the same where signals
tell it.

A dialog is made ready in turns of the loop and shown when it is whole: what is charging behind it goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import isValid

from ui.theme.polish import leave_unpolished, polished
from ui.widgets.turns import ALONE, Turns, Work, at_once, in_turns

Report = Callable[[BaseException], None]


class Dialog(QDialog):
    """One that takes long to be made: subclasses say in `build` how, step by step."""

    def build(self) -> Work:
        raise NotImplementedError

    def made(self) -> Self:
        """Make it now."""
        at_once(self.build())
        return self


async def ask(dialog: QDialog) -> bool:
    """Show the dialog and wait until it is closed. True when it was accepted."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    asking = asyncio.current_task()

    def finish(result: int) -> None:
        if asking is not None:
            asking.set_name(f"{asking.get_name()}, answered")
        if not done.done():
            done.set_result(result == QDialog.DialogCode.Accepted.value)

    dialog.finished.connect(finish)
    try:
        await asyncio.sleep(0)  # its constructor took this turn of the loop
        await in_turns(opening(dialog, HeldKeys(dialog)))
        return await done
    finally:
        if isValid(dialog):  # it goes with its window, too
            dialog.deleteLater()


def open_in_turns(dialog: QDialog) -> None:
    """Show the dialog soon; `finished` tells how it was closed."""
    Turns(dialog).start(opening(dialog, HeldKeys(dialog)))


def opening(dialog: QDialog, keys: HeldKeys) -> Work:
    """Make what it holds, find its style and its size, show it."""
    try:
        if isinstance(dialog, Dialog):
            for said in dialog.build():
                leave_unpolished()
                yield said
        yield from polished(dialog)
        dialog.sizeHint()  # is kept, and asked for when it is shown
        yield ALONE
        dialog.open()
        keys.pass_on(dialog)
    finally:
        keys.let_go()


class HeldKeys(QObject):
    """Keys that are pressed while a dialog is being made: they are meant for it, not for what is below.

    `owner` is the dialog, or what has made it when there is none yet; it has what is below as its parent.
    """

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        self._keys: list[QKeyEvent] = []
        parent = owner.parent()
        self._window = parent.window().windowHandle() if isinstance(parent, QWidget) else None
        if self._window is not None:
            self._window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):
            self._keys.append(event.clone())
            return True
        return False

    def pass_on(self, dialog: QDialog) -> None:
        """To the dialog that is shown now."""
        for key in self._keys:
            QCoreApplication.postEvent(dialog.windowHandle(), key)
        self._keys.clear()

    def let_go(self) -> None:
        """From now on the window gets its keys itself."""
        if isValid(self) and self._window is not None and isValid(self._window):
            self._window.removeEventFilter(self)


class Spawner:
    """Starts coroutines from slots: keeps them alive and reports what goes wrong in them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str = "slot") -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def once(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Start what asks something, unless that is being asked: who wants a dialog twice gets one."""
        if any(task.get_name() == name for task in self._tasks):
            work.close()
        else:
            self.spawn(work, name)

    async def close(self) -> None:
        """Cancel what still runs."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(error)
