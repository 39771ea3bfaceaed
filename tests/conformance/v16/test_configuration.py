"""GetConfiguration, ChangeConfiguration and every standard key (1.6 part 5.3, 5.8, 9; behaviours 13.1)."""

from __future__ import annotations

from typing import Any

import pytest

from app.ocpp.context import CallRefused, KeySetting, OcppSettings
from app.ocpp.events import SettingChanged
from app.ocpp.v16.keys import KEYS
from app.ocpp.version import Version
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench

DEFAULTS = {
    "AllowOfflineTxForUnknownId": ("false", False),
    "AuthorizationCacheEnabled": ("true", False),
    "AuthorizeRemoteTxRequests": ("true", False),
    "BlinkRepeat": ("3", False),
    "ClockAlignedDataInterval": ("0", False),
    "ConnectionTimeOut": ("60", False),
    "ConnectorPhaseRotation": ("0.RST,1.RST,2.RST", False),
    "ConnectorPhaseRotationMaxLength": ("8", True),
    "GetConfigurationMaxKeys": ("50", True),
    "HeartbeatInterval": ("300", False),
    "LightIntensity": ("100", False),
    "LocalAuthorizeOffline": ("true", False),
    "LocalPreAuthorize": ("false", False),
    "MaxEnergyOnInvalidId": ("0", False),
    "MeterValuesAlignedData": ("Energy.Active.Import.Register", False),
    "MeterValuesAlignedDataMaxLength": ("22", True),
    "MeterValuesSampledData": ("Energy.Active.Import.Register", False),
    "MeterValuesSampledDataMaxLength": ("22", True),
    "MeterValueSampleInterval": ("60", False),
    "MinimumStatusDuration": ("0", False),
    "NumberOfConnectors": ("2", True),
    "ResetRetries": ("3", False),
    "StopTransactionOnEVSideDisconnect": ("true", False),
    "StopTransactionOnInvalidId": ("true", False),
    "StopTxnAlignedData": ("", False),
    "StopTxnAlignedDataMaxLength": ("22", True),
    "StopTxnSampledData": ("", False),
    "StopTxnSampledDataMaxLength": ("22", True),
    "SupportedFeatureProfiles": (
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        True,
    ),
    "TransactionMessageAttempts": ("3", False),
    "TransactionMessageRetryInterval": ("60", False),
    "UnlockConnectorOnEVSideDisconnect": ("true", False),
    "WebSocketPingInterval": ("30", False),
    # a feature that is not there is off and cannot be turned on
    "LocalAuthListEnabled": ("true", False),
    "LocalAuthListMaxLength": ("1000", True),
    "SendLocalListMaxLength": ("200", True),
    "ReserveConnectorZeroSupported": ("true", True),
    "ChargeProfileMaxStackLevel": ("10", True),
    "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", True),
    "ChargingScheduleMaxPeriods": ("24", True),
    "ConnectorSwitch3to1PhaseSupported": ("true", True),
    "MaxChargingProfilesInstalled": ("20", True),
    "MessageTimeout": ("30", False),
    "StopTransactionMaxMeterValues": ("100", True),
    "SupportedFileTransferProtocols": ("FTP,FTPS,HTTP,HTTPS", True),
    "AuthorizationKey": (None, False),
    "SecurityProfile": ("0", False),
    "CpoName": ("Forecourt demo", False),
    "AdditionalRootCertificateCheck": ("false", True),
    "CertificateSignedMaxChainSize": ("10000", True),
    "CertificateStoreMaxLength": ("20", True),
    # errata 36
    "PublicKeyWithSignedMeterValue": ("OncePerTransaction", False),
    "SampledDataSignReadings": ("false", False),
    "StartTxnSampledData": ("", False),
    "SampledDataSignStartedReadings": ("false", False),
    "SampledDataSignUpdatedReadings": ("false", False),
    "AlignedDataSignReadings": ("false", False),
    "AlignedDataSignUpdatedReadings": ("false", False),
    "TxBeforeAcceptedEnabled": ("false", False),
    "ReservationEnabled": ("true", False),
    "SiteDefaultCurrent": ("16", False),
    "SampleMainMeter": ("false", False),
    "ConnectorPriority": ("", False),
    "AuthorizationCacheMaxEntries": ("1000", False),
    "SecureFirmwareOnly": ("false", False),
    "TransferRetries": ("2", False),
    "TransferRetryInterval": ("60", False),
    "TimeAdjustmentReportingThreshold": ("20", False),
    "CertificateKeyType": ("EC-P256", False),
}


async def change(bench: Bench, key: str, value: str) -> str:
    answer: dict[str, Any] = await bench.request(
        "ChangeConfiguration", {"key": key, "value": value}
    )
    return str(answer["status"])


async def value_of(bench: Bench, key: str) -> str | None:
    answer = await bench.request("GetConfiguration", {"key": [key]})
    found: str | None = answer["configurationKey"][0].get("value")
    return found


async def test_all_keys_of_the_specification_answer(bench16: Make) -> None:
    """CF-01, 13.1: 52 standard keys; errata 3.81 leaves one out."""
    bench = bench16()
    await bench.boot()
    answer = await bench.request("GetConfiguration", {})
    told = {
        item["key"]: (item.get("value"), item["readonly"]) for item in answer["configurationKey"]
    }
    for number in (1, 2):
        value, readonly = told.pop(f"MeterPublicKey{number}")
        assert value
        assert readonly
    # the answer to the boot sets it
    assert told == DEFAULTS
    assert len(KEYS) == 52
    assert "unknownKey" not in answer


async def test_names_compare_without_case_and_unknown_ones_are_told(bench16: Make) -> None:
    """CF-01."""
    bench = bench16()
    await bench.boot()
    keys = ["heartbeatINTERVAL", "Nope", "Nope"]
    assert await bench.request("GetConfiguration", {"key": keys}) == {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknownKey": ["Nope"],
    }
    assert await bench.request("GetConfiguration", {"key": ["Nope"]}) == {"unknownKey": ["Nope"]}


async def test_too_many_keys_at_once(bench16: Make) -> None:
    """CF-01: GetConfigurationMaxKeys."""
    bench = bench16()
    await bench.boot()
    with pytest.raises(CallRefused, match="OccurenceConstraintViolation"):
        await bench.request("GetConfiguration", {"key": [f"K{n}" for n in range(51)]})


@pytest.mark.parametrize(
    ("key", "value", "status", "kept"),
    [
        ("Nope", "1", "NotSupported", None),
        ("NumberOfConnectors", "9", "Rejected", "2"),
        ("LocalPreAuthorize", "TRUE", "Accepted", "true"),
        ("LocalPreAuthorize", "yes", "Rejected", "false"),
        ("connectiontimeout", " 90 ", "Accepted", "90"),
        ("ConnectionTimeOut", "-1", "Rejected", "60"),
        ("ConnectionTimeOut", "1.5", "Rejected", "60"),
        ("ConnectionTimeOut", "", "Rejected", "60"),
        ("ConnectionTimeOut", "٩٠", "Rejected", "60"),
        ("WebSocketPingInterval", "-1", "Rejected", "30"),
        ("WebSocketPingInterval", "0", "Accepted", "0"),
        ("LightIntensity", "101", "Rejected", "100"),
        ("TransactionMessageAttempts", "0", "Rejected", "3"),
        ("MeterValuesSampledData", "Voltage, SoC", "Accepted", "Voltage,SoC"),
        ("MeterValuesSampledData", "Voltage.L1,Power.Active.Import.L3", "Accepted", None),
        ("MeterValuesSampledData", "", "Accepted", ""),
        ("MeterValuesSampledData", "Voltage,Speed", "Rejected", "Energy.Active.Import.Register"),
        ("StopTxnAlignedData", "Current.Sideways", "Rejected", ""),
        ("MeterValuesAlignedData", ",".join(["SoC"] * 23), "Rejected", None),
        ("ConnectorPhaseRotation", "0.RST,1.RTS,2.Unknown", "Accepted", "0.RST,1.RTS,2.Unknown"),
        ("ConnectorPhaseRotation", "3.RST", "Rejected", None),
        ("ConnectorPhaseRotation", "1.ABC", "Rejected", None),
        ("ConnectorPhaseRotation", "².RST", "Rejected", None),
        ("ConnectorPriority", "1,٢", "Rejected", ""),
        ("SecurityProfile", "0", "Rejected", "0"),
        ("SecurityProfile", "2", "Rejected", "0"),
        ("CpoName", "Other CPO ", "Accepted", "Other CPO "),
        ("AuthorizationKey", "ab" * 15, "Rejected", None),
        ("AuthorizationKey", "ab" * 20 + "a", "Rejected", None),
        ("AuthorizationKey", "zz" * 16, "Rejected", None),
        ("AuthorizationKey", "Ab" * 16, "Accepted", None),
    ],
)
async def test_change_configuration(
    bench16: Make, key: str, value: str, status: str, kept: str | None
) -> None:
    """CF-02, MV-04, RPC-12, errata #6 and #7."""
    bench = bench16()
    await bench.boot()
    assert await change(bench, key, value) == status
    if kept is not None:
        assert await value_of(bench, key) == kept


async def test_change_survives_and_is_told(bench16: Make) -> None:
    """CF-02."""
    bench = bench16()
    await bench.boot()
    await change(bench, "ConnectionTimeOut", "90")
    event = bench.happened(SettingChanged)[-1]
    assert (event.name, event.before, event.after, event.by) == (
        "ConnectionTimeOut",
        "60",
        "90",
        "backoffice",
    )
    await bench.kill_and_restart()
    assert await value_of(bench, "ConnectionTimeOut") == "90"


async def test_person_at_the_station_may_change_keys(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    assert bench.personality.set_setting("MeterValueSampleInterval", "15") == "Accepted"
    assert bench.personality.get_setting("metervaluesampleinterval") == "15"
    assert bench.happened(SettingChanged)[-1].by == "person"
    with pytest.raises(KeyError):
        bench.personality.set_setting("Nope", "1")
    with pytest.raises(KeyError):
        bench.personality.get_setting("Nope")


async def test_configuration_file_presets_keys_and_their_access(make_bench: Make) -> None:
    """Section 6 of the product: initial values and mutability of any key, custom ones too."""
    keys = (
        KeySetting("HeartbeatInterval", readonly=True),
        KeySetting("numberofconnectors", "7", readonly=False),
        KeySetting("Acme.Colour", "blue"),
        KeySetting("Acme.Serial", "17", readonly=True),
        KeySetting("SupportedFeatureProfilesMaxLength"),
    )
    bench = make_bench(Version.V16, settings=OcppSettings(keys=keys))
    await bench.boot()
    assert await change(bench, "HeartbeatInterval", "1") == "Rejected"
    assert await value_of(bench, "NumberOfConnectors") == "7"
    assert await change(bench, "NumberOfConnectors", "8") == "Accepted"
    assert await change(bench, "acme.colour", "red") == "Accepted"
    assert await value_of(bench, "Acme.Colour") == "red"
    assert await change(bench, "Acme.Serial", "18") == "Rejected"
    assert await value_of(bench, "SupportedFeatureProfilesMaxLength") == "6"


async def test_password_is_written_only_and_used_at_once(bench16: Make) -> None:
    """RPC-16, whitepaper A01: reconnect with the new password; never told."""
    bench = bench16()
    await bench.boot()
    links = bench.csms.connection
    assert bench.personality.basic_auth_password() is None
    key = "0123456789abcdef0123456789ABCDEF"
    assert await change(bench, "AuthorizationKey", key) == "Accepted"
    assert bench.csms.connection > links
    assert bench.personality.basic_auth_password() == bytes.fromhex(key)
    assert await value_of(bench, "AuthorizationKey") is None
    event = bench.happened(SettingChanged)[-1]
    assert (event.name, event.before, event.after) == ("AuthorizationKey", None, None)
    assert bench.personality.get_setting("AuthorizationKey") is None
    told = {item["name"]: item["value"] for item in bench.personality.settings()}
    assert told["AuthorizationKey"] is None
    assert told["CpoName"] == "Forecourt demo"


async def test_password_may_be_sent_as_it_is_written(bench16: Make) -> None:
    """ocpp16-authorization-key-encoding: text-as-is."""
    bench = bench16(points={"ocpp16-authorization-key-encoding": "text-as-is"})
    await bench.boot()
    await change(bench, "AuthorizationKey", "ab" * 16)
    assert bench.personality.basic_auth_password() == "ab" * 16


async def test_link_policy_follows_the_keys(bench16: Make) -> None:
    """RPC-05, RPC-12."""
    bench = bench16()
    await bench.boot()
    await change(bench, "WebSocketPingInterval", "7")
    await change(bench, "MessageTimeout", "11")
    policy = bench.personality.link_policy()
    assert (policy.ping_interval, policy.message_timeout) == (7.0, 11.0)


async def test_fixed_cable_is_never_unlocked_on_ev_side_disconnect(bench16: Make) -> None:
    """Errata 3.84, 3.85: false and read-only."""
    bench = bench16("home-ac-11")
    await bench.boot()
    key = "UnlockConnectorOnEVSideDisconnect"
    answer = await bench.request("GetConfiguration", {"key": [key]})
    assert answer["configurationKey"] == [{"key": key, "readonly": True, "value": "false"}]


async def test_dc_station_has_no_phase_rotation(bench16: Make) -> None:
    bench = bench16("dc-2x150")
    await bench.boot()
    assert "1.NotApplicable" in str(await value_of(bench, "ConnectorPhaseRotation"))
