"""The configuration keys of 1.6 as data: part 9, the errata sheet and the security whitepaper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.ocpp.features import (
    CORE,
    FIRMWARE,
    LOCAL_LIST,
    RESERVATION,
    SMART_CHARGING,
)

SECURITY = "Security"

REGISTER = "Energy.Active.Import.Register"

CACHE_SIZE = "AuthorizationCacheMaxEntries"


class Kind(Enum):
    BOOL = "boolean"
    INT = "integer"
    CSL = "list"
    TEXT = "string"


class Access(Enum):
    READ = "R"
    BOTH = "RW"
    WRITE = "W"


class Check(Enum):
    """Rules for a value beyond its kind."""

    NONE = "none"
    MEASURANDS = "measurands"
    ROTATION = "rotation"
    PASSWORD = "password"
    NUMBERS = "whole numbers"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it takes and what it starts from. `default` None: unset."""

    name: str
    kind: Kind
    access: Access
    default: str | None
    minimum: int | None = None
    maximum: int | None = None
    check: Check = Check.NONE
    unit: str = ""
    profile: str = CORE
    reboot: bool = False
    """A change takes effect with the next boot."""
    limited_by: str = ""
    """The key that tells how many items the list may hold."""
    offered: bool = True
    """Whether it is there without the configuration file naming it."""
    choices: tuple[str, ...] = ()
    """The words it takes, where they are limited."""


def _flag(name: str, default: str, access: Access = Access.BOTH, profile: str = CORE) -> Key:
    return Key(name, Kind.BOOL, access, default, profile=profile)


def _count(
    name: str,
    default: str,
    access: Access = Access.BOTH,
    *,
    unit: str = "",
    minimum: int = 0,
    maximum: int | None = None,
    profile: str = CORE,
) -> Key:
    return Key(name, Kind.INT, access, default, minimum, maximum, unit=unit, profile=profile)


def _measurands(name: str, default: str) -> Key:
    return Key(
        name,
        Kind.CSL,
        Access.BOTH,
        default,
        check=Check.MEASURANDS,
        limited_by=f"{name}MaxLength",
    )


R, RW = Access.READ, Access.BOTH

KEYS: tuple[Key, ...] = (
    _flag("AllowOfflineTxForUnknownId", "false"),
    _flag("AuthorizationCacheEnabled", "true"),
    _flag("AuthorizeRemoteTxRequests", "true"),
    _count("BlinkRepeat", "3", unit="times"),
    _count("ClockAlignedDataInterval", "0", unit="s", maximum=86_400),
    _count("ConnectionTimeOut", "60", unit="s"),
    Key(
        "ConnectorPhaseRotation",
        Kind.CSL,
        RW,
        None,
        check=Check.ROTATION,
        limited_by="ConnectorPhaseRotationMaxLength",
    ),
    _count("ConnectorPhaseRotationMaxLength", "8", R),
    _count("GetConfigurationMaxKeys", "50", R),
    _count("HeartbeatInterval", "300", unit="s"),
    _count("LightIntensity", "100", unit="%", maximum=100),
    _flag("LocalAuthorizeOffline", "true"),
    _flag("LocalPreAuthorize", "false"),
    _count("MaxEnergyOnInvalidId", "0", unit="Wh"),
    _measurands("MeterValuesAlignedData", REGISTER),
    _count("MeterValuesAlignedDataMaxLength", "22", R),
    _measurands("MeterValuesSampledData", REGISTER),
    _count("MeterValuesSampledDataMaxLength", "22", R),
    _count("MeterValueSampleInterval", "60", unit="s"),
    _count("MinimumStatusDuration", "0", unit="s"),
    Key("NumberOfConnectors", Kind.INT, R, None),
    _count("ResetRetries", "3", unit="times"),
    _flag("StopTransactionOnEVSideDisconnect", "true"),
    _flag("StopTransactionOnInvalidId", "true"),
    _measurands("StopTxnAlignedData", ""),
    _count("StopTxnAlignedDataMaxLength", "22", R),
    _measurands("StopTxnSampledData", ""),
    _count("StopTxnSampledDataMaxLength", "22", R),
    Key("SupportedFeatureProfiles", Kind.CSL, R, None),
    # errata 3.81: of no use, need not be there
    Key("SupportedFeatureProfilesMaxLength", Kind.INT, R, "6", offered=False),
    _count("TransactionMessageAttempts", "3", unit="times", minimum=1),
    _count("TransactionMessageRetryInterval", "60", unit="s"),
    _flag("UnlockConnectorOnEVSideDisconnect", "true"),
    _count("WebSocketPingInterval", "30", unit="s"),
    _flag("LocalAuthListEnabled", "true", profile=LOCAL_LIST),
    _count("LocalAuthListMaxLength", "1000", R, profile=LOCAL_LIST),
    _count("SendLocalListMaxLength", "200", R, profile=LOCAL_LIST),
    _flag("ReserveConnectorZeroSupported", "true", R, RESERVATION),
    _count("ChargeProfileMaxStackLevel", "10", R, profile=SMART_CHARGING),
    # errata 3.88: the words, not A and W
    Key(
        "ChargingScheduleAllowedChargingRateUnit",
        Kind.CSL,
        R,
        "Current,Power",
        profile=SMART_CHARGING,
    ),
    _count("ChargingScheduleMaxPeriods", "24", R, profile=SMART_CHARGING),
    _flag("ConnectorSwitch3to1PhaseSupported", "true", R, SMART_CHARGING),
    _count("MaxChargingProfilesInstalled", "20", R, profile=SMART_CHARGING),
    _count("MessageTimeout", "30", unit="s", minimum=1),  # errata 3.83
    _count("StopTransactionMaxMeterValues", "100", R, minimum=2),  # errata 3.91
    # errata 3.90
    Key("SupportedFileTransferProtocols", Kind.CSL, R, "FTP,FTPS,HTTP,HTTPS", profile=FIRMWARE),
    Key("AuthorizationKey", Kind.TEXT, Access.WRITE, None, check=Check.PASSWORD, profile=SECURITY),
    Key(
        "SecurityProfile",
        Kind.INT,
        RW,
        None,
        0,
        3,
        profile=SECURITY,
    ),
    Key("CpoName", Kind.TEXT, RW, "Forecourt demo", profile=SECURITY),
    _flag("AdditionalRootCertificateCheck", "false", R, SECURITY),
    _count("CertificateSignedMaxChainSize", "10000", R, profile=SECURITY),
    _count("CertificateStoreMaxLength", "20", R, profile=SECURITY),
)
"""The standard keys, in the order of the specification."""

SIGNED_KEYS: tuple[Key, ...] = (
    Key(
        "PublicKeyWithSignedMeterValue",
        Kind.TEXT,
        RW,
        "OncePerTransaction",
        choices=("Never", "OncePerTransaction", "EveryMeterValue"),
    ),
    _flag("SampledDataSignReadings", "false"),
    Key("StartTxnSampledData", Kind.CSL, RW, "", check=Check.MEASURANDS),
    _flag("SampledDataSignStartedReadings", "false"),
    _flag("SampledDataSignUpdatedReadings", "false"),
    _flag("AlignedDataSignReadings", "false"),
    _flag("AlignedDataSignUpdatedReadings", "false"),
)
"""Of the application note on signed meter values, part 3.3; MeterPublicKey<n> is there for each connector."""

OWN_KEYS: tuple[Key, ...] = (
    # transactions before the first Accepted of a power cycle (16-BOOT-11)
    _flag("TxBeforeAcceptedEnabled", "false"),
    # part 5.13: "configured not to accept reservations", for which 1.6 names no key
    _flag("ReservationEnabled", "true", profile=RESERVATION),
    # what `site-default` of ocpp16-no-profile-online gives, for each phase
    _count("SiteDefaultCurrent", "16", unit="A", profile=SMART_CHARGING),
    # errata 3.14.3: samples of the main meter, too, while a transaction runs
    _flag("SampleMainMeter", "false"),
    # whom `priority` of ocpp16-max-profile-allocation serves first: a number for each connector
    Key("ConnectorPriority", Kind.CSL, RW, "", check=Check.NUMBERS, profile=SMART_CHARGING),
    # how many tokens the authorization cache holds
    _count(CACHE_SIZE, "1000", unit="tokens", minimum=1, maximum=10_000),
    # only signed firmware is taken: UpdateFirmware is refused (whitepaper L01.FR.20)
    _flag("SecureFirmwareOnly", "false", profile=SECURITY),
    # what a request for a transfer leaves to the station
    _count("TransferRetries", "2", unit="times", maximum=100),
    _count("TransferRetryInterval", "60", unit="s", maximum=86_400),
    # 2.0.1 has a variable of this name: how far the clock may be set without a security event
    _count("TimeAdjustmentReportingThreshold", "20", unit="s", profile=SECURITY),
    # which kind of key is made for a request for a certificate
    Key("CertificateKeyType", Kind.TEXT, RW, "EC-P256", profile=SECURITY),
)
"""Keys of ours."""

ROTATIONS = frozenset({"NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR"})
