"""The conversation over one link at a time, for one power cycle: own CALLs, time-outs, and the border.

Own CALLs wait their turn in a line; the one that is open keeps its place until it is answered, timed out
or cut off, even if the coroutine that asked is gone. All text enters and leaves here, and is told of here;
how CALLs of the back office are answered is in answering.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any

from app.kernel.activity import Activity
from app.kernel.bus import Bus, Origin, because
from app.kernel.ids import IdSource
from app.kernel.link_clock import LinkClock, LinkTimer
from app.kernel.text import Text
from app.ocpp import frames
from app.ocpp.answering import Admit, Answering
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    CallTimedOut,
    Handler,
    InvalidAnswer,
    InvalidOwnFrame,
    NotConnected,
    Payload,
    TooLarge,
)
from app.ocpp.deadline import Deadline
from app.ocpp.events import (
    CallEnded,
    Direction,
    FramePassed,
    OwnFrameRefused,
    Violation,
)
from app.ocpp.overrides import Override, Overrides
from app.ocpp.personality import LinkPolicy
from app.ocpp.points_port import OpenPointsPort
from app.ocpp.redaction import redact, redact_violations
from app.ocpp.rpc import Answer, Arrival, Endpoint, Outgoing
from app.ocpp.usable import usable_part
from app.ocpp.version import Version

Send = Callable[[str], None]

KEPT = 128 * 1024
"""Characters of an incoming frame that are kept for people and for the journal."""


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
    held_back: LinkTimer | None = None
    """Ends a delay that was ordered."""
    context: Context | None = None
    """Where it was sent: what its time-out leads to names the same cause."""


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
        self._answering = Answering(
            self.endpoint,
            self.overrides,
            bus,
            link,
            activity,
            hand_over=self._hand_over,
            refuse_own=self._refuse_own,
            strict=strict_output,
        )
        self._send: Send | None = None
        self._close: Callable[[str], None] | None = None
        self._line: deque[_Waiting] = deque()
        self._current: _Waiting | None = None
        self._deadline = Deadline(link, self._time_out)

    # ------------------------------------------------------------ the link

    @property
    def online(self) -> bool:
        return self._send is not None

    def serve(self, handlers: Mapping[str, Handler], admit: Admit) -> None:
        """Answer these actions; `admit` may raise HandlerError or Silence for the boot state."""
        self._answering.serve(handlers, admit)

    def attach(self, send: Send, close: Callable[[str], None] | None = None) -> None:
        """The link is open: `send` takes a text, `close` ends the link for a reason."""
        self._send, self._close = send, close

    def detach(self, *, too_large: bool = False) -> None:
        """The link is gone: the open CALL and those in the line fail, answers are no longer given.

        `too_large`: because of a message, which the open CALL is held to have caused.
        """
        self._send = self._close = None
        self._deadline.drop()
        waiting, self._line = list(self._line), deque()
        if self._current is not None:
            call = self._current
            self._end_current("too_large" if too_large else "disconnected")
            if too_large:
                _fail(call.future, TooLarge(f"{call.action}: more than a side takes"))
            waiting.insert(0, call)
        self.endpoint.reset()
        self._answering.link_lost()
        for call in waiting:
            _fail(call.future, NotConnected("the link broke"))

    def close_link(self, why: str) -> None:
        """Ask the connection to close the socket; it comes back by itself."""
        if self._close:
            self._close(why)

    def stop(self) -> None:
        """The power cycle ends: nothing is answered or acted upon any more."""
        self.detach()
        self._answering.stop()

    async def ended(self) -> None:
        """After `stop()`: wait until no task of this dialogue is left."""
        await self._answering.ended()

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
        violations = self.endpoint.judge_text(text)
        self._hand_over(Outgoing(kind, message_id, action, text, violations, forced=True))

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
            call.held_back = self._link.call_later(
                override.delay, lambda: self._transmit(call, override)
            )
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
        call.context = copy_context()
        self._deadline.set(max(0.0, self._policy().message_timeout))
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
                text = override.raw_text(call.message_id)
                return text, self.endpoint.judge_text(text), True
            if override.answer is not None:
                payload = override.answer
            else:
                payload = {**payload, "status": override.status}
        elif call.text is not None:
            text = frames.build_call_around(call.message_id, call.action, call.text)
            return text, self.endpoint.judge_text(text), True
        violations = self.endpoint.judge_own(call.action, "request", payload) if forced else ()
        return frames.build_call(call.message_id, call.action, payload), violations, forced

    def _time_out(self) -> None:
        call = self._current
        if call is not None and call.context is not None:
            call.context.run(self._give_up, call)

    def _give_up(self, call: _Waiting) -> None:
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
            if self._current.held_back is not None:
                self._current.held_back.cancel()
            self._deadline.clear()
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
                self._answering.object(arrival.action, arrival.reply)
            elif arrival.request is not None:
                self._answering.take(arrival.request)
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
        point = "both-invalid-response"
        if not self._points.asks(point):
            self._take_broken(answer, failure, self._points.choose(point))
            return
        due = self._deadline.clear()  # it came in time, however long a person thinks

        def decided(task: asyncio.Future[str]) -> None:
            if self.endpoint.open is not answer.call:
                return  # answered properly meanwhile
            option = task.result()
            if option == "time-out" and due is not None:
                self._deadline.resume(due)
            else:
                self._take_broken(answer, failure, option)

        self._answering.think(self._points.ask(point), decided)

    def _take_broken(self, answer: Answer, failure: InvalidAnswer, option: str) -> None:
        """Make of it what the open point says."""
        if option == "time-out":
            return  # as if it had not come: the CALL stays open until its time is up
        usable = None
        if option == "use-usable":
            usable = usable_part(self.endpoint.schemas, answer.call.action, answer.payload)
        self._settle(failure if usable is None else usable)

    def _settle(self, ending: Payload | CallFailed) -> None:
        """Our open CALL is over. Who asked for it runs before the next CALL leaves.

        What the answer changes is durable by then: a message that the other side has seen followed by
        another one is never repeated.
        """
        call = self._current
        self.endpoint.close_call("answered")
        if call is None:
            return
        self._deadline.clear()
        if not call.future.done():
            if isinstance(ending, CallFailed):
                call.future.set_exception(ending)
            else:
                call.future.set_result(ending)
        asyncio.get_running_loop().call_soon(self._pass_turn, call)

    def _pass_turn(self, call: _Waiting) -> None:
        if self._current is call:
            self._release_turn()
            self._next()

    # ------------------------------------------------------------ the border

    def _hand_over(
        self, out: Outgoing, latency: float | None = None, note: Text | None = None
    ) -> None:
        """The one place where text leaves. Told first: a register that it tells is on the disk by then."""
        if self._send is None:
            return
        self._publish_out(out, latency=latency, note=note)
        if self._send is not None:  # telling may have ended the power cycle
            self._send(out.text)

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
            text = text[: KEPT // 64].decode("utf-8", "backslashreplace")
        if len(text) > KEPT:
            text = text[:KEPT] + "…"
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


def _fail(future: asyncio.Future[Payload], error: CallFailed) -> None:
    if not future.done():
        future.set_exception(error)


def _in_words(violations: tuple[Violation, ...]) -> str:
    return "; ".join(f"{item.path} {item.message}".strip() for item in violations[:3])
