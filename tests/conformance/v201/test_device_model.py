"""Reading, setting and reporting variables: part 2, B05 to B08; DM-01 to DM-05, PG-01."""

from __future__ import annotations

from typing import Any

import pytest

from app.ocpp.context import CallRefused, VariableSetting
from app.ocpp.events import LinkOpened, SettingChanged
from tests.conformance.v201.conftest import Make, get_variable, set_variable, variable
from tests.support.harness import Bench

REQUIRED = """
AlignedDataCtrlr Interval, AlignedDataCtrlr Measurands, AlignedDataCtrlr TxEndedInterval,
AlignedDataCtrlr TxEndedMeasurands, AuthCtrlr AuthorizeRemoteStart, AuthCtrlr LocalAuthorizeOffline,
AuthCtrlr LocalPreAuthorize, ChargingStation AvailabilityState, ChargingStation Available,
ChargingStation SupplyPhases, ClockCtrlr DateTime, ClockCtrlr TimeSource, Connector Available,
Connector ConnectorType, Connector SupplyPhases, DeviceDataCtrlr BytesPerMessage GetReport,
DeviceDataCtrlr BytesPerMessage GetVariables, DeviceDataCtrlr BytesPerMessage SetVariables,
DeviceDataCtrlr ItemsPerMessage GetReport, DeviceDataCtrlr ItemsPerMessage GetVariables,
DeviceDataCtrlr ItemsPerMessage SetVariables, EVSE AvailabilityState, EVSE Available, EVSE Power,
EVSE SupplyPhases, OCPPCommCtrlr ActiveNetworkProfile, OCPPCommCtrlr FileTransferProtocols,
OCPPCommCtrlr MessageTimeout Default, OCPPCommCtrlr MessageAttemptInterval TransactionEvent,
OCPPCommCtrlr MessageAttempts TransactionEvent, OCPPCommCtrlr NetworkConfigurationPriority,
OCPPCommCtrlr NetworkProfileConnectionAttempts, OCPPCommCtrlr OfflineThreshold,
OCPPCommCtrlr ResetRetries, OCPPCommCtrlr UnlockOnEVSideDisconnect, SampledDataCtrlr TxEndedInterval,
SampledDataCtrlr TxEndedMeasurands, SampledDataCtrlr TxStartedMeasurands,
SampledDataCtrlr TxUpdatedInterval, SampledDataCtrlr TxUpdatedMeasurands,
SecurityCtrlr CertificateEntries, SecurityCtrlr OrganizationName, SecurityCtrlr SecurityProfile,
TariffCostCtrlr Currency, TariffCostCtrlr TariffFallbackMessage,
TariffCostCtrlr TotalCostFallbackMessage, TxCtrlr EVConnectionTimeOut,
TxCtrlr StopTxOnEVSideDisconnect, TxCtrlr StopTxOnInvalidId, TxCtrlr TxStartPoint, TxCtrlr TxStopPoint
"""
NOT_BUILT = (
    "DisplayMessageCtrlr",
    "LocalAuthListCtrlr",
    "MonitoringCtrlr",
    "ReservationCtrlr",
    "SmartChargingCtrlr",
)


async def booted(bench201: Make, **options: Any) -> Bench:
    bench: Bench = bench201(**options)
    await bench.boot()
    bench.skip()
    return bench


async def report(bench: Bench, base: str = "FullInventory") -> list[dict[str, Any]]:
    answer = await bench.request("GetBaseReport", {"requestId": 5, "reportBase": base})
    assert answer == {"status": "Accepted"}
    return [entry for page in bench.sent("NotifyReport") for entry in page["reportData"]]


def named(entries: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        (entry["component"]["name"], entry["variable"]["name"], entry["variable"]["instance"])
        if "instance" in entry["variable"]
        else (entry["component"]["name"], entry["variable"]["name"])
        for entry in entries
    }


# ---- GetVariables


async def test_each_entry_gets_its_result(bench201: Make) -> None:
    """DM-01, B06.FR.01, .02, .03, .06, .07, .08, .09, .10, .11, .15."""
    bench = await booted(bench201)
    wanted = [
        variable("TxCtrlr", "EVConnectionTimeOut"),
        {**variable("txctrlr", "EVCONNECTIONTIMEOUT"), "attributeType": "Actual"},
        variable("NoCtrlr", "Anything"),
        variable("TxCtrlr", "Nothing"),
        {**variable("TxCtrlr", "EVConnectionTimeOut"), "attributeType": "Target"},
        variable("SecurityCtrlr", "BasicAuthPassword"),
        variable("OCPPCommCtrlr", "MessageTimeout", instance="Default"),
        variable("OCPPCommCtrlr", "MessageTimeout"),
        variable("EVSE", "Power"),
        {**variable("EVSE", "Power", evse=1), "attributeType": "MaxSet"},
    ]
    answer = await bench.request("GetVariables", {"getVariableData": wanted})
    results = answer["getVariableResult"]
    assert [result["attributeStatus"] for result in results] == [
        "Accepted",
        "Accepted",
        "UnknownComponent",
        "UnknownVariable",
        "NotSupportedAttributeType",
        "Rejected",
        "Accepted",
        "UnknownVariable",
        "UnknownComponent",
        "Accepted",
    ]
    assert results[0]["attributeValue"] == "60"
    assert results[0]["attributeType"] == "Actual"
    assert results[1]["component"] == {"name": "txctrlr"}
    assert results[9]["attributeValue"] == "22080"
    assert all("attributeValue" not in results[index] for index in (2, 3, 4, 5, 7, 8))


async def test_unset_value_reads_as_an_empty_text(bench201: Make) -> None:
    """DM-01, B06.FR.13."""
    bench = await booted(bench201)
    result = await get_variable(bench, "AuthCtrlr", "MasterPassGroupId")
    assert (result["attributeStatus"], result["attributeValue"]) == ("Accepted", "")


async def test_measured_values_are_read_when_asked_for(bench201: Make) -> None:
    """13.2: DateTime, Power, types and phases by hardware."""
    bench = await booted(bench201)
    await bench.advance(3)
    read = {
        "now": (await get_variable(bench, "ClockCtrlr", "DateTime"))["attributeValue"],
        "power": (await get_variable(bench, "EVSE", "Power", evse=1))["attributeValue"],
        "type": (await get_variable(bench, "Connector", "ConnectorType", evse=1, connector=1))[
            "attributeValue"
        ],
        "socket": (await get_variable(bench, "Connector", "ConnectorType", evse=2, connector=1))[
            "attributeValue"
        ],
        "phases": (await get_variable(bench, "EVSE", "SupplyPhases", evse=1))["attributeValue"],
    }
    assert read == {
        "now": "2026-01-15T08:00:03Z",
        "power": "0.0",
        "type": "cType2",
        "socket": "sType2",
        "phases": "3",
    }


async def test_dc_connector(bench201: Make) -> None:
    """13.2: cCCS2."""
    bench = await booted(bench201, blueprint="dc-2x150")
    result = await get_variable(bench, "Connector", "ConnectorType", evse=2, connector=1)
    assert result["attributeValue"] == "cCCS2"


@pytest.mark.parametrize(
    ("action", "entries"),
    [
        ("GetVariables", "getVariableData"),
        ("SetVariables", "setVariableData"),
        ("GetReport", "componentVariable"),
    ],
)
async def test_too_many_entries_are_refused(bench201: Make, action: str, entries: str) -> None:
    """DM-03, B06.FR.16, B08.FR.17."""
    bench = await booted(bench201)
    entry: dict[str, Any] = variable("TxCtrlr", "EVConnectionTimeOut")
    if action == "SetVariables":
        entry["attributeValue"] = "1"
    request: dict[str, Any] = {entries: [entry] * 51}
    if action == "GetReport":
        request["requestId"] = 1
    with pytest.raises(CallRefused) as error:
        await bench.request(action, request)
    assert error.value.code == "OccurrenceConstraintViolation"


async def test_too_many_bytes_are_refused(bench201: Make) -> None:
    """DM-03, B06.FR.17."""
    path = "DeviceDataCtrlr.BytesPerMessage[GetVariables]"
    bench = await booted(bench201, variables={path: "100"})
    with pytest.raises(CallRefused) as error:
        await bench.request("GetVariables", {"getVariableData": [variable("TxCtrlr", "x")] * 3})
    assert error.value.code == "FormatViolation"


# ---- SetVariables


@pytest.mark.parametrize(
    ("component", "name", "value", "status"),
    [
        ("TxCtrlr", "EVConnectionTimeOut", "45", "Accepted"),
        ("TxCtrlr", "EVConnectionTimeOut", "0", "Rejected"),
        ("TxCtrlr", "EVConnectionTimeOut", "soon", "Rejected"),
        ("TxCtrlr", "EVConnectionTimeOut", "1.5", "Rejected"),
        ("TxCtrlr", "StopTxOnInvalidId", "False", "Accepted"),
        ("TxCtrlr", "StopTxOnInvalidId", "no", "Rejected"),
        ("TxCtrlr", "TxStartPoint", "evconnected, Authorized", "Accepted"),
        ("TxCtrlr", "TxStartPoint", "Authorized,Authorized", "Rejected"),
        ("SampledDataCtrlr", "TxUpdatedMeasurands", "Power.Active.Export", "Rejected"),
        ("AlignedDataCtrlr", "Interval", "100000", "Rejected"),
        ("AuthCtrlr", "MasterPassGroupId", "x" * 37, "Rejected"),
        ("ClockCtrlr", "TimeSource", "Heartbeat,RealTimeClock", "Accepted"),
        ("ClockCtrlr", "TimeSource", "NTP", "Rejected"),
        ("ClockCtrlr", "DateTime", "2026-01-01T00:00:00Z", "Rejected"),
        ("OCPPCommCtrlr", "WebSocketPingInterval", "-1", "Rejected"),
        ("SecurityCtrlr", "BasicAuthPassword", "tooshort", "Rejected"),
        ("OCPPCommCtrlr", "NetworkConfigurationPriority", "2", "Rejected"),
        ("NoCtrlr", "Anything", "1", "UnknownComponent"),
        ("TxCtrlr", "Nothing", "1", "UnknownVariable"),
    ],
)
async def test_value_is_judged(
    bench201: Make, component: str, name: str, value: str, status: str
) -> None:
    """DM-01, DM-02, B05.FR.04 to B05.FR.10."""
    bench = await booted(bench201)
    assert await set_variable(bench, component, name, value) == status


async def test_other_attribute_is_not_supported(bench201: Make) -> None:
    """B05.FR.06."""
    bench = await booted(bench201)
    entry = {
        **variable("TxCtrlr", "EVConnectionTimeOut"),
        "attributeType": "MinSet",
        "attributeValue": "1",
    }
    answer = await bench.request("SetVariables", {"setVariableData": [entry]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "NotSupportedAttributeType"
    assert answer["setVariableResult"][0]["attributeType"] == "MinSet"


async def test_value_survives_and_is_told(bench201: Make) -> None:
    """13.2: persistent; SettingChanged for views."""
    bench = await booted(bench201)
    await set_variable(bench, "TxCtrlr", "TxStopPoint", "EVConnected")
    changed = bench.happened(SettingChanged)[-1]
    assert (changed.name, changed.before, changed.after, changed.by) == (
        "TxCtrlr.TxStopPoint",
        "EVConnected,Authorized",
        "EVConnected",
        "back office",
    )
    await bench.kill_and_restart()
    result = await get_variable(bench, "TxCtrlr", "TxStopPoint")
    assert result["attributeValue"] == "EVConnected"


async def test_new_password_is_used_at_once_and_never_told(bench201: Make) -> None:
    """RPC-16, A01: the link is opened anew with it; write-only (errata 2.10)."""
    bench = await booted(bench201)
    secret = "a-quite-long-secret"
    assert await set_variable(bench, "SecurityCtrlr", "BasicAuthPassword", secret) == "Accepted"
    await bench.rest()
    assert bench.personality.basic_auth_password() == secret
    assert len(bench.happened(LinkOpened)) == 2
    assert bench.happened(SettingChanged)[-1].after is None
    entries = await report(bench)
    [entry] = [e for e in entries if e["variable"]["name"] == "BasicAuthPassword"]
    assert "value" not in entry["variableAttribute"][0]
    assert bench.personality.get_setting("SecurityCtrlr.BasicAuthPassword") is None
    await bench.kill_and_restart()
    assert bench.personality.basic_auth_password() == secret


async def test_fixed_cables_only_fix_the_unlock_variable(bench201: Make) -> None:
    """2.1.12: false and read-only."""
    bench = await booted(bench201, blueprint="home-ac-11")
    result = await get_variable(bench, "OCPPCommCtrlr", "UnlockOnEVSideDisconnect")
    assert result["attributeValue"] == "false"
    status = await set_variable(bench, "OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "true")
    assert status == "Rejected"


async def test_custom_variables_and_overrides_of_the_configuration(bench201: Make) -> None:
    """Configuration: own variables, values, mutability, attributes."""
    settings = (
        VariableSetting("VendorCtrlr", "Colour", "red", evse=1, variable_instance="Door"),
        VariableSetting("TxCtrlr", "EVConnectionTimeOut", "99", mutability="ReadOnly"),
        VariableSetting("TxCtrlr", "EVConnectionTimeOut", "120", attribute="MaxSet"),
        VariableSetting("ClockCtrlr", "DateTime", "2001-01-01T00:00:00Z"),
    )
    bench = await booted(bench201, settings={"variables": settings})
    own = await get_variable(bench, "VendorCtrlr", "Colour", evse=1, instance="Door")
    assert own["attributeValue"] == "red"
    assert (
        await set_variable(bench, "VendorCtrlr", "Colour", "blue", evse=1, instance="Door")
        == "Accepted"
    )
    assert await set_variable(bench, "TxCtrlr", "EVConnectionTimeOut", "5") == "Rejected"
    assert bench.personality.get_setting("TxCtrlr.EVConnectionTimeOut:MaxSet") == "120"
    assert bench.personality.get_setting("ClockCtrlr.DateTime") == "2001-01-01T00:00:00Z"


async def test_value_that_needs_a_boot_says_so(bench201: Make) -> None:
    """DM-02: RebootRequired."""
    bench = await booted(bench201)
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://elsewhere/ocpp",
        "messageTimeout": 30,
        "securityProfile": 0,
        "ocppInterface": "Wired0",
    }
    request = {"configurationSlot": 2, "connectionData": data}
    assert await bench.request("SetNetworkProfile", request) == {"status": "Accepted"}
    status = await set_variable(bench, "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")
    assert status == "RebootRequired"


# ---- reports


async def test_full_inventory_has_all_required_variables(bench201: Make) -> None:
    """DM-04, B07.FR.08, 13.2."""
    bench = await booted(bench201)
    entries = await report(bench)
    wanted = {tuple(row.split()) for row in REQUIRED.replace("\n", " ").split(",")}
    assert wanted - named(entries) == set()
    for entry in entries:
        assert entry["variableCharacteristics"]["supportsMonitoring"] is False
        assert entry["variableAttribute"]


async def test_what_is_not_built_says_so_and_nothing_else(bench201: Make) -> None:
    """13.2: only features that are built report themselves."""
    bench = await booted(bench201)
    entries = await report(bench)
    for component in NOT_BUILT:
        [entry] = [e for e in entries if e["component"]["name"] == component]
        assert entry["variable"] == {"name": "Available"}
        assert entry["variableAttribute"][0]["value"] == "false"


async def test_pages_carry_request_number_and_continuation(bench201: Make) -> None:
    """PG-01, B07.FR.04, B07.FR.10."""
    bench = await booted(bench201)
    await report(bench)
    pages = bench.sent("NotifyReport")
    assert len(pages) > 1
    assert [page["seqNo"] for page in pages] == list(range(len(pages)))
    assert [page.get("tbc", False) for page in pages] == [True] * (len(pages) - 1) + [False]
    assert {page["requestId"] for page in pages} == {5}
    assert {page["generatedAt"] for page in pages} == {"2026-01-15T08:00:00Z"}


async def test_limits_are_reported(bench201: Make) -> None:
    """13.2: EVSE.Power has maxLimit by hardware, lists their values."""
    bench = await booted(bench201)
    entries = {
        (entry["component"]["name"], entry["variable"]["name"]): entry
        for entry in await report(bench)
    }
    power = entries["EVSE", "Power"]
    assert power["variableCharacteristics"]["maxLimit"] == 22080
    assert [a["type"] for a in power["variableAttribute"]] == ["Actual", "MaxSet"]
    points = entries["TxCtrlr", "TxStartPoint"]["variableCharacteristics"]
    assert "PowerPathClosed" in points["valuesList"]


async def test_configuration_inventory_is_what_can_be_set(bench201: Make) -> None:
    """B07.FR.07."""
    bench = await booted(bench201)
    entries = await report(bench, "ConfigurationInventory")
    assert ("TxCtrlr", "EVConnectionTimeOut") in named(entries)
    assert ("ClockCtrlr", "DateTime") not in named(entries)
    for entry in entries:
        assert entry["variableAttribute"][0]["mutability"] != "ReadOnly"


async def test_summary_is_availability_and_problems(bench201: Make) -> None:
    """B07.FR.09."""
    bench = await booted(bench201)
    entries = await report(bench, "SummaryInventory")
    assert named(entries) == {
        ("ChargingStation", "AvailabilityState"),
        ("EVSE", "AvailabilityState"),
        ("Connector", "AvailabilityState"),
    }


async def test_second_report_while_one_is_sent_is_rejected(bench201: Make) -> None:
    """B07.FR.13."""
    bench = await booted(bench201)
    hold = bench.csms.hold("NotifyReport")
    request = {"requestId": 5, "reportBase": "FullInventory"}
    bench.start_request("GetBaseReport", request)
    await hold.arrived()
    answer = await bench.start_request("GetBaseReport", request)
    assert answer[2]["status"] == "Rejected"
    hold.answer({})
    await bench.rest()


async def test_broken_link_ends_a_report(bench201: Make) -> None:
    """B07: the rest is not sent, the next one may start."""
    bench = await booted(bench201)
    hold = bench.csms.hold("NotifyReport")
    bench.start_request("GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
    await hold.arrived()
    await bench.offline()
    await bench.online()
    assert len(bench.sent("NotifyReport")) == 1
    answer = await bench.request("GetBaseReport", {"requestId": 6, "reportBase": "FullInventory"})
    assert answer["status"] == "Accepted"


async def custom(bench: Bench, **request: Any) -> list[dict[str, Any]] | str:
    answer = await bench.request("GetReport", {"requestId": 9, **request})
    if answer["status"] != "Accepted":
        status: str = answer["status"]
        return status
    return [entry for page in bench.sent("NotifyReport") for entry in page["reportData"]]


async def test_report_of_one_component_expands_over_evses(bench201: Make) -> None:
    """DM-05, B08.FR.20, B08.FR.23."""
    bench = await booted(bench201)
    entries = await custom(bench, componentVariable=[{"component": {"name": "EVSE"}}])
    assert isinstance(entries, list)
    assert {entry["component"]["evse"]["id"] for entry in entries} == {1, 2}
    assert ("EVSE", "Power") in named(entries)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"component": {"name": "Connector", "evse": {"id": 2}}}, 5),
        ({"component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}}}, 5),
        ({"component": {"name": "Connector", "evse": {"id": 2, "connectorId": 9}}}, None),
        ({"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage"}}, 3),
        (
            {
                "component": {"name": "DeviceDataCtrlr"},
                "variable": {"name": "ItemsPerMessage", "instance": "GetReport"},
            },
            1,
        ),
        ({"component": {"name": "DeviceDataCtrlr", "instance": "x"}}, None),
        ({"component": {"name": "NoCtrlr"}}, None),
    ],
)
async def test_report_is_limited_to_what_was_asked_for(
    bench201: Make, wanted: dict[str, Any], count: int | None
) -> None:
    """B08.FR.11, B08.FR.15, B08.FR.21, B08.FR.22."""
    bench = await booted(bench201)
    entries = await custom(bench, componentVariable=[wanted])
    assert (len(entries) if isinstance(entries, list) else entries) == (count or "EmptyResultSet")


async def test_criteria_are_alternatives(bench201: Make) -> None:
    """DM-05, B08.FR.08 to B08.FR.10, B08.FR.13."""
    bench = await booted(bench201)
    assert await custom(bench, componentCriteria=["Problem"]) == "EmptyResultSet"
    entries = await custom(bench, componentCriteria=["Available", "Problem"])
    assert isinstance(entries, list)
    components = {entry["component"]["name"] for entry in entries}
    assert "EVSE" in components
    assert "ClockCtrlr" in components  # has no variable Available
    assert not components & set(NOT_BUILT)


async def test_unknown_base_is_not_supported(bench201: Make) -> None:
    """DM-04: the handler's own answer where a new base comes along."""
    bench = await booted(bench201)
    handler = bench.personality.handlers()["GetBaseReport"]
    reply: Any = handler({"requestId": 1, "reportBase": "AnotherInventory"})
    assert reply.payload == {"status": "NotSupported"}


# ---- what people and control see


async def test_settings_are_listed_and_set_by_path(bench201: Make) -> None:
    """Control: variables.get and variables.set."""
    bench = await booted(bench201)
    personality = bench.personality
    rows = {row["name"]: row for row in personality.settings()}
    assert rows["EVSE@1.Power"]["maximum"] == 22080
    assert rows["ClockCtrlr.DateTime"]["readonly"] is True
    assert rows["SecurityCtrlr.BasicAuthPassword"]["value"] is None
    assert rows["OCPPCommCtrlr.MessageTimeout[Default]"]["value"] == "30"
    assert personality.get_setting("Connector@1/1.ConnectorType") == "cType2"
    assert personality.set_setting("TxCtrlr.EVConnectionTimeOut", "77") == "Accepted"
    assert personality.set_setting("TxCtrlr.EVConnectionTimeOut", "x") == "Rejected"
    assert personality.get_setting("TxCtrlr.EVConnectionTimeOut") == "77"
    for path in ("nonsense", "No.Such", "TxCtrlr.EVConnectionTimeOut:MinSet"):
        with pytest.raises(KeyError):
            personality.get_setting(path)
        with pytest.raises(KeyError):
            personality.set_setting(path, "1")


async def test_link_policy_follows_the_variables(bench201: Make) -> None:
    """RPC-05, RPC-12, RPC-13."""
    bench = await booted(
        bench201,
        variables={
            "OCPPCommCtrlr.WebSocketPingInterval": "7",
            "OCPPCommCtrlr.MessageTimeout[Default]": "11",
            "OCPPCommCtrlr.RetryBackOffWaitMinimum": "5",
            "OCPPCommCtrlr.RetryBackOffRandomRange": "6",
            "OCPPCommCtrlr.RetryBackOffRepeatTimes": "9",
        },
    )
    policy = bench.personality.link_policy()
    assert (policy.ping_interval, policy.message_timeout) == (7, 11)
    assert (policy.backoff_minimum, policy.backoff_random, policy.backoff_repeats) == (5, 6, 9)
    await set_variable(bench, "OCPPCommCtrlr", "WebSocketPingInterval", "0")
    assert bench.personality.link_policy().ping_interval == 0


@pytest.mark.parametrize(
    "action", ["SetChargingProfile", "ReserveNow", "SendLocalList", "PublishFirmware"]
)
async def test_what_is_not_built_yet_is_not_supported(bench201: Make, action: str) -> None:
    """RPC-07: known, but not built."""
    bench = await booted(bench201)
    frame = await bench.ask(action, {}, check=False)
    assert frame[0] == 4
    assert frame[2] in ("NotSupported", "NotImplemented")
