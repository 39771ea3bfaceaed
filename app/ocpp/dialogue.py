"""The conversation over one link at a time, for one power cycle: CALLs out, CALLs in, time-outs, overrides.

Own CALLs wait their turn in a line; the one that is open keeps its place until it is answered, timed out
or cut off, even if the coroutine that asked is gone. CALLs of the back office are started in the order
they come and never wait for an own CALL. The answer is handed over first, what follows from it comes after.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.kernel.activity import Activity
from app.kernel.bus import Bus, Origin, because
from app.kernel.clock import LinkClock, LinkTimer
from app.kernel.ids import IdSource
from app.kernel.text import Text
from app.ocpp import frames
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    CallTimedOut,
    Handler,
    HandlerError,
    InvalidAnswer,
    InvalidOwnFrame,
    NotConnected,
    OpenPointsPort,
    Payload,
    Reply,
)
from app.ocpp.events import (
    CallEnded,
    Direction,
    FramePassed,
    OwnFrameRefused,
    TaskFailed,
    Violation,
)
from app.ocpp.overrides import Override, Overrides
from app.ocpp.personality import LinkPolicy, Silence
from app.ocpp.redaction import redact, redact_violations
from app.ocpp.rpc import Answer, Arrival, Endpoint, ErrorCode, Outgoing, Request, code_of
from app.ocpp.usable import usable_part
from app.ocpp.version import Version

Send = Callable[[str], None]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A CALL of ours on its way: in the line, or open."""

    action: str
    payload: Any
    message_id: str
    future: asyncio.Future[Payload]
    forced: bool = False
    text: str | None = None
    """The payload as it was typed, for what is sent unchecked."""
    timers: list[LinkTimer] = field(default_factory=list)


class Dialogue:
    """Implements CallPort. Made anew each power cycle; `attach` and `detach` tell of the link."""

    def __init__(
        self,
        *,
        version: Version,
        bus: Bus,
        link: LinkClock,
        activity: Activity,
        ids: IdSource,
        policy: Callable[[], LinkPolicy],
        overrides: Overrides | None = None,
        points: OpenPointsPort | None = None,
        strict_output: bool = True,
    ) -> None:
        self.version = version
        self.overrides = overrides or Overrides()
        self.endpoint = Endpoint(version, ids, link.monotonic)
        self._bus, self._link, self._activity = bus, link, activity
        self._policy, self._points = policy, points
        self._strict = strict_output
        self._handlers: Mapping[str, Handler] = {}
        self._admit: Callable[[str], None] = _admit_all
        self._send: Send | None = None
        self._close: Callable[[str], None] | None = None
        self._line: deque[_Waiting] = deque()
        self._current: _Waiting | None = None
        self._tasks: set[asyncio.Future[Any]] = set()

    # ------------------------------------------------------------ the link

    @property
    def online(self) -> bool:
        return self._send is not None

    def serve(self, handlers: Mapping[str, Handler], admit: Callable[[str], None]) -> None:
        """Answer these actions; `admit` may raise HandlerError or Silence for the boot state."""
        self._handlers, self._admit = handlers, admit

    def attach(self, send: Send, close: Callable[[str], None] | None = None) -> None:
        """The link is open: `send` takes a text, `close` ends the link for a reason."""
        self._send, self._close = send, close

    def detach(self) -> None:
        """The link is gone: the open CALL and those in the line fail, answers are no longer given."""
        self._send = self._close = None
        waiting, self._line = list(self._line), deque()
        if self._current is not None:
            waiting.insert(0, self._current)
            self._end_current("disconnected")
        self.endpoint.reset()
        for call in waiting:
            _fail(call.future, NotConnected("the link broke"))

    def close_link(self, why: str) -> None:
        """Ask the connection to close the socket; it comes back by itself."""
        if self._close:
            self._close(why)

    def stop(self) -> None:
        """The power cycle ends: nothing is answered or acted upon any more."""
        self.detach()
        for task in tuple(self._tasks):
            task.cancel()

    async def ended(self) -> None:
        """After `stop()`: wait until no task of this dialogue is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # ------------------------------------------------------------ own CALLs

    async def call(
        self, action: str, payload: Payload, *, message_id: str | None = None
    ) -> Payload:
        """Send a CALL when it is its turn and wait for the answer's payload.

        Raises InvalidOwnFrame (nothing was sent), NotConnected, CallTimedOut, CallRefused, InvalidAnswer.
        `message_id` only for a retry that keeps the id of its first try.
        """
        violations = self.endpoint.judge_own(action, "request", payload)
        if violations:
            self._refuse_own(action, "request", violations)
            if self._strict:
                raise InvalidOwnFrame(f"{action}: {_in_words(violations)}")
        return await self._queue(action, payload, message_id)

    async def call_unchecked(self, action: str, payload: Payload | str) -> Payload:
        """Send a CALL as it is, right or wrong: a payload, or its text. Marked as forced."""
        text = payload if isinstance(payload, str) else None
        return await self._queue(action, payload, None, forced=True, text=text)

    def send_raw(self, text: str) -> None:
        """Send any text at once. Marked as forced. Raises NotConnected."""
        if self._send is None:
            raise NotConnected("there is no link")
        frame = frames.parse(text)
        kind, message_id, action = 0, None, None
        if isinstance(frame, frames.Call):
            kind, message_id, action = frames.CALL, frame.message_id, frame.action
            self.endpoint.remember_raw(frame.message_id, frame.action)
        elif isinstance(frame, frames.CallResult):
            kind, message_id = frames.CALLRESULT, frame.message_id
        elif isinstance(frame, frames.CallError):
            kind, message_id = frames.CALLERROR, frame.message_id
        self._hand_over(Outgoing(kind, message_id, action, text, (), forced=True))

    async def _queue(
        self,
        action: str,
        payload: Any,
        message_id: str | None,
        *,
        forced: bool = False,
        text: str | None = None,
    ) -> Payload:
        if self._send is None:
            raise NotConnected("there is no link")
        future: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        call = _Waiting(action, payload, message_id or self.endpoint.new_id(), future, forced, text)
        self._line.append(call)
        self._next()
        try:
            return await future
        except asyncio.CancelledError:
            if call in self._line:
                self._line.remove(call)
            raise

    def _next(self) -> None:
        """Give the turn to the first in the line, if nobody has it."""
        if self._current is None and self._line and self._send is not None:
            self._current = self._line.popleft()
            self._activity.begin()  # an open CALL holds virtual time still, whoever waits for it
            self._take_turn(self._current)

    def _take_turn(self, call: _Waiting) -> None:
        override = self.overrides.take(call.action, Direction.OUT)
        if override is not None and override.delay > 0:
            later = self._link.call_later(override.delay, lambda: self._transmit(call, override))
            call.timers.append(later)
        else:
            self._transmit(call, override)

    def _transmit(self, call: _Waiting, override: Override | None) -> None:
        try:
            text, violations, forced = self._render(call, override)
        except (TypeError, ValueError) as error:
            self._end_current("replaced")
            if not call.forced:
                trouble = (Violation("", "json", str(error)[:200]),)
                self._refuse_own(call.action, "request", trouble)
            _fail(call.future, InvalidOwnFrame(f"{call.action}: {error}"))
            self._next()
            return
        self.endpoint.start_call(call.action, call.message_id, forced=forced)
        timeout = max(0.0, self._policy().message_timeout)
        call.timers.append(self._link.call_later(timeout, lambda: self._time_out(call)))
        out = Outgoing(frames.CALL, call.message_id, call.action, text, violations, forced)
        if override is not None and override.drop:
            self._publish_out(out, note=Text("ocpp.note.held_back"))
        else:
            self._hand_over(out)

    def _render(
        self, call: _Waiting, override: Override | None
    ) -> tuple[str, tuple[Violation, ...], bool]:
        """The text of a CALL, its violations (of what is sent on purpose) and whether it is forced."""
        payload, forced = call.payload, call.forced
        if override is not None and override.replaces and not override.drop:
            forced = True
            if override.raw is not None:
                return override.raw_text(call.message_id), (), True
            if override.answer is not None:
                payload = override.answer
            else:
                payload = {**payload, "status": override.status}
        elif call.text is not None:
            return frames.build_call_around(call.message_id, call.action, call.text), (), True
        violations = self.endpoint.judge_own(call.action, "request", payload) if forced else ()
        return frames.build_call(call.message_id, call.action, payload), violations, forced

    def _time_out(self, call: _Waiting) -> None:
        if self._current is call:
            self._end_current("timeout")
            _fail(call.future, CallTimedOut(f"{call.action}: no answer"))
            self._next()

    def _end_current(self, how: str) -> None:
        """The open CALL got no answer."""
        call = self._current
        self._release_turn()
        was_open = self.endpoint.close_call(how)
        if call is not None and was_open is not None:
            self._bus.publish(CallEnded(call.message_id, call.action, how))

    def _release_turn(self) -> None:
        if self._current is not None:
            for timer in self._current.timers:
                timer.cancel()
            self._current = None
            self._activity.end()

    # ------------------------------------------------------------ what comes in

    def receive(self, text: str | bytes) -> None:
        """A text came over the link. Never raises on foreign text."""
        if self._send is None:
            return  # the gate is closed: the power cycle is over or the link is gone
        arrival = self.endpoint.receive(text)
        seq = self._publish_in(arrival, text)
        with because(Origin.BACK_OFFICE, seq):
            if arrival.reply is not None:
                self._object(arrival.action, arrival.reply)
            elif arrival.request is not None:
                self._on_request(arrival.request)
            elif arrival.answer is not None:
                self._on_answer(arrival.answer)

    def _on_answer(self, answer: Answer) -> None:
        if answer.error is not None:
            error = answer.error
            self._settle(CallRefused(error.code, error.description, error.details))
        elif not answer.violations:
            self._settle(answer.payload)
        else:
            self._on_broken_answer(answer)

    def _on_broken_answer(self, answer: Answer) -> None:
        """A CALLRESULT that breaks its schema cannot be answered: open point both-invalid-response."""
        failure = InvalidAnswer(answer.payload, _in_words(answer.violations))
        if answer.call.forced or self._points is None:
            self._settle(failure)
            return
        option = self._points.choose("both-invalid-response")
        if option == "time-out":
            return  # as if it had not come: the CALL stays open until its time is up
        usable = None
        if option == "use-usable":
            usable = usable_part(self.endpoint.schemas, answer.call.action, answer.payload)
        self._settle(failure if usable is None else usable)

    def _settle(self, ending: Payload | CallFailed) -> None:
        """Our open CALL is over."""
        call = self._current
        self.endpoint.close_call("answered")
        self._release_turn()
        if call is not None and not call.future.done():
            if isinstance(ending, CallFailed):
                call.future.set_exception(ending)
            else:
                call.future.set_result(ending)
        self._next()

    def _object(self, action: str | None, reply: Outgoing) -> None:
        """Send back the CALLERROR for what cannot be taken, unless the boot state wants silence."""
        if action is not None:
            try:
                self._admit(action)
            except Silence:
                return
            except HandlerError:
                pass  # this CALL is refused either way, and its frame is what is wrong first
        self._hand_over(reply)

    # ------------------------------------------------------------ answering

    def _on_request(self, request: Request) -> None:
        override = self.overrides.take(request.action, Direction.IN)
        if override is not None and override.replaces:
            self._later(override.delay, lambda: self._answer_forced(request, override))
            return
        delay = override.delay if override is not None else 0.0
        try:
            handler = self._handler_for(request)
            reply = handler(request.payload)
        except Silence:
            self.endpoint.finish(request)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes a CALLERROR
            refusal = self._refusal(request, error)
            self._later(delay, lambda: self._answer(request, refusal))
        else:
            if isinstance(reply, Reply):
                done = reply
                self._later(delay, lambda: self._finish(request, done))
            else:
                self._await_reply(request, reply, delay)

    def _handler_for(self, request: Request) -> Handler:
        """The one who answers. Raises Silence, or HandlerError for what is answered with a CALLERROR."""
        self._admit(request.action)
        if request.action not in self.endpoint.schemas.actions:
            raise HandlerError(ErrorCode.NOT_IMPLEMENTED.value, "Unknown action")
        handler = self._handlers.get(request.action)
        if handler is None:
            raise HandlerError(ErrorCode.NOT_SUPPORTED.value, "Not supported by this station")
        if request.violations:
            code, worst = code_of(request.violations)
            place = f"{worst.path} " if worst.path else ""
            raise HandlerError(code.value, f"{place}{worst.message}")
        return handler

    def _await_reply(self, request: Request, pending: Awaitable[Reply], delay: float) -> None:
        def ended(task: asyncio.Future[Reply]) -> None:
            error = task.exception()
            if isinstance(error, Silence):
                self.endpoint.finish(request)
            elif isinstance(error, Exception):
                refusal = self._refusal(request, error)
                self._later(delay, lambda: self._answer(request, refusal))
            else:
                self._later(delay, lambda: self._finish(request, task.result()))

        self._follow(pending, ended)

    def _refusal(self, request: Request, error: Exception) -> Outgoing:
        if isinstance(error, HandlerError):
            return self.endpoint.error(request, error.code, error.description, error.details)
        self._tell_failure(f"handler of {request.action}", error)
        return self.endpoint.error(request, ErrorCode.INTERNAL_ERROR, "Internal error")

    def _finish(self, request: Request, reply: Reply) -> None:
        """Hand the answer over, then do what follows from it."""
        out = self.endpoint.result(request, reply.payload)
        if out.violations:
            self._refuse_own(request.action, "response", out.violations)
            if self._strict:
                error = self.endpoint.error(request, ErrorCode.INTERNAL_ERROR, "Internal error")
                self._answer(request, error)
                return
        self._answer(request, out)
        if reply.then is not None:
            self._do_after(request.action, reply.then)

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
            self.endpoint.finish(request)
            return
        if override.raw is not None:
            text = override.raw_text(request.message_id)
            out = Outgoing(
                frames.CALLRESULT, request.message_id, request.action, text, (), forced=True
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
            out = self.endpoint.result(request, payload, forced=True)
        self._answer(request, out)

    def _answer(self, request: Request, out: Outgoing) -> None:
        if not self.endpoint.is_waiting(request):
            return  # the link broke meanwhile: nobody is left to hear it
        self.endpoint.finish(request)
        self._hand_over(out, latency=self._link.monotonic() - request.at)

    def _later(self, delay: float, step: Callable[[], None]) -> None:
        """Now, or in `delay` seconds of link time; virtual time stands still meanwhile."""
        if delay <= 0:
            step()
            return
        self._follow(self._link.sleep(delay), lambda _: step())

    # ------------------------------------------------------------ the border

    def _hand_over(self, out: Outgoing, latency: float | None = None) -> None:
        """The one place where text leaves."""
        if self._send is None:
            return
        self._send(out.text)
        self._publish_out(out, latency=latency)

    def _publish_out(
        self, out: Outgoing, *, latency: float | None = None, note: Text | None = None
    ) -> None:
        self._bus.publish(
            FramePassed(
                Direction.OUT,
                self.version,
                out.kind,
                out.message_id,
                out.action,
                redact(self.version, out.action, out.text),
                redact_violations(self.version, out.action, out.violations),
                note,
                out.forced,
                None if latency is None else latency * 1000,
            )
        )

    def _publish_in(self, arrival: Arrival, text: str | bytes) -> int:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "backslashreplace")
        if arrival.note is not None and arrival.note.id == "ocpp.note.too_long":
            text = text[: frames.MAX_FRAME // 1024] + "…"
        return self._bus.publish(
            FramePassed(
                Direction.IN,
                self.version,
                arrival.kind,
                arrival.message_id,
                arrival.action,
                redact(self.version, arrival.action, text),
                redact_violations(self.version, arrival.action, arrival.violations),
                arrival.note,
                False,
                None if arrival.latency is None else arrival.latency * 1000,
            ),
            origin=Origin.BACK_OFFICE,
        )

    def _refuse_own(self, action: str, kind: str, violations: tuple[Violation, ...]) -> None:
        """A frame of ours breaks the schema: a fault of this program, told loudly."""
        clean = redact_violations(self.version, action, violations)
        self._bus.publish(OwnFrameRefused(self.version, action, kind, clean))

    def _follow(
        self, pending: Awaitable[Any], ended: Callable[[asyncio.Future[Any]], None]
    ) -> None:
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

    def _tell_failure(self, name: str, error: BaseException) -> None:
        self._bus.publish(TaskFailed(name, f"{type(error).__name__}: {error}"))


def _admit_all(action: str) -> None:
    """Before `serve`: nothing is refused for its boot state."""


def _fail(future: asyncio.Future[Payload], error: CallFailed) -> None:
    if not future.done():
        future.set_exception(error)


def _in_words(violations: tuple[Violation, ...]) -> str:
    return "; ".join(f"{item.path} {item.message}".strip() for item in violations[:3])
