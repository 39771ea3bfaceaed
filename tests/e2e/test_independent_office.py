"""Whole sessions of 1.6 with back offices that share no code with this program.

`ocpp-rpc` validates each message strictly in both directions: what it finds is a fault of ours. `ocpp-csms`
keeps a ledger of transactions. Each is installed once into a folder of its own; without node, or without a
network at the first time, it is skipped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.client import Station
from app.ocpp.shared.jobs.image import build_image
from app.training.certificates import make_authority, sign_request
from tests.e2e.independent.environments import cache_folder, ledger_python, node_modules
from tests.e2e.independent.office import IndependentOffice
from tests.support.coverage_record import RECORDER
from tests.support.maker import Maker

Forecourt = Callable[..., Station]

NAME = "CP-1"
ANNA, BERT = "04A29F1C", "04B1B2B3"
SCRIPT = Path(__file__).parent / "independent" / "ocpp_rpc" / "office.js"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def strict_command(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[str], dict[str, str]]:
    """How ocpp-rpc is started."""
    modules = node_modules(cache_folder(request.config, tmp_path_factory))
    return ["node", str(SCRIPT)], {**os.environ, "NODE_PATH": str(modules)}


@pytest.fixture
def strict(strict_command: tuple[list[str], dict[str, str]]) -> Iterator[IndependentOffice]:
    """A strict back office. The test fails at its end if it found anything."""
    office = IndependentOffice(*strict_command)
    yield office
    office.close()
    RECORDER.conversation(office.frames())
    assert office.faults == []


@pytest.fixture
def start(forecourt: Forecourt, tmp_path: Path) -> Callable[[str], Station]:
    """Starts a station with two connectors, its cars ready at once, for a back office."""
    file = tmp_path / "ready.toml"
    file.write_text("[vehicle]\nready_delay = 0\nsoc = 30\n", "utf-8")
    options = ("--version", "1.6", "--blueprint", "public-ac-2x22", "--config", str(file))
    return lambda url: forecourt("--csms", url, "--id", NAME, *options)


@pytest.fixture
def station(start: Callable[[str], Station], strict: IndependentOffice) -> Station:
    """A station that the strict back office has accepted."""
    started = start(strict.url)
    strict.wait_heard("StatusNotification", lambda one: one["connectorId"] == 2)
    return started


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def profile(ident: int, purpose: str, limit: float, **more: Any) -> dict[str, Any]:
    return {
        "chargingProfileId": ident,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, "numberPhases": 3}],
        },
        **more,
    }


def test_sessions_with_cards_and_by_remote_control(
    strict: IndependentOffice, station: Station
) -> None:
    """16-TX-01, 16-TX-04, 16-TX-05, 16-TX-07, RE-01: boot, charge, stop, remote start and stop, reset."""
    measurands = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
    for key, value in (
        ("MeterValueSampleInterval", "30"),
        ("MeterValuesSampledData", measurands),
        ("StopTxnSampledData", measurands),
        ("ClockAlignedDataInterval", "60"),
    ):
        assert strict.status(NAME, "ChangeConfiguration", key=key, value=value) == "Accepted"
    assert len(strict.call(NAME, "GetConfiguration")["configurationKey"]) > 40
    station.do("station.plug_in", evse=2)
    station.do("station.present_card", id_token=ANNA, evse=2)
    strict.wait_heard("StatusNotification", lambda one: one["status"] == "Charging")
    station.call("clock.jump", seconds=120)
    strict.wait_heard("MeterValues", lambda one: one.get("transactionId") == 1000)
    station.do("station.present_card", id_token=ANNA, evse=2)
    first = strict.wait_heard("StopTransaction")
    assert first["transactionId"] == 1000
    assert first["transactionData"]
    station.do("station.unplug", evse=2)

    mark = strict.mark()
    station.do("station.plug_in", evse=1)
    start = {"idTag": BERT, "connectorId": 1, "chargingProfile": profile(1, "TxProfile", 10.5)}
    assert strict.status(NAME, "RemoteStartTransaction", **start) == "Accepted"
    strict.wait_heard("StartTransaction", lambda one: one["idTag"] == BERT)
    strict.wait_heard("StatusNotification", lambda one: one["status"] == "Charging", after=mark)
    unit = {"connectorId": 1, "duration": 600, "chargingRateUnit": "A"}
    composite = strict.call(NAME, "GetCompositeSchedule", unit)
    assert composite["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 10.5
    assert strict.status(NAME, "RemoteStopTransaction", transactionId=1001) == "Accepted"
    strict.wait_heard("StopTransaction", lambda one: one.get("reason") == "Remote")

    mark = strict.mark()
    assert strict.status(NAME, "Reset", type="Soft") == "Accepted"
    strict.wait_heard("BootNotification", after=mark)
    strict.wait_heard("StatusNotification", lambda one: one["connectorId"] == 2, after=mark)
    station.do("station.present_card", id_token="BLOCKED", evse=2)
    strict.wait_heard("Authorize", after=mark)
    assert len(strict.heard("StartTransaction")) == 2


def test_everything_else_that_the_back_office_may_ask(
    strict: IndependentOffice, station: Station
) -> None:
    """Lists, reservations, profiles, availability, triggers, unlock, data transfer, cache."""
    listed = [
        {"idTag": ANNA, "idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}},
        {"idTag": BERT, "idTagInfo": {"status": "Expired", "expiryDate": in_an_hour()}},
    ]
    update = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": listed}
    assert strict.status(NAME, "SendLocalList", **update) == "Accepted"
    assert strict.call(NAME, "GetLocalListVersion") == {"listVersion": 3}
    reservation = {"expiryDate": in_an_hour(), "idTag": ANNA, "reservationId": 5}
    assert strict.status(NAME, "ReserveNow", connectorId=2, **reservation) == "Accepted"
    strict.wait_heard("StatusNotification", lambda one: one["status"] == "Reserved")
    assert strict.status(NAME, "CancelReservation", reservationId=5) == "Accepted"
    assert strict.status(NAME, "CancelReservation", reservationId=5) == "Rejected"
    for number, what in (
        (0, profile(1, "ChargePointMaxProfile", 30.0) | {"chargingProfileKind": "Absolute"}),
        (1, profile(2, "TxDefaultProfile", 16.1)),
    ):
        ask = {"connectorId": number, "csChargingProfiles": what}
        assert strict.status(NAME, "SetChargingProfile", **ask) == "Accepted"
    for number in (0, 1):
        composite = {"connectorId": number, "duration": 3600}
        assert strict.status(NAME, "GetCompositeSchedule", **composite) == "Accepted"
    assert strict.status(NAME, "ClearChargingProfile", id=2) == "Accepted"
    assert strict.status(NAME, "ClearChargingProfile", id=2) == "Unknown"
    for kind in ("Inoperative", "Operative"):
        change = {"connectorId": 0, "type": kind}
        assert strict.status(NAME, "ChangeAvailability", **change) == "Accepted"
    for message in ("Heartbeat", "StatusNotification", "MeterValues"):
        for action in ("TriggerMessage", "ExtendedTriggerMessage"):
            mark = strict.mark()
            assert strict.status(NAME, action, requestedMessage=message) == "Accepted"
            strict.wait_heard(message, after=mark)
    assert strict.status(NAME, "UnlockConnector", connectorId=2) == "Unlocked"
    assert strict.status(NAME, "UnlockConnector", connectorId=1) == "NotSupported"
    assert strict.status(NAME, "ClearCache") == "Accepted"
    assert strict.status(NAME, "DataTransfer", vendorId="nobody") == "UnknownVendorId"
    station.call("ocpp.call", action="DataTransfer", payload={"vendorId": "Forecourt"})
    assert strict.wait_heard("DataTransfer") == {"vendorId": "Forecourt"}


def test_session_held_offline_is_delivered_afterwards(
    strict: IndependentOffice, station: Station
) -> None:
    """OFF-01, OFF-02, OFF-09: it knows each transaction that is told of, in the right order."""
    assert (
        strict.status(NAME, "ChangeConfiguration", key="AllowOfflineTxForUnknownId", value="true")
        == "Accepted"
    )
    station.do("network.cut")
    station.do("station.plug_in", evse=1)
    station.do("station.present_card", id_token=ANNA, evse=1)
    station.wait({"event": "FlowChanged", "data.after": "charging"}, timeout=15)
    station.call("clock.jump", seconds=300)
    station.do("station.press_stop", evse=1)
    station.wait({"event": "TransactionEnded"}, timeout=15)
    assert strict.heard("StartTransaction") == []
    station.do("network.restore")
    stop = strict.wait_heard("StopTransaction", timeout=30)
    assert stop["transactionId"] == 1000
    samples = [one for one in strict.heard("MeterValues") if one.get("transactionId") == 1000]
    assert len(samples) == 5


class Shelf(BaseHTTPRequestHandler):
    """A file server: hands out one firmware, and takes what is put."""

    image = build_image("2.1.0", bytes(1000))
    taken: ClassVar[list[tuple[str, bytes]]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.image)))
        self.end_headers()
        self.wfile.write(self.image)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.path, body))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Tests need no log of it."""


@pytest.fixture
def shelf() -> Iterator[str]:
    """The URL of a file server."""
    Shelf.taken.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_firmware_logs_and_certificates(
    strict: IndependentOffice, station: Station, shelf: str
) -> None:
    """FW-01, FW-14, DG-01, DG-03, CE-01, CE-03, CE-04, CE-05: over real HTTP, to a new version."""
    name = strict.call(NAME, "GetDiagnostics", {"location": f"{shelf}/up/"})["fileName"]
    strict.wait_heard("DiagnosticsStatusNotification", lambda one: one["status"] == "Uploaded")
    log = {"logType": "SecurityLog", "requestId": 8, "log": {"remoteLocation": f"{shelf}/up/"}}
    assert strict.status(NAME, "GetLog", **log) == "Accepted"
    strict.wait_heard("LogStatusNotification", lambda one: one["status"] == "Uploaded")
    assert Shelf.taken[0][0].endswith(name)
    assert all(body.startswith(b"\x1f\x8b") for _, body in Shelf.taken)

    authority = make_authority("Independent root", now=datetime.now(UTC))
    kind = "CentralSystemRootCertificate"
    root = {"certificateType": kind, "certificate": authority.certificate_pem}
    assert strict.status(NAME, "InstallCertificate", **root) == "Accepted"
    found = strict.call(NAME, "GetInstalledCertificateIds", {"certificateType": kind})
    trigger = {"requestedMessage": "SignChargePointCertificate"}
    assert strict.status(NAME, "ExtendedTriggerMessage", **trigger) == "Accepted"
    csr = strict.wait_heard("SignCertificate")["csr"]
    chain = sign_request(authority, csr, now=datetime.now(UTC)).chain_pem
    assert strict.status(NAME, "CertificateSigned", certificateChain=chain) == "Accepted"
    (data,) = found["certificateHashData"]
    assert strict.status(NAME, "DeleteCertificate", certificateHashData=data) == "Accepted"

    mark = strict.mark()
    update = {"location": f"{shelf}/fw.bin", "retrieveDate": "2026-01-01T00:00:00Z"}
    assert strict.call(NAME, "UpdateFirmware", update) == {}
    told = "FirmwareStatusNotification"
    strict.wait_heard(told, lambda one: one["status"] == "Downloaded", after=mark)
    strict.wait_heard(told, lambda one: one["status"] == "Installing", after=mark)
    station.call("clock.jump", seconds=60)
    boot = strict.wait_heard("BootNotification", after=mark)
    assert boot["firmwareVersion"] == "2.1.0"
    strict.wait_heard(told, lambda one: one["status"] == "Installed", after=mark)


def test_signed_firmware_of_the_manufacturer(
    strict: IndependentOffice, station: Station, shelf: str
) -> None:
    """FW-03, FW-04, FW-08, FW-11, FW-14: refused without the root, and installed with it."""
    maker = Maker()
    signer = maker.signer()
    firmware = {
        "location": f"{shelf}/fw.bin",
        "retrieveDateTime": "2026-01-01T00:00:00Z",
        "signingCertificate": signer.pem,
        "signature": signer.sign(Shelf.image),
    }
    update = {"requestId": 7, "firmware": firmware}
    assert strict.status(NAME, "SignedUpdateFirmware", **update) == "InvalidCertificate"
    root = {"certificateType": "ManufacturerRootCertificate", "certificate": maker.root}
    assert strict.status(NAME, "InstallCertificate", **root) == "Accepted"
    mark = strict.mark()
    assert strict.status(NAME, "SignedUpdateFirmware", **update) == "Accepted"
    told = "SignedFirmwareStatusNotification"
    for status in ("Downloading", "Downloaded", "SignatureVerified", "Installing"):
        strict.wait_heard(told, lambda one, word=status: one["status"] == word, after=mark)  # type: ignore[misc]
    station.call("clock.jump", seconds=60)
    boot = strict.wait_heard("BootNotification", after=mark)
    assert boot["firmwareVersion"] == "2.1.0"
    last = strict.wait_heard(told, lambda one: one["status"] == "Installed", after=mark)
    assert last["requestId"] == 7


@pytest.mark.full
def test_the_books_of_another_agree_with_ours(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    start: Callable[[str], Station],
) -> None:
    """16-TX-01, 16-TX-04, OFF-02: transactions that were held online and offline, to the Wh."""
    python = ledger_python(cache_folder(request.config, tmp_path_factory))
    script = Path(__file__).parent / "independent" / "ledger.py"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    office = IndependentOffice([str(python), str(script)], environment)
    try:
        station = start(office.url)

        def told(number: int, word: str) -> bool | None:
            states = office.events("status")
            return (
                any((one["connector"], one["status"]) == (number, word) for one in states) or None
            )

        def closed(count: int) -> list[dict[str, Any]] | None:
            ended = [one for one in office.events("transaction") if one["stop"] is not None]
            return ended if len(ended) >= count else None

        office.wait("the states", lambda: told(2, "Available"))
        energies, after = [], 0
        for online in (True, False):
            if not online:
                station.do("network.cut")
            station.do("station.plug_in", evse=2)
            station.do("station.present_card", id_token=ANNA, evse=2)
            started = station.wait({"event": "TransactionStarted"}, timeout=15, after=after)
            after = started["seq"]
            station.call("clock.jump", seconds=600)
            station.do("station.press_stop", evse=2)
            ended = station.wait({"event": "TransactionEnded"}, timeout=15, after=after)
            energies.append(ended["data"]["energy"])
            station.do("station.unplug", evse=2)
        station.do("network.restore")
        ledger = office.wait("both transactions", lambda: closed(2), 30.0)
        assert [one["tag"] for one in ledger] == [ANNA, ANNA]
        assert [one["energy"] for one in ledger] == pytest.approx(energies, abs=1.5)
        assert ledger[1]["start"] == ledger[0]["stop"]
        assert office.faults == []
    finally:
        office.close()
