"""The decisions of the back office that do not depend on the version."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from app.kernel.text import Text
from app.training.memory import Memory
from app.training.package import Fields
from app.training.records import BootData, Level, Sample
from app.training.settings import CsmsSettings
from app.training.tokens import Judgement, TokenList, TokenStatus

DEFAULT_MEASURAND = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Signing:
    """A CSR that waits for its signature. `kind`: the certificateType of 2.0.1."""

    csr: str
    kind: str | None


class BackOffice:
    """Settings, tokens, memory and clock in one hand, for the handlers of both versions."""

    def __init__(
        self, settings: CsmsSettings, tokens: TokenList, now: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self.tokens = tokens
        self.now = now
        self.memory = Memory(settings, tokens, now)
        self._numbers = itertools.count(1)
        self.wanted: Callable[[str, Signing], None] = lambda *_: None
        """Has a certificate made for a station and sent to it."""

    def timestamp(self) -> str:
        """The time now as it goes on the wire."""
        return wire_time(self.now())

    def number(self) -> int:
        """A number never given before, for requestId and the like."""
        return next(self._numbers)

    def judge(self, token_id: str, type_: str | None = None) -> Judgement:
        """May this token charge, transactions left aside?"""
        return self.tokens.judge(token_id, self.now(), type_)

    def judge_start(
        self, token_id: str, type_: str | None = None, except_key: str = ""
    ) -> Judgement:
        """May this token start the transaction `except_key`? A single-session one only once."""
        judgement = self.judge(token_id, type_)
        token = judgement.token
        if (
            judgement.status is TokenStatus.ACCEPTED
            and token is not None
            and token.single_session
            and self.memory.active_with(token_id, except_key) is not None
        ):
            return Judgement(TokenStatus.CONCURRENT_TX, token)
        return judgement

    def booted(self, station_id: str, boot: BootData) -> None:
        """A station has told about itself."""
        self.memory.booted(station_id, boot)
        self.learn(station_id, boot.serial)

    def learn(self, station_id: str, serial: str, operator: str = "") -> None:
        """Who a station is, for when it shows a certificate.

        Over a link that stands on one nothing changes that is known: whose it was has been judged by that.
        """
        settings = self.settings
        try:
            settings.owners.learn(station_id, serial, anew=not settings.asks_certificates)
            settings.owners.trust(operator)
        except OSError as error:
            file = self.settings.owners.file
            assert file is not None, "nothing else is written"
            self.warn(station_id, "not_written", file=file.name, why=error.strerror or str(error))

    def takes_request(self, station_id: str, csr: str, kind: str | None = None) -> bool:
        """A SignCertificate: whether it will be signed. The certificate follows by itself."""
        if not self.settings.sign_requests:
            return False
        if self.settings.answer_requests:
            self.wanted(station_id, Signing(csr, kind))
        return True

    def certificate_status(self, request: dict[str, str]) -> str | None:
        """The OCSP answer of our authority (DER in base64), None for certificates of others."""
        authority = self.settings.authority
        if authority is None:
            return None
        from app.training.revocation import ocsp_status

        try:
            return ocsp_status(authority, request, self.now())
        except (KeyError, ValueError):
            return None

    def warn(self, station_id: str, key: str, **params: object) -> None:
        """Note something odd a station did."""
        self.memory.note(Level.WARNING, station_id, Text(f"training.{key}", params))


def wire_time(moment: datetime) -> str:
    """A moment as UTC with milliseconds and Z."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def moment(text: str) -> datetime | None:
    """A timestamp from the wire; None if it is none. Without an offset it counts as UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def samples(meter_values: tuple[Fields, ...], evse: int | None) -> Iterator[Sample]:
    """The samples in a list of meter values of either version."""
    for meter_value in meter_values:
        at = moment(meter_value.maybe_text("timestamp"))
        for sampled in meter_value.tables("sampledValue"):
            yield Sample(
                at=at,
                evse=evse,
                measurand=sampled.maybe_text("measurand") or DEFAULT_MEASURAND,
                value=_value(sampled),
                unit=_unit(sampled),
                context=sampled.maybe_text("context") or "Sample.Periodic",
                phase=sampled.maybe_text("phase"),
                location=sampled.maybe_text("location"),
            )


def _value(sampled: Fields) -> float | str:
    value = sampled.payload.get("value")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return str(value)
    if not math.isfinite(number):
        return str(value)
    table = sampled.maybe_table("unitOfMeasure")
    multiplier = (table.maybe_number("multiplier") or 0) if table else 0
    return number * 10.0 ** max(-30, min(30, multiplier))


def _unit(sampled: Fields) -> str:
    table = sampled.maybe_table("unitOfMeasure")
    unit = table.maybe_text("unit") if table else sampled.maybe_text("unit")
    return unit or "Wh"
