"""The table of control methods: the intents by name, and some questions.

`station.*`, `network.*` and `vehicle.*` are intents and answer `{accepted, reason?, code?}`; the rest asks,
waits, or speaks OCPP by hand. `reason` is a sentence, `code` its id, which does not change with words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.kernel.bus import Entry, Origin, Remover
from app.kernel.clock import showable
from app.kernel.forms import values
from app.kernel.units import stamp, with_zone
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    CallTimedOut,
    InvalidAnswer,
    InvalidOwnFrame,
)
from app.ocpp.redaction import without_url_password
from app.runtime.calendar import set_calendar
from app.runtime.control import params as p
from app.runtime.control.dispatch import Method, Table
from app.runtime.control.errors import Code, ControlError
from app.runtime.control.files import FileMethods
from app.runtime.control.links import link_table
from app.runtime.control.security import SecurityMethods
from app.station import intents
from app.station.intents import Intent, Refused
from app.trace.codec import Record, to_json, to_record
from app.trace.query import matches

if TYPE_CHECKING:
    from app.runtime.session import Session
from app.runtime.store import StoreError

Notify = Callable[[str, dict[str, Any]], None]
PAGE = 500
"""Records looked at in one go."""

QUESTIONS = frozenset(
    {
        "certificates.list",
        "clock.now",
        "journal.read",
        "journal.subscribe",
        "journal.unsubscribe",
        "journal.wait",
        "link.diagnose",
        "queue.read",
        "security.log",
        "station.jobs",
        "station.snapshot",
        "variables.get",
    }
)
"""Methods that only look. All others are commands: a wait looks from the last of them on."""


class Methods:
    """The methods of one channel: they share the station, but each has its own place in the journal."""

    def __init__(self, session: Session, notify: Notify, quit_app: Callable[[], None]) -> None:
        self._session = session
        self._notify = notify
        self._quit = quit_app
        self._cursor = max(0, session.began - 1)
        self._subscriptions: dict[int, Remover] = {}
        self._next_subscription = 1

    def table(self) -> Table:
        """All methods by name, each with the model of its parameters."""
        more = link_table(self._session) | SecurityMethods(self._session).table()
        more |= FileMethods(self._session).table()
        found = self._intents() | self._rest() | more
        return {
            name: (model, method if name in QUESTIONS else self._commanding(method))
            for name, (model, method) in found.items()
        }

    def _commanding(self, method: Method) -> Method:
        def run(arguments: Any) -> Any:
            self._cursor = self._session.journal.last_seq
            return method(arguments)

        return run

    def close(self) -> None:
        for remove in self._subscriptions.values():
            remove()
        self._subscriptions.clear()

    # ------------------------------------------------------------------ intents

    def _intents(self) -> Table:
        i = intents
        return {
            "station.arrive_car": self._order(
                p.ArriveCarParams, lambda a: i.ArriveCar(a.evse, a.vehicle)
            ),
            "station.leave_car": self._order(p.AtEvse, lambda a: i.LeaveCar(a.evse)),
            "station.plug_in": self._order(p.AtConnector, lambda a: i.PlugIn(a.evse, a.connector)),
            "station.unplug": self._order(
                p.UnplugParams, lambda a: i.Unplug(a.evse, a.connector, a.side, a.force)
            ),
            "station.present_card": self._order(
                p.PresentCardParams, lambda a: i.PresentCard(a.id_token, a.type, a.evse)
            ),
            "station.press_stop": self._order(p.AtEvse, lambda a: i.PressStop(a.evse)),
            "station.press_start": self._order(p.AtEvse, lambda a: i.PressStart(a.evse)),
            "station.raise_fault": self._order(
                p.RaiseFaultParams, lambda a: i.RaiseFault(**values(a))
            ),
            "station.clear_fault": self._order(
                p.ClearFaultParams, lambda a: i.ClearFault(a.evse, a.connector, a.fault)
            ),
            "station.open_door": self._order(p.Params, lambda _: i.OpenDoor()),
            "station.close_door": self._order(p.Params, lambda _: i.CloseDoor()),
            "station.cut_mains": self._order(p.Params, lambda _: i.CutMains(), settle=True),
            "station.restore_mains": self._order(p.Params, lambda _: i.RestoreMains(), settle=True),
            "network.cut": self._order(p.Params, lambda _: i.CutNetwork()),
            "network.restore": self._order(p.Params, lambda _: i.RestoreNetwork()),
            "vehicle.set": self._order(p.SetVehicleParams, lambda a: i.SetVehicle(**values(a))),
            "vehicle.pause": self._order(p.AtEvse, lambda a: i.PauseVehicle(a.evse)),
            "vehicle.resume": self._order(p.AtEvse, lambda a: i.ResumeVehicle(a.evse)),
        }

    def _order(
        self,
        model: type[Any],
        make: Callable[[Any], Intent],
        *,
        settle: bool = False,
    ) -> tuple[type[Any], Method]:
        def method(arguments: Any) -> Any:
            outcome = self._session.intend(make(arguments), Origin.CONTROL)
            if isinstance(outcome, Refused):
                return {
                    "accepted": False,
                    "reason": self._session.catalogue.render(outcome.reason),
                    "code": outcome.reason.id,
                }
            return self._settled() if settle else {"accepted": True}

        return model, method

    async def _settled(self) -> dict[str, Any]:
        """The answer comes when the power cycle has really ended or begun and its state is written."""
        await self._session.settled()
        return {"accepted": True}

    # ------------------------------------------------------------------ the rest

    def _rest(self) -> Table:
        return {
            "station.snapshot": (p.Params, lambda _: self._snapshot()),
            "station.repower": (p.Params, lambda _: self._repower()),
            "station.restart": (p.RestartParams, self._restart),
            "station.factory_reset": (p.Params, lambda _: self._factory_reset()),
            "station.export": (p.ExportParams, self._export),
            "queue.read": (p.QueueParams, self._queue),
            "ocpp.call": (p.CallParams, self._call),
            "ocpp.send_raw": (p.RawParams, self._send_raw),
            "ocpp.override": (p.OverrideParams, self._override),
            "ocpp.clear_overrides": (p.Params, lambda _: self._clear_overrides()),
            "variables.get": (p.GetVariableParams, self._get_variables),
            "variables.set": (p.SetVariableParams, self._set_variable),
            "journal.read": (p.ReadParams, self._read),
            "journal.subscribe": (p.SubscribeParams, self._subscribe),
            "journal.unsubscribe": (p.UnsubscribeParams, self._unsubscribe),
            "journal.wait": (p.WaitParams, self._wait),
            "clock.now": (p.Params, lambda _: self._now()),
            "clock.jump": (p.JumpParams, self._jump),
            "clock.set": (p.SetClockParams, self._set_clock),
            "clock.rate": (p.RateParams, self._rate),
            "clock.ask": (p.Params, lambda _: self._ask_time()),
            "clock.follow": (p.FollowParams, self._follow),
            "app.quit": (p.Params, lambda _: self._quit_app()),
        }

    def _snapshot(self) -> Any:
        """All there is to see. A password that stands in the address is for nobody's eyes (RPC-16)."""
        found = to_json(self._session.snapshot())
        if found["csms_url"] is not None:
            found["csms_url"] = without_url_password(found["csms_url"])
        return found

    async def _repower(self) -> dict[str, Any]:
        await self._session.repower()
        return {"accepted": True}

    async def _restart(self, arguments: p.RestartParams) -> dict[str, Any]:
        await self._session.restart(watchdog=arguments.cause == "watchdog")
        return {"accepted": True}

    async def _factory_reset(self) -> dict[str, Any]:
        await self._session.factory_reset()
        return {"accepted": True}

    async def _export(self, arguments: p.ExportParams) -> dict[str, Any]:
        """Configuration, state and journal in one file, without secrets."""
        from app.runtime.archive import ArchiveError

        try:
            found = await self._session.export_station(arguments.file)
        except (ArchiveError, StoreError) as error:
            words = self._session.catalogue.render(error.text)
            raise ControlError(Code.INVALID_PARAMS, words) from None
        return {"file": str(arguments.file), "rows": found.rows, "events": found.events}

    def _queue(self, arguments: p.QueueParams) -> dict[str, Any]:
        """The oldest messages that wait, each with its age, its attempts and why."""
        session = self._session
        rows = []
        for row in session.queue(arguments.limit):
            why = session.catalogue.render(row.state)
            rows.append(to_json(row) | {"state": row.state.id.rsplit(".", 1)[-1], "why": why})
        return {"messages": rows, "waiting": session.snapshot().queue}

    # ------------------------------------------------------------------ OCPP by hand

    async def _call(self, arguments: p.CallParams) -> dict[str, Any]:
        try:
            payload = await self._session.call(
                arguments.action, arguments.payload, validate=arguments.validate
            )
        except CallRefused as error:
            body = {
                "code": error.code,
                "description": error.description,
                "details": error.details,
            }
            raise ControlError(Code.CALL_REFUSED, str(error), body) from None
        except CallTimedOut as error:
            raise ControlError(Code.CALL_TIMED_OUT, str(error)) from None
        except InvalidOwnFrame as error:
            raise ControlError(Code.INVALID_OWN_FRAME, str(error)) from None
        except InvalidAnswer as error:
            raise ControlError(Code.INVALID_ANSWER, str(error), error.payload) from None
        except CallFailed as error:
            raise ControlError(Code.NOT_CONNECTED, str(error)) from None
        return {"payload": payload}

    def _send_raw(self, arguments: p.RawParams) -> dict[str, Any]:
        try:
            self._session.send_raw(arguments.text)
        except CallFailed as error:
            raise ControlError(Code.NOT_CONNECTED, str(error)) from None
        return {"accepted": True}

    def _override(self, arguments: p.OverrideParams) -> dict[str, Any]:
        try:
            self._session.override(**values(arguments))
        except ValueError as error:
            raise ControlError(Code.INVALID_PARAMS, str(error)) from None
        return {"accepted": True}

    def _clear_overrides(self) -> dict[str, Any]:
        self._session.overrides.clear()
        return {"accepted": True}

    # ------------------------------------------------------------------ settings

    def _get_variables(self, arguments: p.GetVariableParams) -> Any:
        if arguments.name is None:
            return {"variables": to_json(self._session.settings())}
        try:
            return {"name": arguments.name, "value": self._session.get_setting(arguments.name)}
        except KeyError:
            raise self._no_setting(arguments.name) from None

    def _set_variable(self, arguments: p.SetVariableParams) -> dict[str, Any]:
        try:
            status = self._session.set_setting(arguments.name, arguments.value, Origin.CONTROL)
        except KeyError:
            raise self._no_setting(arguments.name) from None
        return {"status": status}

    def _no_setting(self, name: str) -> ControlError:
        if self._session.personality is None:
            words = "there are no settings: the station has no power, or no version yet"
            return ControlError(Code.UNKNOWN_NAME, words)
        return ControlError(Code.UNKNOWN_NAME, f"there is no setting {name!r}")

    # ------------------------------------------------------------------ journal

    def _read(self, arguments: p.ReadParams) -> dict[str, Any]:
        """From `first` on; without it the newest ones that match."""
        journal = self._session.journal
        last = min(arguments.last or journal.last_seq, journal.last_seq)
        found = (
            self._newest(last, arguments.filter, arguments.limit)
            if arguments.first is None
            else self._oldest(arguments.first, last, arguments.filter, arguments.limit)
        )
        return {"records": found, "last": journal.last_seq}

    def _oldest(self, first: int, last: int, wanted: dict[str, Any], limit: int) -> list[Record]:
        found: list[Record] = []
        while first <= last and len(found) < limit:
            page = self._session.journal.range(first, min(last, first + PAGE - 1))
            found += [record for record in page if matches(record, wanted)]
            first += PAGE
        return found[:limit]

    def _newest(self, last: int, wanted: dict[str, Any], limit: int) -> list[Record]:
        found: list[Record] = []
        first = self._session.journal.first_seq
        while last >= first and len(found) < limit:
            page = self._session.journal.range(max(first, last - PAGE + 1), last)
            found = [record for record in page if matches(record, wanted)] + found
            last -= PAGE
        return found[-limit:]

    def _subscribe(self, arguments: p.SubscribeParams) -> dict[str, Any]:
        number = self._next_subscription
        self._next_subscription += 1

        def tell(entry: Entry) -> None:
            record = to_record(entry)
            if matches(record, arguments.filter):
                self._notify("journal.event", {"subscription": number, "record": record})

        self._subscriptions[number] = self._session.journal.watch(tell)
        return {"subscription": number}

    def _unsubscribe(self, arguments: p.UnsubscribeParams) -> dict[str, Any]:
        remove = self._subscriptions.pop(arguments.subscription, None)
        if remove is None:
            raise ControlError(Code.UNKNOWN_NAME, "there is no such subscription")
        remove()
        return {"accepted": True}

    async def _wait(self, arguments: p.WaitParams) -> dict[str, Any]:
        journal = self._session.journal
        after = self._cursor if arguments.after is None else arguments.after
        for record in journal.range(after + 1, journal.last_seq):
            if matches(record, arguments.filter):
                return self._found(record)
        future: asyncio.Future[Record] = asyncio.get_running_loop().create_future()

        def look(entry: Entry) -> None:
            if not future.done() and matches(record := to_record(entry), arguments.filter):
                future.set_result(record)

        remove = journal.watch(look)
        try:
            async with asyncio.timeout(arguments.timeout):
                return self._found(await future)
        except TimeoutError:
            raise ControlError(
                Code.WAIT_TIMED_OUT,
                f"nothing matched within {arguments.timeout:g} s",
                {"after": after, "last": journal.last_seq},
            ) from None
        finally:
            remove()

    def _found(self, record: Record) -> dict[str, Any]:
        """The next wait goes on behind what this one found."""
        self._cursor = max(self._cursor, record["seq"])
        return {"record": record}

    # ------------------------------------------------------------------ clock and end

    def _now(self) -> dict[str, Any]:
        clock = self._session.clock
        return {"now": stamp(clock.now()), "elapsed": round(clock.elapsed(), 3)}

    async def _jump(self, arguments: p.JumpParams) -> dict[str, Any]:
        clock = self._session.clock
        to = None if arguments.to is None else _moment(arguments.to)
        seconds = arguments.seconds if to is None else (to - clock.now()).total_seconds()
        assert seconds is not None
        if seconds > p.LONGEST_JUMP:
            raise ControlError(Code.CLOCK, "a jump goes at most 366 days forward")
        if not showable(clock.now() + timedelta(seconds=seconds)):
            raise ControlError(Code.CLOCK, "the calendar ends with the year 8999")
        try:
            await (clock.travel(seconds) if to is None else clock.travel_to(to))
        except ValueError as error:
            raise ControlError(Code.CLOCK, str(error)) from None
        return self._now()

    def _set_clock(self, arguments: p.SetClockParams) -> dict[str, Any]:
        to = _moment(arguments.to)
        if not showable(to):
            raise ControlError(Code.CLOCK, "no time for a station")
        change = set_calendar(self._session.clock, self._session.bus, to)
        return {**self._now(), "change": round(change, 3)}

    def _rate(self, arguments: p.RateParams) -> dict[str, Any]:
        set_rate = getattr(self._session.clock, "set_rate", None)
        if set_rate is None:
            raise ControlError(Code.CLOCK, "this clock stands still until it is moved")
        set_rate(arguments.rate)
        return {"rate": arguments.rate}

    def _ask_time(self) -> dict[str, Any]:
        personality = self._session.personality
        return {"accepted": personality is not None and personality.ask_time()}

    def _follow(self, arguments: p.FollowParams) -> dict[str, Any]:
        self._session.clock.follow_server = arguments.follows
        return {"follows": arguments.follows}

    def _quit_app(self) -> dict[str, Any]:
        asyncio.get_running_loop().call_soon(self._quit)
        return {"accepted": True}


def _moment(given: datetime) -> datetime:
    """Raises ControlError at the edges of the calendar."""
    try:
        return with_zone(given)
    except ValueError:
        raise ControlError(Code.CLOCK, "no time for a station") from None
