"""Certificates and security events by the control API, with a training CSMS that signs. Both versions."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.runtime.control.errors import Code
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.training.certificates import Flaw, make_authority, make_server
from app.training.lab_tls import server_context, write
from app.training.settings import CsmsSettings
from tests.app.control.test_methods import Channel
from tests.support.csms import CsmsProbe, running_csms

ROOT = {"1.6": "CentralSystemRootCertificate", "2.0.1": "CSMSRootCertificate"}
ACCEPTED = {"event": "BootStateChanged", "data.state": "accepted"}


class Site:
    """A station in a state folder of its own, and a control channel to it."""

    def __init__(self, csms: CsmsProbe, version: str, folder: Path, **flags: Any) -> None:
        self.csms = csms
        url = csms.url.replace("127.0.0.1", "localhost")
        settings = {"csms.url": url, "csms.id": "CS-1", "csms.version": version}
        named = {key.replace("__", "."): value for key, value in flags.items()}
        self.session = Session(resolve(flags=settings | named).config, state_dir=folder)
        self.channel = Channel(self.session)

    async def __aenter__(self) -> Site:
        await self.session.start()
        await self.channel.get("journal.wait", filter=ACCEPTED, timeout=10, after=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.channel.methods.close()
        await self.channel.dispatcher.close()
        await self.session.stop()

    async def ask(self, method: str, **params: Any) -> Any:
        return await self.channel.get(method, **params)

    async def wait(self, event: str, **more: Any) -> None:
        wanted = {"event": event} | {f"data.{key}": value for key, value in more.items()}
        await self.channel.get("journal.wait", filter=wanted, timeout=10, after=0)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_log_login_and_certificates_by_control(version: str, tmp_path: Path) -> None:
    root = make_authority("CSO root")
    async with (
        running_csms(CsmsSettings(authority=root)) as csms,
        Site(csms, version, tmp_path) as site,
    ):
        await site.ask("security.maintenance_login", user="anna", accepted=False)
        entries = (await site.ask("security.log"))["entries"]
        assert entries[-1]["type"] == "MaintenanceLoginFailed"
        assert "anna" in entries[-1]["tech_info"]
        assert (await site.ask("security.clear_log"))["cleared"] == len(entries)
        late = await site.ask("security.log", since="2999-01-01T00:00:00")
        assert late == {"entries": []}
        edge = "0001-01-01T00:00:00"  # local time, of which UTC may be out of the calendar
        assert await site.channel.fail("security.log", since=edge) is Code.INVALID_PARAMS
        kind = {"certificateType": ROOT[version], "certificate": root.certificate_pem}
        answer = await csms.call("CS-1", "InstallCertificate", kind)
        assert answer.payload == {"status": "Accepted"}
        assert await site.ask("certificates.request") == {"accepted": True}
        await site.wait("CertificatesChanged", how="signed")
        found = await site.ask("certificates.list")
        assert [(one["own"], one["state"]) for one in found["certificates"]] == [
            (False, "trusted"),
            (True, "new"),
        ]
        assert found["requests"] == []
        assert "PRIVATE" not in json.dumps(found)
        wrong = await site.channel.fail("certificates.request", purpose="Nothing")
        assert wrong is Code.INVALID_PARAMS


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_events_by_hand_and_what_only_cars_ask_for(version: str, tmp_path: Path) -> None:
    async with running_csms() as csms, Site(csms, version, tmp_path) as site:
        await site.ask("security.raise", type="TamperDetectionActivated", info="by hand")
        await csms.wait_for(
            "SecurityEventNotification", where=lambda p: p.get("techInfo") == "by hand"
        )
        nothing = await site.channel.fail("security.raise", type="")
        assert nothing is Code.INVALID_PARAMS
        assert await site.ask("certificates.ask_status") == {"accepted": False}
        asked = await site.ask("certificates.request_contract", update=True)
        assert asked == {"accepted": version == "2.0.1"}
        if version == "2.0.1":
            await site.wait("EvCertificateAnswered", action="Update", status="Failed")
            too_long = await site.channel.fail("certificates.request_contract", exi="A" * 5601)
            assert too_long is Code.INVALID_PARAMS


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_signed_certificate_opens_a_link_of_profile_3(version: str, tmp_path: Path) -> None:
    """CE-05, CE-07: asked for over wss with a password, and used for mutual TLS at the next link."""
    root = make_authority("CSO root")
    ca, _ = write(tmp_path, "root", root)
    pair = make_server(root, "localhost")
    state = tmp_path / "state"
    first = CsmsSettings(authority=root, password="0123456789abcdef", tls=server_context(pair))
    async with running_csms(first) as csms:
        flags = {"security__profile": 2, "security__password": "0123456789abcdef"}
        async with Site(csms, version, state, security__ca=str(ca), **flags) as site:
            assert await site.ask("certificates.request") == {"accepted": True}
            await site.wait("CertificatesChanged", how="signed")
    second = replace(first, password=None, tls=server_context(pair, clients=[root]))
    async with running_csms(second) as csms:
        flags = {"security__profile": 3}
        async with Site(csms, version, state, security__ca=str(ca), **flags) as site:
            (own,) = (await site.ask("certificates.list"))["certificates"]
            assert own["state"] == "in_use"
            log = [entry["type"] for entry in (await site.ask("security.log"))["entries"]]
            assert "InvalidChargingStationCertificate" not in log


@pytest.mark.parametrize("flaw", [Flaw.EXPIRED, Flaw.WRONG_NAME])
async def test_bad_certificate_of_the_CSMS_is_a_security_event(flaw: Flaw, tmp_path: Path) -> None:
    """A00.FR.309 and .310, over real TLS: no link, one event however often it is tried."""
    root = make_authority("CSO root")
    ca, _ = write(tmp_path, "root", root)
    bad = server_context(make_server(root, "localhost", flaw=flaw))
    async with running_csms(CsmsSettings(tls=bad)) as csms:
        site = Site(csms, "2.0.1", tmp_path / "state", security__ca=str(ca))
        await site.session.start()
        try:
            await site.wait("SecurityEventRaised", type="InvalidCsmsCertificate")
            site.session.retry_now()
            await site.channel.get("journal.wait", filter={"event": "LinkFailed"}, timeout=10)
            log = [entry["type"] for entry in (await site.ask("security.log"))["entries"]]
            assert log.count("InvalidCsmsCertificate") == 1
            assert log.count("CsmsFailedToAuthenticate") == 1
            waiting = (await site.ask("queue.read"))["messages"]
            assert [row["action"] for row in waiting] == ["SecurityEventNotification"] * 2
        finally:
            site.channel.methods.close()
            await site.channel.dispatcher.close()
            await site.session.stop()


async def test_no_private_key_is_in_any_readable_file(tmp_path: Path) -> None:
    """A02.FR.05: only in the state file, which is 0600; not in the journal."""
    root = make_authority("CSO root")
    state = tmp_path / "state"
    async with (
        running_csms(CsmsSettings(authority=root)) as csms,
        Site(csms, "2.0.1", state) as site,
    ):
        kind = {"certificateType": ROOT["2.0.1"], "certificate": root.certificate_pem}
        await csms.call("CS-1", "InstallCertificate", kind)
        await site.ask("certificates.request")
        await site.wait("CertificatesChanged", how="signed")
        ((_, row),) = site.session.store.rows("keys")
        needle = row["pem"].split("-----")[2].replace("\n", "")[30:60].encode()
    holding = []
    for path in sorted(state.rglob("*")):
        if not path.is_file():
            continue
        text = await asyncio.to_thread(path.read_bytes)
        if needle in text.replace(b"\\n", b"").replace(b"\n", b""):
            holding.append(path.name)
            assert path.stat().st_mode & 0o077 == 0
    assert holding == ["state.sqlite3"]
