"""Every action of a station gets an answer that fits the schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ocpp.v16.enums import Action as Action16
from ocpp.v201.enums import Action as Action201

from app.training import composer
from app.training.office import BackOffice
from app.training.package import Fields
from app.training.settings import CsmsSettings
from app.training.tokens import TokenList
from app.training.v16 import CentralSystem16
from app.training.v201 import Csms201
from tests.app.training.client import V16, V201, bench
from tests.app.training.schemas import smallest, verdict
from tests.support.csms import CsmsProbe


def _from_station(version: str) -> list[str]:
    names = {action.value for action in (Action16 if version == "1.6" else Action201)}
    return sorted(names - set(composer.actions(version)) | {"DataTransfer"})


ALL = [("1.6", one) for one in _from_station("1.6")] + [
    ("2.0.1", one) for one in _from_station("2.0.1")
]


def test_the_actions_of_stations_are_14_and_25() -> None:
    assert len(_from_station("1.6")) == 10 + 4
    assert len(_from_station("2.0.1")) == 25


@pytest.mark.parametrize(("version", "action"), ALL)
async def test_the_smallest_request_gets_a_valid_answer(
    csms: CsmsProbe, version: str, action: str
) -> None:
    request = smallest(version, action)
    assert verdict(version, action, request) == []
    async with bench(csms.url, "CS-1", V16 if version == "1.6" else V201) as station:
        answer = await station.result(action, request)
    assert verdict(version, action, answer, answer=True) == []


@pytest.mark.parametrize(
    ("protocol", "action", "payload", "code"),
    [
        (V16, "BootNotification", {}, "OccurenceConstraintViolation"),
        (V201, "BootNotification", {}, "OccurrenceConstraintViolation"),
        (V16, "Authorize", {"idTag": 5}, "TypeConstraintViolation"),
        (V201, "Authorize", {"idToken": "x"}, "TypeConstraintViolation"),
        (V16, "MeterValues", {"connectorId": True}, "TypeConstraintViolation"),
        (V16, "MeterValues", {"connectorId": 1, "meterValue": [5]}, "TypeConstraintViolation"),
        (V16, "MeterValues", {"connectorId": 1, "meterValue": {}}, "TypeConstraintViolation"),
        (V16, "Reset", {"type": "Soft"}, "NotSupported"),
        (V201, "Reset", {"type": "OnIdle"}, "NotSupported"),
        (V16, "NotifyEvent", {}, "NotImplemented"),
        (V201, "StartTransaction", {}, "NotImplemented"),
        (V16, "Heartbeat", {"self": 1}, None),
    ],
)
async def test_a_wrong_request_gets_the_error_of_its_version(
    csms: CsmsProbe, protocol: str, action: str, payload: Any, code: str | None
) -> None:
    """RPC-06: the spelling of the codes differs between the versions."""
    async with bench(csms.url, "CS-1", protocol) as station:
        answer = await station.ask(action, payload)
        assert answer[1] == "bench-1"
        assert (answer[2] if answer[0] == 4 else None) == code
        assert (await station.ask("Heartbeat"))[0] == 3


WRONG = [
    "",
    "hello",
    "{}",
    "[]",
    "null",
    "[2]",
    '[2,"a"]',
    '[2,"a","Heartbeat"]',
    '[2,"a","Heartbeat",[]]',
    '[2,"a","Heartbeat",null]',
    '[2,"a",[],{}]',
    '[2,{},"Heartbeat",{}]',
    '[2,"a","Heartbeat",{},"more"]',
    '[true,"a","Heartbeat",{}]',
    '["2","a","Heartbeat",{}]',
    '[9,"a",{}]',
    "[3]",
    '[3,"nobody-waits",{}]',
    '[4,"nobody-waits"]',
    '[4,null,"GenericError","",{}]',
    "[" * 100_000,
    '[2,"a","DataTransfer",{"a":' + "[" * 900 + "]" * 900 + "}]",
    '[2,"\\ud800","Nonsense\\ud800",{}]',
    '[2,"a","MeterValues",{"connectorId":1' + "0" * 400 + "}]",
    '[2,"a","Authorize",{"idTag":"' + "x" * 50_000 + '"}]',
    (
        '[2,"a","TransactionEvent",{"eventType":"Started","timestamp":"x","triggerReason":"x",'
        '"seqNo":2147483647,"transactionInfo":{"transactionId":"t"}}]'
    ),
]


@pytest.mark.parametrize("protocol", [V16, V201])
@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
async def test_wrong_frames_do_not_stop_the_server(
    csms: CsmsProbe, protocol: str, text: str
) -> None:
    async with bench(csms.url, "CS-1", protocol) as station:
        await station.send(text)
        id_ = await station.tell("Heartbeat")
        while (answer := await station.next())[1] != id_:
            assert answer[0] in {3, 4}
        assert answer[0] == 3
    assert csms.frames("CS-1")[0].text == text
    csms.snapshot()


async def test_wrong_frames_are_answered_where_the_version_has_an_answer(csms: CsmsProbe) -> None:
    """RPC-06 with errata 3: "-1" in 2.0.1 when the id cannot be read, silence in 1.6."""
    async with bench(csms.url, "CS-1", V201) as station:
        await station.send("hello")
        assert (await station.next())[:3] == [4, "-1", "RpcFrameworkError"]
        await station.send('[9,"a",{}]')
        assert (await station.next())[:3] == [4, "a", "MessageTypeNotSupported"]
        await station.send('[2,"a","Heartbeat",[]]')
        assert (await station.next())[:3] == [4, "a", "FormatViolation"]
    async with bench(csms.url, "CS-2", V16) as station:
        await station.send("hello")
        await station.send('[2,"a","Heartbeat",[]]')
        assert (await station.next())[:3] == [4, "a", "FormationViolation"]
    ids = [entry.text.id for entry in csms.snapshot().log if entry.station_id == "CS-2"]
    assert ids.count("training.wrong_frame") == 2


@pytest.mark.parametrize("levels", [600, 980, 1_300, 5_000, 20_000])
async def test_a_frame_that_is_nested_too_deeply_is_a_wrong_frame(
    csms: CsmsProbe, caplog: pytest.LogCaptureFixture, levels: int
) -> None:
    """How deep JSON is read depends on the Python, how deep the `ocpp` package goes down does not."""
    data = '{"a":' * levels + "1" + "}" * levels
    async with bench(csms.url, "CS-1", V201) as station:
        await station.send(f'[2,"a","DataTransfer",{{"vendorId":"V","data":{data}}}]')
        assert (await station.next())[0::2] in (
            [4, "FormatViolation", {}],
            [4, "RpcFrameworkError", {}],
        )
        assert "currentTime" in await station.result("Heartbeat")
    assert not caplog.records, "it is not told as a fault of the program"


async def test_what_is_nested_in_a_frame_comes_through(csms: CsmsProbe) -> None:
    data: Any = 1
    for _ in range(200):
        data = {"a": [data]}
    async with bench(csms.url, "CS-1", V201) as station:
        answer = await station.result("DataTransfer", {"vendorId": "V", "data": data})
        assert answer["status"] == "UnknownVendorId"


async def test_a_binary_frame_is_read_as_text(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await station.send(b'[2,"b","Heartbeat",{}]')
        assert (await station.next())[:2] == [3, "b"]


async def test_a_security_event_is_noted(csms: CsmsProbe) -> None:
    event = {"type": "TamperDetectionActivated", "timestamp": "2026-03-01T12:00:00Z"}
    for id_, protocol in (("CS-1", V16), ("CS-2", V201)):
        async with bench(csms.url, id_, protocol) as station:
            await station.result("SecurityEventNotification", event)
    noted = [one for one in csms.snapshot().log if one.text.id == "training.security_event"]
    assert [one.station_id for one in noted] == ["CS-1", "CS-2"]
    assert noted[0].text.params == {"type": "TamperDetectionActivated"}


async def test_the_progress_of_firmware_and_logs_is_kept(csms: CsmsProbe) -> None:
    async with bench(csms.url, "CS-1", V16) as station:
        await station.result("FirmwareStatusNotification", {"status": "Downloading"})
        await station.result("DiagnosticsStatusNotification", {"status": "Uploading"})
        record = csms.snapshot().station("CS-1")
        assert record is not None
        assert (record.firmware_status, record.log_status) == ("Downloading", "Uploading")


async def test_frames_are_kept_as_they_were(csms: CsmsProbe) -> None:
    text = '[ 2, "x",  "Heartbeat", {} ]'
    async with bench(csms.url, "CS-1", V16) as station:
        await station.send(text)
        answer = await station.next_text()
    kept = csms.frames("CS-1")
    assert [frame.text for frame in kept] == [text, answer]
    assert json.loads(answer)[1] == "x"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just("1e999"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


class _Outlet:
    """Takes what the package says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def send(self, text: str) -> None:
        self.texts.append(text)


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_no_payload_makes_a_handler_fail(data: st.DataObject) -> None:
    """Whatever a station says, the answer is a result or an error that names its fault."""
    version, action = data.draw(st.sampled_from(ALL))
    payload = smallest(version, action)
    if action == "TransactionEvent":
        payload["meterValue"] = [{"timestamp": "x", "sampledValue": [{"value": 1}]}]
        payload["idToken"] = {"idToken": "04A29F1C", "type": "ISO14443"}
    for _ in range(data.draw(st.integers(1, 2))):
        _spoil(payload, data)
    text = json.dumps([2, "i", action, payload])
    office = BackOffice(CsmsSettings(), TokenList.shipped(), lambda: datetime.now(UTC))
    outlet = _Outlet()
    csms = (CentralSystem16 if version == "1.6" else Csms201)("CS-1", outlet, office)
    office.memory.connected("CS-1", version, "")
    csms.fields = Fields(payload, version)
    await csms.route_message(text)
    (answer,) = map(json.loads, outlet.texts)
    assert answer[0] == 3 or answer[2] != "InternalError", (text, answer)
    office.memory.snapshot()


def _spoil(node: Any, data: st.DataObject) -> None:
    """Replace, add or remove something at a random depth."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
            node = node[key]
            continue
        if isinstance(node, dict) and data.draw(st.booleans()):
            del node[key]
        else:
            node[key] = data.draw(_JSON)
        return
