"""From a key to its certificate: the request, its repeats, and the renewal before the old one ends.

A02 and A03 of both versions. One request for each purpose at a time; it is a row, so a power cut in the
middle loses nothing: the key lies in the table of keys, and what was not answered is sent again.

    unsent --sent, taken--> waiting --CertificateSigned, taken--> (gone: the chain is installed)
                                  |  ^            `-- refused --> refused, until asked again (A02.FR.20)
                                  |  `-- wait over, repeats left: sent again (A02.FR.17, .18)
                                  `-- no repeats left --> stopped, until asked again (A02.FR.19)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Protocol, TypeVar

from app.kernel.clock import Timer
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import (
    CallFailed,
    CallRefused,
    Context,
    NotConnected,
    Payload,
    TooLarge,
)
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import (
    BadCertificate,
    Facts,
    KeyType,
    NewKey,
    OwnChain,
    Purpose,
    RootKind,
    Subject,
)

TABLE = "certificate_requests"
ACTION = "SignCertificate"

RENEW_BEFORE = timedelta(days=30)
"""A03: "will expire in one month"."""

T = TypeVar("T")


class State(StrEnum):
    UNSENT = "unsent"
    WAITING = "waiting"
    STOPPED = "stopped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one purpose. `wait` seconds after `sent` it is repeated; None: never."""

    purpose: Purpose
    key_id: str
    csr: str
    subject: Subject
    asked: bool
    """The back office asked for it, so it may leave before we are accepted."""
    state: State = State.UNSENT
    sent: str | None = None
    wait: float | None = None
    repeats: int = 0

    def row(self) -> Payload:
        return {
            "key": self.key_id,
            "csr": self.csr,
            "cn": self.subject.common_name,
            "o": self.subject.organisation,
            "c": self.subject.country,
            "asked": self.asked,
            "state": str(self.state),
            "sent": self.sent,
            "wait": self.wait,
            "repeats": self.repeats,
        }

    @classmethod
    def of(cls, purpose: str, row: Payload) -> Request:
        return cls(
            Purpose(purpose),
            row["key"],
            row["csr"],
            Subject(row["cn"], row["o"], row["c"]),
            bool(row["asked"]),
            State(row["state"]),
            row["sent"],
            row["wait"],
            int(row["repeats"]),
        )


class SigningRules(Protocol):
    """What the version says. Subclass it."""

    def subject(self, purpose: Purpose) -> Subject | None:
        """Whom the certificate names; None: not to be had, something is not set."""
        ...

    def key_type(self) -> KeyType:
        """What kind of key is made."""
        ...

    def may_send(self, *, asked: bool) -> bool:
        """May a request leave now."""
        ...

    def payload(self, purpose: Purpose, csr: str) -> Payload:
        """The SignCertificate."""
        ...

    def first_wait(self) -> float | None:
        """Seconds until a request without its certificate is repeated; None: it never is."""
        return None

    def doublings(self) -> int:
        """How often that wait is doubled."""
        return 0

    def given_roots(self) -> Sequence[str]:
        """CSMS roots that people gave the station, in PEM."""
        return ()

    def rejected(self, purpose: Purpose) -> None:
        """The back office does not want this request."""
        return


async def in_thread(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Run slow pure work beside the loop. The caller's task stays counted meanwhile."""
    return await asyncio.to_thread(work, *arguments, **named)


def _new_key(subject: Subject, key_type: KeyType) -> NewKey:
    from app.ocpp.shared.certificates import x509

    return x509.new_key(subject, key_type)


def _leaf(text: str) -> Facts:
    from app.ocpp.shared.certificates import x509

    return x509.facts(x509.split(text)[0])


def _check_chain(text: str, **named: Any) -> list[Facts]:
    from app.ocpp.shared.certificates import x509

    return x509.check_chain(text, **named)


class Signing:
    """The requests of one station. Made anew each power cycle, over the same rows."""

    def __init__(self, ctx: Context, book: CertificateBook, rules: SigningRules) -> None:
        self._ctx = ctx
        self._book = book
        self._rules = rules
        self._timers: dict[str, Timer] = {}
        self._sending: set[Purpose] = set()
        self._making: set[Purpose] = set()

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Take up what was left, and watch the certificates there are."""
        for request in self.requests():
            if request.state is State.WAITING:
                self._arm(request)
        self.watch_expiry()

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def resume(self) -> None:
        """The link is open, or the boot was accepted: send what could not be sent."""
        for request in self.requests():
            if request.state is State.UNSENT:
                self._send_soon(request)

    # ------------------------------------------------------------------ asking

    def requests(self) -> list[Request]:
        """All that are under way, or ended without a certificate."""
        return [Request.of(purpose, row) for purpose, row in self._ctx.store.rows(TABLE)]

    def may_ask(self, purpose: Purpose) -> bool:
        """All is set that a request needs."""
        return self._rules.subject(purpose) is not None

    def ask(self, purpose: Purpose, *, asked: bool) -> None:
        """Make a new key and have it signed; `asked` by the back office, else by ourselves or a person."""
        if purpose not in self._making:
            self._making.add(purpose)
            self._ctx.spawn(self._ask(purpose, asked), "certificate request")

    async def _ask(self, purpose: Purpose, asked: bool) -> None:
        try:
            subject = self._rules.subject(purpose)
            if subject is None:
                return
            key = await in_thread(_new_key, subject, self._rules.key_type())
        finally:
            self._making.discard(purpose)
        request = Request(purpose, key.key_id, key.csr_pem, subject, asked)
        with self._ctx.store.step():
            self._forget(purpose)
            self._book.put_key(key)
            self._write(request)
        await self._send(request)

    def _forget(self, purpose: Purpose) -> None:
        self._disarm(purpose)
        row = self._ctx.store.get(TABLE, purpose)
        if row is not None:
            self._ctx.store.delete(TABLE, purpose)
            self._book.forget_key(row["key"])

    def _write(self, request: Request) -> None:
        self._ctx.store.put(TABLE, request.purpose, request.row())

    def _current(self, request: Request) -> bool:
        row = self._ctx.store.get(TABLE, request.purpose)
        return row is not None and row["key"] == request.key_id

    def _send_soon(self, request: Request) -> None:
        self._ctx.spawn(self._send(request), "certificate request")

    async def _send(self, request: Request) -> None:
        if request.purpose in self._sending or not self._rules.may_send(asked=request.asked):
            return
        self._sending.add(request.purpose)
        try:
            answer = await self._ctx.calls.call(
                ACTION, self._rules.payload(request.purpose, request.csr)
            )
        except (CallRefused, TooLarge):
            status = "Rejected"
        except NotConnected:
            return  # resume() sends it
        except CallFailed:
            status = ""
        else:
            status = str(answer["status"])
        finally:
            self._sending.discard(request.purpose)
        if self._current(request):
            self._answered(request, status)
        else:  # its certificate was here before the answer, or another one has been asked for
            self.resume()

    def _answered(self, request: Request, status: str) -> None:
        """What became of the call; `status` is empty where there was no answer that can be used.

        Then nobody knows whether the back office has the request, and its certificate may well come. So it
        is repeated as one that was accepted, no sooner and no more often than the back office has set
        (A02.FR.17 to .19). Where there is no such wait, as in 1.6, it goes out with the next link.
        """
        if status == "Accepted" or (not status and self._rules.first_wait() is not None):
            self._arm_anew(request)
        elif status:
            with self._ctx.store.step():
                self._forget(request.purpose)
            self._rules.rejected(request.purpose)

    # ------------------------------------------------------------------ waiting

    def _arm_anew(self, request: Request) -> None:
        """Sent: wait for the certificate, each time twice as long as before (A02.FR.18)."""
        first = self._rules.first_wait()
        if first is None:
            wait = None
        elif request.wait is None:
            wait = first
        else:
            wait = request.wait * 2
        sent = stamp(self._ctx.clock.now())
        request = replace(request, state=State.WAITING, sent=sent, wait=wait)
        self._write(request)
        self._arm(request)

    def left_of(self, request: Request) -> float | None:
        """Seconds until it is repeated; None: it is not."""
        if request.state is not State.WAITING or request.wait is None or request.sent is None:
            return None
        gone = (self._ctx.clock.now() - parse_stamp(request.sent)).total_seconds()
        return request.wait - max(0.0, gone)

    def _arm(self, request: Request) -> None:
        left = self.left_of(request)
        if left is None:
            return
        self._disarm(request.purpose)
        self._timers[request.purpose] = self._ctx.clock.call_in(
            left, lambda: self._wait_over(request.purpose)
        )

    def _disarm(self, purpose: str) -> None:
        timer = self._timers.pop(purpose, None)
        if timer is not None:
            timer.cancel()

    def _wait_over(self, purpose: Purpose) -> None:
        row = self._ctx.store.get(TABLE, purpose)
        if row is None:
            return
        request = Request.of(purpose, row)
        if request.state is not State.WAITING:
            return
        if request.repeats > self._rules.doublings():
            self._write(replace(request, state=State.STOPPED))
            return
        request = replace(request, state=State.UNSENT, repeats=request.repeats + 1)
        self._write(request)
        self._send_soon(request)

    # ------------------------------------------------------------------ the certificate comes

    def request_of(self, key_id: str) -> Request | None:
        """The request that a signed certificate answers, by its public key."""
        return next((item for item in self.requests() if item.key_id == key_id), None)

    async def judge(
        self, text: str, *, wanted: Purpose | None, early: bool
    ) -> tuple[Request | None, Purpose, list[Facts]]:
        """A CertificateSigned: which request it answers, what it is for, and its chain.

        `wanted`: what the back office says it is for. `early`: it may become valid later. A certificate
        for a key that is in use already may come again. Raises BadCertificate; `meant_by` tells which
        request a bad one meant.
        """
        leaf = await in_thread(_leaf, text)
        request = self.request_of(leaf.key_id)
        if request is not None:
            purpose, subject = request.purpose, request.subject
        else:
            purpose, subject = await self._known_key(leaf)
        if wanted is not None and wanted is not purpose:
            raise BadCertificate(f"this key was made for {purpose}")
        roots = self.roots_for(purpose)
        at = self._ctx.clock.now()
        chain = await in_thread(
            _check_chain, text, subject=subject, roots=roots, at=at, early=early
        )
        if not self._book.has_key(leaf.key_id):  # another one has been asked for meanwhile
            raise BadCertificate("not of a key of this station")
        return self.request_of(leaf.key_id), purpose, chain

    async def meant_by(self, text: str, wanted: Purpose | None) -> Request | None:
        """The request that a bad certificate was meant to answer: by its key, or the only one that waits."""
        try:
            found = self.request_of((await in_thread(_leaf, text)).key_id)
        except BadCertificate:
            found = None
        waiting = [
            request
            for request in self.requests()
            if request.state in (State.WAITING, State.UNSENT) and wanted in (None, request.purpose)
        ]
        return found or (waiting[0] if len(waiting) == 1 else None)

    async def _known_key(self, leaf: Facts) -> tuple[Purpose, Subject]:
        for chain in self._book.chains():
            own = await in_thread(_leaf, chain.chain_pem)
            if own.key_id == leaf.key_id:
                return chain.purpose, Subject(own.common_name, own.organisation)
        raise BadCertificate("not of a key of this station")

    def roots_for(self, purpose: Purpose) -> list[str]:
        """What may stand at the top of a chain for this purpose."""
        book = self._book
        if purpose is Purpose.V2G:
            return book.roots(RootKind.V2G)
        csms = [*book.roots(RootKind.CSMS), *book.fallback_roots(), *self._rules.given_roots()]
        return csms if purpose is Purpose.STATION else [*csms, *book.roots(RootKind.V2G)]

    def taken(self, request: Request | None, purpose: Purpose, chain: Sequence[Facts]) -> OwnChain:
        """The certificate is good: keep it, and the request is done."""
        with self._ctx.store.step():
            kept = self._book.put_chain(purpose, chain)
            if request is not None:
                self._disarm(request.purpose)
                self._ctx.store.delete(TABLE, request.purpose)
        self.watch_expiry()
        return kept

    def refused(self, request: Request | None) -> None:
        """The certificate is not good: nothing is asked again before the back office asks for it."""
        if request is None:
            return
        self._disarm(request.purpose)
        self._write(replace(request, state=State.REFUSED))

    # ------------------------------------------------------------------ renewal

    def watch_expiry(self) -> None:
        """A03: ask for a new one a month before the newest of each purpose ends."""
        for purpose in Purpose:
            self._disarm(f"expiry {purpose}")
            chains = self._book.chains(purpose)
            if chains:
                self._timers[f"expiry {purpose}"] = self._ctx.clock.call_at(
                    renewal_of(chains[0]), partial(self._renew, purpose)
                )

    def _renew(self, purpose: Purpose) -> None:
        if self._ctx.store.get(TABLE, purpose) is None:
            self.ask(purpose, asked=False)


def renewal_of(chain: OwnChain) -> datetime:
    """When a new one is asked for: a month before the end, but of a short life the last third.

    The life counts from when it came: one that comes near its end, as they do where the station's clock is
    ahead, would otherwise be followed by the next one at once, and that by another.
    """
    life = chain.not_after - max(chain.not_before, chain.installed)
    return chain.not_after - min(RENEW_BEFORE, life / 3)
