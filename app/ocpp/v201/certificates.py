"""Certificates of 2.0.1. Part 2, A02, A03, M03 to M06, with the errata of 2025-09."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.events import CertificatesChanged
from app.ocpp.personality import Block
from app.ocpp.shared.certificates.book import CertificateBook, check_root
from app.ocpp.shared.certificates.model import (
    V2G_CHAIN,
    BadCertificate,
    HashData,
    KeyType,
    NoRoom,
    OwnChain,
    Purpose,
    RootKind,
    Subject,
)
from app.ocpp.shared.certificates.signing import Signing, SigningRules, in_thread
from app.ocpp.v201.certificate_status import CertificateStatus
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.security import Security
from app.ocpp.v201.triggers import Send, Sender, Triggers, Where

KINDS: Mapping[str, str] = {
    "CSMSRootCertificate": RootKind.CSMS,
    "MORootCertificate": RootKind.MO,
    "V2GRootCertificate": RootKind.V2G,
    "ManufacturerRootCertificate": RootKind.MANUFACTURER,
    "V2GCertificateChain": V2G_CHAIN,
}
WORDS = {kind: word for word, kind in KINDS.items()}

SIGNING = {
    Purpose.STATION: "ChargingStationCertificate",
    Purpose.V2G: "V2GCertificate",
}
TRIGGERS = {
    "SignChargingStationCertificate": Purpose.STATION,
    "SignV2GCertificate": Purpose.V2G,
    "SignCombinedCertificate": Purpose.COMBINED,
}
CLIENT = (Purpose.STATION, Purpose.COMBINED)

SECURITY, ISO15118 = "SecurityCtrlr", "ISO15118Ctrlr"
V2G_ENABLED = f"{ISO15118}.V2GCertificateInstallationEnabled"


class Certificates(Block, SigningRules):
    """The messages about certificates, and our own requests."""

    def __init__(
        self,
        ctx: Context,
        model: DeviceModel,
        office: Provisioning,
        security: Security,
        triggers: Triggers,
    ) -> None:
        super().__init__(ctx)
        self._model = model
        self._office = office
        self._security = security
        self.book = CertificateBook(ctx.store, ctx.clock.now)
        self.signing = Signing(ctx, self.book, self)
        self.status = CertificateStatus(ctx, office, self.book)
        me = ctx.settings.identity
        model.source("certificates.count", lambda _: str(self.book.count()))
        model.source("secc.id", lambda _: (me.serial_number or me.box_serial_number or "")[:64])
        office.accepted_hooks.append(self.signing.resume)
        office.accepted_hooks.append(self.status.refresh)
        for message, purpose in TRIGGERS.items():
            triggers.register(message, self._sender(purpose))

    # ------------------------------------------------------------------ block

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "InstallCertificate": self._install,
            "DeleteCertificate": self._delete,
            "GetInstalledCertificateIds": self._list,
            "CertificateSigned": self._signed,
        }

    def start(self) -> None:
        self.signing.start()

    def stop(self) -> None:
        super().stop()
        self.signing.stop()
        self.status.stop()

    def link_up(self, *, first: bool) -> None:
        self._settle()
        self.signing.resume()
        self.status.refresh()

    # ------------------------------------------------------------------ roots

    async def _install(self, request: Payload) -> Reply:
        kind = KINDS[request["certificateType"]]
        book = self.book
        older = book.replaced_by(
            kind, must_be_signed=self._model.flag(f"{SECURITY}.AdditionalRootCertificateCheck")
        )
        try:
            found = await in_thread(
                check_root, request["certificate"], self.ctx.clock.now(), book.known(), older
            )
            book.put_root(kind, found, most=self._most(), replaces=bool(older))
        except BadCertificate as bad:
            return Reply({"status": "Rejected", "statusInfo": _info(bad)})
        self._changed(found.subject, "installed")
        return Reply({"status": "Accepted"})

    def _most(self) -> int:
        most = self._model.maximum(self._model.at(f"{SECURITY}.CertificateEntries"))
        return int(most) if most is not None else 20

    def _delete(self, request: Payload) -> Reply:
        profile = self._model.integer(f"{SECURITY}.SecurityProfile")
        wanted = HashData.of(request["certificateHashData"])
        # M04.FR.03, note: without its last CSMS root a station under TLS would be lost
        status = self.book.delete(wanted, keep_last_csms=profile >= 2)
        if status == "Accepted":
            self._changed(f"certificate {wanted.serial}", "deleted")
        return Reply({"status": status})

    def _list(self, request: Payload) -> Reply:
        wanted = request.get("certificateType")
        kinds = None if wanted is None else {KINDS[word] for word in wanted}
        found = self.book.installed(kinds)
        if not found:
            return Reply({"status": "NotFound"})
        rows = []
        for item in found:
            row: Payload = {
                "certificateType": WORDS[item.kind],
                "certificateHashData": item.hash_data.payload(),
            }
            if item.children:
                row["childCertificateHashData"] = [one.payload() for one in item.children]
            rows.append(row)
        return Reply({"status": "Accepted", "certificateHashDataChain": rows})

    def _changed(self, what: str, how: str) -> None:
        self.ctx.bus.publish(CertificatesChanged(what, how))
        self._security.raise_event("ReconfigurationOfSecurityParameters", f"{what} {how}")

    # ------------------------------------------------------------------ our own certificates

    async def _signed(self, request: Payload) -> Reply:
        text, word = request["certificateChain"], request.get("certificateType")
        wanted = next((purpose for purpose, name in SIGNING.items() if name == word), None)
        try:
            self._check_size(text)
            asked, purpose, chain = await self.signing.judge(text, wanted=wanted, early=False)
        except BadCertificate as bad:
            self.signing.refused(await self.signing.meant_by(text, wanted))
            self._security.raise_event("InvalidChargingStationCertificate", bad.why)
            return Reply({"status": "Rejected", "statusInfo": _info(bad)})
        again = any(one.id == f"chain:{chain[0].fingerprint}" for one in self.book.chains())
        kept = self.signing.taken(asked, purpose, chain)
        self._changed(kept.subject, "signed")
        return Reply({"status": "Accepted"}, then=None if again else lambda: self._use(kept))

    def _check_size(self, text: str) -> None:
        """A02.FR.16."""
        most = self._model.integer(f"{SECURITY}.MaxCertificateChainSize")
        if most and len(text) > most:
            raise BadCertificate("longer than MaxCertificateChainSize")

    def _use(self, chain: OwnChain) -> None:
        """A02.FR.08 (errata 2.9): switch at once; M06.FR.07."""
        if chain.purpose is not Purpose.STATION:
            self.status.refresh(anew=True)
        if chain.purpose in CLIENT and self._model.integer(f"{SECURITY}.SecurityProfile") == 3:
            self.ctx.calls.close_link("a new certificate of the station is in force")

    def _settle(self) -> None:
        """A02.FR.10 (errata 2.9): with a link that works, the client certificate not in use goes.

        Where the link stands on none of ours, as on the manufacturer's: what was turned down goes.
        """
        used = self.book.chain_in_use()
        chains = self.book.chains(*CLIENT)
        ours = next((chain for chain in chains if chain.id == used), None)
        for chain in chains:
            if chain.id == used or (ours is None and not chain.turned_down):
                continue
            self.book.drop_chain(chain)
            self.ctx.bus.publish(CertificatesChanged(chain.subject, "discarded"))
            if ours is None or chain.installed > ours.installed:
                self._security.raise_event(
                    "DiscardedRenewedClientCertificate", f"serial {chain.serial}"
                )

    def request_certificate(self, purpose: Purpose = Purpose.STATION) -> bool:
        """A person asks for a new certificate; False where a variable that it needs is not set."""
        if not self.signing.may_ask(purpose):
            return False
        self.signing.ask(purpose, asked=False)
        return True

    def _sender(self, purpose: Purpose) -> Sender:
        def sender(_: Where) -> Send | None:
            if not self.signing.may_ask(purpose):
                return None
            return lambda: self.signing.ask(purpose, asked=True)

        return sender

    # ------------------------------------------------------------------ rules of signing

    def subject(self, purpose: Purpose) -> Subject | None:
        """A00.FR.511: our serial number; of the SECC its id (A02, alternative scenario)."""
        if purpose is not Purpose.STATION and self._optional(V2G_ENABLED) == "false":
            return None
        if purpose is Purpose.V2G:
            name = self._optional(f"{ISO15118}.SeccId")
            operator = self._optional(f"{ISO15118}.OrganizationName")
            country: str | None = self._optional(f"{ISO15118}.CountryName") or None
        else:
            me = self.ctx.settings.identity
            name = me.serial_number or me.box_serial_number or ""
            operator = self._optional(f"{SECURITY}.OrganizationName")
            country = None
        return Subject(name, operator, country) if name and operator else None

    def _optional(self, path: str) -> str:
        try:
            return self._model.text(path)
        except KeyError:
            return ""

    def key_type(self) -> KeyType:
        try:
            return KeyType(self._optional(f"{SECURITY}.CertificateKeyType"))
        except ValueError:
            return KeyType.EC_P256

    def may_send(self, *, asked: bool) -> bool:
        if not self.ctx.calls.online:
            return False
        return self._office.accepted or (asked and self._office.listened_to)

    def payload(self, purpose: Purpose, csr: str) -> Payload:
        """Without a type it is for both (A02.FR.13)."""
        word = SIGNING.get(purpose)
        return {"csr": csr, "certificateType": word} if word else {"csr": csr}

    def first_wait(self) -> float | None:
        """A02.FR.17."""
        wait = self._model.integer(f"{SECURITY}.CertSigningWaitMinimum")
        return float(wait) if wait > 0 else None

    def doublings(self) -> int:
        """A02.FR.18 and .19."""
        return self._model.integer(f"{SECURITY}.CertSigningRepeatTimes")

    def rejected(self, purpose: Purpose) -> None:
        """A02.FR.21: without its certificate, no plug and charge until the next boot."""

    def given_roots(self) -> Sequence[str]:
        return self.ctx.settings.link.root_pems


def _info(bad: BadCertificate) -> Payload:
    reason = "OutOfStorage" if isinstance(bad, NoRoom) else "InvalidCertificate"
    return {"reasonCode": reason, "additionalInfo": bad.why[:512]}
