"""Why a server refused TLS without a word: it is asked, side by side, what it has against us.

Servers on asyncio, and there are many in the field, lose their alert on the way: the WebSocket client then
sees an end and nothing else. What the probe finds is what the link failed of, so a person is told, the right
security event is raised, and the right thing gives way to the one before it (decision 15).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from app.kernel.link_clock import LinkClock
from app.runtime.dialer import dialer
from app.runtime.tls import TlsFiles, TlsFilesBad
from app.runtime.tls_probe import Finding, probe
from app.runtime.wire import OpenFailed, OpenRequest

UNCLEAR = frozenset(
    {"runtime.tls.hung_up", "runtime.tls.handshake_failure", "runtime.link.no_answer_tls"}
)

SHORT = 3.0
"""Seconds that each question may take at most: nobody waits for a thread that asks."""

AGAIN = 300.0
"""Seconds after which the same refusal is looked into anew: each question is a handshake there, too."""


class Inquiry:
    """Asks a server that gave no reason; for a row of the same refusals once in a while."""

    def __init__(self, link: LinkClock) -> None:
        self._link = link
        self._about: tuple[str, TlsFiles, str] | None = None
        self._until = 0.0
        self._found: Finding | None = None

    async def reason(self, request: OpenRequest, error: OpenFailed) -> OpenFailed:
        """The failure with its reason where one can be had; else as it is."""
        if error.why.id not in UNCLEAR or not request.where.secure:
            self._about = None
            return error
        about, now = (request.where.url, request.tls, error.why.id), self._link.monotonic()
        if about != self._about or now >= self._until:
            self._found = await asyncio.to_thread(_first_fault, request)
            self._about, self._until = about, now + AGAIN
        return error if self._found is None else OpenFailed("tls", self._found.text)


def _first_fault(request: OpenRequest) -> Finding | None:
    """Blocking: the first thing that stands in the way; None where TLS is in order."""
    request = replace(request, timeout=min(request.timeout, SHORT))
    try:
        findings = probe(dialer(request), request.where.host, request.tls)
        return next((finding for finding in findings if not finding.ok), None)
    except (TlsFilesBad, OSError, ValueError):  # told by the attempt itself
        return None
