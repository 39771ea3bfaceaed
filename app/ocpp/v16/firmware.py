"""Firmware updates of 1.6: UpdateFirmware (part 5.19), and SignedUpdateFirmware (whitepaper L01).

Where the key SecureFirmwareOnly is true, plain updates are refused (L01.FR.20).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Handler, HandlerError, Payload, Reply
from app.ocpp.features import FIRMWARE
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import BadCertificate
from app.ocpp.shared.jobs.course import FirmwareCourse
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.shared.jobs.job import TABLE, FirmwareJob, Status
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.signing import check_signer
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.triggers import told_once
from app.ocpp.v16.turned_down import reason, turned_down

PLAIN, SIGNED = "FirmwareStatusNotification", "SignedFirmwareStatusNotification"
SIGNED_LAST = "signed_last"
"""Key of the row with what was last told of a signed update."""

_PLAIN_WORDS = {
    Status.DOWNLOADING: "Downloading",
    Status.DOWNLOADED: "Downloaded",
    Status.DOWNLOAD_FAILED: "DownloadFailed",
    Status.INSTALLING: "Installing",
    Status.INSTALLED: "Installed",
    Status.INSTALLATION_FAILED: "InstallationFailed",
    Status.VERIFICATION_FAILED: "InstallationFailed",
}
"""What a plain update tells of; the other steps have no word there."""

_PLAIN_ANSWERS = {
    **_PLAIN_WORDS,
    Status.DOWNLOAD_PAUSED: "Downloading",
    Status.SIGNATURE_VERIFIED: "Downloaded",
    Status.INSTALL_SCHEDULED: "Downloaded",
    Status.INSTALL_REBOOTING: "Installing",
}
"""What a plain trigger is told while an update runs."""


class Firmware(FirmwareCourse):
    """Both kinds of update: one at a time, whichever came last."""

    def __init__(
        self,
        ctx: Context,
        notices: Notices,
        config: Configuration,
        connectors: Connectors,
        availability: Availability,
    ) -> None:
        super().__init__(ctx, notices)
        self._config = config
        self._connectors = connectors
        self._availability = availability

    def handlers(self) -> Mapping[str, Handler]:
        if FIRMWARE not in self._config.profiles:
            return {}
        return {"UpdateFirmware": self._update, "SignedUpdateFirmware": self._signed_update}

    # ------------------------------------------------------------------ requests

    def _update(self, request: Payload) -> Reply:
        if self._config.flag("SecureFirmwareOnly"):
            raise HandlerError("NotSupported", "only signed firmware: SignedUpdateFirmware")
        retries, interval = self._config.patience(request)
        job = FirmwareJob(
            location=str(request["location"]),
            retrieve_at=stamp(parse_stamp(request["retrieveDate"])),
            retries=retries,
            interval=interval,
        )
        if self.admit(job) == "Rejected":
            self.put_off(job)  # there is no word for no, so it comes after the present one
            return Reply({})
        return Reply({}, then=lambda: self.take_up(job))

    async def _signed_update(self, request: Payload) -> Reply:
        firmware: Payload = request["firmware"]
        refusal = await self._refusal(str(firmware["signingCertificate"]))
        if refusal is not None:
            word, why = refusal
            return Reply(
                {"status": word},
                then=lambda: self.raise_event("InvalidFirmwareSigningCertificate", why),
                why=reason("signer", why=why),
            )
        retries, interval = self._config.patience(request)
        install_at = firmware.get("installDateTime")
        job = FirmwareJob(
            location=str(firmware["location"]),
            retrieve_at=stamp(parse_stamp(firmware["retrieveDateTime"])),
            install_at=stamp(parse_stamp(install_at)) if install_at else None,
            retries=retries,
            interval=interval,
            request_id=int(request["requestId"]),
            signed=True,
            certificate=str(firmware["signingCertificate"]),
            signature=str(firmware["signature"]),
        )
        status = self.admit(job)
        if status == "Rejected":
            return turned_down(status, "installing")
        return Reply({"status": status}, then=lambda: self.take_up(job))

    async def _refusal(self, certificate: str) -> tuple[str, str] | None:
        """Why nothing may be signed with this certificate, None where all is well (L01.FR.23 to .25)."""
        faults = self.ctx.faults.firmware
        if faults.take(FirmwareFault.REVOKED):
            return "RevokedCertificate", "revoked"
        if faults.take(FirmwareFault.CERTIFICATE):
            return "InvalidCertificate", "chosen to be invalid"
        roots = CertificateBook(self.ctx.store).roots("Manufacturer")
        try:
            await asyncio.to_thread(check_signer, certificate, roots, self.ctx.clock.now())
        except BadCertificate as error:
            return "InvalidCertificate", error.why
        return None

    # ------------------------------------------------------------------ the course

    def report(self, job: FirmwareJob, status: Status) -> tuple[str, Payload] | None:
        if not job.signed:
            word = _PLAIN_WORDS.get(status)
            return (PLAIN, {"status": word}) if word else None
        told: Payload = {"status": status.value, "requestId": job.request_id}
        self.ctx.store.put(TABLE, SIGNED_LAST, told)
        return SIGNED, told

    def sessions_run(self) -> bool:
        return bool(self._connectors.running())

    def withhold(self, *, everything: bool) -> None:
        self._availability.withhold(station=everything)

    def give_back(self) -> None:
        self._availability.give_back()

    # ------------------------------------------------------------------ triggers

    def trigger(self) -> Reply:
        """TriggerMessage: Idle unless something is being done (7.25)."""
        word = _PLAIN_ANSWERS.get(Status(self.job.status)) if self.job and self.job.status else None
        return told_once(self.ctx, PLAIN, {"status": word or "Idle"})

    def trigger_signed(self) -> Reply:
        """ExtendedTriggerMessage: what was told last, Idle after Installed (L01.FR.28 and .29)."""
        told = self.ctx.store.get(TABLE, SIGNED_LAST)
        if told is None or told["status"] == Status.INSTALLED:
            told = {"status": "Idle"}
        return told_once(self.ctx, SIGNED, told)
