"""The OCSP status of our V2G certificates, fetched through the back office and kept. Part 2, M06.

A car asks for it within a time that no request to a server would hold. So each certificate of a V2G chain
with a responder has its answer here, renewed once a week.
"""

from __future__ import annotations

from datetime import timedelta

from app.kernel.clock import Timer
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Payload
from app.ocpp.shared.certificates.book import CertificateBook, StatusQuestion
from app.ocpp.shared.certificates.signing import in_thread
from app.ocpp.v201.provisioning import Provisioning

TABLE = "v201.certificate_status"
ACTION = "GetCertificateStatus"

WEEK = timedelta(days=7)
"""M06.FR.10."""
DAY = 86_400.0
"""Seconds until a failed one is tried again."""


class CertificateStatus:
    """The cache, and the dialogue that fills it."""

    def __init__(self, ctx: Context, office: Provisioning, book: CertificateBook) -> None:
        self._ctx = ctx
        self._office = office
        self._book = book
        self._timer: Timer | None = None
        self._asking = False
        self._again = False

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def refresh(self, *, anew: bool = False) -> None:
        """Fetch what is missing or a week old; all of it `anew` after a change of certificate."""
        if anew:
            self._ctx.store.clear(TABLE)
        if self._asking:
            self._again = True
            return
        if not self._office.accepted or not self._due():
            self._arm()
            return
        self._asking = True
        self._ctx.spawn(self._fetch(), "certificate status")

    def cached(self, serial: str) -> str | None:
        """The OCSP response (DER in base64) for a certificate, None where there is none."""
        row = self._ctx.store.get(TABLE, serial)
        return row["result"] if row else None

    def verdict(self, serial: str) -> str | None:
        """What the responder says of a certificate: good, revoked, unknown or unreadable."""
        row = self._ctx.store.get(TABLE, serial)
        return row.get("verdict") if row else None

    def _due(self) -> list[StatusQuestion]:
        limit = self._ctx.clock.now() - WEEK
        due = []
        for question in self._book.status_questions():
            row = self._ctx.store.get(TABLE, question.hash_data.serial)
            if row is None or parse_stamp(row["at"]) <= limit:
                due.append(question)
        return due

    async def _fetch(self) -> None:
        try:
            for question in self._due():
                await self._ask(question)
        finally:
            self._asking = False
        if self._again:
            self._again = False
            self.refresh()
        else:
            self._arm()

    async def _ask(self, question: StatusQuestion) -> None:
        """M06.FR.07: one request for each certificate."""
        request: Payload = {
            "ocspRequestData": {**question.hash_data.payload(), "responderURL": question.url}
        }
        answer = await self._office.say(ACTION, request)
        if answer is None or answer["status"] != "Accepted" or not answer.get("ocspResult"):
            return
        result = str(answer["ocspResult"])
        row = {
            "result": result,
            "at": stamp(self._ctx.clock.now()),
            "verdict": await in_thread(_verdict, result),
        }
        self._ctx.store.put(TABLE, question.hash_data.serial, row)

    def _arm(self) -> None:
        """Look again in a day: by then something may be a week old, or be had at last."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._book.status_questions():
            self._timer = self._ctx.clock.call_in(DAY, self.refresh)


def _verdict(result: str) -> str:
    from app.ocpp.shared.certificates import x509

    return x509.ocsp_verdict(result)
