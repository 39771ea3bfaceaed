"""`await ask(dialog)`: a dialog without a nested event loop.

A nested loop inside a coroutine leaves other tasks dead for good, so nothing here ever runs one: the
dialog is opened and a future tells how it was closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtWidgets import QDialog

Report = Callable[[BaseException], None]


async def ask(dialog: QDialog) -> bool:
    """Show the dialog and wait until it is closed. True when it was accepted."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def finish(result: int) -> None:
        if not done.done():
            done.set_result(result == QDialog.DialogCode.Accepted.value)

    dialog.finished.connect(finish)
    try:
        await asyncio.sleep(0)  # making it took its turn of the loop
        dialog.open()
        return await done
    finally:
        dialog.deleteLater()


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
