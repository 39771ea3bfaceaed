"""Security events of 2.0.1 (part 2, A04, and appendix 1 with the errata of 2025-09)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from app.ocpp.context import Context
from app.ocpp.shared.security_causes import CausesOfEvents
from app.ocpp.v201.availability import Availability
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning

LIST: Mapping[str, bool] = {
    "FirmwareUpdated": True,
    "FailedToAuthenticateAtCsms": False,
    "CsmsFailedToAuthenticate": False,
    "SettingSystemTime": True,
    "StartupOfTheDevice": True,
    "ResetOrReboot": True,
    "SecurityLogWasCleared": True,
    "ReconfigurationOfSecurityParameters": False,
    "MemoryExhaustion": True,
    "InvalidMessages": False,
    "AttemptedReplayAttacks": False,
    "TamperDetectionActivated": True,
    "InvalidFirmwareSignature": True,
    "InvalidFirmwareSigningCertificate": True,
    "InvalidCsmsCertificate": True,
    "InvalidChargingStationCertificate": True,
    "InvalidTLSVersion": True,
    "InvalidTLSCipherSuite": True,
    "MaintenanceLoginAccepted": True,
    "MaintenanceLoginFailed": True,
    # errata 2.9, A02.FR.29: "SHOULD send"
    "DiscardedRenewedClientCertificate": True,
}
"""Each event of the list -> is it critical."""

THRESHOLD = "ClockCtrlr.TimeAdjustmentReportingThreshold"


class Security(CausesOfEvents):
    """The security events of a charging station."""

    critical = frozenset(name for name, pushed in LIST.items() if pushed)
    listed = LIST
    spelling: ClassVar[Mapping[str, str]] = {
        "FailedToAuthenticationAtCentralSystem": "FailedToAuthenticateAtCsms",
        "CentralSystemFailedToAuthentication": "CsmsFailedToAuthenticate",
        "InvalidCentralSystemCertificate": "InvalidCsmsCertificate",
        "InvalidChargePointCertificate": "InvalidChargingStationCertificate",
    }
    settings = frozenset(
        {
            "SecurityCtrlr.BasicAuthPassword",
            "SecurityCtrlr.SecurityProfile",
            "SecurityCtrlr.OrganizationName",
            "SecurityCtrlr.AllowSecurityProfileDowngrade",
            "OCPPCommCtrlr.NetworkConfigurationPriority",
        }
    )

    def __init__(
        self,
        ctx: Context,
        model: DeviceModel,
        office: Provisioning,
        availability: Availability,
    ) -> None:
        def may_send() -> bool:
            return office.accepted and ctx.calls.online and not availability.telling

        super().__init__(ctx, may_send)
        self._model = model
        office.accepted_hooks.append(self.kick)

    def clock_threshold(self) -> float:
        """Errata to CE-10: unset, each change counts."""
        text = self._model.text(THRESHOLD)
        return float(text) if text else -1.0
