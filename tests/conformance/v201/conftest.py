"""Benches of OCPP 2.0.1 whose transactions are judged by the rules that hold for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.ocpp.context import OcppSettings, VariableSetting
from app.ocpp.v201.variables import Path
from app.ocpp.version import Version
from tests.support.harness import Bench, make_bench

__all__ = ["make_bench"]

Make = Callable[..., Bench]


def broken_transactions(bench: Bench) -> list[str]:
    """Events told that 201-TX-01 to 201-TX-08 do not allow. Resends count once."""
    by_id: dict[str, dict[int, dict[str, Any]]] = {}
    wrong: list[str] = []
    for event in bench.sent("TransactionEvent"):
        events = by_id.setdefault(event["transactionInfo"]["transactionId"], {})
        if events.setdefault(event["seqNo"], event) != event:
            wrong.append(f"a resend differs: {event}")
    for events in by_id.values():
        told = [events[number] for number in sorted(events)]
        wrong += _broken(told)
    return wrong


def _broken(events: list[dict[str, Any]]) -> list[str]:
    wrong = []
    kinds = [event["eventType"] for event in events]
    if [event["seqNo"] for event in events] != list(range(len(events))):
        wrong.append(f"seqNo: {[event['seqNo'] for event in events]}")
    if kinds[0] != "Started" or "Started" in kinds[1:] or "Ended" in kinds[:-1]:
        wrong.append(f"order of events: {kinds}")
    if [e["timestamp"] for e in events] != sorted(e["timestamp"] for e in events):
        wrong.append("time runs backwards")
    if "chargingState" not in events[0]["transactionInfo"]:
        wrong.append("the first event tells no charging state")
    if sum("evse" in event for event in events) > 1:
        wrong.append("evse told twice")
    for event in events:
        info = event["transactionInfo"]
        if ("stoppedReason" in info) != (event["eventType"] == "Ended"):
            wrong.append(f"stoppedReason in {event}")
        if event["triggerReason"] == "ChargingStateChanged" and "chargingState" not in info:
            wrong.append(f"no chargingState in {event}")
    return wrong


def setting(path: str, value: str) -> VariableSetting:
    """A variable as the configuration file sets it."""
    parsed = Path.parse(path)
    place = parsed.place
    return VariableSetting(
        place.name,
        parsed.name,
        value,
        place.evse,
        place.connector,
        place.instance,
        parsed.instance,
    )


@pytest.fixture
async def bench201(make_bench: Make) -> AsyncIterator[Make]:
    """Makes benches: `bench201("home-ac-11", variables={"TxCtrlr.TxStartPoint": "EVConnected"})`."""
    benches: list[Bench] = []

    def make(
        blueprint: str = "public-ac-2x22",
        *,
        variables: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
        **options: Any,
    ) -> Bench:
        rest = dict(settings or {})
        preset = tuple(setting(path, value) for path, value in (variables or {}).items())
        preset += rest.pop("variables", ())
        bench = make_bench(
            Version.V201,
            blueprint=blueprint,
            settings=OcppSettings(variables=preset, **rest),
            **options,
        )
        benches.append(bench)
        return bench

    yield make
    for bench in benches:
        assert not broken_transactions(bench)


def variable(component: str, name: str, **place: Any) -> dict[str, Any]:
    """Component and variable of a GetVariables or SetVariables entry."""
    found: dict[str, Any] = {"component": {"name": component}, "variable": {"name": name}}
    if "instance" in place:
        found["variable"]["instance"] = place["instance"]
    if "evse" in place:
        found["component"]["evse"] = {"id": place["evse"]}
        if "connector" in place:
            found["component"]["evse"]["connectorId"] = place["connector"]
    return found


async def set_variable(bench: Bench, component: str, name: str, value: str, **place: Any) -> str:
    """SetVariables of one entry: its status."""
    entry = {**variable(component, name, **place), "attributeValue": value}
    answer = await bench.request("SetVariables", {"setVariableData": [entry]})
    status: str = answer["setVariableResult"][0]["attributeStatus"]
    return status


async def get_variable(bench: Bench, component: str, name: str, **place: Any) -> dict[str, Any]:
    """GetVariables of one entry: its result."""
    answer = await bench.request(
        "GetVariables", {"getVariableData": [variable(component, name, **place)]}
    )
    result: dict[str, Any] = answer["getVariableResult"][0]
    return result


def events(bench: Bench) -> list[str]:
    """The transaction events as "Started Authorized EVConnected"."""
    told = []
    for event in bench.sent("TransactionEvent"):
        info = event["transactionInfo"]
        words = [event["eventType"], event["triggerReason"], info.get("chargingState", "-")]
        if "stoppedReason" in info:
            words.append(info["stoppedReason"])
        told.append(" ".join(words))
    return told
