"""What a station needs to move files: a private folder, the way there, its log, and faults on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.kernel.bus import Bus, Entry, Origin, because
from app.kernel.text import Text
from app.ocpp.context import (
    LogPort,
    Progress,
    TransferFailed,
    TransferPort,
    TransferTrouble,
)
from app.ocpp.events import FileFaultChosen
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.jobs.faults import FileFaults, FirmwareFault, LogFault
from app.ocpp.shared.jobs.job import FILE
from app.runtime.address import Address, proxy_for
from app.runtime.store import Store
from app.runtime.tls import TlsFiles, TlsFilesBad, computer_context, harden, root_texts
from app.station.events import NetworkCut
from app.transfer.places import Place
from app.transfer.port import MakeContext, Transfers

FOLDER = "files"


@dataclass(frozen=True, slots=True)
class FilePorts:
    """The ports of a power cycle that have to do with files."""

    transfer: TransferPort | None = None
    logs: LogPort | None = None
    files: Path | None = None
    faults: FileFaults = field(default_factory=FileFaults)


class PrivateFolder:
    """The folder for files that come and go; one of its own where the state is in memory only."""

    def __init__(self, state_dir: Path | None) -> None:
        self._temporary = state_dir is None
        if state_dir is None:
            # made by the first who writes: most stations never do
            self.path = Path(tempfile.gettempdir()) / f"forecourt-files-{uuid4().hex}"
        else:
            self.path = state_dir / FOLDER
            self._clear()

    def _clear(self) -> None:
        """What an earlier run left over; a firmware image may still be needed."""
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path.name != FILE and path.is_file():
                with contextlib.suppress(OSError):  # it is only in the way
                    path.unlink()

    def close(self) -> None:
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)


class StationTransfers:
    """Transfers over the station's network: none while it is cut, and a cut ends those under way."""

    def __init__(self, bus: Bus, connected: Callable[[], bool], inner: TransferPort) -> None:
        self._bus, self._connected, self._inner = bus, connected, inner

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        """As TransferPort."""
        await self._unless_cut(self._inner.download(url, into, progress=progress))

    async def upload(self, url: str, source: Path, name: str, *, progress: Progress) -> None:
        """As TransferPort."""
        await self._unless_cut(self._inner.upload(url, source, name, progress=progress))

    async def _unless_cut(self, work: Coroutine[Any, Any, None]) -> None:
        if not self._connected():
            work.close()
            raise _no_network()
        task = asyncio.ensure_future(work)
        cut = False

        def end(_: Entry) -> None:
            nonlocal cut
            cut = True
            task.cancel()

        remove = self._bus.subscribe(end, NetworkCut)
        try:
            await asyncio.wait([task])
        finally:
            remove()
            if not task.done():  # the power is gone, or the job is given up
                task.cancel()
                await asyncio.wait([task])
        if cut and task.cancelled():
            raise _no_network()
        task.result()


def trust(tls: TlsFiles, roots: Sequence[str]) -> ssl.SSLContext:
    """What file servers are trusted by: the computer's roots, the link's, and those of the back office.

    Reads files: for a thread. Raises TransferFailed.
    """
    context = computer_context()
    try:
        for root in (*root_texts(tls), *roots):
            context.load_verify_locations(cadata=root)
    except (TlsFilesBad, OSError, ValueError) as error:
        why = error.text if isinstance(error, TlsFilesBad) else str(error)
        text = Text("transfer.roots", {"why": why})
        raise TransferFailed(text, TransferTrouble.LOCAL) from error
    harden(context)
    return context


def transfers(
    bus: Bus,
    connected: Callable[[], bool],
    tls: Callable[[], TlsFiles],
    store: Store,
    proxy: str | None,
) -> StationTransfers:
    """The way to file servers. `proxy` as for the link: None is the system's, "none" is none."""

    def over(where: Place) -> str | None:
        secure = where.scheme == "https"
        return proxy_for(Address(where.url, secure, where.host, where.port), proxy)

    def trusted() -> MakeContext:
        return partial(trust, tls(), CertificateBook(store).roots("CSMS"))

    return StationTransfers(bus, connected, Transfers(trusted, proxy=over))


def _no_network() -> TransferFailed:
    return TransferFailed(Text("transfer.no_network"), TransferTrouble.UNREACHABLE)


class FileDesk:
    """All of a station that has to do with files; it outlives the controller."""

    def __init__(
        self,
        bus: Bus,
        transfer: TransferPort,
        logs: Callable[[Path], LogPort],
        state_dir: Path | None,
    ) -> None:
        self._bus = bus
        self._folder = PrivateFolder(state_dir)
        self.faults = FileFaults()
        path = self._folder.path
        self.ports = FilePorts(transfer, logs(path), path, self.faults)

    def choose_firmware_fault(
        self,
        fault: FirmwareFault | None,
        times: int | None = 1,
        origin: Origin = Origin.PERSON,
    ) -> None:
        """Have a step of firmware updates fail the next `times` times (None: always); no fault lifts it.

        Raises ValueError.
        """
        self.faults.firmware.choose(fault, times)
        with because(origin):
            self._bus.publish(FileFaultChosen("firmware", fault.value if fault else None, times))

    def choose_log_fault(
        self, fault: LogFault | None, times: int | None = 1, origin: Origin = Origin.PERSON
    ) -> None:
        """The same for uploads of the log."""
        self.faults.log.choose(fault, times)
        with because(origin):
            self._bus.publish(FileFaultChosen("log", fault.value if fault else None, times))

    def close(self) -> None:
        """The program ends."""
        self._folder.close()
