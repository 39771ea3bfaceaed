"""Each security event of both lists by its real cause, over real sockets; the log that GetLog sends has them.

Those of TLS are in `test_refusals.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.kernel.units import stamp
from app.ocpp.events import CertificatesChanged, LinkFailed, SecurityEventRaised
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.v16.security import LIST as LIST_16
from app.ocpp.v16.security import TRIGGERED
from app.ocpp.v201.security import LIST as LIST_201
from app.runtime.security_view import CertificateState, security_of
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.runtime.views import LinkState
from app.station.intents import OpenDoor
from app.training.certificates import (
    Flaw,
    make_authority,
    make_server,
    make_station,
)
from app.training.lab_tls import server_context, write
from app.training.owners import OPERATOR
from app.training.rules import Effect, Rule
from app.training.settings import CsmsSettings
from tests.app.runtime.office import Hears
from tests.app.runtime.test_refusals import REFUSALS, SPELLED_16
from tests.support.csms import CsmsProbe, running_csms

BY_TLS = {
    spelled
    for refusal in REFUSALS.values()
    for event in refusal.events
    for spelled in (event, SPELLED_16.get(event, event))
} - {"FailedToAuthenticateAtCsms", "FailedToAuthenticationAtCentralSystem"}
"""What the table of refusals raises by TLS, in either spelling; the two left out come by a password here."""
BY_RENEWAL = {"DiscardedRenewedClientCertificate"}
"""Raised by a story of its own."""


class Site:
    """A station, its back office, and what was raised."""

    def __init__(self, csms: CsmsProbe, session: Session) -> None:
        self.csms, self.session = csms, session
        self.hears = Hears(session.bus)

    async def call(self, action: str, payload: dict[str, Any] | None = None) -> Any:
        outcome = await self.csms.call("CS-1", action, payload or {})
        return outcome.payload

    async def raised(self, kind: str) -> None:
        await self.hears.next(SecurityEventRaised, lambda event: event.type == kind)

    def has_raised(self, kind: str) -> bool:
        return any(event.type == kind for event in self.hears.all(SecurityEventRaised))

    async def tries_until(self, done: Callable[[], bool]) -> None:
        """Attempts to connect follow each other without their waits."""
        async with asyncio.timeout(10):
            while not done():
                self.session.retry_now()
                await asyncio.sleep(0.01)

    async def told(self, kind: str) -> None:
        await self.csms.wait_for("SecurityEventNotification", where=lambda p: p["type"] == kind)

    async def example(self, action: str, **changes: Any) -> Any:
        payload = self.csms.csms.example("CS-1", action)
        for name, value in changes.items():
            payload[name] = value
        return await self.call(action, payload)


@contextlib.asynccontextmanager
async def site(
    version: str, folder: Path, settings: CsmsSettings | None = None, **more: Any
) -> AsyncIterator[Site]:
    settings = settings or CsmsSettings(authority=make_authority("CSO root"))
    async with running_csms(settings) as csms:
        url = csms.url.replace("127.0.0.1", "localhost")
        flags = {"csms.url": url, "csms.id": "CS-1", "csms.version": version, **more}
        session = Session(resolve(flags=flags).config, state_dir=folder)
        session.files.faults.install_seconds = 0.05
        there = Site(csms, session)
        await session.start()
        try:
            await csms.wait_for("StatusNotification")
            yield there
        finally:
            await session.stop()


async def by_hand(there: Site) -> None:
    """The tamper switch, the maintenance panel, and a restart."""
    there.session.intend(OpenDoor())
    await there.raised("TamperDetectionActivated")
    desk = there.session.personality and there.session.personality.desk
    assert desk is not None
    for accepted in (True, False):
        desk.maintenance_login("anna", "panel", accepted=accepted)
    await there.told("TamperDetectionActivated")


async def by_the_clock(there: Site) -> None:
    later = {"currentTime": stamp(datetime.now(UTC) + timedelta(hours=1))}
    there.csms.rules.add(Rule("Heartbeat", Effect.ANSWER, payload=later))
    await there.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await there.raised("SettingSystemTime")


async def by_messages(there: Site) -> None:
    """What is no OCPP, and what comes twice."""
    await there.csms.send_raw("CS-1", "{")
    for _ in range(2):
        await there.csms.send_raw("CS-1", '[2,"again","ClearCache",{}]')
    await there.raised("InvalidMessages")
    await there.raised("AttemptedReplayAttacks")


async def by_the_disk(there: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at with each start."""
    full = SimpleNamespace(total=10**13, used=10**13, free=10**6)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: full)
        reset = {"1.6": {"type": "Hard"}, "2.0.1": {"type": "Immediate"}}
        version = there.session.snapshot().version
        assert version is not None
        await there.call("Reset", reset[version.value])
        await there.raised("ResetOrReboot")
        await there.raised("MemoryExhaustion")
    await there.told("MemoryExhaustion")


async def by_certificates(there: Site, root: str, trigger: tuple[str, str]) -> None:
    """One for another station is not taken."""
    assert there.csms.settings.authority is not None
    pem = there.csms.settings.authority.certificate_pem
    installed = await there.call(
        "InstallCertificate", {"certificateType": root, "certificate": pem}
    )
    assert installed == {"status": "Accepted"}
    there.csms.settings.flaw = Flaw.WRONG_NAME
    await there.call(trigger[0], {"requestedMessage": trigger[1]})


async def by_firmware(there: Site, action: str) -> None:
    """Of a stranger, with a bad signature, and good."""
    now = stamp(datetime.now(UTC))
    payload = there.csms.csms.example("CS-1", action)
    signed = there.csms.csms.files.signed()
    payload["firmware"] |= {
        "retrieveDateTime": now,
        "signingCertificate": signed.certificate,
        "signature": signed.signature,
    }
    assert (await there.call(action, payload))["status"] == "InvalidCertificate"
    await there.raised("InvalidFirmwareSigningCertificate")
    assert await there.example("InstallCertificate") == {"status": "Accepted"}
    there.session.files.faults.firmware.choose(FirmwareFault.SIGNATURE)
    assert await there.call(action, payload) == {"status": "Accepted"}
    await there.raised("InvalidFirmwareSignature")
    if action == "UpdateFirmware":
        assert await there.call(action, payload) == {"status": "Accepted"}
    else:
        await there.example("UpdateFirmware", retrieveDate=now)
    await there.raised("FirmwareUpdated")


async def by_the_password(there: Site, kind: str) -> None:
    there.csms.settings.password = "another one of sixteen"
    await there.csms.csms.disconnect("CS-1")
    await there.tries_until(lambda: there.has_raised(kind))
    there.csms.settings.password = None
    await there.tries_until(lambda: there.session.snapshot().link.state is LinkState.ONLINE)


async def log_sent(there: Site) -> list[dict[str, Any]]:
    """The security log as it comes to a server."""
    number = len(there.csms.snapshot().uploads)
    request = {
        "logType": "SecurityLog",
        "requestId": number,
        "log": {"remoteLocation": there.csms.csms.files.upload_url("CS-1")},
    }
    assert (await there.call("GetLog", request))["status"] == "Accepted"
    uploaded = {"status": "Uploaded", "requestId": number}
    await there.csms.wait_for("LogStatusNotification", where=lambda p: p == uploaded)
    data = there.csms.csms.files.read(there.csms.snapshot().uploads[-1])
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        file = archive.extractfile("security.jsonl")
        assert file is not None
        return [json.loads(line) for line in file.read().splitlines()]


async def logged_and_pushed(there: Site, critical: set[str]) -> set[str]:
    """What was raised: all of it is in the log that is sent, and only the critical ones were told."""
    types = {event.type for event in there.hears.all(SecurityEventRaised)}
    assert {entry["type"] for entry in await log_sent(there)} == types
    for kind in types & critical:
        await there.told(kind)
    told = {one.payload["type"] for one in there.csms.received("SecurityEventNotification")}
    assert told <= critical
    desk = there.session.personality and there.session.personality.desk
    assert desk is not None
    desk.clear_log()
    await there.told("SecurityLogWasCleared")
    assert [entry["type"] for entry in await log_sent(there)] == ["SecurityLogWasCleared"]
    return types | {"SecurityLogWasCleared"}


@contextlib.asynccontextmanager
async def site_of_profile_3(version: str, folder: Path) -> AsyncIterator[Site]:
    """The station shows what the factory gave it; what the back office signs for it is revoked at once."""
    root = make_authority("CSO root")
    context = server_context(make_server(root, "localhost"), clients=[root])
    settings = CsmsSettings(authority=root, tls=context, flaw=Flaw.REVOKED)
    ca, _ = write(folder, "root", root)
    certificate, key = write(folder, "factory", make_station(root, "CS-1", OPERATOR))
    flags = {"security.profile": 3, "security.ca": ca}
    flags |= {"security.certificate": certificate, "security.key": key}
    async with site(version, folder / "state", settings, **flags) as there:
        yield there


TRIGGERS = {
    "1.6": ("ExtendedTriggerMessage", "SignChargePointCertificate"),
    "2.0.1": ("TriggerMessage", "SignChargingStationCertificate"),
}


@pytest.mark.parametrize("version", TRIGGERS)
async def test_A02_FR_28_29_a_renewed_certificate_that_is_turned_down_is_given_up_and_told(
    version: str, tmp_path: Path
) -> None:
    """Over real TLS: renewed, revoked, refused for a round, and back with the old one. 1.6 has no event."""
    async with site_of_profile_3(version, tmp_path) as there:
        action, wanted = TRIGGERS[version]
        book = CertificateBook(there.session.store)
        assert await there.call(action, {"requestedMessage": wanted}) == {"status": "Accepted"}
        await there.hears.next(CertificatesChanged, lambda event: event.how == "signed")
        (renewed,) = book.chains()
        await there.hears.next(LinkFailed)
        await there.tries_until(lambda: there.session.snapshot().link.state is LinkState.ONLINE)
        if version == "1.6":
            assert [(one.id, one.turned_down) for one in book.chains()] == [(renewed.id, True)]
            shown = {row.key: row.state for row in security_of(there.session).certificates}
            assert shown[renewed.id] is CertificateState.TURNED_DOWN
            desk = there.session.personality and there.session.personality.desk
            assert desk is not None
            assert [one.state for one in desk.certificates() if one.own] == ["turned_down"]
            return
        await there.raised("DiscardedRenewedClientCertificate")
        await there.told("DiscardedRenewedClientCertificate")
        assert [entry["type"] for entry in await log_sent(there)][-1] in BY_RENEWAL
        assert book.chains() == []


async def test_CE_10_16_each_event_of_the_list_has_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site("1.6", tmp_path) as there:
        await by_hand(there)
        await by_the_disk(there, monkeypatch)
        await by_messages(there)
        await there.call("ChangeConfiguration", {"key": "CpoName", "value": "Operator"})
        await there.raised("ReconfigurationOfSecurityParameters")
        await by_certificates(
            there,
            "CentralSystemRootCertificate",
            ("ExtendedTriggerMessage", "SignChargePointCertificate"),
        )
        await there.raised("InvalidChargePointCertificate")
        await by_firmware(there, "SignedUpdateFirmware")
        await by_the_clock(there)
        await by_the_password(there, "FailedToAuthenticationAtCentralSystem")
        critical = {kind for kind, pushed in LIST_16.items() if pushed} | TRIGGERED
        found = await logged_and_pushed(there, critical)
        # 1.6 has no word for maintenance: its own type goes into the log
        assert found - {"MaintenanceLoginAccepted", "MaintenanceLoginFailed"} == (
            set(LIST_16) - BY_TLS
        )


async def test_CE_10_201_each_event_of_the_list_has_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site("2.0.1", tmp_path) as there:
        await by_hand(there)
        await by_the_disk(there, monkeypatch)
        await by_messages(there)
        await by_certificates(
            there, "CSMSRootCertificate", ("TriggerMessage", "SignChargingStationCertificate")
        )
        await there.raised("ReconfigurationOfSecurityParameters")
        await there.raised("InvalidChargingStationCertificate")
        await by_firmware(there, "UpdateFirmware")
        await by_the_clock(there)
        await by_the_password(there, "FailedToAuthenticateAtCsms")
        critical = {kind for kind, pushed in LIST_201.items() if pushed}
        found = await logged_and_pushed(there, critical)
        assert found == set(LIST_201) - BY_TLS - BY_RENEWAL
