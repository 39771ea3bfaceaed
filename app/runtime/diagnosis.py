"""Tries an address step by step and says at each what was found: name, port, TLS, HTTP, subprotocol, boot.

It makes connections of its own. The last steps open a WebSocket under the station's id, so a server that
allows one link an id may close the station's own for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import InvalidProxy
from websockets.proxy import parse_proxy

from app.kernel.text import Text
from app.ocpp.context import Identity, Payload
from app.ocpp.version import Version
from app.runtime.address import Address, AddressBad, address
from app.runtime.connection import Target, chosen_version, open_request
from app.runtime.dialer import dialer
from app.runtime.tls import TlsFilesBad
from app.runtime.tls_probe import Finding, probe
from app.runtime.wire import OpenFailed, OpenRequest, Wire, WireClosed, open_websocket


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried.

    `name`: url, dns, tcp, tls, chain, date, name, client_certificate, http, subprotocol, boot.
    `ms` is how long it took; `detail` what a person skilled in it wants to know.
    """

    name: str
    ok: bool
    text: Text
    detail: str = ""
    ms: float = 0.0


async def diagnose(target: Target, *, boot: Identity | None = None) -> AsyncIterator[Step]:
    """Try `target` until something fails. `boot`: also send a BootNotification as this station."""
    try:
        where = address(target.url, target.station_id)
        request = open_request(target, where)
    except AddressBad as error:
        yield Step("url", False, error.text)
        return
    except OpenFailed as error:
        yield Step("url", False, error.why)
        return
    async for step in _ground(where, request):
        yield step
        if not step.ok:
            return
    if where.secure:
        good = True
        async for finding, ms in _tls(where, request):
            good = good and finding.ok
            yield Step(finding.name, finding.ok, finding.text, ms=ms)
        if not good:
            return
    async for step in _handshake(request, boot):
        yield step


async def _ground(where: Address, request: OpenRequest) -> AsyncIterator[Step]:
    """The name and the port: of the server, or of the proxy on the way."""
    host, port = where.host, where.port
    if request.proxy is not None:
        try:
            parsed = parse_proxy(request.proxy)
        except InvalidProxy as error:
            params = {"proxy": request.proxy.rsplit("@", 1)[-1], "why": error.msg}
            yield Step("tcp", False, Text("runtime.link.proxy_bad", params))
            return
        host, port = parsed.host, parsed.port
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        text = Text("runtime.link.dns", {"host": host})
        yield Step("dns", False, text, str(error), _since(began))
        return
    places = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    params = {"host": host, "addresses": places}
    yield Step("dns", True, Text("runtime.probe.dns", params), places, _since(began))
    yield await _tcp(host, port, request)


async def _tcp(host: str, port: int, request: OpenRequest) -> Step:
    began = time.perf_counter()
    place: dict[str, Any] = {"host": host, "port": port}
    try:
        async with asyncio.timeout(request.timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        text = Text("runtime.link.tcp_timeout", {**place, "seconds": f"{request.timeout:g}"})
        return Step("tcp", False, text, ms=_since(began))
    except ConnectionRefusedError as error:
        return Step("tcp", False, Text("runtime.link.refused", place), str(error), _since(began))
    except OSError as error:
        text = Text("runtime.link.tcp", {**place, "why": error.strerror or str(error)})
        return Step("tcp", False, text, str(error), _since(began))
    peer = str(writer.get_extra_info("peername"))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    name = "runtime.probe.tcp" if request.proxy is None else "runtime.probe.tcp_proxy"
    return Step("tcp", True, Text(name, place), peer, _since(began))


async def _tls(where: Address, request: OpenRequest) -> AsyncIterator[tuple[Finding, float]]:
    """The findings of the probe as its thread makes them."""
    ready: queue.SimpleQueue[Finding | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            for finding in probe(dialer(request), where.host, request.tls):
                ready.put(finding)
        except TlsFilesBad as error:
            ready.put(Finding("tls", False, error.text))
        finally:
            ready.put(None)

    began = time.perf_counter()
    running = asyncio.create_task(asyncio.to_thread(run))
    while (finding := await asyncio.to_thread(ready.get)) is not None:
        yield finding, _since(began)
        began = time.perf_counter()
    await running


async def _handshake(request: OpenRequest, boot: Identity | None) -> AsyncIterator[Step]:
    began = time.perf_counter()
    try:
        wire = await open_websocket(request)
    except OpenFailed as error:
        detail = "" if error.status is None else str(error.status)
        yield Step(error.step, False, error.why, detail, _since(began))
        return
    try:
        yield Step("http", True, Text("runtime.probe.http"), "101", _since(began))
        try:
            version = chosen_version(wire.subprotocol, request.subprotocols)
        except OpenFailed as error:
            yield Step(error.step, False, error.why)
            return
        text = Text("runtime.probe.subprotocol", {"version": version.value})
        yield Step("subprotocol", True, text, version.subprotocol)
        if boot is not None:
            yield await _boot(wire, version, boot, request.timeout)
    finally:
        with contextlib.suppress(WireClosed, TimeoutError):
            async with asyncio.timeout(3.0):
                await wire.close(1000, "diagnosis")
        wire.abort()


async def _boot(wire: Wire, version: Version, identity: Identity, within: float) -> Step:
    """Does the back office take this station?"""
    began = time.perf_counter()
    number = str(uuid.uuid4())
    try:
        async with asyncio.timeout(within):
            await wire.send(json.dumps([2, number, "BootNotification", BOOTS[version](identity)]))
            while True:
                text = await wire.receive()
                frame = _frame(text)
                if len(frame) > 2 and frame[1] == number:
                    break
    except TimeoutError:
        mute = Text("runtime.probe.boot_mute", {"seconds": f"{within:g}"})
        return Step("boot", False, mute, ms=_since(began))
    except WireClosed as error:
        params = {"code": error.code or "-", "said": error.reason or "-"}
        return Step("boot", False, Text("runtime.probe.boot_closed", params), ms=_since(began))
    if frame[0] == 3 and isinstance(frame[2], dict):
        status = str(frame[2].get("status"))
        told = Text(BOOT_STATUS.get(status, "runtime.probe.boot"), {"status": status})
        return Step("boot", status == "Accepted", told, str(text), _since(began))
    refused = Text("runtime.probe.boot_refused", {"code": str(frame[2])})
    return Step("boot", False, refused, str(text), _since(began))


def _frame(text: str | bytes) -> list[Any]:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return frame if isinstance(frame, list) else []


def _boot_16(identity: Identity) -> Payload:
    return {"chargePointVendor": identity.vendor[:20], "chargePointModel": identity.model[:20]}


def _boot_201(identity: Identity) -> Payload:
    station = {"vendorName": identity.vendor[:50], "model": identity.model[:20]}
    return {"reason": "PowerUp", "chargingStation": station}


BOOTS: dict[Version, Callable[[Identity], Payload]] = {
    Version.V16: _boot_16,
    Version.V201: _boot_201,
}


BOOT_STATUS = {
    "Pending": "runtime.probe.boot_pending",
    "Rejected": "runtime.probe.boot_rejected",
}


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
