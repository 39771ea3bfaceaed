"""A back office in the same loop, which says what a test wants it to say, and judges what it hears.

It shares no code with our endpoint but the schemas: it reads JSON, answers, and notes each breach of the
rules (two CALLs open, an id used twice, an answer to nothing) as a fault of the test run.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.kernel.activity import Activity
from app.kernel.units import stamp
from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from tests.support.playbook import Line

Payload = dict[str, Any]

_DATE = re.compile(r'"(\d{4}-\d{2}-\d{2}[Tt ][^"]*)"')
_OUR_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z")


class Mute:
    """Give no answer: link time passes until the CALL times out."""


class Usual:
    """Give the friendly answer."""


class Flood:
    """Answer with more than the link takes: it closes for that, and comes back at once."""


MUTE = Mute()
FLOOD = Flood()
USUAL = Usual()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with a CALLERROR."""

    code: str = "InternalError"
    description: str = ""
    details: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Answer with this text; {id} is the message id. Nothing is checked."""

    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A CALL of the station."""

    action: str
    payload: Payload
    message_id: str
    at: datetime
    connection: int


class Hold:
    """Keeps the answer to a CALL back until the test gives it."""

    def __init__(self, office: BackOffice) -> None:
        self._office = office
        self._heard: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()

    def take(self, heard: Heard) -> None:
        if not self._heard.done():
            self._heard.set_result(heard)

    async def arrived(self) -> Heard:
        """The CALL, as soon as it has come."""
        return await asyncio.shield(self._heard)

    def answer(self, payload: Payload) -> None:
        """Give the answer now, also when it is too late for it."""
        self._office.reply(self._heard.result(), payload)

    def refuse(self, code: str, description: str = "") -> None:
        self._office.reply(self._heard.result(), Refuse(code, description))


Answer = Payload | Mute | Flood | Usual | Refuse | RawAnswer | Hold
Script = Answer | list[Any] | Callable[[Payload], Any]


class Bench(Protocol):
    """What the back office needs of the bench around it."""

    activity: Activity

    @property
    def now(self) -> datetime: ...

    def into_station(self, text: str, connection: int) -> None: ...

    def expire(self) -> None: ...

    def flood(self) -> None: ...


class BackOffice:
    """Scripted answers over good defaults, and a record of all that was said."""

    def __init__(self, version: Version, bench: Bench) -> None:
        self.version = version
        self.schemas = Schemas.of(version)
        self.heard: list[Heard] = []
        self.lines: list[Line] = []
        self.faults: list[str] = []
        self.connection = 0
        self.boot_status = "Accepted"
        self.boot_interval = 300
        self.token_status: dict[str, str] = {}
        """Status of id tokens; those not named are Accepted."""
        self.transaction_ids = itertools.count(1)
        self._bench = bench
        self._scripts: dict[str, Script] = {}
        self._used_ids: dict[str, tuple[str, str]] = {}
        self._unanswered: Heard | None = None
        self._asked: dict[str, tuple[str, asyncio.Future[Any]]] = {}
        self._ask_ids = itertools.count(1)

    # ------------------------------------------------------------ what a test says

    def on(self, action: str, script: Script) -> None:
        """Answer this action so from now on: a payload, a function of the request, MUTE, FLOOD, Refuse(...),
        USUAL, RawAnswer(...), or a list of these for one after the other (the last one stays)."""
        self._scripts[action] = script

    def default(self, action: str) -> None:
        """Answer this action in the usual way again."""
        self._scripts.pop(action, None)

    def hold(self, action: str) -> Hold:
        """Keep back the answer to the next CALL of this action."""
        hold = Hold(self)
        after = self._scripts.get(action)
        self._scripts[action] = [hold, after if after is not None else USUAL]
        return hold

    def payloads(self, action: str | None = None) -> list[Payload]:
        """What the station sent, oldest first."""
        return [heard.payload for heard in self.heard if action in (None, heard.action)]

    def heard_of(self, action: str) -> list[Heard]:
        """The CALLs of this action, oldest first."""
        return [heard for heard in self.heard if heard.action == action]

    # ------------------------------------------------------------ the wire

    def take(self, text: str) -> None:
        """A text of the station. Answered in a later turn of the loop, as over a wire."""
        self._bench.activity.begin()
        asyncio.get_running_loop().call_soon(self._process, text, self.connection)

    def _process(self, text: str, connection: int) -> None:
        try:
            self._listen(text, connection)
        except Exception as error:  # noqa: BLE001 - a slip in a test's script must fail that test
            self.faults.append(f"the scripted back office failed: {error!r} at {text}")
        finally:
            self._bench.activity.end()

    def _listen(self, text: str, connection: int) -> None:
        frame = json.loads(text)
        self._check_dates(text)
        if frame[0] == 2:
            self._on_call(Heard(frame[2], frame[3], frame[1], self._bench.now, connection))
            return
        action, waiting = self._asked.pop(frame[1], (None, None))
        if waiting is None or action is None:
            self.lines.append(Line("!", "-", frame[2] if frame[0] == 4 else "answer to nothing"))
            return
        payload = frame[2]
        self.lines.append(Line("=" if frame[0] == 3 else "!", action, payload))
        if frame[0] == 3:
            self._check(action, "response", payload, "the station's answer")
        if not waiting.done():
            waiting.set_result(frame)

    def _on_call(self, heard: Heard) -> None:
        self._check(heard.action, "request", heard.payload, "the station's CALL")
        if len(heard.message_id) > 36:
            self.faults.append(f"message id too long: {heard.message_id}")
        said = (heard.action, json.dumps(heard.payload))
        if self._used_ids.setdefault(heard.message_id, said) != said:
            self.faults.append(f"message id used for two messages: {heard.message_id}")
        if self._unanswered is not None:
            self.faults.append(f"{heard.action} was sent while {self._unanswered.action} was open")
        self.heard.append(heard)
        self.lines.append(Line(">", heard.action, heard.payload))
        self._unanswered = heard
        self.reply(heard, self._answer_for(heard))

    def call_ended(self) -> None:
        """The station gave its open CALL up."""
        self._unanswered = None

    def reply(self, heard: Heard, answer: Answer) -> None:
        """Say this in answer to a CALL."""
        if isinstance(answer, Hold):
            answer.take(heard)
            return
        if isinstance(answer, Mute):
            self._bench.expire()
            return
        if isinstance(answer, Flood):
            self._bench.flood()
            return
        if self._unanswered is heard:
            self._unanswered = None
        if isinstance(answer, Usual):
            answer = self.usual_answer(heard.action, heard.payload)
        if isinstance(answer, RawAnswer):
            text = answer.text.replace("{id}", heard.message_id)
        elif isinstance(answer, Refuse):
            text = json.dumps(
                [4, heard.message_id, answer.code, answer.description, answer.details]
            )
        else:
            self._check(heard.action, "response", answer, "the script's answer")
            text = json.dumps([3, heard.message_id, answer])
        self._bench.into_station(text, heard.connection)

    def ask(
        self, action: str, payload: Any, *, message_id: str | None = None, check: bool = True
    ) -> asyncio.Future[Any]:
        """Send a CALL to the station; the future gets the whole answering frame."""
        if check:
            self._check(action, "request", payload, "the test's CALL")
        message_id = message_id or f"ask-{next(self._ask_ids)}"
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[message_id] = (action, future)
        self.lines.append(Line("<", action, payload))
        self._bench.into_station(json.dumps([2, message_id, action, payload]), self.connection)
        return future

    # ------------------------------------------------------------ rules

    def _check(self, action: str, kind: Any, payload: Any, whose: str) -> None:
        if action not in self.schemas.actions:
            if whose != "the test's CALL":
                self.faults.append(f"{whose}: unknown action {action}")
            return
        own = whose.startswith("the station")
        for violation in self.schemas.check(action, kind, payload, own=own):
            self.faults.append(f"{whose} {action} {kind}: {violation}")

    def _check_dates(self, text: str) -> None:
        for date in _DATE.findall(text):
            if not _OUR_DATE.fullmatch(date):
                self.faults.append(f"a time stamp that is not UTC with Z and milliseconds: {date}")

    # ------------------------------------------------------------ answers

    def _answer_for(self, heard: Heard) -> Answer:
        script = self._scripts.get(heard.action, USUAL)
        if isinstance(script, list):
            entry = script[0]
            if len(script) > 1:
                script.pop(0)
            script = entry
        return script(heard.payload) if callable(script) else script

    def usual_answer(self, action: str, request: Payload) -> Payload:
        """What a friendly back office says."""
        now = stamp(self._bench.now)
        if action == "BootNotification":
            return {
                "status": self.boot_status,
                "currentTime": now,
                "interval": self.boot_interval,
            }
        if action == "Heartbeat":
            return {"currentTime": now}
        if action in ("SignCertificate", "GetCertificateStatus"):
            return {"status": "Accepted" if action == "SignCertificate" else "Failed"}
        if action == "DataTransfer":
            return {"status": "Accepted"}
        usual = self._usual_16 if self.version is Version.V16 else self._usual_201
        return usual(action, request)

    def _usual_16(self, action: str, request: Payload) -> Payload:
        if action == "Authorize":
            return {"idTagInfo": self._tag_info(request["idTag"])}
        if action == "StartTransaction":
            return {
                "transactionId": next(self.transaction_ids),
                "idTagInfo": self._tag_info(request["idTag"]),
            }
        if action == "StopTransaction" and "idTag" in request:
            return {"idTagInfo": self._tag_info(request["idTag"])}
        return {}

    def _usual_201(self, action: str, request: Payload) -> Payload:
        token = request.get("idToken", {})
        if action == "Authorize" or (action == "TransactionEvent" and token):
            return {"idTokenInfo": self._tag_info(token["idToken"])}
        if action in ("SignCertificate", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule"):
            return {"status": "Accepted"}
        return {}

    def _tag_info(self, token: str) -> Payload:
        return {"status": self.token_status.get(token, "Accepted")}
