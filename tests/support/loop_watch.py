"""Finds callbacks that hold up the event loop: the window shares its thread and stands still.

Every step of a task and every callback of asyncio, under qasync too, runs through one method of
`asyncio.Handle`. The watch measures that method and keeps the slow ones of our own code.

Time counts in two ways. Work shows as processor time of the thread. Waiting (a sleep, a blocking
socket or file) shows as passed time; it counts only when the system did not take the processor
away in between, so that a busy machine is not mistaken for slow code.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from coverage import Coverage

if sys.platform.startswith("linux"):
    import resource

    def _times_preempted() -> int:
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
else:

    def _times_preempted() -> int:
        return 0


CHECKOUT = Path(__file__).resolve().parents[2]
OUR_FOLDERS = (CHECKOUT / "app", CHECKOUT / "ui")
TURNS = str(CHECKOUT / "ui/widgets/turns.py")

REPORT_OVER = 0.010
FAIL_OVER = 0.050


def can_judge() -> bool:
    """Whether the time that is measured is the program's own: what measures coverage takes more than that."""
    return Coverage.current() is None


@dataclass(frozen=True, slots=True)
class SlowCallback:
    """A callback that held up the loop: where it is, for how many seconds, and how many of work."""

    place: str
    seconds: float
    work: float

    def __str__(self) -> str:
        held, work = self.seconds * 1000, self.work * 1000
        return f"{self.place} held the loop for {held:.1f} ms ({work:.1f} ms of work)"


class LoopWatch:
    """Measures every callback of the event loops of the thread that entered it, until it is left.

    `report_over` and `fail_over` are seconds. `slow` holds the callbacks of our own code that took
    at least `report_over`; `callbacks` counts all that ran, so that a test can tell that the watch
    was looking. `look` is told when single events are of interest and when they are parts of a whole.
    """

    def __init__(
        self,
        folders: tuple[Path, ...] = OUR_FOLDERS,
        report_over: float = REPORT_OVER,
        fail_over: float = FAIL_OVER,
    ) -> None:
        self._folders = tuple(f"{folder}{os.sep}" for folder in folders)
        self.report_over = report_over
        self.fail_over = fail_over
        self.slow: list[SlowCallback] = []
        self.callbacks = 0
        self.look: Callable[[bool], None] | None = None
        self._measuring = False
        self._original: Callable[[asyncio.Handle], None] | None = None

    def __enter__(self) -> LoopWatch:
        original = asyncio.Handle._run
        self._original = original
        watched = threading.get_ident()

        def measured(handle: asyncio.Handle) -> None:
            if threading.get_ident() != watched:
                original(handle)
                return
            self.callbacks += 1
            callback = handle._callback
            place = self._place(callback)
            preempted = _times_preempted()
            whole = place is not None and self._is_ours(callback)
            started, worked = time.perf_counter(), time.thread_time()
            try:
                with self._as_a_whole() if whole else contextlib.nullcontext():
                    original(handle)
            finally:
                passed, work = time.perf_counter() - started, time.thread_time() - worked
                held = passed if _times_preempted() == preempted else work
                if held >= self.report_over:
                    blamed = self._blamed(callback, place)
                    if blamed is not None:
                        self.slow.append(SlowCallback(blamed, held, work))

        asyncio.Handle._run = measured
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.Handle._run = self._original

    def keep(self, place: str, work: float) -> None:
        """Something that reaches our code past asyncio worked for so many seconds.

        It does not wait by itself, but for the lock of the interpreter, which other threads may have.
        """
        self.slow.append(SlowCallback(place, work, work))

    @contextmanager
    def timing(self, place: str | Callable[[], str]) -> Iterator[None]:
        """Measure the work of something that reaches our code past asyncio."""
        self.callbacks += 1
        began = time.thread_time()
        try:
            with self._as_a_whole():
                yield
        finally:
            work = time.thread_time() - began
            if work >= self.report_over:
                self.keep(place if isinstance(place, str) else place(), work)

    @contextmanager
    def _as_a_whole(self) -> Iterator[None]:
        """What is measured in one piece is not looked at in parts: looking takes time itself."""
        outermost, look = not self._measuring, self.look
        self._measuring = True
        if outermost and look is not None:
            look(False)
        try:
            yield
        finally:
            self._measuring = not outermost
            if outermost and look is not None and look is self.look:
                look(True)

    def _blamed(self, callback: object, before: str | None) -> str | None:
        """Whose the time was: where it began, or where it ended.

        A step of somebody else's task, a test's, that began or ended outside of our code may have spent
        its time there: it is nobody's.
        """
        after = self._place(callback)
        if self._is_ours(callback):
            return before or after
        return before if after is not None else None

    def _is_ours(self, callback: object) -> bool:
        owner = next(_codes(callback), None)
        return owner is None or owner.co_filename.startswith(self._folders)

    def too_slow(self) -> list[SlowCallback]:
        """The callbacks that people would notice."""
        return [slow for slow in self.slow if slow.seconds >= self.fail_over]

    def check(self) -> None:
        """Fail with a list when a callback froze the picture."""
        too_slow = self.too_slow()
        assert not too_slow, "the event loop stood still:\n" + "\n".join(map(str, too_slow))

    def _place(self, callback: object) -> str | None:
        """Function, file and line of the innermost code of ours behind a callback.

        Not of what takes turns of the loop for others: that says nothing of whose they are.
        """
        place = None
        for code in _codes(callback):
            if code.co_filename.startswith(self._folders) and code.co_filename != TURNS:
                file = code.co_filename.removeprefix(f"{CHECKOUT}{os.sep}")
                place = f"{code.co_qualname} ({file}:{code.co_firstlineno})"
        return place


def _codes(callback: object) -> Iterator[CodeType]:
    """The code behind a callback: its function, or the awaiting coroutines of its task."""
    while isinstance(callback, functools.partial):
        callback = callback.func
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        yield from _awaiting(owner.get_coro())
        return
    code = getattr(callback, "__code__", None)
    if isinstance(code, CodeType):
        yield code


def _awaiting(awaited: Any) -> Iterator[CodeType]:
    """The code of a coroutine and of what it awaits, outermost first."""
    while awaited is not None:
        for prefix in ("cr", "gi", "ag"):
            code = getattr(awaited, f"{prefix}_code", None)
            if isinstance(code, CodeType):
                yield code
                inner = "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await"
                awaited = getattr(awaited, inner)
                break
        else:
            return
