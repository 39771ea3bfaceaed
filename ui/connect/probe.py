"""The test of a connection as the dialog asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from app.ocpp.context import Identity
from app.ocpp.version import Version
from app.runtime.connection import Target
from app.runtime.diagnosis import Step, diagnose
from app.runtime.tls import TlsFiles
from ui.connect.request import ConnectRequest

Diagnose = Callable[[ConnectRequest], AsyncIterator[Step]]
PREFERRED = (Version.V201, Version.V16)


def target_of(request: ConnectRequest) -> Target:
    """The request as the connection understands it."""
    versions = PREFERRED if request.version == "auto" else (Version(request.version),)
    return Target(
        url=request.url,
        station_id=request.station_id,
        versions=versions,
        password=None if request.password is None else request.password.encode(),
        security_profile=request.security_profile,
        tls=TlsFiles(_path(request.ca), _path(request.certificate), _path(request.key)),
        offer=request.subprotocols,
    )


def make_diagnose(identity: Identity | None = None) -> Diagnose:
    """The real test; with an identity it also sends a BootNotification as this station."""

    def run(request: ConnectRequest) -> AsyncIterator[Step]:
        return diagnose(target_of(request), boot=identity)

    return run


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None
