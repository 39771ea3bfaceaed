"""DataTransfer with scripts as data, in both versions (DT-01, DT-02, DT-03; 2.0.1 block P)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.ocpp.context import OcppSettings
from app.ocpp.version import Version
from app.runtime.problems import ConfigError
from app.runtime.settings import load
from app.station.intents import PlugIn, PresentCard, PressStop, RaiseFault, SetVehicle, Unplug
from app.station.kinds import Fault
from tests.support.harness import Bench, make_bench

__all__ = ["make_bench"]

Make = Callable[..., Bench]
BOTH = pytest.mark.parametrize("version", [Version.V16, Version.V201], ids=lambda v: v.value)

SCRIPT = """
[[vendors]]
vendor_id = "com.example"
answers = [
  { message_id = "Tariff", data = { price = 0.42, asked = "{data}" } },
  { message_id = "Banner", show = "Today: {data}" },
  { message_id = "NoBanner", show = "" },
  { message_id = "Later", status = "Rejected", data = "not now" },
]
reports = [
  { on = "boot_accepted", message_id = "Hello" },
  { on = "plugged", message_id = "Plug", data = { evse = "{evse}", connector = "{connector}" } },
  { on = "card", message_id = "Card", data = "{id_token} at {evse}" },
  { on = "transaction_started", message_id = "Begun", data = "{id_token}, {unknown}" },
  { on = "transaction_ended", message_id = "Bill", data = "{energy} Wh, {reason}" },
  { on = "unplugged", message_id = "Gone" },
  { on = "fault", message_id = "Alarm", data = "{reason}" },
]

[[vendors]]
vendor_id = "any.message"
answers = [{ data = "whatever" }]
"""


@pytest.fixture
def settings(tmp_path: Path) -> OcppSettings:
    file = tmp_path / "station.toml"
    file.write_text(SCRIPT)
    return load(file).ocpp()


async def ask(bench: Bench, vendor: str, message: str | None = None, data: Any = None) -> Any:
    request: dict[str, Any] = {"vendorId": vendor}
    if message is not None:
        request["messageId"] = message
    if data is not None:
        request["data"] = data
    return await bench.request("DataTransfer", request)


@BOTH
async def test_DT_03_an_unknown_vendor_and_an_unknown_message_are_told_apart(
    make_bench: Make, version: Version, settings: OcppSettings
) -> None:
    bench = make_bench(version, settings=settings)
    await bench.boot()
    assert await ask(bench, "com.stranger") == {"status": "UnknownVendorId"}
    assert await ask(bench, "COM.Example", "Nothing") == {"status": "UnknownMessageId"}
    assert await ask(bench, "com.example") == {"status": "UnknownMessageId"}
    assert await ask(bench, "any.message") == {"status": "Accepted", "data": "whatever"}
    assert await ask(bench, "any.message", "x") == {"status": "Accepted", "data": "whatever"}


@BOTH
async def test_DT_01_the_script_says_status_and_data(
    make_bench: Make, version: Version, settings: OcppSettings
) -> None:
    bench = make_bench(version, settings=settings)
    await bench.boot()
    answer = await ask(bench, "com.example", "later")
    assert answer == {"status": "Rejected", "data": "not now"}


async def test_DT_02_data_is_text_in_16_and_any_JSON_in_201(
    make_bench: Make, settings: OcppSettings
) -> None:
    old = make_bench(Version.V16, settings=settings)
    await old.boot()
    assert await ask(old, "com.example", "Tariff", "now") == {
        "status": "Accepted",
        "data": '{"price": 0.42, "asked": "now"}',
    }
    new = make_bench(Version.V201, settings=settings)
    await new.boot()
    assert await ask(new, "com.example", "Tariff", {"when": [1, None]}) == {
        "status": "Accepted",
        "data": {"price": 0.42, "asked": {"when": [1, None]}},
    }


@BOTH
async def test_a_vendor_can_write_on_the_screen(
    make_bench: Make, version: Version, settings: OcppSettings
) -> None:
    bench = make_bench(version, settings=settings)
    await bench.boot()

    def screen() -> Any:
        return bench.station.snapshot().screen

    usual = screen()
    assert await ask(bench, "com.example", "Banner", "free coffee") == {"status": "Accepted"}
    assert screen().params == {"text": "Today: free coffee"}
    assert await ask(bench, "com.example", "NoBanner") == {"status": "Accepted"}
    assert screen() == usual


@BOTH
async def test_DT_01_the_station_tells_its_own_on_each_occasion(
    make_bench: Make, version: Version, settings: OcppSettings
) -> None:
    bench = make_bench(version, settings=settings)
    await bench.boot()
    await bench.do(SetVehicle(1, ready_delay=0.0), PlugIn(1), PresentCard("A", evse=1))
    await bench.advance(60)
    await bench.do(PressStop(1), Unplug(1), RaiseFault(Fault.RCD, 1))
    told = {item["messageId"]: item.get("data") for item in bench.sent("DataTransfer")}
    plug = {"evse": 1, "connector": 1}
    assert told["Plug"] == (plug if version is Version.V201 else '{"evse": 1, "connector": 1}')
    assert told["Card"] == "A at 1"
    assert told["Begun"] == "A, {unknown}"
    assert told["Bill"].endswith(" Wh, Local")
    assert float(told["Bill"].split()[0]) > 50
    assert told["Alarm"] == "rcd"
    assert set(told) == {"Hello", "Plug", "Card", "Begun", "Bill", "Gone", "Alarm"}
    assert all(item["vendorId"] == "com.example" for item in bench.sent("DataTransfer"))


@BOTH
async def test_what_cannot_be_told_now_is_not_told_later(
    make_bench: Make, version: Version, settings: OcppSettings
) -> None:
    bench = make_bench(version, settings=settings)
    await bench.boot()
    await bench.offline()
    await bench.do(PlugIn(1))
    await bench.online()
    await bench.advance(60)
    assert [item["messageId"] for item in bench.sent("DataTransfer")] == ["Hello"]


@BOTH
async def test_a_refusing_back_office_does_no_harm(
    make_bench: Make, version: Version, settings: OcppSettings
) -> None:
    bench = make_bench(version, settings=settings)
    bench.csms.on("DataTransfer", {"status": "UnknownVendorId"})
    await bench.boot()
    await bench.do(PlugIn(1), PresentCard("A", evse=1))
    assert bench.sent("DataTransfer")
    assert bench.personality.sessions()


@BOTH
async def test_our_own_vendor_echoes_and_shows(make_bench: Make, version: Version) -> None:
    bench = make_bench(version)
    await bench.boot()
    assert await ask(bench, "forecourt", "Echo", "hi") == {"status": "Accepted", "data": "hi"}
    assert await ask(bench, "Forecourt", "Echo") == {"status": "Accepted"}
    assert await ask(bench, "Forecourt", "Show", "Back at nine") == {"status": "Accepted"}
    assert bench.station.snapshot().screen.params == {"text": "Back at nine"}


@pytest.mark.parametrize(
    "wrong",
    [
        '[[vendors]]\nvendor_id = ""',
        '[[vendors]]\nvendor_id = "a"\nreports = [{ on = "sunset" }]',
        '[[vendors]]\nvendor_id = "a"\nanswers = [{ status = "Maybe" }]',
        '[[vendors]]\nvendor_id = "a"\nanswers = [{ says = "x" }]',
    ],
)
def test_a_script_with_a_slip_is_refused_with_its_place(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "station.toml"
    file.write_text(wrong)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "vendors" in str(caught.value.text.params)
