"""Stories in which each open point is met, but for those that wait for a part of the program to come.

A story is the same for all options of its point. What is compared of them is everything that either side
said, with its message ids and connections, and what the drivers read at last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.kernel.units import stamp
from app.ocpp.context import KeySetting, OcppSettings
from app.ocpp.points import registry
from app.ocpp.version import Version
from app.station.intents import PlugIn, PresentCard, PressStop, SetVehicle, Unplug
from app.station.kinds import UnplugSide
from tests.conformance.v16.file_bench import IMAGE, UP, URL, Servers, ports, trouble
from tests.conformance.v201.conftest import setting
from tests.support.harness import MUTE, USUAL, Bench, RawAnswer, Refuse

V16, V201 = Version.V16, Version.V201
Step = Callable[[Bench], Awaitable[None]]
A1 = PresentCard("A", evse=1)
HUNGRY = SetVehicle(1, ready_delay=0.0, soc=10.0, max_ac_current=32.0)


async def _boot(bench: Bench) -> None:
    await bench.boot()


async def _nothing(bench: Bench) -> None:
    """What is to be told happens while the station boots."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happens with a station: `before` the choice is made, and after that, `then`."""

    point: str
    version: Version
    then: Step
    before: Step = _boot
    keys: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    files: bool = False
    """There is a file server, which never takes anything."""
    firmware: bool = False
    """The file server has new firmware."""
    also: dict[str, str] = field(default_factory=dict)
    """What is chosen at other points, without which this one is not met."""

    def options(self) -> list[str]:
        return [one.key for one in registry()[self.point].options]


# ---------------------------------------------------------------- stories of both versions


async def _session(bench: Bench, evse: int = 1) -> None:
    await bench.do(SetVehicle(evse, ready_delay=0.0, soc=10.0, max_ac_current=32.0))
    await bench.do(PlugIn(evse), PresentCard(f"A{evse}", evse=evse))


async def _reconnect(bench: Bench) -> None:
    await bench.offline()
    await bench.online()
    await bench.offline()
    bench.link.advance(301)
    await bench.advance(301)
    await bench.online()


async def _plug_and_card(bench: Bench) -> None:
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1, A1, Unplug(1))


async def _card_first_or_cable_first(bench: Bench) -> None:
    await bench.do(SetVehicle(1, ready_delay=0.0), A1)
    await bench.do(PlugIn(1), A1, Unplug(1))
    await _plug_and_card(bench)


async def _unanswered(bench: Bench) -> None:
    action = "StartTransaction" if bench.version is V16 else "TransactionEvent"
    bench.csms.on(action, [MUTE] * 4 + [USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(2000)


async def _refused(bench: Bench) -> None:
    bench.csms.on("TransactionEvent", [Refuse("InternalError")] * 2 + [USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(400)


async def _failing_once(bench: Bench) -> None:
    action = "StartTransaction" if bench.version is V16 else "TransactionEvent"
    bench.csms.on(action, [Refuse("InternalError"), USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(200)


async def _known_card(bench: Bench) -> None:
    await bench.boot()
    await bench.do(PlugIn(1), A1, A1, Unplug(1))


async def _long_offline(bench: Bench) -> None:
    """More samples than there is room for, the end of the session, and one more session."""
    await bench.offline()
    await bench.advance(250)
    await bench.do(PressStop(1), Unplug(1), PlugIn(1), PresentCard("A1", evse=1))
    await bench.advance(30)
    await bench.do(PressStop(1))
    await bench.online()
    await bench.advance(5)


async def _charging(bench: Bench) -> None:
    await bench.boot()
    await _session(bench)


async def _stopped(bench: Bench) -> None:
    await bench.boot()
    await _session(bench)
    await bench.do(PressStop(1), Unplug(1))


async def _clock_is_off(bench: Bench) -> None:
    """The back office's time is a minute ahead."""

    def ahead(request: Any) -> dict[str, Any]:
        return {"currentTime": stamp(bench.now + timedelta(seconds=60))}

    bench.csms.on("Heartbeat", [ahead, USUAL])
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await bench.do(PlugIn(1))


async def _broken_answer(bench: Bench) -> None:
    """One field too many, four times; the time of the CALL passes if the station takes no notice."""
    if bench.version is V16:
        action = "StartTransaction"
        answer: dict[str, Any] = {"transactionId": 5, "idTagInfo": {"status": "Accepted"}}
    else:
        action, answer = "TransactionEvent", {"idTokenInfo": {"status": "Accepted"}}
    text = json.dumps([3, "{id}", {**answer, "extra": 1}])

    def broken(request: Any) -> RawAnswer:
        bench.expire()
        return RawAnswer(text)

    bench.csms.on(action, [broken, broken, broken, broken, USUAL])
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), A1)
    await bench.advance(1000)


# ---------------------------------------------------------------- stories of 2.0.1


async def _stranger_offline_201(bench: Bench) -> None:
    """The answer that comes at last does not like the card."""
    await bench.offline()
    bench.csms.on("TransactionEvent", {"idTokenInfo": {"status": "Invalid"}})
    await _session(bench)
    await bench.advance(10)
    await bench.online()
    await bench.advance(600)


async def _bill_without_a_price(bench: Bench) -> None:
    bench.csms.on("TransactionEvent", {})
    await _session(bench)
    await bench.advance(90)
    await bench.do(PressStop(1))


async def _nobody_plugs_in(bench: Bench) -> None:
    await bench.do(A1)
    await bench.advance(61)
    await bench.do(PlugIn(1))


async def _half_of_it_twice(bench: Bench) -> None:
    """A card without a cable, and after that a cable without a card."""
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(61)
    await bench.do(PlugIn(2))
    await bench.advance(61)


async def _held_for_a_stranger(bench: Bench) -> None:
    """The back office does not want the card after all; its cable is held, and nobody shows it again."""
    bench.csms.on("TransactionEvent", [{"idTokenInfo": {"status": "Invalid"}}, USUAL])
    await _session(bench, 2)
    pull = Unplug(2, side=UnplugSide.STATION)
    assert not bench.intend(pull).accepted, "E05: the cable of a refused card is held"
    await bench.advance(61)
    bench.intend(pull)
    await bench.rest()


async def _remote_start_201(bench: Bench) -> None:
    token = {"idToken": "R", "type": "ISO14443"}
    await bench.request("RequestStartTransaction", {"remoteStartId": 1, "idToken": token})
    await bench.do(PlugIn(2), PlugIn(1))


async def _two_aligned_minutes(bench: Bench) -> None:
    await _session(bench)
    await bench.advance(125)


async def _free_for_all(bench: Bench) -> None:
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1))


async def _log_that_nobody_takes(bench: Bench) -> None:
    log = {"remoteLocation": UP}
    await bench.request("GetLog", {"logType": "SecurityLog", "requestId": 1, "log": log})
    await bench.advance(250)


async def _update(bench: Bench, **fields: str) -> None:
    firmware = {"location": URL, "retrieveDateTime": stamp(bench.now), **fields}
    await bench.request("UpdateFirmware", {"requestId": 1, "firmware": firmware})


async def _firmware_that_nobody_has(bench: Bench) -> None:
    await _update(bench)
    await bench.advance(250)
    await bench.request("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})


async def _new_firmware_while_a_car_charges(bench: Bench) -> None:
    """It charges on for longer than any station waits that does not wait for its end."""
    await _update(bench, installDateTime=stamp(bench.now + timedelta(minutes=10)))
    await bench.advance(86_400)
    await bench.do(PressStop(1), Unplug(1))
    await bench.advance(60)


async def _down_to_two(bench: Bench) -> None:
    """Errata 2.5: from profile 3 to 2, where the station's owner allows it."""
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://example.org/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    }
    request = {"configurationSlot": 2, "connectionData": data}
    await bench.request("SetNetworkProfile", request)


async def _idle_but_for_a_card(bench: Bench) -> None:
    """Errata 2.14: no transaction runs, but somebody has been authorized."""
    await bench.do(A1)
    await bench.request("Reset", {"type": "OnIdle"})


async def _card_of_eighty_seconds_ago(bench: Bench) -> None:
    """Errata 2.21: the cache heard of it 80 seconds ago, and used it 40 seconds ago."""
    await bench.offline()
    await bench.advance(40)
    await bench.do(PlugIn(1), A1, A1, Unplug(1))
    await bench.advance(40)
    await bench.do(PlugIn(1), A1)
    await bench.online()


async def _free_password(bench: Bench) -> None:
    """Errata 2.1: any characters."""
    name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    entry = {**name, "attributeValue": "ganz geheim: äöü!"}
    await bench.request("SetVariables", {"setVariableData": [entry]})


# ---------------------------------------------------------------- stories of 1.6


async def _card_only(bench: Bench) -> None:
    """The connector that was used last is not the first one."""
    await _session(bench, 2)
    await bench.do(PressStop(2), Unplug(2), PresentCard("A"))
    await bench.advance(90)


async def _stranger_offline(bench: Bench) -> None:
    await bench.offline()
    bench.csms.on("StartTransaction", {"transactionId": 5, "idTagInfo": {"status": "Invalid"}})
    await _session(bench)
    await bench.advance(10)
    await bench.online()
    await bench.advance(600)


async def _session_of_90_seconds(bench: Bench) -> None:
    await _session(bench)
    await bench.advance(90)
    await bench.do(PressStop(1))


async def _quick_plug(bench: Bench) -> None:
    await bench.do(SetVehicle(1, ready_delay=4.0), PlugIn(1), A1)
    await bench.advance(30)


def _profile(ident: int, purpose: str, limit: float, unit: str = "A") -> dict[str, Any]:
    return {
        "chargingProfileId": ident,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute" if purpose == "ChargePointMaxProfile" else "Relative",
        "chargingSchedule": {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


async def _put(bench: Bench, number: int, profile: dict[str, Any]) -> None:
    payload = {"connectorId": number, "csChargingProfiles": profile}
    await bench.request("SetChargingProfile", payload)


async def _two_cars_one_maximum(bench: Bench) -> None:
    """The first car is held to 20 A, the second one is not, and together they may have 30 A."""
    await _session(bench, 1)
    await _put(bench, 1, _profile(1, "TxDefaultProfile", 20.0))
    await _session(bench, 2)
    await _put(bench, 0, _profile(9, "ChargePointMaxProfile", 30.0))
    await bench.advance(70)


async def _composites(bench: Bench) -> None:
    for number in (0, 1):
        await bench.request("GetCompositeSchedule", {"connectorId": number, "duration": 600})


async def _composite_to_the_edge(bench: Bench) -> None:
    profile = _profile(1, "TxDefaultProfile", 8.0)
    periods = profile["chargingSchedule"]["chargingSchedulePeriod"]
    periods.append({"startPeriod": 600, "limit": 16.0})
    await _put(bench, 1, profile)
    await _composites(bench)


async def _watts_where_only_amperes_are_listed(bench: Bench) -> None:
    await _put(bench, 1, _profile(1, "TxDefaultProfile", 6900.0, "W"))
    await _session_of_90_seconds(bench)


async def _pending(bench: Bench) -> None:
    bench.csms.boot_status, bench.csms.boot_interval = "Pending", 60
    await bench.online()
    await bench.advance(61)


async def _rejected(bench: Bench) -> None:
    bench.csms.boot_status, bench.csms.boot_interval = "Rejected", 60
    await bench.online()
    bench.start_request("GetConfiguration", {})
    await bench.advance(61)


async def _unlock(bench: Bench) -> None:
    await _session(bench, 2)
    await bench.request("UnlockConnector", {"connectorId": 2})


async def _remote_start(bench: Bench) -> None:
    """The cable comes into the second one, then into the first."""
    await bench.request("RemoteStartTransaction", {"idTag": "R"})
    await bench.do(PlugIn(2), PlugIn(1))


async def _out_of_service(bench: Bench) -> None:
    await bench.do(PlugIn(1))
    await bench.request("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    await bench.do(Unplug(1))


async def _hard_reset(bench: Bench) -> None:
    await bench.request("Reset", {"type": "Hard"})


async def _password(bench: Bench) -> None:
    key = {"key": "AuthorizationKey", "value": "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"}
    await bench.request("ChangeConfiguration", key)


EVERY_MINUTE = {"MeterValueSampleInterval": "60", "MeterValuesSampledData": "Current.Offered"}
IN_THE_STOP = {"StopTxnSampledData": "Energy.Active.Import.Register"}
GRACE = {"StopTransactionOnInvalidId": "false", "MaxEnergyOnInvalidId": "500"}
AMPERES = {"ChargingScheduleAllowedChargingRateUnit": "Current", **EVERY_MINUTE}
QUICK = {"MeterValueSampleInterval": "10"}
SITE = {"SiteDefaultCurrent": "13", **EVERY_MINUTE}
PRIORITY = {"ConnectorPriority": "0,5", **EVERY_MINUTE}
SMALL = {"queue_capacity": 6}

GRACE_201 = {"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "500"}
FROM_THE_CARD_ON = {"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.TxStopPoint": "Authorized"}
AT_ONCE = {"TxCtrlr.TxStartPoint": "Authorized,EVConnected"}

STORIES = [
    Story("both-boot-on-reconnect", V16, _reconnect),
    Story("both-boot-on-reconnect", V201, _reconnect),
    Story(
        "both-local-preauthorize-request",
        V16,
        _plug_and_card,
        _known_card,
        {"LocalPreAuthorize": "true"},
    ),
    Story("both-offline-queue-capacity", V16, _long_offline, _charging, QUICK, SMALL),
    Story("both-clock-drift", V16, _clock_is_off),
    Story("both-clock-drift", V201, _clock_is_off),
    Story("both-timeout-counts-as-failure", V16, _unanswered),
    Story("both-timeout-counts-as-failure", V201, _unanswered),
    Story("both-retry-message-id", V16, _failing_once),
    Story("both-retry-message-id", V201, _failing_once),
    Story("both-invalid-response", V16, _broken_answer),
    Story("both-invalid-response", V201, _broken_answer),
    Story("ocpp16-offline-unknown-id", V16, _stranger_offline, keys=GRACE),
    Story("ocpp16-metervalues-begin-context", V16, _session_of_90_seconds, keys=IN_THE_STOP),
    Story("ocpp16-minimum-status-duration", V16, _quick_plug, keys={"MinimumStatusDuration": "5"}),
    Story("ocpp16-max-profile-allocation", V16, _two_cars_one_maximum, keys=PRIORITY),
    Story("ocpp16-composite-vendor-variance", V16, _composites),
    Story("ocpp16-composite-vendor-variance.period-edge", V16, _composite_to_the_edge),
    Story("ocpp16-unsupported-rate-unit", V16, _watts_where_only_amperes_are_listed, keys=AMPERES),
    Story("ocpp16-no-profile-online", V16, _session_of_90_seconds, keys=SITE),
    Story("ocpp16-pending-status-notification", V16, _pending, _nothing),
    Story("ocpp16-rejected-answering", V16, _rejected, _nothing),
    Story("ocpp16-connector-unlock-during-tx", V16, _unlock),
    Story("ocpp16-remote-start-no-connector", V16, _remote_start),
    Story("ocpp16-card-first-connector", V16, _card_only),
    Story("ocpp16-status-order", V16, _plug_and_card),
    Story("ocpp16-inoperative-in-preparing", V16, _out_of_service),
    Story("ocpp16-hard-reset-stop", V16, _hard_reset, _charging),
    Story("ocpp16-authorization-key-encoding", V16, _password),
    Story("ocpp201-status-vs-notifyevent", V201, _plug_and_card),
    Story("ocpp201-tx-start-stop-point", V201, _card_first_or_cable_first),
    Story("ocpp201-replay-rejected", V201, _refused),
    Story(
        "both-local-preauthorize-request",
        V201,
        _plug_and_card,
        _known_card,
        variables={"AuthCtrlr.LocalPreAuthorize": "true"},
    ),
    Story(
        "both-offline-queue-capacity",
        V201,
        _long_offline,
        _charging,
        settings=SMALL,
        variables={"SampledDataCtrlr.TxUpdatedInterval": "10"},
    ),
    Story("ocpp201-offline-unknown-token", V201, _stranger_offline_201, variables=GRACE_201),
    Story("ocpp201-totalcost-omitted", V201, _bill_without_a_price),
    Story("ocpp201-ev-connection-timeout", V201, _nobody_plugs_in, variables=FROM_THE_CARD_ON),
    Story("ocpp201-ev-connection-timeout.applies-to", V201, _half_of_it_twice, variables=AT_ONCE),
    Story(
        "ocpp201-ev-connection-timeout.unlock-cable",
        V201,
        _held_for_a_stranger,
        also={"ocpp201-ev-connection-timeout.applies-to": "both"},
    ),
    Story("ocpp201-remote-start-no-evse", V201, _remote_start_201),
    Story(
        "ocpp201-aligned-during-tx",
        V201,
        _two_aligned_minutes,
        variables={"AlignedDataCtrlr.Interval": "60"},
    ),
    Story("ocpp201-event-merging", V201, _free_for_all, settings={"free_vend": True}),
    Story("ocpp201-retry-policy-defaults", V201, _log_that_nobody_takes, files=True),
    Story("ocpp201-retry-policy-defaults", V201, _firmware_that_nobody_has, files=True),
    Story("ocpp201-firmware-trigger-idle", V201, _firmware_that_nobody_has, files=True),
    Story(
        "ocpp201-firmware-vs-active-tx",
        V201,
        _new_firmware_while_a_car_charges,
        _charging,
        variables={"SampledDataCtrlr.TxUpdatedInterval": "0"},
        firmware=True,
    ),
    Story(
        "ocpp201-baseline",
        V201,
        _down_to_two,
        settings={"security_profile": 3},
        variables={"SecurityCtrlr.AllowSecurityProfileDowngrade": "true"},
    ),
    Story("ocpp201-baseline", V201, _idle_but_for_a_card),
    Story("ocpp201-baseline", V201, _free_password),
    Story(
        "ocpp201-baseline",
        V201,
        _card_of_eighty_seconds_ago,
        _known_card,
        variables={"AuthCacheCtrlr.LifeTime": "60"},
    ),
]


NUMBERS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"eventId\": \d+")


def trace(bench: Bench) -> list[str]:
    """What was said; ids that are drawn or counted stand as numbers in the order of their first use."""
    ids: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return ids.setdefault(match[0], f"#{len(ids)}")

    heard = iter(bench.csms.heard)
    said = []
    for line in bench.csms.lines:
        head = ""
        if line.mark == ">":
            one = next(heard)
            head = f"{one.connection} {one.message_id} "
        said.append(
            NUMBERS.sub(number, f"{head}{line.mark} {line.action} {json.dumps(line.payload)}")
        )
    # not messages, but on the same wire: the handshakes
    said.append(repr(bench.logins))
    return said + [repr(evse.screen) for evse in bench.station.snapshot().evses]


async def begin(
    story: Story, make_bench: Callable[..., Bench], folder: Path, **options: Any
) -> Bench:
    """The bench of a story, up to where it matters what is chosen."""
    keys = tuple(KeySetting(name, value) for name, value in story.keys.items())
    variables = tuple(setting(path, value) for path, value in story.variables.items())
    bench = make_bench(
        story.version,
        settings=OcppSettings(keys=keys, variables=variables, **story.settings),
        ports=_servers(story, folder),
        **options,
    )
    await story.before(bench)
    bench.csms.heard.clear()
    bench.csms.lines.clear()
    bench.logins.clear()
    return bench


def _servers(story: Story, folder: Path) -> dict[str, Any] | None:
    if not (story.files or story.firmware):
        return None
    return ports(folder, Servers([IMAGE] if story.firmware else [trouble()]))
