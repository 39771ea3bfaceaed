"""What the training CSMS answers to an OCPP 1.6 station."""

from __future__ import annotations

from typing import Any

from app.training.ledger import Transaction
from app.training.office import BackOffice, moment, samples, wire_time
from app.training.package import ChargePoint16, Fields, Outlet, answers, package_logger, result16
from app.training.records import BootData, ConnectorRecord, TransactionEventRecord
from app.training.settings import V16
from app.training.tokens import Judgement, TokenStatus


class CentralSystem16(ChargePoint16):  # type: ignore[misc]
    """The handlers of one connected 1.6 station."""

    fields: Fields

    def __init__(self, station_id: str, outlet: Outlet, office: BackOffice) -> None:
        super().__init__(station_id, outlet, logger=package_logger())
        self._station = station_id
        self._office = office
        self._memory = office.memory

    # provisioning

    @answers("BootNotification")
    def boot(self, fields: Fields) -> Any:
        """As configured for the station."""
        answer = self._office.settings.boot_answer(self._station)
        self._office.booted(
            self._station,
            BootData(
                at=self._office.now(),
                status=answer.status.value,
                vendor=fields.text("chargePointVendor"),
                model=fields.text("chargePointModel"),
                serial=fields.maybe_text("chargePointSerialNumber")
                or fields.maybe_text("chargeBoxSerialNumber"),
                firmware=fields.maybe_text("firmwareVersion"),
                payload=fields.payload,
            ),
        )
        return result16.BootNotification(
            current_time=self._office.timestamp(),
            interval=answer.interval_s,
            status=answer.status.value,
        )

    @answers("Heartbeat")
    def heartbeat(self, _fields: Fields) -> Any:
        """The time."""
        return result16.Heartbeat(current_time=self._office.timestamp())

    @answers("StatusNotification")
    def status(self, fields: Fields) -> Any:
        """Kept; connector 0 is the station itself."""
        connector = fields.number("connectorId")
        self._memory.status(
            self._station,
            ConnectorRecord(
                evse=connector,
                connector=1 if connector else 0,
                status=fields.text("status"),
                at=moment(fields.maybe_text("timestamp")) or self._office.now(),
                error_code=fields.text("errorCode"),
                vendor_error_code=fields.maybe_text("vendorErrorCode"),
                info=fields.maybe_text("info"),
            ),
        )
        return result16.StatusNotification()

    # charging

    @answers("Authorize")
    def authorize(self, fields: Fields) -> Any:
        """By the list; ConcurrentTx is for the start only."""
        return result16.Authorize(id_tag_info=_info(self._office.judge(fields.text("idTag"))))

    @answers("StartTransaction")
    def start_transaction(self, fields: Fields) -> Any:
        """A new id, or the old one if this very start was told before."""
        connector, id_tag = fields.number("connectorId"), fields.text("idTag")
        meter, timestamp = fields.number("meterStart"), fields.text("timestamp")
        identity = (self._station, connector, id_tag.casefold(), timestamp, meter)
        number, resent = self._memory.next_transaction_id(identity)
        transaction = self._memory.open_transaction(self._station, number, V16)
        judgement = self._office.judge_start(id_tag, except_key=transaction.key)
        if not resent:
            transaction.evse, transaction.connector = connector, 1
            transaction.id_token = id_tag
            transaction.token_accepted = judgement.status is TokenStatus.ACCEPTED
            transaction.started_at = moment(timestamp)
            transaction.register(float(meter))
        self._told(transaction, "Started", fields, resent=resent)
        return result16.StartTransaction(transaction_id=int(number), id_tag_info=_info(judgement))

    @answers("StopTransaction")
    def stop_transaction(self, fields: Fields) -> Any:
        """Always taken: the energy was delivered, whatever the CSMS knows."""
        number, meter = fields.number("transactionId"), fields.number("meterStop")
        timestamp = fields.text("timestamp")
        transaction = self._memory.transaction(self._station, str(number))
        if transaction is None:
            self._office.warn(self._station, "unknown_transaction", transaction=number)
        else:
            resent = transaction.is_resent("stop", fields.payload)
            transaction.active = False
            transaction.ended_at = moment(timestamp)
            transaction.stop_reason = fields.maybe_text("reason") or "Local"
            if not resent:
                transaction.measure(samples(fields.tables("transactionData"), transaction.evse))
                transaction.register(float(meter))
            self._told(transaction, "Ended", fields, resent=resent)
        id_tag = fields.maybe_text("idTag")
        return result16.StopTransaction(
            id_tag_info=_info(self._office.judge(id_tag)) if id_tag else None
        )

    @answers("MeterValues")
    def meter_values(self, fields: Fields) -> Any:
        """To the transaction they name, else to the station."""
        connector, number = fields.number("connectorId"), fields.maybe_number("transactionId")
        taken = list(samples(fields.tables("meterValue"), connector))
        transaction = (
            None if number is None else self._memory.transaction(self._station, str(number))
        )
        if transaction is None:
            if number is not None:
                self._office.warn(self._station, "unknown_transaction", transaction=number)
            self._memory.sampled(self._station, taken)
        else:
            transaction.measure(taken)
            self._told(transaction, "Updated", fields, resent=False)
        return result16.MeterValues()

    # the rest

    @answers("DataTransfer")
    def data_transfer(self, _fields: Fields) -> Any:
        """No vendor extension is known here."""
        return result16.DataTransfer(status="UnknownVendorId")

    @answers("DiagnosticsStatusNotification")
    def diagnostics_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.log_status(self._station, fields.text("status"))
        return result16.DiagnosticsStatusNotification()

    @answers("FirmwareStatusNotification")
    def firmware_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.firmware_status(self._station, fields.text("status"))
        return result16.FirmwareStatusNotification()

    @answers("LogStatusNotification")
    def upload_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.log_status(self._station, fields.text("status"))
        return result16.LogStatusNotification()

    @answers("SignedFirmwareStatusNotification")
    def signed_firmware_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.firmware_status(self._station, fields.text("status"))
        return result16.SignedFirmwareStatusNotification()

    @answers("SecurityEventNotification")
    def security_event(self, fields: Fields) -> Any:
        """Noted in the log."""
        self._office.warn(self._station, "security_event", type=fields.text("type"))
        return result16.SecurityEventNotification()

    @answers("SignCertificate")
    def sign_certificate(self, fields: Fields) -> Any:
        """Signed by the authority of this CSMS; the certificate follows in CertificateSigned."""
        signs = self._office.takes_request(self._station, fields.text("csr"))
        return result16.SignCertificate(status="Accepted" if signs else "Rejected")

    def _told(self, transaction: Transaction, kind: str, fields: Fields, *, resent: bool) -> None:
        transaction.add(
            TransactionEventRecord(
                kind=kind,
                at=moment(fields.maybe_text("timestamp")),
                received_at=self._office.now(),
                trigger=fields.maybe_text("reason"),
                resent=resent,
                payload=fields.payload,
            )
        )
        self._memory.transaction_changed(transaction)


def _info(judgement: Judgement) -> dict[str, Any]:
    """An idTagInfo: 1.6 has one word for unknown and invalid."""
    status, token = judgement.status, judgement.token
    if status is TokenStatus.UNKNOWN:
        status = TokenStatus.INVALID
    info: dict[str, Any] = {"status": status.value}
    if token is not None and token.group:
        info["parent_id_tag"] = token.group
    if token is not None and token.expiry is not None:
        info["expiry_date"] = wire_time(token.expiry)
    return info
