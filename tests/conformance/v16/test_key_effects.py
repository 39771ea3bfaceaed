"""Every configuration key that can be written changes what the station does (13.1 of the behaviours).

Each probe plays one scene and says what came of it: once as the station is, once after ChangeConfiguration.
Nothing here reads the key back.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from app.kernel.text import Text
from app.kernel.units import stamp
from app.ocpp.context import (
    Identity,
    KeySetting,
    OcppSettings,
    Progress,
    TransferFailed,
    TransferTrouble,
)
from app.ocpp.v16.keys import KEYS, OWN_KEYS, SIGNED_KEYS, Access
from app.ocpp.version import Version
from app.station.intents import (
    ClearFault,
    PlugIn,
    PresentCard,
    PressStop,
    RaiseFault,
    SetVehicle,
    Unplug,
)
from app.station.kinds import Fault
from tests.conformance.v16.conftest import Make
from tests.conformance.v16.test_reservation import reserve
from tests.conformance.v16.test_smart_charging import amps, maximum, put
from tests.support.harness import MUTE, Bench, Refuse

REGISTER = "Energy.Active.Import.Register"
IN_STOP = {"Stop Transaction.Begin", "Stop Transaction.End"}
INVALID = {"transactionId": 1, "idTagInfo": {"status": "Invalid"}}


async def session(bench: Bench, token: str = "A", evse: int = 1) -> None:
    await bench.do(SetVehicle(evse, ready_delay=0.0, soc=10.0, max_ac_current=32.0))
    await bench.do(PlugIn(evse), PresentCard(token, evse=evse))


async def running(bench: Bench) -> int:
    return len(bench.personality.sessions())


def last_status(bench: Bench, number: int = 1) -> str:
    heard = [item for item in bench.sent("StatusNotification") if item["connectorId"] == number]
    return str(heard[-1]["status"])


# ---------------------------------------------------------------- scenes


async def unknown_token_offline(bench: Bench) -> int:
    await bench.offline()
    await session(bench, "NEW")
    return await running(bench)


async def known_token_offline(bench: Bench) -> int:
    await session(bench)
    await bench.do(PressStop(1))
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    return await running(bench)


async def first_of_two_tokens_offline(bench: Bench) -> int:
    await bench.do(PlugIn(1), *(PresentCard(token, evse=1) for token in "AABB"))
    await bench.offline()
    await bench.do(PresentCard("A", evse=1))
    return await running(bench)


async def send_a_list(bench: Bench) -> None:
    listed = [{"idTag": "L", "idTagInfo": {"status": "Accepted"}}]
    payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": listed}
    await bench.request("SendLocalList", payload)


async def listed_token_offline(bench: Bench) -> int:
    await bench.offline()
    await session(bench, "L")
    return await running(bench)


async def remote_start(bench: Bench) -> int:
    await bench.do(PlugIn(1))
    await bench.request("RemoteStartTransaction", {"idTag": "R", "connectorId": 1})
    return len(bench.sent("Authorize"))


async def second_session(bench: Bench) -> int:
    await session(bench)
    await bench.do(PressStop(1), PresentCard("A", evse=1))
    return len(bench.sent("Authorize"))


async def verdict(bench: Bench) -> int:
    await bench.do(PresentCard("A", evse=1))
    return bench.station.snapshot().readers[0].blinks


async def certificate_request(bench: Bench) -> tuple[str, str]:
    """Whom the request for a certificate names, and with which kind of key."""
    identity = Identity(serial_number="SN-1")
    bench.ctx.settings = replace(bench.ctx.settings, identity=identity)
    word = {"requestedMessage": "SignChargePointCertificate"}
    assert await bench.request("ExtendedTriggerMessage", word) == {"status": "Accepted"}
    csr = x509.load_pem_x509_csr(bench.sent("SignCertificate")[-1]["csr"].encode())
    operator = csr.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    return str(operator), type(csr.public_key()).__name__.removesuffix("PublicKey")


async def clock_set_by_a_minute(bench: Bench) -> int:
    later = stamp(bench.now + timedelta(seconds=60))
    bench.csms.on("Heartbeat", {"currentTime": later})
    await bench.request("TriggerMessage", {"requestedMessage": "Heartbeat"})
    told = [event["type"] for event in bench.sent("SecurityEventNotification")]
    return told.count("SettingSystemTime")


class Nowhere:
    """A network in which no file server can be reached."""

    async def download(self, url: str, into: Path, *, progress: Progress) -> None:
        raise TransferFailed(Text("transfer.cut_off"), TransferTrouble.CUT_OFF)

    async def upload(self, url: str, source: Path, name: str, *, progress: Progress) -> None:
        raise TransferFailed(Text("transfer.cut_off"), TransferTrouble.CUT_OFF)


async def tries_of_a_download(bench: Bench) -> int:
    """Within five minutes."""
    bench.ctx.transfer, bench.ctx.files = Nowhere(), Path("nowhere")
    request = {"location": "ftp://files.example/fw.bin", "retrieveDate": stamp(bench.now)}
    await bench.request("UpdateFirmware", request)
    await bench.advance(300)
    told = [item["status"] for item in bench.sent("FirmwareStatusNotification")]
    return told.count("Downloading")


async def plain_update(bench: Bench) -> str:
    request = {"location": "ftp://files.example/fw.bin", "retrieveDate": stamp(bench.now)}
    frame = await bench.ask("UpdateFirmware", request)
    return "taken" if frame[0] == 3 else str(frame[2])


async def brightness(bench: Bench) -> int:
    return bench.station.snapshot().light


async def half_an_hour_idle(bench: Bench) -> int:
    await bench.advance(1800)
    return len(bench.sent("MeterValues"))


async def card_without_plug(bench: Bench) -> str:
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(30)
    return last_status(bench)


async def loaded_phase_of_the_grid(bench: Bench) -> str:
    await bench.do(SetVehicle(1, ready_delay=0.0, ac_phases=1), PlugIn(1))
    await bench.do(PresentCard("A", evse=1))
    await bench.advance(30)
    await bench.request("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 0})
    values = bench.sent("MeterValues")[-1]["meterValue"][0]["sampledValue"]
    loads = {item["phase"]: float(item["value"]) for item in values if "phase" in item}
    return max(loads, key=lambda phase: loads[phase])


async def a_minute_of_silence(bench: Bench) -> int:
    await bench.advance(60)
    return len(bench.sent("Heartbeat"))


async def refused_session(bench: Bench) -> int:
    bench.csms.on("StartTransaction", INVALID)
    await session(bench)
    return await running(bench)


async def energy_after_a_refusal(bench: Bench) -> int:
    bench.csms.on("StartTransaction", INVALID)
    await session(bench)
    await bench.advance(600)
    return round(bench.station.meter(1).energy_import, -2)


async def measurands(bench: Bench) -> set[str]:
    await session(bench)
    await bench.advance(900)
    values = [item["meterValue"][0]["sampledValue"] for item in bench.sent("MeterValues")]
    return {item.get("measurand", REGISTER) for each in values for item in each}


async def samples_in_two_minutes(bench: Bench) -> int:
    await session(bench)
    await bench.advance(121)
    return len(bench.sent("MeterValues"))


async def sampled_connectors(bench: Bench) -> set[int]:
    await session(bench)
    await session(bench, "B", 2)
    await bench.advance(121)
    assert [item["connectorId"] for item in bench.sent("MeterValues")].count(0) in (0, 2)
    return {item["connectorId"] for item in bench.sent("MeterValues")}


async def status_at_once(bench: Bench) -> str:
    await bench.do(PlugIn(1))
    return last_status(bench)


async def restart_of_a_station_that_is_stuck_for_a_while(bench: Bench) -> int:
    await bench.do(RaiseFault(Fault.RESTART))
    await bench.request("Reset", {"type": "Soft"})
    await bench.advance(2.5)
    await bench.do(ClearFault(fault=Fault.RESTART))
    await bench.advance(20)
    return len(bench.reboots)


async def car_unplugged(bench: Bench) -> int:
    await session(bench)
    await bench.do(Unplug(1))
    return await running(bench)


async def lock_after_the_car_left(bench: Bench) -> str:
    await session(bench, evse=2)
    await bench.do(Unplug(2))
    return bench.station.snapshot().evse(2).connectors[0].lock.value


async def signed_samples(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    """Message and sample of each signed value of a session of two minutes."""
    await session(bench)
    await bench.advance(130)
    await bench.do(PressStop(1))
    told = [("MeterValues", item["meterValue"]) for item in bench.sent("MeterValues")]
    told += [("Stop", item.get("transactionData", [])) for item in bench.sent("StopTransaction")]
    return [
        (message, sample)
        for message, values in told
        for value in values
        for sample in value["sampledValue"]
        if sample.get("format") == "SignedData"
    ]


async def what_is_signed(bench: Bench) -> set[str]:
    return {f"{message} {sample['context']}" for message, sample in await signed_samples(bench)}


async def public_keys_told(bench: Bench) -> int:
    found = [json.loads(sample["value"]) for _, sample in await signed_samples(bench)]
    return sum(bool(item["publicKey"]) for item in found)


async def first_meter_values(bench: Bench) -> set[str]:
    await session(bench)
    await bench.advance(61)
    return {
        sample["context"]
        for item in bench.sent("MeterValues")
        for sample in item["meterValue"][0]["sampledValue"]
    }


async def data_of_the_stop(bench: Bench) -> set[str]:
    await session(bench)
    await bench.advance(900)
    await bench.do(PressStop(1))
    data = bench.sent("StopTransaction")[0].get("transactionData", [])
    return {item["context"] for each in data for item in each["sampledValue"]}


async def tries_to_deliver(bench: Bench) -> int:
    bench.csms.on("StopTransaction", Refuse("InternalError"))
    await session(bench)
    await bench.do(PressStop(1))
    await bench.advance(25)
    soon = len(bench.sent("StopTransaction"))
    await bench.advance(3600)
    return soon * 10 + len(bench.sent("StopTransaction"))


async def ping(bench: Bench) -> float:
    return bench.policy().ping_interval


async def wait_for_an_answer(bench: Bench) -> int:
    bench.csms.on("Authorize", MUTE)
    before = bench.link.monotonic()
    await bench.do(PresentCard("A", evse=1))
    return round(bench.link.monotonic() - before)


async def password(bench: Bench) -> Any:
    return bench.personality.basic_auth_password()


async def set_a_password(bench: Bench) -> None:
    await bench.request("ChangeConfiguration", {"key": "AuthorizationKey", "value": KEY})


async def protection_of_the_next_link(bench: Bench) -> tuple[int, int]:
    """How often the station has come back, and with which security profile it tries first."""
    return bench.csms.connection, bench.personality.link_plan().ways[0].security_profile or 0


async def session_before_the_boot(bench: Bench) -> int:
    await bench.kill_and_restart(connect=False)
    await session(bench)
    return await running(bench)


async def reservation(bench: Bench) -> str:
    return await reserve(bench, 1)


async def offer(bench: Bench) -> float:
    await session(bench)
    return amps(bench)


async def offers_under_a_maximum(bench: Bench) -> tuple[float, float]:
    await session(bench)
    await session(bench, "B", 2)
    await put(bench, 0, maximum(36.0))
    return amps(bench, 1), amps(bench, 2)


# ---------------------------------------------------------------- probes


@dataclass(frozen=True)
class Probe:
    """A key's new value, the scene, and what comes of it before and after."""

    value: str
    scene: Callable[[Bench], Awaitable[Any]]
    usual: Any
    after: Any
    keys: dict[str, str] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Bench], Awaitable[None]] | None = None
    """Done before the key is changed."""


EVERY_15 = {"ClockAlignedDataInterval": "900"}
ALLOWED = {"AllowOfflineTxForUnknownId": "true"}
KEEPING = {"StopTransactionOnInvalidId": "false"}
UNTOLD = {"MeterValueSampleInterval": "0"}
KEY = "0123456789abcdef" * 2

PROBES = {
    "AllowOfflineTxForUnknownId": Probe("true", unknown_token_offline, 0, 1),
    "AuthorizationCacheEnabled": Probe("false", known_token_offline, 1, 0),
    "AuthorizationCacheMaxEntries": Probe("1", first_of_two_tokens_offline, 1, 0),
    "AuthorizeRemoteTxRequests": Probe("false", remote_start, 1, 0),
    "BlinkRepeat": Probe("6", verdict, 3, 6),
    "ClockAlignedDataInterval": Probe("900", half_an_hour_idle, 0, 6),
    "ConnectionTimeOut": Probe("20", card_without_plug, "Preparing", "Available"),
    "ConnectorPhaseRotation": Probe(
        "0.RST,1.STR",
        loaded_phase_of_the_grid,
        "L1",
        "L2",
        keys={"MeterValuesSampledData": "Power.Active.Import"},
    ),
    "HeartbeatInterval": Probe("20", a_minute_of_silence, 0, 3),
    "LightIntensity": Probe("30", brightness, 100, 30),
    "LocalAuthorizeOffline": Probe("false", known_token_offline, 1, 0),
    "LocalPreAuthorize": Probe("true", second_session, 2, 1),
    "MaxEnergyOnInvalidId": Probe("500", energy_after_a_refusal, 0, 500, keys=KEEPING),
    "MeterValuesAlignedData": Probe(
        "Voltage", measurands, {REGISTER}, {"Voltage"}, keys=EVERY_15 | UNTOLD
    ),
    "MeterValuesSampledData": Probe("SoC,Voltage", measurands, {REGISTER}, {"SoC", "Voltage"}),
    "MeterValueSampleInterval": Probe("20", samples_in_two_minutes, 2, 6),
    "MinimumStatusDuration": Probe("5", status_at_once, "Preparing", "Available"),
    "ResetRetries": Probe("1", restart_of_a_station_that_is_stuck_for_a_while, 1, 0),
    "StopTransactionOnEVSideDisconnect": Probe("false", car_unplugged, 0, 1),
    "StopTransactionOnInvalidId": Probe("false", refused_session, 0, 1),
    "StopTxnAlignedData": Probe(
        REGISTER,
        data_of_the_stop,
        set(),
        {"Transaction.Begin", "Sample.Clock", "Transaction.End"},
        keys=EVERY_15,
    ),
    "StopTxnSampledData": Probe(
        REGISTER,
        data_of_the_stop,
        set(),
        {"Transaction.Begin", "Sample.Periodic", "Transaction.End"},
    ),
    "SampledDataSignReadings": Probe("true", what_is_signed, set(), IN_STOP),
    "AlignedDataSignReadings": Probe("true", what_is_signed, set(), IN_STOP),
    "StartTxnSampledData": Probe(
        REGISTER, first_meter_values, {"Sample.Periodic"}, {"Transaction.Begin", "Sample.Periodic"}
    ),
    "SampledDataSignStartedReadings": Probe(
        "true",
        what_is_signed,
        IN_STOP,
        {*IN_STOP, "MeterValues Transaction.Begin"},
        keys={"SampledDataSignReadings": "true", "StartTxnSampledData": REGISTER},
    ),
    "SampledDataSignUpdatedReadings": Probe(
        "true",
        what_is_signed,
        IN_STOP,
        {*IN_STOP, "MeterValues Sample.Periodic"},
        keys={"SampledDataSignReadings": "true"},
    ),
    "AlignedDataSignUpdatedReadings": Probe(
        "true",
        what_is_signed,
        IN_STOP,
        {*IN_STOP, "MeterValues Sample.Clock"},
        keys={"AlignedDataSignReadings": "true", "ClockAlignedDataInterval": "60"},
    ),
    "PublicKeyWithSignedMeterValue": Probe(
        "EveryMeterValue",
        public_keys_told,
        1,
        2,
        keys={"SampledDataSignReadings": "true"},
    ),
    "TransactionMessageAttempts": Probe("2", tries_to_deliver, 13, 12, keys=UNTOLD),
    "TransactionMessageRetryInterval": Probe("10", tries_to_deliver, 13, 23, keys=UNTOLD),
    "UnlockConnectorOnEVSideDisconnect": Probe("false", lock_after_the_car_left, "open", "locked"),
    "WebSocketPingInterval": Probe("7", ping, 30.0, 7.0),
    "LocalAuthListEnabled": Probe("false", listed_token_offline, 1, 0, prepare=send_a_list),
    "MessageTimeout": Probe("5", wait_for_an_answer, 30, 5),
    "AuthorizationKey": Probe(KEY, password, None, bytes.fromhex(KEY)),
    "SecurityProfile": Probe(
        "1", protection_of_the_next_link, (3, 0), (5, 1), prepare=set_a_password
    ),
    "TxBeforeAcceptedEnabled": Probe("true", session_before_the_boot, 0, 1, keys=ALLOWED),
    "ReservationEnabled": Probe("false", reservation, "Accepted", "Rejected"),
    "SiteDefaultCurrent": Probe(
        "8", offer, 16.0, 8.0, points={"ocpp16-no-profile-online": "site-default"}
    ),
    "CpoName": Probe(
        "ACME",
        certificate_request,
        ("Forecourt demo", "EC"),
        ("ACME", "EC"),
    ),
    "CertificateKeyType": Probe(
        "RSA-2048",
        certificate_request,
        ("Forecourt demo", "EC"),
        ("Forecourt demo", "RSA"),
    ),
    "TimeAdjustmentReportingThreshold": Probe("3600", clock_set_by_a_minute, 1, 0),
    "SecureFirmwareOnly": Probe("true", plain_update, "taken", "NotSupported"),
    "TransferRetries": Probe("0", tries_of_a_download, 3, 1),
    "TransferRetryInterval": Probe("200", tries_of_a_download, 3, 2),
    "SampleMainMeter": Probe("true", sampled_connectors, {1, 2}, {0, 1, 2}),
    "ConnectorPriority": Probe(
        "0,1",
        offers_under_a_maximum,
        (32.0, 0.0),
        (0.0, 32.0),
        points={"ocpp16-max-profile-allocation": "priority"},
    ),
}


def test_every_key_that_can_be_written_has_a_probe() -> None:
    writable = {
        key.name for key in (*KEYS, *SIGNED_KEYS, *OWN_KEYS) if key.access is not Access.READ
    }
    assert set(PROBES) == writable


@pytest.mark.parametrize("key", PROBES)
async def test_key_changes_what_the_station_does(bench16: Make, key: str) -> None:
    probe, found = PROBES[key], []
    assert probe.usual != probe.after
    for value in (None, probe.value):
        bench = bench16(keys=probe.keys, points=probe.points)
        await bench.boot()
        if probe.prepare is not None:
            await probe.prepare(bench)
        if value is not None:
            payload = {"key": key, "value": value}
            answer = await bench.request("ChangeConfiguration", payload)
            assert answer == {"status": "Accepted"}
        found.append(await probe.scene(bench))
    assert found == [probe.usual, probe.after]


async def test_CF_02_key_that_waits_for_the_next_boot(make_bench: Make) -> None:
    """RebootRequired: told as it was set, in force as it was before, until the station restarts."""
    keys = (
        KeySetting("ConnectionTimeOut", "60", reboot=True),
        KeySetting("Acme.Mode", "a", reboot=True),
    )
    bench = make_bench(Version.V16, settings=OcppSettings(keys=keys))
    await bench.boot()
    for key, value in (("ConnectionTimeOut", "20"), ("Acme.Mode", "b")):
        answer = await bench.request("ChangeConfiguration", {"key": key, "value": value})
        assert answer == {"status": "RebootRequired"}
    told = await bench.request("GetConfiguration", {"key": ["ConnectionTimeOut"]})
    assert told["configurationKey"][0]["value"] == "20"
    assert bench.personality.get_setting("Acme.Mode") == "b"
    assert await card_without_plug(bench) == "Preparing"
    assert await bench.request("Reset", {"type": "Soft"}) == {"status": "Accepted"}
    assert await card_without_plug(bench) == "Available"
