"""How CALLs of the back office are answered: admitted, handed to their handler, answered, then acted upon.

They are started in the order they come and never wait for an own CALL. The answer is handed over first;
what follows from it comes after. Answers can be forced to be something else (see overrides.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from app.kernel.activity import Activity
from app.kernel.bus import Bus
from app.kernel.link_clock import LinkClock
from app.kernel.text import Text
from app.ocpp import frames
from app.ocpp.context import Handler, HandlerError, Reply
from app.ocpp.events import Direction, TaskFailed, Violation
from app.ocpp.overrides import Override, Overrides
from app.ocpp.personality import Silence
from app.ocpp.refusals import stated_reason
from app.ocpp.rpc import Endpoint, ErrorCode, Outgoing, Request, code_of

RefuseOwn = Callable[[str, str, tuple[Violation, ...]], None]
Admit = Callable[[str], Awaitable[None] | None]
"""May this action be answered now? Raises Silence or HandlerError, at once or after a while."""


class HandOver(Protocol):
    """Lets a frame leave; `latency` in seconds since the CALL that it answers, `note` for people."""

    def __call__(
        self, out: Outgoing, latency: float | None = None, note: Text | None = None
    ) -> None: ...


class Answering:
    """The answering half of a dialogue."""

    def __init__(
        self,
        endpoint: Endpoint,
        overrides: Overrides,
        bus: Bus,
        link: LinkClock,
        activity: Activity,
        *,
        hand_over: HandOver,
        refuse_own: RefuseOwn,
        strict: bool,
    ) -> None:
        self._endpoint, self._overrides = endpoint, overrides
        self._bus, self._link, self._activity = bus, link, activity
        self._hand_over, self._refuse_own, self._strict = hand_over, refuse_own, strict
        self._handlers: Mapping[str, Handler] = {}
        self._admit: Admit = _admit_all
        self._tasks: set[asyncio.Future[Any]] = set()
        self._thinking: set[asyncio.Future[Any]] = set()
        """Those of the tasks that end with the link."""

    def serve(self, handlers: Mapping[str, Handler], admit: Admit) -> None:
        """Answer these actions from now on."""
        self._handlers, self._admit = handlers, admit

    def link_lost(self) -> None:
        """What was thought about for this link alone comes to nothing."""
        for task in tuple(self._thinking):
            task.cancel()

    def stop(self) -> None:
        """Answer nothing and do nothing any more."""
        for task in tuple(self._tasks):
            task.cancel()

    async def ended(self) -> None:
        """Wait until no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def object(self, action: str | None, reply: Outgoing) -> None:
        """Send back the CALLERROR for what cannot be taken, unless the boot state wants silence."""
        hurdle = None
        if action is not None:
            try:
                hurdle = self._admit(action)
            except Silence:
                return
            except HandlerError:
                pass  # this CALL is refused either way, and its frame is what is wrong first
        if hurdle is None:
            self._hand_over(reply)
            return

        def passed(task: asyncio.Future[None]) -> None:
            if not isinstance(task.exception(), Silence):
                self._hand_over(reply)

        self.think(hurdle, passed)

    def take(self, request: Request) -> None:
        """A CALL came in that has to be answered exactly once, or not at all."""
        override = self._overrides.take(request.action, Direction.IN)
        if override is not None and override.replaces:
            self._later(override.delay, lambda: self._answer_forced(request, override))
            return
        delay = override.delay if override is not None else 0.0
        try:
            hurdle = self._admit(request.action)
            reply = self._handle(request) if hurdle is None else self._admitted(hurdle, request)
        except Silence:
            self._endpoint.finish(request)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes a CALLERROR
            refusal = self._refusal(request, error)
            self._later(delay, lambda: self._answer(request, refusal))
        else:
            if isinstance(reply, Reply):
                done = reply
                self._later(delay, lambda: self._finish(request, done))
            else:
                self._await_reply(request, reply, delay)

    async def _admitted(self, hurdle: Awaitable[None], request: Request) -> Reply:
        """As `_handle`, once it has turned out that it may be answered."""
        await hurdle
        reply = self._handle(request)
        return reply if isinstance(reply, Reply) else await reply

    def _handle(self, request: Request) -> Reply | Awaitable[Reply]:
        """The answer of the handler. Raises HandlerError for what is answered with a CALLERROR."""
        if request.action not in self._endpoint.schemas.actions:
            raise HandlerError(ErrorCode.NOT_IMPLEMENTED.value, "Unknown action")
        handler = self._handlers.get(request.action)
        if handler is None:
            raise HandlerError(ErrorCode.NOT_SUPPORTED.value, "Not supported by this station")
        if request.violations:
            code, worst = code_of(request.violations)
            place = f"{worst.path} " if worst.path else ""
            raise HandlerError(code.value, f"{place}{worst.message}")
        return handler(request.payload)

    def _await_reply(self, request: Request, pending: Awaitable[Reply], delay: float) -> None:
        def ended(task: asyncio.Future[Reply]) -> None:
            error = task.exception()
            if isinstance(error, Silence):
                self._endpoint.finish(request)
            elif isinstance(error, Exception):
                refusal = self._refusal(request, error)
                self._later(delay, lambda: self._answer(request, refusal))
            else:
                self._later(delay, lambda: self._finish(request, task.result()))

        self._follow(pending, ended)

    def _refusal(self, request: Request, error: Exception) -> Outgoing:
        if isinstance(error, HandlerError):
            return self._endpoint.error(request, error.code, error.description, error.details)
        self._tell_failure(f"handler of {request.action}", error)
        return self._endpoint.error(request, ErrorCode.INTERNAL_ERROR, "Internal error")

    def _finish(self, request: Request, reply: Reply) -> None:
        """Hand the answer over, then do what follows from it (`Reply` says what, if it cannot be)."""
        out = self._endpoint.result(request, reply.payload)
        if out.violations:
            self._refuse_own(request.action, "response", out.violations)
            if self._strict:
                error = self._endpoint.error(request, ErrorCode.INTERNAL_ERROR, "Internal error")
                self._answer(request, error)
                return
        heard = self._answer(request, out, reply.why or stated_reason(reply.payload))
        then = reply.then if heard else reply.unheard or reply.then
        if then is not None:
            self._do_after(request.action, then)

    def _do_after(self, action: str, then: Callable[[], Awaitable[None] | None]) -> None:
        name = f"after {action}"

        def ended(task: asyncio.Future[None]) -> None:
            error = task.exception()
            if error is not None:
                self._tell_failure(name, error)

        try:
            pending = then()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the reader
            self._tell_failure(name, error)
        else:
            if pending is not None:
                self._follow(pending, ended)

    def _answer_forced(self, request: Request, override: Override) -> None:
        if override.drop:
            self._endpoint.finish(request)
            return
        if override.raw is not None:
            text = override.raw_text(request.message_id)
            found = self._endpoint.judge_text(text, request.action)
            out = Outgoing(
                frames.CALLRESULT, request.message_id, request.action, text, found, forced=True
            )
        elif override.error is not None:
            text = frames.build_error(
                request.message_id, override.error, "Forced by the person at the station", {}
            )
            out = Outgoing(
                frames.CALLERROR, request.message_id, request.action, text, (), forced=True
            )
        else:
            answer = override.answer
            payload = answer if answer is not None else {"status": override.status}
            out = self._endpoint.result(request, payload, forced=True)
        self._answer(request, out)

    def _answer(self, request: Request, out: Outgoing, why: Text | None = None) -> bool:
        """False: the link broke meanwhile, and nobody is left to hear it."""
        if not self._endpoint.is_waiting(request):
            return False
        self._endpoint.finish(request)
        self._hand_over(out, latency=self._link.monotonic() - request.at, note=why)
        return True

    def _later(self, delay: float, step: Callable[[], Any]) -> None:
        """Now, or in `delay` seconds of link time; virtual time stands still meanwhile."""
        if delay <= 0:
            step()
            return
        self._follow(self._link.sleep(delay), lambda _: step())

    def think(self, pending: Awaitable[Any], ended: Callable[[asyncio.Future[Any]], None]) -> None:
        """Let something run, counted in, for as long as the link lasts; `ended` is told of its end."""
        task = self._follow(pending, ended)
        self._thinking.add(task)
        task.add_done_callback(self._thinking.discard)

    # ------------------------------------------------------------ tasks

    def _follow(
        self, pending: Awaitable[Any], ended: Callable[[asyncio.Future[Any]], None]
    ) -> asyncio.Future[Any]:
        """Let something run, counted in; `ended` is told unless it was cancelled."""
        self._activity.begin()
        # the awaitable itself becomes the task: one that is cancelled before its first step ends cleanly
        task = asyncio.ensure_future(pending)
        self._tasks.add(task)

        def done(_: asyncio.Future[Any]) -> None:
            self._tasks.discard(task)
            try:
                if not task.cancelled():
                    ended(task)
            finally:
                self._activity.end()

        task.add_done_callback(done)
        return task

    def _tell_failure(self, name: str, error: BaseException) -> None:
        self._bus.publish(TaskFailed(name, f"{type(error).__name__}: {error}"))


def _admit_all(action: str) -> None:
    """Before `serve`: nothing is refused for its boot state."""
