"""How a training CSMS behaves until a rule says otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from app.training.owners import Owners

if TYPE_CHECKING:
    from app.training.certificates import Authority, Flaw


class BootStatus(Enum):
    """The three answers to a BootNotification."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """What a booting station is told; `interval_s` is the heartbeat or the retry interval."""

    status: BootStatus = BootStatus.ACCEPTED
    interval_s: int = 300


@dataclass(frozen=True, slots=True)
class Tariff:
    """A flat price for energy."""

    price_per_kwh: float = 0.52
    currency: str = "EUR"

    def cost(self, energy_wh: float) -> float:
        """What `energy_wh` costs, in whole cents."""
        return round(max(energy_wh, 0.0) / 1000 * self.price_per_kwh, 2)


LOOPBACK = "127.0.0.1"
CALL_TIMEOUT_S = 30.0

V16 = "1.6"
V201 = "2.0.1"
SUBPROTOCOLS: Mapping[str, str] = {"ocpp2.0.1": V201, "ocpp1.6": V16}


@dataclass(slots=True)
class CsmsSettings:
    """Changes act on the next connection or message.

    `subprotocols` is in order of preference. `password` is asked from every station that has no entry of
    its own in `passwords`; with neither, nobody is asked. `stations` limits who may connect. Where `tls` asks
    for certificates each station must show its own, by what `owners` know, unless `any_certificate`.
    `name` is the host that stations are told to go to; None: the address that is listened on.
    `ping_interval_s` is the WebSocket keep-alive; None sends none. `authority` signs what stations ask for
    with SignCertificate, each with `flaw`, and what the file server shows; None: one is made at the first
    need. `sign_requests` False refuses them all, `answer_requests` False accepts them and never sends a
    certificate.
    """

    subprotocols: tuple[str, ...] = tuple(SUBPROTOCOLS)
    boot: BootAnswer = BootAnswer()
    boot_by_station: dict[str, BootAnswer] = field(default_factory=dict)
    password: str | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    stations: frozenset[str] | None = None
    tls: ssl.SSLContext | None = None
    name: str | None = None
    owners: Owners = field(default_factory=Owners)
    any_certificate: bool = False
    authority: Authority | None = None
    flaw: Flaw | None = None
    sign_requests: bool = True
    answer_requests: bool = True
    tariff: Tariff | None = Tariff()
    first_transaction_id: int = 1
    ping_interval_s: float | None = None
    frame_limit: int = 20_000
    max_frame_bytes: int = 4 * 2**20

    def url(self, host: str, port: int) -> str:
        """The address that stations append their id to."""
        host = self.name or host
        shown = f"[{host}]" if ":" in host else host
        return f"{'wss' if self.tls else 'ws'}://{shown}:{port}/ocpp"

    @property
    def asks_certificates(self) -> bool:
        """Each station has to show a certificate of its own (security profile 3)."""
        return self.tls is not None and self.tls.verify_mode is ssl.CERT_REQUIRED

    def boot_answer(self, station_id: str) -> BootAnswer:
        """The answer for this station."""
        return self.boot_by_station.get(station_id, self.boot)

    def password_of(self, station_id: str) -> str | None:
        """The password asked from this station, None if it may come without."""
        return self.passwords.get(station_id, self.password)
