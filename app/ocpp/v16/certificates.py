"""Certificates of 1.6 (whitepaper A02, A03, M03, M04, M05): installed, listed, deleted, renewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from app.kernel.clock import Timer
from app.ocpp.context import BootState, Context, Handler, Payload, Reply
from app.ocpp.events import CertificatesChanged
from app.ocpp.personality import Block
from app.ocpp.shared.certificates.book import CertificateBook, check_root
from app.ocpp.shared.certificates.model import (
    BadCertificate,
    HashData,
    KeyType,
    Purpose,
    RootKind,
    Subject,
)
from app.ocpp.shared.certificates.signing import Signing, SigningRules, in_thread
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.security import Security
from app.ocpp.v16.triggers import ACCEPTED, Triggers
from app.ocpp.v16.turned_down import REJECTED, turned_down
from app.ocpp.v16.values import BadValue

KINDS = {
    "CentralSystemRootCertificate": RootKind.CSMS,
    "ManufacturerRootCertificate": RootKind.MANUFACTURER,
}
KEY_TYPE = "CertificateKeyType"

MONTH = timedelta(days=30)
"""How long an old certificate is kept as fallback (A02.FR.10)."""


class Certificates(Block, SigningRules):
    """The four messages about certificates, and our own requests."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        boot: Boot,
        security: Security,
        triggers: Triggers,
    ) -> None:
        super().__init__(ctx)
        self._config = config
        self._boot = boot
        self._security = security
        self.book = CertificateBook(ctx.store, ctx.clock.now)
        self.signing = Signing(ctx, self.book, self)
        self._switch: Timer | None = None
        config.judges[KEY_TYPE.casefold()] = _check_key_type
        if security.offered:
            triggers.extended["SignChargePointCertificate"] = self._trigger
            boot.followers.append(self.signing.resume)

    # ------------------------------------------------------------------ block

    def handlers(self) -> Mapping[str, Handler]:
        if not self._security.offered:
            return {}
        return {
            "InstallCertificate": self._install,
            "DeleteCertificate": self._delete,
            "GetInstalledCertificateIds": self._list,
            "CertificateSigned": self._signed,
        }

    def start(self) -> None:
        self.signing.start()
        self._watch_start()  # there is no link yet: one that is in force is used from the first on

    def stop(self) -> None:
        super().stop()
        self.signing.stop()
        if self._switch is not None:
            self._switch.cancel()

    def link_up(self, *, first: bool) -> None:
        self.signing.resume()
        self._forget_old()

    # ------------------------------------------------------------------ roots

    async def _install(self, request: Payload) -> Reply:
        kind = KINDS[request["certificateType"]]
        book = self.book
        older = book.replaced_by(
            kind, must_be_signed=self._config.flag("AdditionalRootCertificateCheck")
        )
        try:
            found = await in_thread(
                check_root, request["certificate"], self.ctx.clock.now(), book.known(), older
            )
            most = self._config.number("CertificateStoreMaxLength")
            book.put_root(kind, found, most=most, replaces=bool(older))
        except BadCertificate as bad:  # M05.FR.03, .06, .10
            return turned_down(REJECTED, "certificate", why=bad.why)
        self._changed(found.subject, "installed")
        return Reply({"status": "Accepted"})

    def _delete(self, request: Payload) -> Reply:
        status = self.book.delete(HashData.of(request["certificateHashData"]))
        if status == "Accepted":
            self._changed("a root", "deleted")
            return Reply({"status": status})
        return turned_down(status, "delete_in_use" if status == "Failed" else "delete_unknown")

    def _list(self, request: Payload) -> Reply:
        found = self.book.installed({KINDS[request["certificateType"]]})
        if not found:
            return turned_down("NotFound", "no_root", kind=str(request["certificateType"]))
        rows = [item.hash_data.payload() for item in found]
        return Reply({"status": "Accepted", "certificateHashData": rows})

    def _changed(self, what: str, how: str) -> None:
        self.ctx.bus.publish(CertificatesChanged(what, how))
        self._security.raise_event("ReconfigurationOfSecurityParameters", f"{what} {how}")

    # ------------------------------------------------------------------ our own certificate

    async def _signed(self, request: Payload) -> Reply:
        text = request["certificateChain"]
        try:
            if len(text) > self._config.number("CertificateSignedMaxChainSize"):
                raise BadCertificate("longer than CertificateSignedMaxChainSize")
            asked, purpose, chain = await self.signing.judge(text, wanted=None, early=True)
        except BadCertificate as bad:
            self.signing.refused(await self.signing.meant_by(text, None))
            self._security.raise_event("InvalidChargePointCertificate", bad.why)
            return turned_down(REJECTED, "certificate", why=bad.why)
        again = any(one.id == f"chain:{chain[0].fingerprint}" for one in self.book.chains())
        kept = self.signing.taken(asked, purpose, chain)
        self._changed(kept.subject, "signed")
        return Reply({"status": "Accepted"}, then=None if again else self._watch_start)

    def _watch_start(self) -> None:
        """A02.FR.08: switch as soon as the newest certificate is in force."""
        if self._switch is not None:
            self._switch.cancel()
            self._switch = None
        chains = self.book.chains(Purpose.STATION)
        if not chains or chains[0].proven or self.book.chain_in_use() == chains[0].id:
            return
        if chains[0].not_before > self.ctx.clock.now():
            self._switch = self.ctx.clock.call_at(chains[0].not_before, self._use_new)
        else:
            self._use_new()

    def _use_new(self) -> None:
        if self.ctx.calls.online and self._config.number("SecurityProfile") == 3:
            self.ctx.calls.close_link("a new certificate of the station is in force")

    def _forget_old(self) -> None:
        """A02.FR.10: the old one has been kept for a month beside one that works."""
        used = self.book.chain_in_use()
        chains = self.book.chains(Purpose.STATION)
        newest = next((one for one in chains if one.id == used), None)
        if newest is None or self.ctx.clock.now() - newest.installed < MONTH:
            return
        for chain in chains:
            if chain.not_before < newest.not_before:
                self.book.drop_chain(chain)

    def request_certificate(self, purpose: Purpose = Purpose.STATION) -> bool:
        """A person asks for a new certificate; False if CpoName or the serial number is not set."""
        if purpose is not Purpose.STATION or not self.signing.may_ask(Purpose.STATION):
            return False
        self.signing.ask(Purpose.STATION, asked=False)
        return True

    def _trigger(self) -> Reply:
        if not self.signing.may_ask(Purpose.STATION):
            return turned_down(REJECTED, "no_request")

        def ask() -> None:
            self.signing.ask(Purpose.STATION, asked=True)

        return Reply(ACCEPTED.payload, then=ask)

    # ------------------------------------------------------------------ rules of signing

    def subject(self, purpose: Purpose) -> Subject | None:
        """A02.FR.13, A00.FR.511: the name of the operator and our serial number."""
        me = self.ctx.settings.identity
        serial = me.serial_number or me.box_serial_number
        operator = self._config.text("CpoName")
        return Subject(serial, operator) if serial and operator else None

    def key_type(self) -> KeyType:
        try:
            return KeyType(self._config.text(KEY_TYPE))
        except ValueError:
            return KeyType.EC_P256

    def may_send(self, *, asked: bool) -> bool:
        if asked and self._boot.state is BootState.PENDING:
            return self.ctx.calls.online
        return self._boot.talking

    def payload(self, purpose: Purpose, csr: str) -> Payload:
        return {"csr": csr}

    def given_roots(self) -> Sequence[str]:
        return self.ctx.settings.link.root_pems


def _check_key_type(value: str, _by: str) -> None:
    if value not in set(KeyType):
        raise BadValue
