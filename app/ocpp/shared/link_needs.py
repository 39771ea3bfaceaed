"""What a security profile needs: the same in both versions (A05, and A00.FR.3xx and .4xx)."""

from __future__ import annotations

from app.ocpp.context import Context
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import RootKind


def has_root(ctx: Context, book: CertificateBook) -> bool:
    """A root of the back office is there and in force: given by people, or installed."""
    now = ctx.clock.now()
    installed = (root for root in book.all_roots(RootKind.CSMS) if not root.fallback)
    return ctx.settings.link.roots or any(root.not_after > now for root in installed)


def has_certificate(ctx: Context, book: CertificateBook) -> bool:
    """The station has a certificate of its own that is in force."""
    now = ctx.clock.now()
    return ctx.settings.link.certificate or any(
        chain.not_after > now for chain in book.own_chains()
    )
