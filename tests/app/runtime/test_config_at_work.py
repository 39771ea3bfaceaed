"""What one configuration file says is what the back office and the driver meet, in either version."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from app.kernel.catalogue import Catalogue
from app.ocpp.events import OpenPointMet
from app.runtime.session import Session
from app.runtime.settings import resolve
from app.station.intents import PlugIn, PresentCard, Refused
from app.station.kinds import LockState
from tests.support.csms import CsmsProbe, running_csms

pytestmark = pytest.mark.parametrize("version", ["1.6", "2.0.1"])

FILE = """
name = "Yard"
model = "Built"
connection_timeout = 17
features = ["Core", "RemoteTrigger"]
mode = "strict"

[identity]
vendor = "ACME"
model = "Post"
serial_number = "S-1"
box_serial_number = "B-1"
firmware_version = "9.9"
iccid = "8931"
imsi = "2620"
meter_type = "MID"
meter_serial_number = "M-1"

[supply]
current = 63

[[readers]]
evses = [2]

[[evses]]
current = "ac"
max_power = 11000
phases = 3
[[evses.connectors]]
plug = "type2"
tethered = false
lock = true
max_current = 16

[[evses]]
current = "dc"
max_power = 50000
[[evses.connectors]]
plug = "ccs2"
max_current = 125

[keys]
MeterValueSampleInterval = 33
HeartbeatInterval = { value = 77, readonly = true }
MyOwnKey = { value = "hello", readonly = true }
SupportedFileTransferProtocols = { readonly = false }

[[variables]]
component = "SampledDataCtrlr"
variable = "TxUpdatedInterval"
value = 33
mutability = "ReadOnly"
[[variables]]
component = "Own"
component_instance = "A"
variable = "Thing"
variable_instance = "B"
evse = 2
connector = 1
attribute = "Target"
value = 0.5
mutability = "ReadWrite"
[[variables]]
component = "EVSE"
evse = 2
variable = "Power"
attribute = "MaxSet"
value = 40000

[vehicle]
max_ac_current = 10
ready_delay = 7

[open_points]
both-clock-drift = "ignore"
"""


class Site:
    """A station made of the file, and its back office."""

    def __init__(self, session: Session, csms: CsmsProbe, version: str) -> None:
        self.session, self.csms, self.version = session, csms, version

    async def boot(self) -> dict[str, Any]:
        """The payload of its BootNotification."""
        return (await self.csms.wait_for("BootNotification")).payload

    async def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        return (await self.csms.call("CS-1", action, payload)).payload

    async def change(self, key: str, path: tuple[str, str], value: str) -> str:
        """What the back office hears when it sets the key of 1.6 or the variable of 2.0.1."""
        if self.version == "1.6":
            answer = await self.ask("ChangeConfiguration", {"key": key, "value": value})
            return str(answer["status"])
        component, variable = path
        entry = {
            "component": {"name": component},
            "variable": {"name": variable},
            "attributeValue": value,
        }
        answer = await self.ask("SetVariables", {"setVariableData": [entry]})
        return str(answer["setVariableResult"][0]["attributeStatus"])


@asynccontextmanager
async def site(tmp_path: Path, version: str, text: str = FILE) -> AsyncIterator[Site]:
    file = tmp_path / "station.toml"
    async with running_csms() as csms:
        link = f'\n[csms]\nurl = "{csms.url}"\nid = "CS-1"\nversion = "{version}"\n'
        file.write_text(text + link, "utf-8")
        session = Session(resolve(file).config)
        await session.start()
        try:
            there = Site(session, csms, version)
            await there.boot()
            await csms.wait_connected("CS-1")
            yield there
        finally:
            await session.stop()


async def test_the_identity_is_in_the_boot_notification(tmp_path: Path, version: str) -> None:
    async with site(tmp_path, version) as there:
        told = await there.boot()
    if version == "1.6":
        assert told == {
            "chargePointVendor": "ACME",
            "chargePointModel": "Post",
            "chargePointSerialNumber": "S-1",
            "chargeBoxSerialNumber": "B-1",
            "firmwareVersion": "9.9",
            "iccid": "8931",
            "imsi": "2620",
            "meterType": "MID",
            "meterSerialNumber": "M-1",
        }
    else:
        assert told["chargingStation"] == {
            "model": "Post",
            "vendorName": "ACME",
            "serialNumber": "S-1",
            "firmwareVersion": "9.9",
            "modem": {"iccid": "8931", "imsi": "2620"},
        }


async def test_the_hardware_is_what_was_built(tmp_path: Path, version: str) -> None:
    """Type, cable or socket, lock or none, ratings, and which EVSEs a reader serves."""
    async with site(tmp_path, version) as there:
        ac, dc = there.session.snapshot().station.evses
        assert (ac.current.value, ac.max_power, ac.reader) == ("ac", 11000, None)
        assert (dc.current.value, dc.max_power, dc.reader) == ("dc", 50000, 1)
        socket, cable = ac.connectors[0], dc.connectors[0]
        assert (socket.tethered, socket.lock, socket.max_current) == (
            False,
            LockState.OPEN,
            16,
        )
        assert (cable.tethered, cable.lock, cable.max_current) == (True, LockState.NONE, 125)
        refused = there.session.intend(PresentCard("04A29F1C", evse=1))
        assert isinstance(refused, Refused)
        assert "reader" in Catalogue.load().render(refused.reason)


async def test_first_values_and_mutability_hold_against_the_back_office(
    tmp_path: Path, version: str
) -> None:
    async with site(tmp_path, version) as there:
        get = there.session.get_setting
        if version == "1.6":
            assert get("MeterValueSampleInterval") == "33"
            assert get("ConnectionTimeOut") == "17"
            asked = {"key": ["MyOwnKey", "HeartbeatInterval"]}
            told = (await there.ask("GetConfiguration", asked))["configurationKey"]
            assert told[0] == {"key": "MyOwnKey", "readonly": True, "value": "hello"}
            assert told[1]["readonly"] is True
            assert await there.change("MyOwnKey", ("", ""), "x") == "Rejected"
            assert await there.change("HeartbeatInterval", ("", ""), "5") == "Rejected"
            own = "SupportedFileTransferProtocols"
            assert await there.change(own, ("", ""), "FTP") == "Accepted"
        else:
            assert get("SampledDataCtrlr.TxUpdatedInterval") == "33"
            assert get("TxCtrlr.EVConnectionTimeOut") == "17"
            path = ("SampledDataCtrlr", "TxUpdatedInterval")
            assert await there.change("", path, "5") == "Rejected"
            thing = {
                "component": {
                    "name": "Own",
                    "instance": "A",
                    "evse": {"id": 2, "connectorId": 1},
                },
                "variable": {"name": "Thing", "instance": "B"},
                "attributeType": "Target",
            }
            answer = await there.ask("GetVariables", {"getVariableData": [thing]})
            assert answer["getVariableResult"][0]["attributeValue"] == "0.5"
            for evse, most in ((1, "11000"), (2, "40000")):  # what hardware says, and what is set
                power = {"component": {"name": "EVSE", "evse": {"id": evse}}}
                power |= {"variable": {"name": "Power"}, "attributeType": "MaxSet"}
                answer = await there.ask("GetVariables", {"getVariableData": [power]})
                assert answer["getVariableResult"][0]["attributeValue"] == most
            answer = await there.ask(
                "SetVariables", {"setVariableData": [{**thing, "attributeValue": "0.7"}]}
            )
            assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"


async def test_a_feature_that_is_off_is_not_there(tmp_path: Path, version: str) -> None:
    async with site(tmp_path, version) as there:
        if version == "1.6":
            assert there.session.get_setting("SupportedFeatureProfiles") == "Core,RemoteTrigger"
            answer = await there.csms.call("CS-1", "CancelReservation", {"reservationId": 1})
            assert answer.code in {"NotSupported", "NotImplemented"}
        else:
            assert there.session.get_setting("AuthCacheCtrlr.Available") == "false"
            with pytest.raises(KeyError):
                there.session.get_setting("AuthCacheCtrlr.Enabled")


async def test_cars_come_with_the_power_and_the_delay_of_the_file(
    tmp_path: Path, version: str
) -> None:
    async with site(tmp_path, version) as there:
        assert there.session.intend(PlugIn(1)).accepted
        car = there.session.snapshot().station.evse(1).vehicle
        assert car is not None
        assert car.max_ac_current == 10
        assert not car.ready
        await there.session.clock.travel(6.0)  # type: ignore[attr-defined]
        car = there.session.snapshot().station.evse(1).vehicle
        assert car is not None
        assert not car.ready


async def test_points_and_mode_are_those_of_the_file(tmp_path: Path, version: str) -> None:
    async with site(tmp_path, version) as there:
        assert there.session.points.strict
        assert there.session.points.chosen == {"both-clock-drift": "ignore"}
        met: list[str] = []
        there.session.bus.subscribe(
            lambda entry: met.append(entry.event.option),  # type: ignore[attr-defined]
            OpenPointMet,
        )
        there.session.points.choose("both-clock-drift")
        assert met == ["ignore"]
        there.session.points.choose("both-boot-on-reconnect")
        assert "both-boot-on-reconnect" in there.session.points.undecided, "nobody is there to ask"


@pytest.mark.parametrize("on", [False, True])
async def test_compression_is_offered_on_demand(tmp_path: Path, version: str, on: bool) -> None:
    """RFC 7692; OCPP-J of 2.0.1 part 4, 3.3: optional for a station, and a server may do without."""
    shook: asyncio.Future[tuple[str | None, str]] = asyncio.get_running_loop().create_future()

    async def office(connection: ServerConnection) -> None:
        first = await connection.recv()
        assert connection.request is not None
        offered = connection.request.headers.get("Sec-WebSocket-Extensions")
        shook.set_result((offered, str(first)))
        await connection.wait_closed()

    names = [Subprotocol(f"ocpp{version}")]
    async with serve(office, "127.0.0.1", 0, subprotocols=names) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        file = tmp_path / "station.toml"
        text = f'[csms]\nurl = "ws://127.0.0.1:{port}"\nid = "CS-1"\nversion = "{version}"\n'
        file.write_text(text + ("compression = true\n" if on else ""), "utf-8")
        session = Session(resolve(file).config)
        await session.start()
        try:
            offered, said = await asyncio.wait_for(shook, 5)
        finally:
            await session.stop()
    assert (offered is not None and "permessage-deflate" in offered) is on
    assert "BootNotification" in said


async def test_profile_and_password_are_those_of_the_file(tmp_path: Path, version: str) -> None:
    shown: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def admit(connection: ServerConnection, request: Request) -> Response:
        if not shown.done():
            shown.set_result(request.headers.get("Authorization", ""))
        return connection.respond(401, "no")

    async def never(connection: ServerConnection) -> None:
        raise AssertionError("nobody was let in")

    async with serve(never, "127.0.0.1", 0, process_request=admit) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        file = tmp_path / "station.toml"
        (tmp_path / "secret.txt").write_text("s3cret-of-the-file\n", "utf-8")
        text = f'[csms]\nurl = "ws://127.0.0.1:{port}"\nid = "CS-1"\nversion = "{version}"\n'
        text += '[security]\nprofile = 1\npassword_file = "secret.txt"\n'
        file.write_text(text, "utf-8")
        session = Session(resolve(file).config)
        await session.start()
        try:
            seen = await asyncio.wait_for(shown, 5)
        finally:
            await session.stop()
    assert seen == "Basic " + base64.b64encode(b"CS-1:s3cret-of-the-file").decode()
    if version == "1.6":
        assert session.config.ocpp().security_profile == 1
