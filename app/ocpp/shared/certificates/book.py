"""The certificates and keys that a station keeps, as rows: whatever is asked is read anew from the store.

Tables: "certificates" (roots and own chains, no secret in them), "keys" (private keys, PEM),
"certificates_in_use" (what the present link stands on). Made anywhere over the same store, at no cost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import StorePort
from app.ocpp.shared.certificates.model import (
    V2G_CHAIN,
    BadCertificate,
    Facts,
    HashData,
    Installed,
    NewKey,
    NoRoom,
    OwnChain,
    Purpose,
    Root,
    RootKind,
)

TABLE = "certificates"
KEYS = "keys"
IN_USE = "certificates_in_use"
LINK = "link"

MOST = 20
"""Certificates that are taken where nobody sets another limit."""

CLIENT = (Purpose.STATION, Purpose.COMBINED)
"""What a link to the back office may be made with."""

Row = dict[str, Any]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StatusQuestion:
    """A certificate and where its OCSP status is to be had."""

    hash_data: HashData
    url: str


class CertificateBook:
    """Roots by kind, own chains by purpose, and what the present link stands on.

    `now` judges which certificate is in force yet: TLS itself goes by the computer's time.
    """

    def __init__(self, store: StorePort, now: Callable[[], datetime] = _utc_now) -> None:
        self._store = store
        self._now = now

    # ------------------------------------------------------------------ roots

    def roots(self, kind: str) -> list[str]:
        """The PEM texts of the trusted roots of a kind, oldest first; without a fallback."""
        return [root.pem for root in self.all_roots(kind) if not root.fallback]

    def fallback_roots(self, kind: str = RootKind.CSMS) -> list[str]:
        """Roots that were replaced under AdditionalRootCertificateCheck: tried where the new one fails.

        They are gone once a link came about with the new one (M05).
        """
        return [root.pem for root in self.all_roots(kind) if root.fallback]

    def all_roots(self, kind: str | None = None) -> list[Root]:
        """The installed roots (of a kind), oldest first, fallbacks among them."""
        return [
            _root(row)
            for _, row in self._store.rows(TABLE)
            if row["use"] == "root" and kind in (None, row["kind"])
        ]

    def install_root(
        self,
        kind: str,
        pem: str,
        *,
        most: int = MOST,
        must_be_signed: bool = False,
    ) -> Facts:
        """Check a root and keep it; the same one again replaces itself (M05.FR.17).

        `must_be_signed`: AdditionalRootCertificateCheck, only for CSMS roots: the new one has to be signed
        by the old one, which becomes its fallback. Raises BadCertificate, and NoRoom.
        """
        older = self.replaced_by(kind, must_be_signed=must_be_signed)
        found = check_root(pem, self._now(), self.known(), older)
        self.put_root(kind, found, most=most, replaces=bool(older))
        return found

    def replaced_by(self, kind: str, *, must_be_signed: bool) -> list[str]:
        """The roots that a new one of this kind takes the place of, and must be signed by."""
        return self.roots(kind) if must_be_signed and kind == RootKind.CSMS else []

    def put_root(self, kind: str, found: Facts, *, most: int, replaces: bool = False) -> None:
        """Write a checked root down. `replaces`: the others of its kind become fallbacks. Raises NoRoom."""
        key = f"root:{kind}:{found.fingerprint}"
        there = self._store.get(TABLE, key)
        if there is None and not replaces and self.count() >= most:
            raise NoRoom("no room for another certificate")
        row = {
            "use": "root",
            "kind": str(kind),
            "pem": found.pem,
            "fingerprint": found.fingerprint,
            "subject": found.subject,
            "not_after": stamp(found.not_after),
            "installed": stamp(self._now()),
            "fallback": False,
            "hashes": [_hash_row(data) for data in found.hashes],
        }
        with self._store.step():
            if replaces:
                self._demote(kind, key)
            self._store.put(TABLE, key, row)

    def _demote(self, kind: str, new: str) -> None:
        """The present root becomes the fallback; an older fallback goes."""
        for key, row in self._store.rows(TABLE):
            if row["use"] != "root" or row["kind"] != kind or key == new:
                continue
            if row["fallback"]:
                self._store.delete(TABLE, key)
            else:
                self._store.put(TABLE, key, {**row, "fallback": True})

    def known(self) -> list[str]:
        """The PEM texts of all certificates that may have issued another one."""
        found: list[str] = []
        for _, row in self._store.rows(TABLE):
            found += [row["pem"]] if row["use"] == "root" else row["chain"]
        return found

    # ------------------------------------------------------------------ own chains

    def own_chains(self) -> list[OwnChain]:
        """What the next connect shows: the first, and the others if that fails.

        Those that failed since the last link are behind the others: so attempts alternate by themselves
        where `failed_with` is told.
        """
        return sorted(self.to_show(), key=lambda chain: chain.failures)

    def to_show(self) -> list[OwnChain]:
        """What a link may be made with, whatever has failed since the last one.

        Without those that are not yet valid; an expired one is still tried (A00.FR.430).
        """
        now = self._now()
        return [chain for chain in self.chains(*CLIENT) if chain.not_before <= now]

    def chains(self, *purposes: Purpose) -> list[OwnChain]:
        """All own chains (of some purposes), newest first by the start of validity (A02.FR.09).

        Those that were turned down come last: the newest *valid* one is to be used, and a station that
        fell back to an old one would otherwise be locked out for a round after each power cut.
        """
        wanted = purposes or tuple(Purpose)
        found = [
            self._chain(key, row)
            for key, row in self._store.rows(TABLE)
            if row["use"] == "chain" and Purpose(row["purpose"]) in wanted
        ]
        found.reverse()
        found.sort(key=lambda chain: chain.not_before, reverse=True)
        return sorted(found, key=lambda chain: chain.turned_down)

    def put_chain(self, purpose: Purpose, chain: Sequence[Facts]) -> OwnChain:
        """Keep a checked chain, leaf first, whose key is there already. Older ones stay as fallback.

        Of two V2G chains of the same top only the newer stays (A02.FR.15). Raises KeyError without a key.
        """
        leaf = chain[0]
        if self._store.get(KEYS, leaf.key_id) is None:
            raise KeyError(leaf.key_id)
        key = f"chain:{leaf.fingerprint}"
        row = {
            "use": "chain",
            "purpose": str(purpose),
            "chain": [item.pem for item in chain],
            "top": chain[-1].issuer,
            "key": leaf.key_id,
            "serial": leaf.serial,
            "subject": leaf.subject,
            "fingerprint": leaf.fingerprint,
            "not_before": stamp(leaf.not_before),
            "not_after": stamp(leaf.not_after),
            "installed": stamp(self._now()),
            "proven": False,
            "failures": 0,
            "ocsp": [item.ocsp_url for item in chain],
            "hashes": [[_hash_row(data) for data in item.hashes] for item in chain],
        }
        with self._store.step():
            before = self._store.get(TABLE, key)
            if before is not None:
                row.update(proven=before["proven"])
            self._make_way(key, row)
            self._store.put(TABLE, key, row)
        return self._chain(key, row)

    def _make_way(self, new: str, row: Row) -> None:
        """Drop what the new chain makes useless: a V2G chain of the same top, fallbacks never proven."""
        used = self._in_use().get("chain")
        for key, old in self._store.rows(TABLE):
            if key == new or old["use"] != "chain" or old["purpose"] != row["purpose"]:
                continue
            if row["purpose"] == Purpose.V2G:
                if old["top"] == row["top"]:
                    self._drop(key, old)
            elif key != used and not old["proven"]:
                self._drop(key, old)

    def drop_chain(self, chain: OwnChain) -> None:
        """Forget one of our chains and its key."""
        row = self._store.get(TABLE, chain.id)
        if row is not None:
            with self._store.step():
                self._drop(chain.id, row)

    def _drop(self, key: str, row: Row) -> None:
        self._store.delete(TABLE, key)
        self.forget_key(row["key"])

    def has_key(self, key_id: str) -> bool:
        """The private key to this public one is here."""
        return self._store.get(KEYS, key_id) is not None

    def put_key(self, key: NewKey) -> None:
        """Keep a private key."""
        row = {"pem": key.key_pem, "type": str(key.key_type), "made": stamp(self._now())}
        self._store.put(KEYS, key.key_id, row)

    def forget_key(self, key_id: str) -> None:
        """Forget a private key, unless a chain needs it."""
        needed = (
            row["key"] == key_id for _, row in self._store.rows(TABLE) if row["use"] == "chain"
        )
        if not any(needed):
            self._store.delete(KEYS, key_id)

    def _chain(self, key: str, row: Row) -> OwnChain:
        kept = self._store.get(KEYS, row["key"]) or {"pem": ""}
        return OwnChain(
            id=key,
            purpose=Purpose(row["purpose"]),
            chain_pem="".join(row["chain"]),
            key_pem=kept["pem"],
            serial=row["serial"],
            subject=row["subject"],
            not_before=parse_stamp(row["not_before"]),
            not_after=parse_stamp(row["not_after"]),
            installed=parse_stamp(row["installed"]),
            proven=bool(row["proven"]),
            failures=int(row["failures"]),
            turned_down=bool(row.get("turned_down")),
        )

    # ------------------------------------------------------------------ what links tell

    def connected_with(
        self,
        chain: OwnChain | None,
        *,
        server: Sequence[bytes] = (),
        fallback_root: bool = False,
    ) -> None:
        """A WebSocket came about; call it before the personality hears of the link.

        `chain`: what we showed, None for none of the book. `server`: the verified chain of the back office
        in DER, leaf first, empty without TLS. `fallback_root`: it stands on a fallback root.
        """
        prints = [hashlib.sha256(der).hexdigest() for der in server]
        with self._store.step():
            row = {"chain": chain.id if chain else None, "server": prints}
            self._store.put(IN_USE, LINK, row)
            for key, kept in self._store.rows(TABLE):
                if kept["use"] == "chain" and (chain is not None or prints):
                    after = self._after_link(kept, used=chain is not None and key == chain.id)
                    if after != kept:
                        self._store.put(TABLE, key, after)
                elif kept["use"] == "root" and kept["fallback"] and prints and not fallback_root:
                    self._store.delete(TABLE, key)  # its successor has worked

    @staticmethod
    def _after_link(row: Row, *, used: bool) -> Row:
        """One of our chains when a link stands: with it, or with another one that was taken instead."""
        turned_down = not used and (row.get("refused") or row.get("turned_down") or False)
        return {
            **row,
            "proven": row["proven"] or used,
            "failures": 0,
            "refused": False,
            "turned_down": turned_down,
        }

    def failed_with(self, chain: OwnChain, *, refused: bool = False) -> None:
        """No link came about with this chain, over all addresses there are.

        `refused`: because of it, as far as can be told.
        """
        row = self._store.get(TABLE, chain.id)
        if row is not None:
            row = {**row, "failures": int(row["failures"]) + 1, "refused": refused}
            self._store.put(TABLE, chain.id, row)

    def chain_in_use(self) -> str | None:
        """The id of the chain that the last link was made with."""
        found = self._in_use().get("chain")
        return str(found) if found else None

    def _in_use(self) -> Row:
        return self._store.get(IN_USE, LINK) or {}

    # ------------------------------------------------------------------ what the back office asks

    def count(self) -> int:
        """Certificates that take a place: roots and own chains, no fallback roots."""
        return sum(1 for _, row in self._store.rows(TABLE) if not row.get("fallback"))

    def installed(self, kinds: Collection[str] | None = None) -> list[Installed]:
        """All that is told of by kind (RootKind, V2G_CHAIN); None: all kinds. By SHA256 (A00.FR.506)."""
        found = []
        for _, row in self._store.rows(TABLE):
            if row["use"] == "root":
                if (kinds is None or row["kind"] in kinds) and not row["fallback"]:
                    found.append(Installed(row["kind"], _hash(row["hashes"][0])))
            elif row["purpose"] != Purpose.STATION and (kinds is None or V2G_CHAIN in kinds):
                leaf, *others = (_hash(hashes[0]) for hashes in row["hashes"])
                found.append(Installed(V2G_CHAIN, leaf, tuple(others[:4])))
        return found

    def status_questions(self) -> list[StatusQuestion]:
        """Each certificate of our V2G chains that has an OCSP responder (M06.FR.06)."""
        found = []
        for _, row in self._store.rows(TABLE):
            if row["use"] == "chain" and row["purpose"] != Purpose.STATION:
                found += [
                    StatusQuestion(_hash(hashes[0]), url)
                    for url, hashes in zip(row["ocsp"], row["hashes"], strict=True)
                    if url
                ]
        return found

    def delete(self, wanted: HashData, *, keep_last_csms: bool = False) -> str:
        """Forget the certificate of these hashes: Accepted, Failed or NotFound (M04).

        Failed for the station's own certificate and for the root that the link stands on;
        `keep_last_csms`: for the last CSMS root too.
        """
        for key, row in self._store.rows(TABLE):
            if row["use"] == "root" and _among(wanted, row["hashes"]):
                if self._is_needed(row, keep_last_csms=keep_last_csms):
                    return "Failed"
                self._store.delete(TABLE, key)
                return "Accepted"
            if row["use"] == "chain" and any(_among(wanted, item) for item in row["hashes"]):
                if row["purpose"] != Purpose.V2G:
                    return "Failed"  # M04.FR.06
                with self._store.step():
                    self._drop(key, row)
                return "Accepted"
        return "NotFound"

    def _is_needed(self, row: Row, *, keep_last_csms: bool) -> bool:
        if row["kind"] != RootKind.CSMS:
            return False
        if row["fingerprint"] in self._in_use().get("server", ()):
            return True
        others = [one for one in self.all_roots(RootKind.CSMS) if not one.fallback]
        return keep_last_csms and len(others) <= 1


def check_root(pem: str, at: datetime, known: Iterable[str], older: Sequence[str]) -> Facts:
    """A root that may be installed, signed by one of `older` if there are any. Pure, for a thread.

    Raises BadCertificate.
    """
    from app.ocpp.shared.certificates import x509

    found = x509.check_root(pem, at, known)
    if older and not any(
        x509.facts(one).fingerprint == found.fingerprint or x509.is_issued_by(found.pem, one)
        for one in older
    ):
        raise BadCertificate("not signed by the present root")
    return found


def _root(row: Row) -> Root:
    return Root(
        kind=row["kind"],
        pem=row["pem"],
        fingerprint=row["fingerprint"],
        subject=row["subject"],
        not_after=parse_stamp(row["not_after"]),
        fallback=bool(row["fallback"]),
        hash_data=_hash(row["hashes"][0]),
    )


def _hash_row(data: HashData) -> list[str]:
    return [data.algorithm, data.name_hash, data.key_hash, data.serial]


def _hash(row: Iterable[str]) -> HashData:
    return HashData(*row)


def _among(wanted: HashData, rows: Iterable[Iterable[str]]) -> bool:
    return any(_hash(row).same_as(wanted) for row in rows)
