"""Conversations about firmware, diagnostics, logs and certificates, in the style of certification cases.

Each step of such a job has tests of its own; these tell whole stories together with what else goes on.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.context import Identity
from app.ocpp.shared.certificates.book import CertificateBook
from app.station.intents import OpenDoor, PlugIn, PresentCard, SetVehicle, Unplug
from app.training.certificates import make_authority, sign_request
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.file_bench import IMAGE, UP, URL, Servers, ports, trouble
from tests.support.harness import Bench
from tests.support.maker import Maker

NOW = datetime.fromisoformat("2026-01-15T08:00:00+00:00")
ROOT = "CentralSystemRootCertificate"


async def station(bench16: Make, tmp_path: Path, *answers: Any, **options: Any) -> Bench:
    """Booted, quiet, with file servers that give these answers."""
    servers = Servers(list(answers)) if answers else Servers()
    bench: Bench = bench16(ports=ports(tmp_path, servers), **options)
    bench.csms.boot_interval = 86400  # no Heartbeat in between
    await bench.boot()
    bench.skip()
    return bench


async def ask(bench: Bench, action: str, **payload: Any) -> Any:
    return await bench.request(action, payload)


async def test_firmware_waits_for_the_car_and_the_station_comes_back_new(
    bench16: Make, tmp_path: Path
) -> None:
    """FW-01, FW-02, FW-12, FW-14, RC-05: nobody new is let in, nobody is thrown out."""
    bench = await station(bench16, tmp_path, keys={"MeterValueSampleInterval": "0"})
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2), PresentCard("ANNA", evse=2))
    bench.skip()
    before = len(bench.sent("StatusNotification"))
    await ask(bench, "UpdateFirmware", location=URL, retrieveDate=stamp(bench.now))
    await bench.advance(60)
    bench.expect(
        """
        < UpdateFirmware
        = UpdateFirmware
        > FirmwareStatusNotification status=Downloading
        ...  # a thread looks at the file: when it is quick, the connector is told of before
        > FirmwareStatusNotification status=Downloaded
        ...
        """
    )
    states = bench.sent("StatusNotification")[before:]
    assert [(one["connectorId"], one["status"]) for one in states] == [(1, "Unavailable")]
    await ask(bench, "RemoteStartTransaction", idTag="BERT", connectorId=1)
    await ask(bench, "TriggerMessage", requestedMessage="FirmwareStatusNotification")
    bench.expect(
        """
        < RemoteStartTransaction
        = RemoteStartTransaction status=Rejected
        < TriggerMessage
        = TriggerMessage status=Accepted
        > FirmwareStatusNotification status=Downloaded
        """
    )
    await bench.do(PresentCard("ANNA", evse=2), Unplug(2))
    await bench.advance(60)
    bench.expect(
        """
        ...
        > StopTransaction transactionId=1 reason=Local
        ...
        > StatusNotification connectorId=2 status=Unavailable
        ...
        > BootNotification firmwareVersion=2.1.0
        ...
        > FirmwareStatusNotification status=Installed
        ...
        """
    )
    steps = [one["status"] for one in bench.sent("FirmwareStatusNotification")]
    assert steps == ["Downloading", "Downloaded", "Downloaded", "Installing", "Installed"]
    states = {one["connectorId"]: one["status"] for one in bench.sent("StatusNotification")}
    assert states == {0: "Available", 1: "Available", 2: "Available"}


async def test_firmware_that_cannot_be_had_leaves_the_station_as_it_was(
    bench16: Make, tmp_path: Path
) -> None:
    """FW-01, FW-07: two tries, then DownloadFailed, and cars charge as ever."""
    bench = await station(bench16, tmp_path, trouble())
    await ask(
        bench,
        "UpdateFirmware",
        location=URL,
        retrieveDate=stamp(bench.now),
        retries=1,
        retryInterval=30,
    )
    await bench.advance(40)
    await bench.do(SetVehicle(2, ready_delay=0.0), PlugIn(2), PresentCard("ANNA", evse=2))
    bench.expect(
        """
        < UpdateFirmware
        = UpdateFirmware
        > FirmwareStatusNotification status=Downloading
        > FirmwareStatusNotification status=Downloading
        > FirmwareStatusNotification status=DownloadFailed
        > StatusNotification connectorId=2 status=Preparing
        > Authorize
        > StartTransaction
        > StatusNotification connectorId=2 status=Charging
        """
    )
    assert bench.reboots == []


async def test_diagnostics_twice_and_a_trigger_in_between(bench16: Make, tmp_path: Path) -> None:
    """DG-01, DG-02, RC-05."""
    bench = await station(bench16, tmp_path, trouble(), IMAGE)
    await ask(bench, "GetDiagnostics", location=UP, retries=0)
    await bench.advance(5)
    await ask(bench, "TriggerMessage", requestedMessage="DiagnosticsStatusNotification")
    await ask(bench, "GetDiagnostics", location=UP)
    await bench.advance(5)
    bench.expect(
        """
        < GetDiagnostics
        = GetDiagnostics fileName
        > DiagnosticsStatusNotification status=Uploading
        > DiagnosticsStatusNotification status=UploadFailed
        < TriggerMessage
        = TriggerMessage status=Accepted
        > DiagnosticsStatusNotification status=Idle
        < GetDiagnostics
        = GetDiagnostics fileName
        > DiagnosticsStatusNotification status=Uploading
        > DiagnosticsStatusNotification status=Uploaded
        """
    )


@pytest.mark.parametrize("kind", ["DiagnosticsLog", "SecurityLog"])
async def test_log_is_asked_for_delivered_and_told_of(
    bench16: Make, tmp_path: Path, kind: str
) -> None:
    """DG-03, DG-04, RC-05: with its request id, and Idle afterwards without."""
    bench = await station(bench16, tmp_path)
    await ask(bench, "GetLog", logType=kind, requestId=4, log={"remoteLocation": UP})
    await ask(bench, "ExtendedTriggerMessage", requestedMessage="LogStatusNotification")
    bench.expect(
        """
        < GetLog
        = GetLog status=Accepted filename
        > LogStatusNotification status=Uploading requestId=4
        > LogStatusNotification status=Uploaded requestId=4
        < ExtendedTriggerMessage
        = ExtendedTriggerMessage status=Accepted
        > LogStatusNotification status=Idle !requestId
        """
    )


async def test_signed_firmware_from_the_request_to_the_new_version(
    bench16: Make, tmp_path: Path
) -> None:
    """FW-03, FW-09, FW-11, FW-14: verified before it is installed; told with its request id."""
    maker = Maker()
    signer = maker.signer()
    bench = await station(bench16, tmp_path)
    book = CertificateBook(bench.store, lambda: bench.now)
    book.install_root("Manufacturer", maker.root)
    firmware = {
        "location": URL,
        "retrieveDateTime": stamp(bench.now),
        "signingCertificate": signer.pem,
        "signature": signer.sign(IMAGE),
    }
    await ask(bench, "SignedUpdateFirmware", requestId=9, firmware=firmware)
    await bench.advance(60)
    bench.expect(
        """
        < SignedUpdateFirmware
        = SignedUpdateFirmware status=Accepted
        > SignedFirmwareStatusNotification status=Downloading requestId=9
        > SignedFirmwareStatusNotification status=Downloaded requestId=9
        ...  # a thread checks the signature: when it is quick, a connector is told of before
        > SignedFirmwareStatusNotification status=SignatureVerified requestId=9
        ...
        > SignedFirmwareStatusNotification status=Installing requestId=9
        ...
        > BootNotification firmwareVersion=2.1.0
        ...
        > SignedFirmwareStatusNotification status=Installed requestId=9
        ...
        """
    )
    told = [one["type"] for one in bench.sent("SecurityEventNotification")]
    assert "FirmwareUpdated" in told


async def test_root_is_installed_a_certificate_asked_for_and_the_root_removed(
    bench16: Make, tmp_path: Path
) -> None:
    """CE-01, CE-03, CE-04, CE-05: from an empty store to an own certificate, and back."""
    root = make_authority("CPO root", now=NOW)
    identity = Identity(serial_number="FC-0001")
    bench = await station(bench16, tmp_path, settings={"identity": identity})
    await ask(bench, "GetInstalledCertificateIds", certificateType=ROOT)
    await ask(bench, "InstallCertificate", certificateType=ROOT, certificate=root.certificate_pem)
    found = await ask(bench, "GetInstalledCertificateIds", certificateType=ROOT)
    await ask(bench, "ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    csr = bench.sent("SignCertificate")[-1]["csr"]
    chain = sign_request(root, csr, now=NOW).chain_pem
    await ask(bench, "CertificateSigned", certificateChain=chain)
    (data,) = found["certificateHashData"]
    await ask(bench, "DeleteCertificate", certificateHashData=data)
    await ask(bench, "DeleteCertificate", certificateHashData=data)
    bench.expect(
        """
        < GetInstalledCertificateIds
        = GetInstalledCertificateIds status=NotFound !certificateHashData
        < InstallCertificate
        = InstallCertificate status=Accepted
        < GetInstalledCertificateIds
        = GetInstalledCertificateIds status=Accepted certificateHashData.0.serialNumber
        < ExtendedTriggerMessage
        = ExtendedTriggerMessage status=Accepted
        > SignCertificate csr~BEGIN
        < CertificateSigned
        = CertificateSigned status=Accepted
        < DeleteCertificate
        = DeleteCertificate status=Accepted
        < DeleteCertificate
        = DeleteCertificate status=NotFound
        """
    )


async def test_somebody_opens_the_housing_while_the_link_is_down(
    bench16: Make, tmp_path: Path
) -> None:
    """CE-10, OFF-02: a critical event waits for the link and comes with the time it happened."""
    bench = await station(bench16, tmp_path)
    await bench.offline()
    await bench.do(OpenDoor())
    await bench.advance(600)
    await bench.online()
    assert bench.saw(
        "> SecurityEventNotification type=TamperDetectionActivated timestamp=2026-01-15T08:00:00Z"
    )
