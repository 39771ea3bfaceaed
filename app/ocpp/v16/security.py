"""Security events of 1.6 (whitepaper part 3, A04, and the list of part 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from app.ocpp.context import Context
from app.ocpp.shared.security_causes import CausesOfEvents
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.keys import SECURITY
from app.ocpp.v16.notifier import Notifier

LIST: Mapping[str, bool] = {
    "FirmwareUpdated": True,
    "FailedToAuthenticationAtCentralSystem": False,
    "CentralSystemFailedToAuthentication": False,
    "SettingSystemTime": True,
    "StartupOfTheDevice": True,
    "ResetOrReboot": True,
    "SecurityLogWasCleared": True,
    "ReconfigurationOfSecurityParameters": False,
    "MemoryExhaustion": True,
    "InvalidMessages": False,
    "AttemptedReplayAttacks": False,
    "TamperDetectionActivated": True,
    "InvalidFirmwareSignature": False,
    "InvalidFirmwareSigningCertificate": False,
    "InvalidCentralSystemCertificate": False,
    "InvalidChargePointCertificate": False,
    "InvalidTLSVersion": False,
    "InvalidTLSCipherSuite": False,
}
"""Each event of the list -> is it critical."""

TRIGGERED = frozenset(
    {
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
    }
)
"""Not critical by the list, but "SHALL trigger ... security event" by a requirement (A00.FR.309, .315,
.322, A02.FR.07, L01): they are pushed too, as the certification tests expect."""

THRESHOLD = "TimeAdjustmentReportingThreshold"


class Security(CausesOfEvents):
    """The security events of a charge point. Without the security extension they only go to the log."""

    critical = frozenset(name for name, pushed in LIST.items() if pushed) | TRIGGERED
    listed = LIST
    spelling: ClassVar[Mapping[str, str]] = {
        "FailedToAuthenticateAtCsms": "FailedToAuthenticationAtCentralSystem",
        "CsmsFailedToAuthenticate": "CentralSystemFailedToAuthentication",
        "InvalidCsmsCertificate": "InvalidCentralSystemCertificate",
        "InvalidChargingStationCertificate": "InvalidChargePointCertificate",
    }
    settings = frozenset({"AuthorizationKey", "SecurityProfile", "CpoName"})

    def __init__(self, ctx: Context, config: Configuration, boot: Boot, notifier: Notifier) -> None:
        super().__init__(ctx, lambda: boot.talking and not notifier.busy)
        self._config = config
        boot.followers.append(self.kick)
        notifier.on_quiet.append(self.kick)

    def clock_threshold(self) -> float:
        return float(self._config.number(THRESHOLD))

    @property
    def offered(self) -> bool:
        """The security extension is not switched off."""
        wanted = self.ctx.settings.features
        return wanted is None or SECURITY in wanted

    def pushes(self) -> bool:
        return self.offered
