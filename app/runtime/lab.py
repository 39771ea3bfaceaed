"""The certificate lab at work: the training CSMS and the station walk through the security profiles together.

Each step makes what is missing (an authority, certificates), hands it to whom it belongs, over OCPP where
OCPP has a message for it, and tells in words what became of it.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.kernel.text import Text
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.version import Version
from app.runtime.address import AddressBad
from app.runtime.session import Session
from app.runtime.store import StateUnfit
from app.runtime.views import LinkState
from app.training.outcome import OutcomeKind
from app.training.records import Level
from app.training.thread import TrainingCsmsThread

if TYPE_CHECKING:
    from app.training.certificates import Authority, Flaw, Pair

SERVER_FLAWS = (
    "none",
    "expired",
    "not_yet_valid",
    "wrong_name",
    "self_signed",
    "revoked",
    "old_tls",
    "weak_cipher",
)
STATION_FLAWS = (
    "none",
    "expired",
    "not_yet_valid",
    "wrong_name",
    "wrong_operator",
    "wrong_key",
    "revoked",
    "self_signed",
)
_NARROW: Mapping[str, Mapping[str, Any]] = {
    "old_tls": {"newest": ssl.TLSVersion.TLSv1_1, "ciphers": "ALL:@SECLEVEL=0"},
    "weak_cipher": {
        "newest": ssl.TLSVersion.TLSv1_2,
        "ciphers": "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0",
    },
}
"""Flaws that are no certificate's."""
PATIENCE = 12.0
"""Seconds that a step waits for a link or a message."""
REOPEN = 3.0
"""Seconds within which a link that the station closed itself is back."""
LOOK = 0.05
_INSTALL = {Version.V16: "CentralSystemRootCertificate", Version.V201: "CSMSRootCertificate"}
_ASK: Mapping[Version, tuple[str, str]] = {
    Version.V16: ("ExtendedTriggerMessage", "SignChargePointCertificate"),
    Version.V201: ("TriggerMessage", "SignChargingStationCertificate"),
}


@dataclass(frozen=True, slots=True)
class LabResult:
    """What became of a step."""

    number: int
    at: datetime
    good: bool
    words: Text


class Lab:
    """One station and one training CSMS. Steps are coroutines; only one runs at a time.

    `authority` signs both certificates; it is made at the first need and stays for the life of the program.
    """

    def __init__(self, session: Session, training: TrainingCsmsThread) -> None:
        self._session, self._training = session, training
        self._results: deque[LabResult] = deque(maxlen=100)
        self._count = 0
        self._server: Pair | None = None
        self._flaw = "none"
        """Of what the training CSMS serves with."""
        self._good: set[str] = set()
        """Own certificates of the station that the present authority has signed without a flaw."""
        self._lock = asyncio.Lock()
        self._folder: TemporaryDirectory[str] | None = None
        self.authority: Authority | None = None
        self.url = training.snapshot().url
        """Where the training CSMS serves now."""

    @property
    def busy(self) -> bool:
        """A step is under way."""
        return self._lock.locked()

    @property
    def protected(self) -> bool:
        """The training CSMS asks for a password or serves with TLS."""
        settings = self._training.settings
        return settings.tls is not None or settings.password is not None

    def results(self) -> tuple[LabResult, ...]:
        """Newest first."""
        return tuple(reversed(self._results))

    # ------------------------------------------------------------------ steps

    async def go(self, profile: int) -> bool:
        """Bring station and training CSMS to a security profile, 0 to 3. True if they are connected."""
        async with self._lock:
            if profile >= 2 and not await self._prepare(profile):
                return False
            return await self._connect(profile)

    async def serve(self, flaw: str) -> bool:
        """Have the training CSMS show a certificate with this flaw, and see what the station says."""
        async with self._lock:
            profile = max(2, self._session.snapshot().security_profile)
            if not await self._prepare(profile):
                return False
            await self._make_server(flaw)
            self._tell(True, "rooms.lab.made_server", flaw=Text(f"rooms.lab.flaw.{flaw}"))
            return await self._connect(profile)

    async def ask_for_certificate(self, flaw: str) -> bool:
        """Let the back office ask the station to request a certificate, and sign it with this flaw."""
        async with self._lock:
            return await self._ask(flaw)

    async def new_authority(self) -> None:
        """Another root: what the old one signed is trusted no more once it is served."""
        async with self._lock:
            self.authority = self._server = self._training.settings.authority = None
            self._good.clear()
            await self._make_authority()

    async def leave(self) -> None:
        """The program ends: an address that lives only as long as it does must not be remembered."""
        snapshot = self._session.snapshot()
        chosen = snapshot.security_profile or self._session.config.csms.url is not None
        if snapshot.csms_url == self.url and chosen:
            await self._session.connect_to_default()
        if self._folder is not None:
            await asyncio.to_thread(self._folder.cleanup)

    # ------------------------------------------------------------------ parts of steps

    async def _prepare(self, profile: int) -> bool:
        """Root installed and, for profile 3, a certificate of the station's own, over the present link."""
        await self._make_authority()
        trusts, has_own = self._trusts(), profile < 3 or self._newest_own() in self._good
        if trusts and has_own:
            return True
        if not await self._reach():
            return False
        if not trusts and not await self._install():
            return False
        return has_own or await self._ask("none")

    async def _make_authority(self) -> None:
        settings = self._training.settings
        if self.authority is None:
            # one that has signed already, or that the file server shows, does as well
            self.authority = settings.authority
        if self.authority is None:
            self.authority = await asyncio.to_thread(_authority)
            self._tell(True, "rooms.lab.made_authority")
        settings.authority = self.authority

    async def _make_server(self, flaw: str) -> None:
        assert self.authority is not None
        self._flaw = flaw
        host = urlsplit(self.url).hostname
        assert host is not None, "it serves somewhere"
        self._server = await asyncio.to_thread(_server, self.authority, host, flaw)

    async def _install(self) -> bool:
        assert self.authority is not None
        kind = _INSTALL[self._version()]
        payload = {"certificateType": kind, "certificate": self.authority.certificate_pem}
        status = await self._call("InstallCertificate", payload)
        good = status == "Accepted"
        self._tell(
            good, "rooms.lab.installed" if good else "rooms.lab.not_installed", status=status
        )
        return good

    async def _ask(self, flaw: str) -> bool:
        await self._make_authority()
        if not await self._reach():
            return False
        if not self._trusts() and not await self._install():
            return False  # a station without roots takes no certificate at all
        settings, refused = self._training.settings, len(self._refusals())
        settings.authority, settings.flaw = self.authority, await asyncio.to_thread(_flaw, flaw)
        try:
            answer = await self._asked()
        finally:
            settings.flaw = None  # it was meant for this one
        if answer is None:
            return False
        good = answer == "Accepted"
        if good and flaw == "none":
            self._good.add(self._newest_own() or "")
        key = "rooms.lab.signed" if good else "rooms.lab.not_signed"
        self._tell(good, key, status=answer, flaw=Text(f"rooms.lab.flaw.{flaw}"))
        if good and flaw == "revoked" and settings.asks_certificates:
            await self._turned_away(refused)
        return good

    async def _turned_away(self, before: int) -> None:
        """The station comes with a revoked certificate, is turned away, and falls back to the one before.

        `before`: how often that had happened.
        """
        for _ in range(round(PATIENCE / LOOK)):
            if self._here() and len(self._refusals()) > before:
                self._tell(False, "rooms.lab.csms_says", words=self._refusals()[-1])
                self._tell(True, "rooms.lab.fallen_back")
                return
            self._session.retry_now()  # each attempt would wait for its back-off
            await asyncio.sleep(LOOK)
        self._tell(False, "rooms.lab.no_fallback")

    async def _asked(self) -> str | None:
        """Have it ask for a certificate: its answer to the one it was sent, None where it did not ask."""
        action, wanted = _ASK[self._version()]
        seen = len(self._sent())
        status = await self._call(action, {"requestedMessage": wanted})
        if status == "Accepted":
            return await self._signed(seen)
        self._tell(False, "rooms.lab.not_asked", status=status)
        return None

    async def _signed(self, seen: int) -> str:
        """What the station answered to the certificate it was sent."""
        for _ in range(round(PATIENCE / LOOK)):
            sent = self._sent()
            if len(sent) > seen:
                return sent[-1]
            await asyncio.sleep(LOOK)
        return "–"

    def _sent(self) -> list[str]:
        log = self._training.snapshot().log
        found = (entry.text for entry in log if entry.text.id == "training.certificate_sent")
        return [str(text.params["status"]) for text in found]

    async def _connect(self, profile: int) -> bool:
        """Serve and connect as this profile wants it."""
        settings = self._training.settings
        password = secrets.token_hex(16) if profile in (1, 2) else None
        if profile >= 2 and self._server is None:
            await self._make_server("none")
        context = await asyncio.to_thread(self._context, profile)
        settings.password = password
        try:
            self.url = await asyncio.to_thread(self._training.restart, context)
            await self._send_there(profile, password)
        except (OSError, AddressBad, StateUnfit) as error:
            why = getattr(error, "text", None) or Text("rooms.lab.port", {"why": str(error)})
            self._tell(False, "rooms.lab.not_connected", profile=profile, why=why)
            return False
        return await self._await_link(profile)

    async def _send_there(self, profile: int, password: str | None) -> None:
        """Without protection it is the window's own default, which is never remembered."""
        if profile == 0 and self._session.config.csms.url is None:
            await self._session.connect_to_default()
            return
        station = self._session.snapshot().station_id
        crl = ""
        if profile >= 2 and self._flaw == "revoked":
            assert self.authority is not None
            crl = str(await asyncio.to_thread(self._put_list, self.authority))
        await self._session.connect_to(
            self.url, station, security_profile=profile, password=password, crl=crl
        )

    def _put_list(self, authority: Authority) -> Path:
        """What the authority has taken back, as a file of the station: OCPP has no message for it."""
        from app.training.revocation import revocation_list

        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="forecourt-lab-")
        path = Path(self._folder.name) / "revoked.pem"
        path.write_text(revocation_list(authority), encoding="ascii")
        return path

    def _context(self, profile: int) -> Any:
        if profile < 2:
            return None
        from app.training.lab_tls import server_context

        assert self._server is not None
        assert self.authority is not None
        clients = [self.authority] if profile == 3 else []
        return server_context(self._server, clients=clients, **_NARROW.get(self._flaw, {}))

    async def _await_link(self, profile: int) -> bool:
        link = self._session.snapshot().link
        for _ in range(round(PATIENCE / LOOK)):
            link = self._session.snapshot().link
            if link.state is LinkState.ONLINE or link.problem is not None:
                break
            await asyncio.sleep(LOOK)
        if link.state is LinkState.ONLINE:
            self._tell(True, f"rooms.lab.connected.{profile}")
            return True
        for words in dict.fromkeys(self._warnings()[-3:]):
            self._tell(False, "rooms.lab.csms_says", words=words)
        why = link.problem or Text("rooms.lab.no_answer")
        self._tell(False, "rooms.lab.not_connected", profile=profile, why=why)
        return False

    def _warnings(self) -> list[Text]:
        """What the training CSMS has found odd."""
        log = self._training.snapshot().log
        return [one.text for one in log if one.level is Level.WARNING]

    def _refusals(self) -> list[Text]:
        return [words for words in self._warnings() if words.id == "training.revoked"]

    async def _reach(self) -> bool:
        """The station hears the training CSMS: over its link, also one that it just opens anew (to use a
        new certificate), else without protection."""
        for _ in range(round(REOPEN / LOOK)):
            if self._here():
                return True
            if self._session.snapshot().link.problem is not None:
                break
            await asyncio.sleep(LOOK)
        return await self._connect(0)

    # ------------------------------------------------------------------ small questions

    def _here(self) -> bool:
        """The station is connected to the training CSMS."""
        snapshot = self._session.snapshot()
        online = snapshot.link.state is LinkState.ONLINE
        record = self._training.snapshot().station(snapshot.station_id)
        return online and record is not None and record.connected

    def _trusts(self) -> bool:
        assert self.authority is not None
        return self.authority.certificate_pem.strip() in [
            pem.strip() for pem in self._book().roots("CSMS")
        ]

    def _newest_own(self) -> str | None:
        """What the station shows first."""
        return next((chain.id for chain in self._book().own_chains()), None)

    def _book(self) -> CertificateBook:
        return CertificateBook(self._session.store, self._session.clock.now)

    def _version(self) -> Version:
        return self._session.snapshot().version or Version.V16

    async def _call(self, action: str, payload: Mapping[str, Any]) -> str:
        """The status that the station answers, or how the call ended."""
        station = self._session.snapshot().station_id
        outcome = await asyncio.wrap_future(self._training.call(station, action, payload))
        if outcome.kind is not OutcomeKind.RESULT:
            return outcome.code or outcome.kind.value
        return str((outcome.payload or {}).get("status", ""))

    def _tell(self, good: bool, text_id: str, **params: Any) -> None:
        self._count += 1
        now = datetime.now(UTC)
        self._results.append(LabResult(self._count, now, good, Text(text_id, params)))


# Slow or with a slow import: run in a thread.


def _authority() -> Authority:
    from app.training.certificates import make_authority

    return make_authority("Certificate lab")


def _flaw(name: str) -> Flaw:
    from app.training.certificates import Flaw

    return Flaw(name)


def _server(authority: Authority, host: str, flaw: str) -> Pair:
    from app.training.certificates import Flaw, make_server

    return make_server(authority, host, flaw=Flaw("none" if flaw in _NARROW else flaw))
