"""Requests of a signed update: 1.6 (whitepaper L01) and 2.0.1 (part 2, L01) ask for it alike."""

from __future__ import annotations

import asyncio

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Payload
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import BadCertificate
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.shared.jobs.job import FirmwareJob
from app.ocpp.shared.jobs.signing import check_signer


def job_of(request: Payload, retries: int, interval: float) -> FirmwareJob:
    """The update that is asked for.

    A certificate without a signature, or a signature alone, is no plain update: its check will fail.
    """
    firmware: Payload = request["firmware"]
    install_at = firmware.get("installDateTime")
    return FirmwareJob(
        location=str(firmware["location"]),
        retrieve_at=stamp(parse_stamp(firmware["retrieveDateTime"])),
        install_at=stamp(parse_stamp(install_at)) if install_at else None,
        retries=retries,
        interval=interval,
        request_id=int(request["requestId"]),
        signed="signingCertificate" in firmware or "signature" in firmware,
        certificate=str(firmware.get("signingCertificate", "")),
        signature=str(firmware.get("signature", "")),
    )


async def refused_signer(ctx: Context, certificate: str) -> tuple[str, str] | None:
    """The answer and why nothing may be signed with this certificate, None where all is well."""
    faults = ctx.faults.firmware
    if faults.take(FirmwareFault.REVOKED):
        return "RevokedCertificate", "revoked"
    if faults.take(FirmwareFault.CERTIFICATE):
        return "InvalidCertificate", "chosen to be invalid"
    roots = CertificateBook(ctx.store).roots("Manufacturer")
    try:
        await asyncio.to_thread(check_signer, certificate, roots, ctx.clock.now())
    except BadCertificate as error:
        return "InvalidCertificate", error.why
    return None
