"""Signed meter values of 1.6 (OCA application note v1.0, errata #36, MV-13), checked as a back office would:
the public key from the wire against the container from the wire."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.ocpp.shared import signed_meter
from app.ocpp.shared.signed_meter import TABLE
from app.station.intents import PlugIn, PresentCard, PressStop, SetVehicle, Unplug
from tests.conformance.v16.conftest import Make
from tests.support.harness import Bench

REGISTER = "Energy.Active.Import.Register"
Sample = dict[str, Any]


async def session(bench: Bench, evse: int = 1, seconds: float = 300) -> None:
    await bench.boot()
    await bench.do(SetVehicle(evse, ready_delay=0.0), PlugIn(evse), PresentCard("A", evse=evse))
    await bench.advance(seconds)
    await bench.do(PressStop(evse), Unplug(evse))


def signed_of(values: list[dict[str, Any]]) -> list[Sample]:
    return [
        sample
        for value in values
        for sample in value["sampledValue"]
        if sample.get("format") == "SignedData"
    ]


def of_stop(bench: Bench) -> list[Sample]:
    return signed_of(bench.sent("StopTransaction")[-1].get("transactionData", []))


def of_meter_values(bench: Bench) -> dict[str, list[Sample]]:
    """Signed samples of MeterValues by context."""
    found: dict[str, list[Sample]] = {}
    for sent in bench.sent("MeterValues"):
        for sample in signed_of(sent["meterValue"]):
            found.setdefault(sample["context"], []).append(sample)
    return found


def opened(sample: Sample) -> tuple[dict[str, Any], dict[str, Any], str]:
    """SignedMeterValueType, the container's payload, and its text."""
    told = json.loads(sample["value"])
    mark, payload, _ = b64decode(told["signedMeterData"]).decode().split("|")
    assert mark == "OCMF"
    return told, json.loads(payload), payload


def verify(sample: Sample, public_key: str) -> None:
    """Raises InvalidSignature. `public_key` as it travels."""
    told, _, payload = opened(sample)
    marker, encoding, kind, printed = b64decode(public_key).decode().split(":")
    assert (marker, encoding, kind) == ("oca", "base16", "asn1")
    key = load_der_public_key(bytes.fromhex(printed))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = json.loads(b64decode(told["signedMeterData"]).decode().split("|")[2])
    assert signature["SA"] == "ECDSA-secp256r1-SHA256"
    key.verify(bytes.fromhex(signature["SD"]), payload.encode(), ec.ECDSA(hashes.SHA256()))


async def test_nothing_is_signed_unless_it_is_asked_for(bench16: Make) -> None:
    """3.3.3: SampledDataSignReadings switches it all."""
    bench = bench16(keys={"SampledDataSignUpdatedReadings": "true", "StopTxnSampledData": REGISTER})
    await session(bench)
    assert of_stop(bench) == []
    assert of_meter_values(bench) == {}
    assert bench.store.rows(TABLE) == []


async def test_begin_and_end_are_signed_in_the_stop(bench16: Make) -> None:
    """3.1.4: two containers, Transaction.Begin and Transaction.End; table 20, "End Only"."""
    bench = bench16(keys={"SampledDataSignReadings": "true", "StopTxnSampledData": REGISTER})
    await session(bench)
    begin, end = of_stop(bench)
    assert (begin["context"], end["context"]) == ("Transaction.Begin", "Transaction.End")
    assert {begin["measurand"], end["measurand"]} == {REGISTER}
    assert of_meter_values(bench) == {}
    told, payload, _ = opened(end)
    assert told["encodingMethod"] == "OCMF"
    assert told["signingMethod"] == ""  # it is within the container
    key = opened(begin)[0]["publicKey"]
    for sample in (begin, end):
        verify(sample, key)
    stop = bench.sent("StopTransaction")[0]
    (reading,) = payload["RD"]
    assert reading["RV"] * 1000 == stop["meterStop"]
    assert (reading["RU"], reading["RI"], reading["TX"]) == ("kWh", "01-00:01.08.00.FF", "E")
    assert reading["TM"] == "2026-01-15T08:05:00,000+0000 S"
    assert (payload["ID"], payload["IS"], payload["IF"]) == ("A", True, ["OCPP_AUTH"])


@pytest.mark.parametrize(
    ("keys", "flag"),
    [
        ({}, "OCPP_AUTH"),
        ({"AuthorizeRemoteTxRequests": "false"}, "OCPP_RS"),
    ],
)
async def test_the_container_says_how_the_driver_was_known(
    bench16: Make, keys: dict[str, str], flag: str
) -> None:
    """OCMF, IF: a remote start that nobody was asked about is an assignment by OCPP remote start."""
    bench = bench16(keys={"SampledDataSignReadings": "true", **keys})
    await bench.boot()
    await bench.do(PlugIn(1))
    await bench.request("RemoteStartTransaction", {"idTag": "R", "connectorId": 1})
    await bench.do(PressStop(1))
    assert [opened(sample)[1]["IF"] for sample in of_stop(bench)] == [[flag], [flag]]


async def test_a_bill_can_be_made_though_no_list_names_the_register(bench16: Make) -> None:
    """Note of 2.1: that switch alone is enough for a signed start and end."""
    bench = bench16(keys={"SampledDataSignReadings": "true"})
    await session(bench)
    assert [sample["context"] for sample in of_stop(bench)] == [
        "Transaction.Begin",
        "Transaction.End",
    ]


async def test_a_changed_container_is_noticed(bench16: Make) -> None:
    bench = bench16(keys={"SampledDataSignReadings": "true"})
    await session(bench)
    begin, end = of_stop(bench)
    key = opened(begin)[0]["publicKey"]
    other = {**end, "value": begin["value"].replace(begin["value"][20:24], "QUFB")}
    with pytest.raises(Exception) as caught:  # noqa: PT011 - broken JSON, text or signature
        verify(other, key)
    assert caught.type in (InvalidSignature, ValueError, json.JSONDecodeError, UnicodeDecodeError)


async def test_start_values_are_sent_at_once_and_signed_on_demand(bench16: Make) -> None:
    """3.3.4 and 3.3.5; table 20, "Start & End"."""
    keys = {"StartTxnSampledData": f"{REGISTER},Voltage", "SampledDataSignReadings": "true"}
    plain = bench16(keys=keys)
    await session(plain)
    assert of_meter_values(plain) == {}
    first = plain.sent("MeterValues")[0]["meterValue"][0]["sampledValue"]
    assert {sample["context"] for sample in first} == {"Transaction.Begin"}
    bench = bench16(keys={**keys, "SampledDataSignStartedReadings": "true"})
    await session(bench)
    (sample,) = of_meter_values(bench)["Transaction.Begin"]
    verify(sample, opened(sample)[0]["publicKey"])
    bench.expect("""
        ...
        > StartTransaction connectorId=1
        > MeterValues transactionId=1 meterValue.0.sampledValue.0.format=SignedData
        ...
    """)


async def test_values_on_the_way_are_signed_on_demand(bench16: Make) -> None:
    """3.3.6; table 20, "Periodic Intermediate"."""
    keys = {"SampledDataSignReadings": "true", "SampledDataSignUpdatedReadings": "true"}
    bench = bench16(keys={**keys, "MeterValueSampleInterval": "60"})
    await session(bench, seconds=200)
    samples = of_meter_values(bench)["Sample.Periodic"]
    assert len(samples) == 3
    readings = [opened(sample)[1]["RD"][0]["RV"] for sample in samples]
    assert readings == sorted(readings)
    counts = [int(opened(sample)[1]["PG"][1:]) for sample in [*samples, *of_stop(bench)]]
    assert len(set(counts)) == len(counts)


async def test_aligned_values_are_signed_on_demand(bench16: Make) -> None:
    """3.3.7 and 3.3.8; table 20, "Aligned Intermediate"."""
    bench = bench16(
        keys={
            "AlignedDataSignReadings": "true",
            "AlignedDataSignUpdatedReadings": "true",
            "ClockAlignedDataInterval": "60",
            "MeterValueSampleInterval": "45",
        }
    )
    await session(bench, seconds=130)
    found = of_meter_values(bench)
    assert set(found) == {"Sample.Clock"}
    assert len(found["Sample.Clock"]) == 2
    assert len(of_stop(bench)) == 2


@pytest.mark.parametrize(
    ("setting", "carry"),
    [
        ("Never", [False, False, False, False]),
        ("OncePerTransaction", [True, False, False, False]),
        ("EveryMeterValue", [True, True, True, True]),
    ],
)
async def test_the_public_key_travels_as_often_as_wanted(
    bench16: Make, setting: str, carry: list[bool]
) -> None:
    """3.3.2."""
    bench = bench16(
        keys={
            "PublicKeyWithSignedMeterValue": setting,
            "SampledDataSignReadings": "true",
            "StartTxnSampledData": REGISTER,
            "SampledDataSignStartedReadings": "true",
            "SampledDataSignUpdatedReadings": "true",
            "MeterValueSampleInterval": "60",
        }
    )
    for _ in range(2):
        bench.csms.heard.clear()  # each transaction anew
        await session(bench, seconds=90)
        sent = of_meter_values(bench)
        in_time = [*sent["Transaction.Begin"], *of_stop(bench)[:1], *sent["Sample.Periodic"]]
        in_time += of_stop(bench)[1:]
        assert [bool(opened(sample)[0]["publicKey"]) for sample in in_time] == carry


async def test_each_evse_has_a_meter_key_that_can_be_read_and_stays(bench16: Make) -> None:
    """3.3.1: MeterPublicKey<connector>, read-only, the one the signatures are made with."""
    bench = bench16(keys={"SampledDataSignReadings": "true"})
    await bench.boot()
    names = ["MeterPublicKey1", "MeterPublicKey2", "MeterPublicKey3"]
    answer = await bench.request("GetConfiguration", {"key": names})
    assert answer["unknownKey"] == ["MeterPublicKey3"]
    one, two = answer["configurationKey"]
    assert one["value"] != two["value"]
    assert one["readonly"] is two["readonly"] is True
    change = {"key": "MeterPublicKey1", "value": "mine"}
    assert (await bench.request("ChangeConfiguration", change))["status"] == "Rejected"
    await bench.kill_and_restart()
    again = await bench.request("GetConfiguration", {"key": names[:1]})
    assert again["configurationKey"] == [one]
    await session(bench, evse=2)
    for sample in of_stop(bench):
        verify(sample, two["value"])
        with pytest.raises(InvalidSignature):
            verify(sample, one["value"])


async def test_the_keys_of_a_station_that_never_signed_are_made_when_they_are_asked_for(
    bench16: Make,
) -> None:
    """3.3.1, in a list of all keys too."""
    bench = bench16()
    await bench.boot()
    answer = await bench.request("GetConfiguration", {})
    found = {item["key"]: item for item in answer["configurationKey"]}
    assert b64decode(found["MeterPublicKey1"]["value"]).startswith(b"oca:base16:asn1:30")


async def test_signing_survives_a_power_cut_in_mid_session(bench16: Make) -> None:
    """The first reading was written down signed; the last is signed after the boot."""
    bench = bench16(keys={"SampledDataSignReadings": "true"})
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(120)
    await bench.kill_and_restart()
    begin, end = of_stop(bench)
    assert (begin["context"], end["context"]) == ("Transaction.Begin", "Transaction.End")
    verify(end, opened(begin)[0]["publicKey"])


async def test_what_signs_is_loaded_beside_the_loop_after_each_power_cut(
    bench16: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench16(keys={"SampledDataSignReadings": "true"})
    await bench.boot()
    threads: list[int] = []

    def load(count: int) -> list[signed_meter.KeyPair]:
        assert count == 0
        threads.append(threading.get_ident())
        return []

    monkeypatch.setattr(signed_meter, "make_pairs", load)
    await bench.kill_and_restart()
    assert threads
    assert threading.get_ident() not in threads


async def test_words_that_are_no_choice_are_rejected(bench16: Make) -> None:
    bench = bench16()
    await bench.boot()
    change = {"key": "PublicKeyWithSignedMeterValue", "value": "Sometimes"}
    assert (await bench.request("ChangeConfiguration", change))["status"] == "Rejected"
