"""Whole sessions with known secrets, and then a search for them in everything a station leaves behind.

A secret may be written in many ways: as it is, in Base64 (as HTTP Basic has it, with the user in front, at
any of three offsets), in hexadecimal digits, percent-encoded, or as JSON writes it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import logging
import stat
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.kernel.catalogue import Catalogue
from app.ocpp.context import BootState, CallFailed
from app.ocpp.version import Version
from app.runtime.control.dispatch import Dispatcher
from app.runtime.control.methods import Methods
from app.runtime.session import STATE_FILE, Parts, Session
from app.runtime.settings import resolve
from app.runtime.store import Store
from app.station.intents import PlugIn, PresentCard, Unplug
from app.trace.export import export_exchanges, export_journal
from tests.fuzz.target import Office

PASSWORD = "Gate-Keeper_7!pässword"
NEW_PASSWORD = "Fresh-Secret-0123456789-new"
NEW_KEY = "A1B2C3D4E5F60718293A4B5C6D7E8F901A2B3C4D"
FTP_PASSWORD = "ftp-Passw0rd-42"
APN_PASSWORD = "apn-Passw0rd-43"
TOKEN = "04A29F1C"
BOTH = pytest.mark.parametrize("version", list(Version), ids=lambda version: version.value)


def forms(secret: bytes) -> Iterator[bytes]:
    """All the ways in which somebody might write a secret."""
    yield secret
    yield binascii.hexlify(secret)
    yield binascii.hexlify(secret).upper()
    yield urllib.parse.quote(secret).encode()
    yield json.dumps(secret.decode("utf-8", "replace")).strip('"').encode()
    for offset in range(3):
        # the letters in the middle are the same, whatever stands before and behind
        text = base64.b64encode(b"\0" * offset + secret)
        yield text[4 if offset else 0 : -4]


def secrets_of(version: Version) -> dict[str, bytes]:
    found = {
        "the Basic Auth password": PASSWORD.encode(),
        "the password in a URL": FTP_PASSWORD.encode(),
    }
    if version is Version.V16:
        found["AuthorizationKey"] = NEW_KEY.encode()
        found["AuthorizationKey, decoded"] = bytes.fromhex(NEW_KEY)
    else:
        found["BasicAuthPassword"] = NEW_PASSWORD.encode()
        found["the APN password"] = APN_PASSWORD.encode()
    return found


def leaks(version: Version, places: dict[str, bytes]) -> list[str]:
    """Where which secret stands."""
    return [
        f"{name} in {place}"
        for name, secret in secrets_of(version).items()
        for form in set(forms(secret))
        for place, content in places.items()
        if form in content
    ]


def test_the_search_finds_a_secret_in_each_of_its_forms() -> None:
    basic = base64.b64encode(f"CS-1:{PASSWORD}".encode())
    places = {
        "plain": f'x"{PASSWORD}"'.encode(),
        "basic": b"Authorization: Basic " + basic,
        "json": json.dumps({"a": PASSWORD}).encode(),
        "hex": PASSWORD.encode().hex().encode(),
        "url": urllib.parse.quote(PASSWORD).encode(),
    }
    found = leaks(Version.V16, places)
    for place in places:
        assert any(leak.endswith(place) for leak in found), place
    assert not leaks(Version.V16, {"nothing": b"nothing here, 04A29F1C"})


async def _day(session: Session, office: Office, version: Version) -> None:
    """Secrets come over the protocol, from people and from the configuration; cars charge meanwhile."""

    async def until(condition: Any) -> None:
        async with asyncio.timeout(15):
            while not condition():
                await asyncio.sleep(0.005)

    def accepted() -> bool:
        return session.snapshot().boot is BootState.ACCEPTED

    number = 0

    async def order(action: str, payload: dict[str, Any]) -> None:
        nonlocal number
        number += 1
        await until(accepted)
        assert office.pipe is not None
        office.pipe.put(json.dumps([2, f"order-{number}", action, payload]))
        await office.pipe.hungry.wait()
        for _ in range(20):
            await asyncio.sleep(0)

    await until(accepted)
    session.intend(PlugIn(1, 1))
    session.intend(PresentCard(TOKEN, evse=1))
    await until(lambda: session.snapshot().sessions)
    url = f"ftp://charger:{FTP_PASSWORD}@127.0.0.1:9/fw.bin"
    if version is Version.V16:
        when = "2026-01-15T08:00:00Z"
        await order("UpdateFirmware", {"location": url, "retrieveDate": when, "retries": 0})
        await order("GetDiagnostics", {"location": url, "retries": 0})
        key = {"key": "AuthorizationKey", "value": NEW_KEY}
        await order("ChangeConfiguration", key)
        await order("ChangeConfiguration", {**key, "extra": NEW_KEY})
        await order("GetConfiguration", {})
    else:
        firmware = {"location": url, "retrieveDateTime": "2026-01-15T08:00:00Z"}
        await order("UpdateFirmware", {"requestId": 1, "retries": 0, "firmware": firmware})
        log = {"remoteLocation": url}
        await order(
            "GetLog", {"requestId": 2, "logType": "DiagnosticsLog", "retries": 0, "log": log}
        )
        apn = {"apn": "net", "apnPassword": APN_PASSWORD, "apnAuthentication": "AUTO"}
        profile = {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": f"wss://me:{FTP_PASSWORD}@127.0.0.1:9/x",
            "messageTimeout": 30,
            "securityProfile": 1,
            "ocppInterface": "Wired0",
            "apn": apn,
        }
        await order("SetNetworkProfile", {"configurationSlot": 2, "connectionData": profile})
        variable = {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }
        data = [{**variable, "attributeValue": NEW_PASSWORD}]
        await order("SetVariables", {"setVariableData": data})
        await order("GetVariables", {"getVariableData": [variable]})
        await order("GetBaseReport", {"requestId": 3, "reportBase": "FullInventory"})
    await until(accepted)
    assert office.pipe is not None
    office.pipe.put(
        f'[2,"broken","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{NEW_KEY}"'
    )
    with contextlib.suppress(CallFailed):  # the link may just be made anew
        await session.call(
            "DataTransfer", {"vendorId": "x", "data": f'{{"password":"{PASSWORD}"}}'}
        )
    session.intend(PresentCard(TOKEN, evse=1))
    await until(lambda: not session.snapshot().sessions)
    session.intend(Unplug(1, 1))
    await session.repower()
    await until(accepted)


async def _answers(session: Session) -> bytes:
    lines: list[str] = []
    methods = Methods(session, lambda *_: None, lambda: None)
    dispatcher = Dispatcher(methods.table(), lines.append)
    for number, (method, params) in enumerate(
        (
            ("station.snapshot", {}),
            ("variables.get", {}),
            ("queue.read", {}),
            ("journal.read", {"first": 1, "limit": 10_000}),
        )
    ):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await dispatcher.receive(json.dumps(request))
    methods.close()
    assert all('"result"' in line for line in lines)
    assert len(lines) == 4
    return "\n".join(lines).encode()


@BOTH
async def test_no_secret_is_left_anywhere(
    version: Version, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue text 9: logs, journal, exports, message table, control API, archive; files are private."""
    caplog.set_level(logging.DEBUG)
    office = Office(version)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[security]\nprofile = 1\npassword = "{PASSWORD}"\n[vehicle]\nready_delay = 0\n'
    )
    flags = {"csms.url": "ws://127.0.0.1:9/o", "csms.id": "CS-1", "csms.version": version.value}
    state = tmp_path / "state"
    session = Session(
        resolve(config, flags=flags).config, state_dir=state, parts=Parts(opener=office.open)
    )
    catalogue = Catalogue.load()
    archive = tmp_path / "station.zip"
    await session.start()
    try:
        await _day(session, office, version)
        places = {"the control API": await _answers(session)}
        export_journal(session.journal, tmp_path / "journal.export")
        export_exchanges(session.exchanges.rows(), tmp_path / "table.export", catalogue)
        await session.export_station(archive)
        places["the snapshot"] = repr(session.snapshot()).encode()
        places["the configuration, printed"] = repr(session.config).encode()
    finally:
        await session.stop()
    store = Store(state / STATE_FILE)
    kept = json.dumps([store.rows(table) for table in store.tables()])
    store.close()
    new = NEW_KEY if version is Version.V16 else NEW_PASSWORD
    assert new in kept, "the station itself has to know it"
    for path in state.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    places["the log"] = caplog.text.encode()
    for file in ("journal.export", "table.export", "state/journal.jsonl"):
        places[file] = (tmp_path / file).read_bytes()
        assert TOKEN.encode() in places[file], f"{file} tells nothing"
    for path in (state / "files").rglob("*") if (state / "files").exists() else ():
        if path.is_file():
            places[path.name] = path.read_bytes()
    with zipfile.ZipFile(archive) as parts:
        for name in parts.namelist():
            places[f"the archive: {name}"] = parts.read(name)
    assert not leaks(version, places), "\n".join(leaks(version, places))
