"""The file servers of the training CSMS: firmware to fetch, and a place for logs, over HTTP, HTTPS and FTP.

All ports are open from the start, but the servers behind them (`file_servers.py`) are made when the first
station knocks: their libraries take long to import, and most sessions never need them.

`/firmware/...` is for reading; under `/uploads/<station>/` anybody may write. FTP knows the user `station`
with the password `training`, and anonymous ones. HTTPS shows a certificate of the authority that signs what
stations ask for: a station that has its root, as the certificate lab installs it, trusts it. Uploads lie in
a temporary folder until the CSMS stops.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib
import re
import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.training.records import UploadRecord

if TYPE_CHECKING:
    import ssl

    from app.training.certificates import Authority
    from app.training.file_servers import FileServer

VERSION = "2.0.0"
"""Of the firmware that is offered."""
FIRMWARE, UPLOADS = "firmware", "uploads"
FILE = f"forecourt-{VERSION}.bin"
PROTOCOLS = ("http", "https", "ftp")
USER, PASSWORD = "station", "training"
SIZE = 512 * 1024
MOST_BYTES = 256 * 1024 * 1024
"""All uploads together: the oldest make room."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Signed:
    """What goes with signed firmware, and the root that the station has to know."""

    certificate: str
    signature: str
    root: str


@dataclass(slots=True)
class _Door:
    """A port that is open, and what is behind it once somebody has knocked."""

    socket: socket.socket
    kind: str
    watched: bool = False
    opening: asyncio.Task[None] | None = None
    server: FileServer | None = None


class TrainingFiles:
    """Used within one event loop. `tell` is called for each file that has been uploaded.

    `authority` is asked for at each connection over HTTPS: there may be a new one.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        tell: Callable[[UploadRecord], None],
        authority: Callable[[], Authority],
    ) -> None:
        self._now, self._tell, self._authority = now, tell, authority
        self._host = ""
        self._doors: dict[str, _Door] = {}
        self._folder: Path | None = None
        self._uploads: list[UploadRecord] = []
        self._signed: Signed | None = None

    # life

    async def open(self, host: str) -> None:
        """Open all ports, any that are free. Raises OSError."""
        self._host = host
        for kind in PROTOCOLS:
            door = self._doors[kind] = _Door(_listen(host), kind)
            try:
                loop = asyncio.get_running_loop()
                loop.add_reader(door.socket, self._knocked, door)
                door.watched = True
            except NotImplementedError:  # a loop of Windows that cannot watch sockets
                self._knocked(door)

    async def close(self) -> None:
        """Close the ports and forget the uploads."""
        for door in self._doors.values():
            self._stop_watching(door)
            if door.opening is not None:
                await asyncio.wait([door.opening])
            if door.server is not None:
                await door.server.close()
            door.socket.close()
        self._doors.clear()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None
        self._uploads.clear()

    def _knocked(self, door: _Door) -> None:
        self._stop_watching(door)
        door.opening = asyncio.get_running_loop().create_task(self._serve(door), name=door.kind)

    def _stop_watching(self, door: _Door) -> None:
        if door.watched:
            door.watched = False
            asyncio.get_running_loop().remove_reader(door.socket)

    async def _serve(self, door: _Door) -> None:
        servers = await asyncio.to_thread(importlib.import_module, "app.training.file_servers")
        if door.kind == "ftp":
            door.server = servers.FtpServer(self.folder, self._uploaded)
        else:
            tls = await asyncio.to_thread(self._tls) if door.kind == "https" else None
            door.server = servers.HttpServer(self.folder, self._uploaded, tls)
        await door.server.start(door.socket)

    def _tls(self) -> ssl.SSLContext:
        from app.training.lab_tls import following_context

        return following_context(self._authority, self._host)

    # what is offered

    @property
    def folder(self) -> Path:
        """Where the files lie, made when it is needed."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="forecourt-training-"))
            (self._folder / FIRMWARE).mkdir()
            (self._folder / UPLOADS).mkdir()
            (self._folder / FIRMWARE / FILE).write_bytes(firmware())
        return self._folder

    @property
    def version(self) -> str:
        """Of the firmware that is offered."""
        return VERSION

    def firmware_url(self, kind: str = "http") -> str:
        """Where the demo firmware is."""
        return f"{self._base(kind)}/{FIRMWARE}/{FILE}"

    def uploads_url(self, kind: str = "http") -> str:
        """Above the folders of the stations."""
        return f"{self._base(kind)}/{UPLOADS}/"

    def upload_url(self, station_id: str, kind: str = "http") -> str:
        """The folder for the uploads of a station."""
        name = safe(station_id)
        (self.folder / UPLOADS / name).mkdir(exist_ok=True)
        return f"{self.uploads_url(kind)}{name}/"

    def signed(self) -> Signed:
        """Signature and certificate of the demo firmware, made once a run: a moment's work."""
        if self._signed is None:
            self._signed = _sign(firmware(), self._now())
        return self._signed

    def _base(self, kind: str) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        login = f"{USER}:{PASSWORD}@" if kind == "ftp" else ""
        port = self._doors[kind].socket.getsockname()[1] if kind in self._doors else 0
        return f"{kind}://{login}{host}:{port}"

    # what came

    def uploads(self) -> tuple[UploadRecord, ...]:
        """The uploads that are kept, oldest first."""
        return tuple(self._uploads)

    def read(self, record: UploadRecord) -> bytes:
        """An upload's content. Raises OSError where it had to make room."""
        return self._path(record).read_bytes()

    def _path(self, record: UploadRecord) -> Path:
        return self.folder / UPLOADS / record.station_id / record.name

    def _uploaded(self, path: Path, protocol: str) -> None:
        parts = path.relative_to(self.folder / UPLOADS).parts
        record = UploadRecord(
            self._now(),
            "/".join(parts[:-1]),
            parts[-1],
            path.stat().st_size,
            protocol,
            str(path),
        )
        same = (record.station_id, record.name)
        self._uploads = [one for one in self._uploads if (one.station_id, one.name) != same]
        self._uploads.append(record)
        while len(self._uploads) > 1 and sum(one.size for one in self._uploads) > MOST_BYTES:
            oldest = self._uploads.pop(0)
            with suppress(OSError):  # somebody was quicker
                self._path(oldest).unlink()
        self._tell(record)


def safe(name: str) -> str:
    """A station's id as the name of a folder."""
    return _UNSAFE.sub("-", name).strip(".") or "station"


def firmware() -> bytes:
    """The demo image: a header, the checksum, and bytes that mean nothing."""
    content = b"".join(hashlib.sha256(f"{n}".encode()).digest() for n in range(SIZE // 32))
    digest = hashlib.sha256(content).hexdigest()
    return f"Forecourt firmware {VERSION}\nsha256 {digest}\n".encode() + content


def _sign(data: bytes, now: datetime) -> Signed:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from app.training.certificates import key_of, make_authority, make_station

    maker = make_authority("Training manufacturer", now=now)
    signer = make_station(maker, "Training firmware", "Forecourt training", now=now)
    key = key_of(signer.key_pem)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(data, ec.ECDSA(hashes.SHA256()))
    return Signed(
        signer.certificate_pem, base64.b64encode(signature).decode(), maker.certificate_pem
    )


def _listen(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.create_server((host, 0), family=family)
    door.setblocking(False)
    return door
