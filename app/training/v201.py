"""What the training CSMS answers to an OCPP 2.0.1 station."""

from __future__ import annotations

from typing import Any

from app.training.ledger import Transaction
from app.training.office import BackOffice, moment, samples, wire_time
from app.training.package import ChargePoint201, Fields, Outlet, answers, package_logger, result201
from app.training.records import BootData, ConnectorRecord, TransactionEventRecord
from app.training.settings import V201
from app.training.tokens import Judgement, TokenStatus

OCSP_FIELDS = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")


class Csms201(ChargePoint201):  # type: ignore[misc]
    """The handlers of one connected 2.0.1 station."""

    fields: Fields

    def __init__(self, station_id: str, outlet: Outlet, office: BackOffice) -> None:
        super().__init__(station_id, outlet, logger=package_logger())
        self._station = station_id
        self._office = office
        self._memory = office.memory

    # provisioning and availability

    @answers("BootNotification")
    def boot(self, fields: Fields) -> Any:
        """As configured for the station."""
        answer = self._office.settings.boot_answer(self._station)
        station = fields.table("chargingStation")
        self._office.booted(
            self._station,
            BootData(
                at=self._office.now(),
                status=answer.status.value,
                vendor=station.text("vendorName"),
                model=station.text("model"),
                serial=station.maybe_text("serialNumber"),
                firmware=station.maybe_text("firmwareVersion"),
                reason=fields.text("reason"),
                payload=fields.payload,
            ),
        )
        return result201.BootNotification(
            current_time=self._office.timestamp(),
            interval=answer.interval_s,
            status=answer.status.value,
        )

    @answers("Heartbeat")
    def heartbeat(self, _fields: Fields) -> Any:
        """The time."""
        return result201.Heartbeat(current_time=self._office.timestamp())

    @answers("StatusNotification")
    def status(self, fields: Fields) -> Any:
        """Kept by EVSE and connector."""
        self._memory.status(
            self._station,
            ConnectorRecord(
                evse=fields.number("evseId"),
                connector=fields.number("connectorId"),
                status=fields.text("connectorStatus"),
                at=moment(fields.text("timestamp")) or self._office.now(),
            ),
        )
        return result201.StatusNotification()

    @answers("NotifyReport")
    def notify_report(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.NotifyReport()

    # charging

    @answers("Authorize")
    def authorize(self, fields: Fields) -> Any:
        """By the list; a certificate is not checked and so not accepted."""
        judgement = self._judge(fields.table("idToken"))
        has_certificate = fields.payload.keys() & {"certificate", "iso15118CertificateHashData"}
        return result201.Authorize(
            id_token_info=_info(judgement),
            certificate_status="NoCertificateAvailable" if has_certificate else None,
        )

    @answers("TransactionEvent")
    def transaction_event(self, fields: Fields) -> Any:
        """Kept in any order; the answer judges the token and, at the end, tells the cost."""
        kind, info = fields.text("eventType"), fields.table("transactionInfo")
        seq_no, timestamp = fields.number("seqNo"), fields.text("timestamp")
        transaction = self._memory.open_transaction(self._station, info.text("transactionId"), V201)
        token = fields.maybe_table("idToken")
        judgement = self._judge(token, transaction, starts=kind != "Ended") if token else None
        resent = transaction.is_resent(seq_no, fields.payload)
        if not resent:
            self._apply(transaction, kind, fields, info)
            if token and judgement and kind != "Ended" and not transaction.id_token:
                transaction.id_token = token.text("idToken")
                transaction.token_accepted = judgement.status is TokenStatus.ACCEPTED
        transaction.add(
            TransactionEventRecord(
                kind=kind,
                at=moment(timestamp),
                received_at=self._office.now(),
                trigger=fields.text("triggerReason"),
                seq_no=seq_no,
                offline=fields.flag("offline"),
                resent=resent,
                payload=fields.payload,
            )
        )
        self._memory.transaction_changed(transaction)
        return result201.TransactionEvent(
            total_cost=transaction.cost if kind == "Ended" else None,
            id_token_info=_info(judgement) if judgement else None,
        )

    @answers("MeterValues")
    def meter_values(self, fields: Fields) -> Any:
        """Samples outside of transactions."""
        taken = list(samples(fields.tables("meterValue"), fields.number("evseId")))
        self._memory.sampled(self._station, taken)
        return result201.MeterValues()

    # smart charging

    @answers("NotifyChargingLimit")
    def notify_charging_limit(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.NotifyChargingLimit()

    @answers("ClearedChargingLimit")
    def cleared_charging_limit(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.ClearedChargingLimit()

    @answers("ReportChargingProfiles")
    def report_charging_profiles(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.ReportChargingProfiles()

    @answers("NotifyEVChargingNeeds")
    def notify_ev_charging_needs(self, _fields: Fields) -> Any:
        """This CSMS plans no schedules for cars."""
        return result201.NotifyEVChargingNeeds(status="Rejected")

    @answers("NotifyEVChargingSchedule")
    def notify_ev_charging_schedule(self, _fields: Fields) -> Any:
        """Whatever the car chose is fine."""
        return result201.NotifyEVChargingSchedule(status="Accepted")

    # reservation, display, data

    @answers("ReservationStatusUpdate")
    def reservation_status(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.ReservationStatusUpdate()

    @answers("NotifyDisplayMessages")
    def notify_display_messages(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.NotifyDisplayMessages()

    @answers("NotifyCustomerInformation")
    def notify_customer_information(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.NotifyCustomerInformation()

    @answers("DataTransfer")
    def data_transfer(self, _fields: Fields) -> Any:
        """No vendor extension is known here."""
        return result201.DataTransfer(status="UnknownVendorId")

    # monitoring, firmware, logs

    @answers("NotifyEvent")
    def notify_event(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.NotifyEvent()

    @answers("NotifyMonitoringReport")
    def notify_monitoring_report(self, _fields: Fields) -> Any:
        """Its frame is kept."""
        return result201.NotifyMonitoringReport()

    @answers("FirmwareStatusNotification")
    def firmware_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.firmware_status(self._station, fields.text("status"))
        return result201.FirmwareStatusNotification()

    @answers("PublishFirmwareStatusNotification")
    def publish_firmware_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.firmware_status(self._station, fields.text("status"))
        return result201.PublishFirmwareStatusNotification()

    @answers("LogStatusNotification")
    def upload_status(self, fields: Fields) -> Any:
        """Kept."""
        self._memory.log_status(self._station, fields.text("status"))
        return result201.LogStatusNotification()

    # security and certificates

    @answers("SecurityEventNotification")
    def security_event(self, fields: Fields) -> Any:
        """Noted in the log."""
        self._office.warn(self._station, "security_event", type=fields.text("type"))
        return result201.SecurityEventNotification()

    @answers("SignCertificate")
    def sign_certificate(self, fields: Fields) -> Any:
        """Signed by the authority of this CSMS; the certificate follows in CertificateSigned."""
        signs = self._office.takes_request(
            self._station, fields.text("csr"), fields.maybe_text("certificateType")
        )
        return result201.SignCertificate(status="Accepted" if signs else "Rejected")

    @answers("Get15118EVCertificate")
    def get_ev_certificate(self, _fields: Fields) -> Any:
        """No contract certificates here."""
        return result201.Get15118EVCertificate(status="Failed", exi_response="")

    @answers("GetCertificateStatus")
    def get_certificate_status(self, fields: Fields) -> Any:
        """Told of what the authority of this CSMS has signed."""
        data = fields.table("ocspRequestData")
        request = {name: data.text(name) for name in OCSP_FIELDS}
        result = self._office.certificate_status(request)
        if result is None:
            return result201.GetCertificateStatus(status="Failed")
        return result201.GetCertificateStatus(status="Accepted", ocsp_result=result)

    def _judge(
        self, token: Fields, transaction: Transaction | None = None, *, starts: bool = False
    ) -> Judgement:
        id_, type_ = token.text("idToken"), token.text("type")
        if type_ == "NoAuthorization":
            return Judgement(TokenStatus.ACCEPTED)
        if transaction is None or not starts:
            return self._office.judge(id_, type_)
        return self._office.judge_start(id_, type_, transaction.key)

    def _apply(self, transaction: Transaction, kind: str, fields: Fields, info: Fields) -> None:
        evse = fields.maybe_table("evse")
        if evse is not None:
            transaction.evse = evse.number("id")
            transaction.connector = evse.maybe_number("connectorId") or transaction.connector
        transaction.charging_state = info.maybe_text("chargingState") or transaction.charging_state
        at = moment(fields.text("timestamp"))
        if kind == "Started":
            transaction.started_at = at
        if kind == "Ended":
            transaction.active, transaction.ended_at = False, at
            transaction.stop_reason = info.maybe_text("stoppedReason") or "Local"
        transaction.measure(samples(fields.tables("meterValue"), transaction.evse))


def _info(judgement: Judgement) -> dict[str, Any]:
    """An idTokenInfo."""
    token = judgement.token
    info: dict[str, Any] = {"status": judgement.status.value}
    if token is None:
        return info
    if token.group:
        info["group_id_token"] = {"id_token": token.group, "type": "Central"}
    if token.expiry is not None:
        info["cache_expiry_date_time"] = wire_time(token.expiry)
    if token.message:
        info["personal_message"] = {"format": "UTF8", "language": "en", "content": token.message}
    return info
