"""A person at the window: a real X server, real motion and key events, judged by the back office."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.training.records import TransactionRecord
from tests.e2e.conftest import Program
from tests.e2e.office import Office
from tests.e2e.screen import Place, Screen, Window, screen_of

pytestmark = pytest.mark.display

ANNA = "04A29F1C"
BAY_IS_FREE = "Let a car drive in at EVSE 1"


@pytest.fixture(scope="module")
def screen(environment: dict[str, str]) -> Iterator[Screen]:
    with screen_of(environment) as screen:
        yield screen


@pytest.fixture
def window(
    request: pytest.FixtureRequest, screen: Screen, office: Office, tmp_path: Path
) -> Iterator[Window]:
    """The program on a state of its own, connected; the car is ready at once."""
    config = tmp_path / "station.toml"
    config.write_text("[vehicle]\nready_delay = 0\n", "utf-8")
    version = getattr(request, "param", "2.0.1")
    arguments = ("--csms", office.url, "--id", "CP-1", "--version", version)
    state = ("--state-dir", str(tmp_path / "state"), "--config", str(config))
    window = Window(screen, tmp_path, *arguments, *state)
    try:
        window.open()
        office.wait_accepted("CP-1")
        yield window
    finally:
        screen.picture(tmp_path / "last.png")
        window.end()


def is_charging(transaction: TransactionRecord) -> bool:
    return transaction.active and transaction.charging_state == "Charging"


def car_of(window: Window, evse: int) -> Place:
    """Where a person sees the car: above the words on the floor of its bay."""
    x, y, width, _ = window.button(f"car-{evse}-0")["rect"]
    return x + width // 2, y - 60


def test_a_plug_and_a_card_dragged_by_hand_charge_the_car(window: Window, office: Office) -> None:
    """2.0.1 E02: cable first; the pointer moves in many small steps, as a hand does."""
    window.screen.hands("mousemove", *window.centre("car-1-0"), "click", 1)
    window.until("a car", lambda seen: window.button("car-1-0")["name"] != BAY_IS_FREE, 5)
    office.wait("the boot", lambda: len(office.calls("CP-1", "StatusNotification")) == 2 or None)
    plug = window.centre("plug-1-0")
    window.screen.drag(plug, (plug[0], plug[1] - 150))  # beside the car: it goes back
    assert window.centre("plug-1-0") == plug
    window.screen.drag(plug, car_of(window, 1))
    plugged = office.wait_call(
        "CP-1", "StatusNotification", lambda sent: sent["connectorStatus"] == "Occupied"
    )
    assert plugged.payload["evseId"] == 1
    assert len(office.calls("CP-1", "StatusNotification")) == 3
    assert office.calls("CP-1", "Authorize") == []
    window.screen.drag(window.centre("Card Anna Berg"), window.centre("reader-1-0"))
    asked = office.wait_call("CP-1", "Authorize")
    assert asked.payload["idToken"]["idToken"] == ANNA
    charging = office.wait_transaction("CP-1", is_charging)
    assert charging.events[0].kind == "Started"
    assert charging.evse == 1
    assert window.close() == 0
    office.wait_gone("CP-1")
    assert window.log == ""


def test_keys_alone_charge_the_car(window: Window, office: Office) -> None:
    """Tab to the plug, Enter; Tab to a card, Space; the reader follows the selected EVSE."""
    window.tab_to("plug-1-0")
    window.screen.key("Return")
    office.wait_call(
        "CP-1", "StatusNotification", lambda sent: sent["connectorStatus"] == "Occupied"
    )
    window.tab_to("Card Anna Berg")
    window.screen.key("Return")
    charging = office.wait_transaction("CP-1", is_charging)
    assert charging.id_token == ANNA


@pytest.mark.parametrize("window", ["1.6"], indirect=True)
def test_shortcuts_make_a_whole_session(window: Window, office: Office) -> None:
    """1.6: Ctrl+P plugs and unplugs, Ctrl+Return shows the card that was used last."""
    window.screen.key("ctrl+p")
    office.wait_call("CP-1", "StatusNotification", lambda sent: sent["status"] == "Preparing")
    window.tab_to("Card Anna Berg")
    window.screen.key("space")
    office.wait_call("CP-1", "StatusNotification", lambda sent: sent["status"] == "Charging")
    started = office.wait_transaction("CP-1", lambda one: one.active)
    window.screen.key("ctrl+Return")
    office.wait_transaction("CP-1", lambda one: one.id == started.id and not one.active)
    window.screen.key("ctrl+p")
    office.wait_call(
        "CP-1",
        "StatusNotification",
        lambda sent: sent["connectorId"] == 1 and sent["status"] == "Available",
        after=office.calls("CP-1", "StopTransaction")[-1].seq,
    )


def test_without_a_screen_a_sentence_and_a_code(program: Program, tmp_path: Path) -> None:
    nothing = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": "xcb"}
    result = program("--state-dir", str(tmp_path / "state"), more=nothing)
    assert result.returncode == 10
    assert "Traceback" not in result.stderr
    assert "headless" in result.stderr
