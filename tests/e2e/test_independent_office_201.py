"""OCPP 2.0.1, wrong frames, and the security profiles of both versions with a back office that is not ours.

`ocpp-rpc` validates each message strictly in both directions, on the TLS of Node.js: what it finds is a
fault of ours. Without node, or without a network at the first time, it is skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.client import Station, StationError
from app.training.certificates import make_authority, make_server, make_station, sign_request
from tests.e2e.independent.environments import cache_folder, node_modules
from tests.e2e.independent.office import IndependentOffice, Refusal

Forecourt = Callable[..., Station]
Open = Callable[..., IndependentOffice]

NAME, ANNA, BERT = "CP-1", "04A29F1C", "04B1B2B3"
PASSWORD = "a password of 25 letters"
SCRIPT = Path(__file__).parent / "independent" / "ocpp_rpc" / "office.js"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def open_office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Open]:
    """Opens strict back offices with settings."""
    modules = node_modules(cache_folder(request.config, tmp_path_factory))
    opened: list[IndependentOffice] = []

    def run(**settings: Any) -> IndependentOffice:
        command = ["node", str(SCRIPT), json.dumps(settings)]
        environment = {**os.environ, "NODE_PATH": str(modules)}
        scheme = "wss" if "tls" in settings else "ws"
        opened.append(IndependentOffice(command, environment, scheme=scheme))
        return opened[-1]

    yield run
    for office in opened:
        office.close()


@pytest.fixture
def strict(open_office: Open) -> Iterator[IndependentOffice]:
    """A back office of 2.0.1. The test fails at its end if it found anything."""
    office = open_office(protocol="ocpp2.0.1")
    yield office
    assert office.faults == []


@pytest.fixture
def start(forecourt: Forecourt, tmp_path: Path) -> Callable[..., Station]:
    """Starts a station with cars that are ready at once."""
    file = tmp_path / "ready.toml"
    file.write_text("[vehicle]\nready_delay = 0\nsoc = 30\n", "utf-8")
    return lambda *more: forecourt("--id", NAME, "--config", str(file), *more)


@pytest.fixture
def station(start: Callable[..., Station], strict: IndependentOffice) -> Station:
    started = start("--csms", strict.url, "--version", "2.0.1")
    strict.wait_heard("StatusNotification", lambda one: one["evseId"] == 2)
    return started


def variable(component: str, name: str, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": name}, **more}


def set_variable(office: IndependentOffice, component: str, name: str, value: str) -> str:
    entry = variable(component, name, attributeValue=value)
    answer = office.call(NAME, "SetVariables", {"setVariableData": [entry]})
    return str(answer["setVariableResult"][0]["attributeStatus"])


def test_201_sessions_with_cards_and_by_remote_control(
    strict: IndependentOffice, station: Station
) -> None:
    """201-TX-01, -02, -13, -14, -16, -17, RE-03: the office counts each seqNo."""
    assert set_variable(strict, "SampledDataCtrlr", "TxUpdatedInterval", "30") == "Accepted"
    assert set_variable(strict, "AlignedDataCtrlr", "Interval", "60") == "Accepted"
    station.do("station.plug_in", evse=2)
    station.do("station.present_card", id_token=ANNA, evse=2)
    strict.wait_heard(
        "TransactionEvent", lambda one: one["transactionInfo"].get("chargingState") == "Charging"
    )
    station.call("clock.jump", seconds=120)
    strict.wait_heard("TransactionEvent", lambda one: one["triggerReason"] == "MeterValuePeriodic")
    station.do("station.present_card", id_token=ANNA, evse=2)
    ended = strict.wait_heard("TransactionEvent", lambda one: one["eventType"] == "Ended")
    assert ended["triggerReason"] == "StopAuthorized"
    station.do("station.unplug", evse=2)

    mark = strict.mark()
    token = {"idToken": BERT, "type": "Central"}
    asked = {"evseId": 1, "remoteStartId": 7, "idToken": token}
    assert strict.status(NAME, "RequestStartTransaction", **asked) == "Accepted"
    station.do("station.plug_in", evse=1)
    begun = strict.wait_heard(
        "TransactionEvent",
        lambda one: one["transactionInfo"].get("remoteStartId") == 7,
        after=mark,
    )
    ident = begun["transactionInfo"]["transactionId"]
    told = strict.call(NAME, "GetTransactionStatus", {"transactionId": ident})
    assert told["ongoingIndicator"] is True
    assert strict.status(NAME, "RequestStopTransaction", transactionId=ident) == "Accepted"
    strict.wait_heard(
        "TransactionEvent", lambda one: one["triggerReason"] == "RemoteStop", after=mark
    )

    mark = strict.mark()
    assert strict.status(NAME, "Reset", type="Immediate") == "Accepted"
    boot = strict.wait_heard("BootNotification", after=mark)
    assert boot["reason"] == "RemoteReset"
    strict.wait_heard("StatusNotification", lambda one: one["evseId"] == 2, after=mark)
    station.do("station.present_card", id_token="BLOCKED", evse=2)
    strict.wait_heard("Authorize", after=mark)


def test_201_everything_else_that_the_back_office_may_ask(
    strict: IndependentOffice, station: Station
) -> None:
    for base in ("ConfigurationInventory", "FullInventory", "SummaryInventory"):
        mark = strict.mark()
        report = {"requestId": 1, "reportBase": base}
        status = strict.status(NAME, "GetBaseReport", **report)
        if status == "Accepted":
            strict.wait_heard("NotifyReport", lambda one: not one.get("tbc"), after=mark)
    entry = variable("OCPPCommCtrlr", "HeartbeatInterval")
    told = strict.call(NAME, "GetVariables", {"getVariableData": [entry]})
    assert told["getVariableResult"][0]["attributeValue"] == "300"
    for message in ("Heartbeat", "MeterValues", "StatusNotification", "LogStatusNotification"):
        mark, evse = strict.mark(), {"id": 1, "connectorId": 1}
        wanted = {"requestedMessage": message, "evse": evse}
        assert strict.status(NAME, "TriggerMessage", **wanted) == "Accepted"
        strict.wait_heard(message, after=mark)
    place = {"evseId": 2, "connectorId": 1}
    assert strict.status(NAME, "UnlockConnector", **place) == "Unlocked"
    for status in ("Inoperative", "Operative"):
        mark = strict.mark()
        assert strict.status(NAME, "ChangeAvailability", operationalStatus=status) == "Accepted"
        shown = "Unavailable" if status == "Inoperative" else "Available"
        strict.wait_heard(
            "StatusNotification", lambda one, word=shown: one["connectorStatus"] == word, after=mark
        )
    assert strict.status(NAME, "ClearCache") == "Accepted"
    assert strict.status(NAME, "DataTransfer", vendorId="x") == "UnknownVendorId"
    authority = make_authority("Independent root", now=datetime.now(UTC))
    root = {"certificateType": "CSMSRootCertificate", "certificate": authority.certificate_pem}
    assert strict.status(NAME, "InstallCertificate", **root) == "Accepted"
    listed = strict.call(NAME, "GetInstalledCertificateIds")
    (found,) = listed["certificateHashDataChain"]
    wanted = {"requestedMessage": "SignChargingStationCertificate"}
    assert strict.status(NAME, "TriggerMessage", **wanted) == "Accepted"
    csr = strict.wait_heard("SignCertificate")["csr"]
    chain = sign_request(authority, csr, now=datetime.now(UTC)).chain_pem
    assert strict.status(NAME, "CertificateSigned", certificateChain=chain) == "Accepted"
    data = found["certificateHashData"]
    assert strict.status(NAME, "DeleteCertificate", certificateHashData=data) == "Accepted"
    with pytest.raises(Refusal, match=r"NotImplemented|NotSupported"):
        strict.call(NAME, "SetDisplayMessage", {
            "message": {
                "id": 1,
                "priority": "InFront",
                "message": {"format": "UTF8", "content": "Hello"},
            }
        })  # fmt: skip


WRONG = [
    ("no JSON", "-1", "RpcFrameworkError"),
    ("[]", "-1", "RpcFrameworkError"),
    ('[2,"a","ClearCache"]', "a", "ProtocolError"),
    ('[2,"b","Nonsense",{}]', "b", "NotImplemented"),
    ('[2,"c","Reset",{"type":"Soft"}]', "c", "PropertyConstraintViolation"),
    ('[2,"d","Reset",{}]', "d", "OccurrenceConstraintViolation"),
    ('[2,"e","Reset",{"type":5}]', "e", "TypeConstraintViolation"),
    ('[2,"f","Reset",{"type":"Immediate","x":1}]', "f", "FormatViolation"),
    ('[7,"g",{}]', "g", "MessageTypeNotSupported"),
]


def test_201_RPC_06_to_10_a_wrong_frame_gets_its_error_and_ends_nothing(
    open_office: Open, start: Callable[..., Station]
) -> None:
    office = open_office(protocol="ocpp2.0.1")
    start("--csms", office.url, "--version", "2.0.1").wait_accepted()
    for text, ident, code in WRONG:
        mark = office.mark()
        office.raw(NAME, text)

        def refused(ident: str = ident, mark: int = mark) -> list[Any] | None:
            frames = [json.loads(one) for ours, one in office.frames()[mark:] if ours]
            return next((one for one in frames if one[:2] == [4, ident]), None)

        told = office.wait(f"the error about {text}", refused)
        assert (told[2], len(told)) == (code, 5)
        assert office.status(NAME, "ClearCache") == "Accepted"
    assert [one for one in office.events("fault") if one["kind"] == "schema"] == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("profile", [1, 2, 3])
def test_RPC_15_a_session_under_each_security_profile(
    open_office: Open, start: Callable[..., Station], tmp_path: Path, version: str, profile: int
) -> None:
    """RPC-15, RPC-16: with TLS by Node.js; who shows the wrong thing is not let in and told why."""
    now = datetime.now(UTC)
    authority, other = make_authority("Root", now=now), make_authority("Other", now=now)

    def file(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    root, stranger = (
        file("root.pem", authority.certificate_pem),
        file("other.pem", other.certificate_pem),
    )
    settings: dict[str, Any] = {"protocol": f"ocpp{version}"}
    shown, wrong = [], []
    if profile < 3:
        settings["password"] = PASSWORD
        shown += ["--password-file", file("password", PASSWORD)]
        wrong += ["--password-file", file("wrong", PASSWORD.upper())]
    if profile > 1:
        server = make_server(authority, "127.0.0.1", now=now)
        settings["tls"] = {
            "certificate": file("server.pem", server.chain_pem),
            "key": file("server.key", server.key_pem),
        }
        shown += ["--ca", root]
        wrong += ["--ca", root]
    if profile == 3:
        settings["tls"]["clients"] = root
        for name, signer, arguments in (("own", authority, shown), ("wrong", other, wrong)):
            pair = make_station(signer, NAME, "Operator", now=now)
            certificate = file(f"{name}.pem", pair.chain_pem)
            arguments += ["--cert", certificate, "--key", file(f"{name}.key", pair.key_pem)]
    office = open_office(**settings)
    link = ["--csms", office.url, "--version", version, "--security-profile", str(profile)]

    station = start(*link, *shown)
    station.wait_accepted()
    login = office.events("login")[-1]
    assert login["password"] == (PASSWORD if profile < 3 else None)
    assert login["certificate"] == (NAME if profile == 3 else None)
    station.do("station.plug_in", evse=1)
    station.do("station.present_card", id_token=ANNA, evse=1)
    station.wait({"event": "FlowChanged", "data.after": "charging"}, timeout=15)
    station.do("station.press_stop", evse=1)
    office.wait_heard("StopTransaction" if version == "1.6" else "TransactionEvent")
    assert station.close() == 0
    assert office.faults == []

    doubts = [(wrong, "certificate" if profile == 3 else "password")]
    if profile > 1:
        doubts.append(([one.replace(root, stranger) for one in shown], "certificate"))
    for arguments, reason in doubts:
        with pytest.raises(StationError, match="has ended") as ended:
            start(*link, *arguments, "--connect-timeout", "2.5").wait_accepted()
        assert reason in str(ended.value)
        assert PASSWORD.upper() not in str(ended.value)
