"""One connected station: frames in, answers through the package, composed CALLs out."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Coroutine
from typing import Any, cast

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from app.training import wire
from app.training.office import BackOffice
from app.training.outcome import CallOutcome, OutcomeKind
from app.training.package import LOGGER, Fields, Personality, known_actions
from app.training.records import Direction
from app.training.rules import Effect, Rule, Rules
from app.training.settings import V16
from app.training.v16 import CentralSystem16
from app.training.v201 import Csms201

ID_GAP = "{id}"


class Session:
    """The CSMS side of one WebSocket.

    CALLs of the station are answered in the order in which they come; a delayed answer does not hold up
    the next one. Answers to composed CALLs never reach the package.
    """

    def __init__(
        self,
        station_id: str,
        version: str,
        link: int,
        socket: ServerConnection,
        office: BackOffice,
        rules: Rules,
    ) -> None:
        self.station_id = station_id
        self.version = version
        self._link = link
        self._socket = socket
        self._office = office
        self._rules = rules
        self._personality = _personality(station_id, version, self, office)
        self._known = known_actions(version)
        self._rule: Rule | None = None
        self._waiting: dict[str, asyncio.Future[tuple[wire.Frame, str]]] = {}
        self._garbled: list[str] = []
        """Of those that wait, what no station can read the id of: oldest first."""
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the connection is gone."""
        try:
            async for message in self._socket:
                await self._take(message)
        except ConnectionClosed:
            pass  # gone without a farewell: the end is the same
        finally:
            await self._end()

    async def close(self, code: int, reason: str) -> None:
        """Close the connection."""
        await self._socket.close(code, reason)

    # composed CALLs

    async def call(
        self, action: str, payload: str, timeout_s: float, *, overlap: bool
    ) -> CallOutcome:
        """Send a CALL whose payload part is exactly `payload`, and wait for what comes back."""
        id_ = str(uuid.uuid4())
        text = wire.call_text(id_, action, payload)
        if overlap:
            return await self._exchange(id_, text, timeout_s)
        async with self._turn:
            return await self._exchange(id_, text, timeout_s)

    async def send_raw(self, text: str, timeout_s: float) -> CallOutcome:
        """Send a whole text as it is; waits for an answer if it can be read as a CALL."""
        frame = wire.read(text, self.version)
        if frame.kind is wire.FrameKind.CALL:
            return await self._exchange(frame.id, text, timeout_s)
        if not await self._write(text):
            return CallOutcome(OutcomeKind.DISCONNECTED, sent=text)
        return CallOutcome(OutcomeKind.SENT, sent=text)

    async def _exchange(self, id_: str, text: str, timeout_s: float) -> CallOutcome:
        answer: asyncio.Future[tuple[wire.Frame, str]] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = answer
        if wire.read(text, self.version).kind is not wire.FrameKind.CALL:
            self._garbled.append(id_)
        began = time.monotonic()
        try:
            if not await self._write(text):
                return CallOutcome(OutcomeKind.DISCONNECTED, sent=text)
            async with asyncio.timeout(timeout_s):
                frame, raw = await answer
        except TimeoutError:
            return CallOutcome(OutcomeKind.TIMEOUT, latency_ms=_since(began), sent=text)
        except ConnectionClosed:
            return CallOutcome(OutcomeKind.DISCONNECTED, latency_ms=_since(began), sent=text)
        finally:
            if self._waiting.get(id_) is answer:
                del self._waiting[id_]
            if id_ in self._garbled:
                self._garbled.remove(id_)
            if answer.done() and not answer.cancelled():
                answer.exception()  # looked at: the end of the link is told by what failed first
        kind = OutcomeKind.RESULT if frame.kind is wire.FrameKind.RESULT else OutcomeKind.ERROR
        return CallOutcome(
            kind,
            payload=frame.payload,
            code=frame.code,
            description=frame.description,
            details=frame.details,
            latency_ms=_since(began),
            raw=raw,
            sent=text,
        )

    # what the station sends

    async def _take(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode("utf-8", "replace")
        self._keep(Direction.FROM_STATION, text)
        frame = wire.read(text, self.version)
        match frame.kind:
            case wire.FrameKind.CALL:
                await self._answer(frame, text)
            case wire.FrameKind.RESULT | wire.FrameKind.ERROR:
                self._settle(frame, text)
            case wire.FrameKind.WRONG:
                self._office.warn(self.station_id, "wrong_frame", why=frame.description)
                if wire.is_answerable(frame):
                    await self._write(wire.error_text(frame.id, frame.code, frame.description))

    def _settle(self, frame: wire.Frame, text: str) -> None:
        nameless = frame.kind is wire.FrameKind.ERROR and frame.id in wire.NAMELESS
        meant = self._garbled[0] if nameless and self._garbled else frame.id
        answer = self._waiting.get(meant)
        if answer is None or answer.done():
            self._office.warn(self.station_id, "unexpected_answer", id=frame.id)
            return
        answer.set_result((frame, text))

    async def _answer(self, frame: wire.Frame, text: str) -> None:
        rule = self._rules.take(self.station_id, frame.action)
        if rule is None or rule.is_processed:
            await self._route(frame, text, rule)
        else:
            self._spawn(self._deviate(frame.id, rule, ""))

    async def _route(self, frame: wire.Frame, text: str, rule: Rule | None) -> None:
        if frame.action not in self._personality.route_map:
            # The package gives these two codes the other way round.
            code = "NotSupported" if frame.action in self._known else "NotImplemented"
            await self._leave(frame.id, wire.error_text(frame.id, code, frame.action), rule)
            return
        self._personality.fields = Fields(frame.payload, self.version)
        self._rule = rule
        try:
            await self._personality.route_message(text)
        except Exception:  # noqa: BLE001 - one frame must not end the connection
            # Outside of a handler the package lets errors through, such as for too deep nesting.
            LOGGER.exception("%s of %s", frame.action, self.station_id)
            await self._leave(frame.id, wire.error_text(frame.id, "InternalError", ""), rule)

    async def send(self, text: str) -> None:
        """The outlet of the package: its answer to the CALL being routed."""
        await self._leave(wire.read(text, self.version).id, text, self._rule)

    async def _leave(self, id_: str, text: str, rule: Rule | None) -> None:
        if rule is None:
            await self._write(text)
        else:
            self._spawn(self._deviate(id_, rule, text))

    async def _deviate(self, id_: str, rule: Rule, text: str) -> None:
        if rule.delay_s > 0:
            await asyncio.sleep(rule.delay_s)
        match rule.effect:
            case Effect.NORMAL:
                await self._write(text)
            case Effect.ANSWER:
                await self._write(wire.result_text(id_, rule.payload))
            case Effect.ERROR:
                await self._write(wire.error_text(id_, rule.code, rule.description))
            case Effect.RAW:
                await self._write(rule.text.replace(ID_GAP, id_))
            case Effect.CLOSE:
                await self.close(rule.close_code, rule.description)
            case Effect.MUTE:
                pass

    # the socket

    async def _write(self, text: str) -> bool:
        try:
            # A lone surrogate has no UTF-8 form.
            text = text.encode("utf-8", "replace").decode("utf-8")
            # Kept first: a fast station's answer must not come before its question in the ring.
            self._keep(Direction.TO_STATION, text)
            await self._socket.send(text)
        except ConnectionClosed:
            return False
        return True

    def _keep(self, direction: Direction, text: str) -> None:
        self._office.memory.frame(self.station_id, self.version, self._link, direction, text)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionClosed(None, None))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _personality(station_id: str, version: str, outlet: Session, office: BackOffice) -> Personality:
    made = (CentralSystem16 if version == V16 else Csms201)(station_id, outlet, office)
    return cast(Personality, made)


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
