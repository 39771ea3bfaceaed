"""Pictures of the rooms beside the station, to be looked at: `python -m tests.ui.preview_rooms FOLDER`.

Each room dark and light, wide and narrow, empty and filled.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.runtime.diagnosis import Step
from app.training.thread import TrainingCsmsThread
from tests.ui.training.stations import V16, TinyStation, tiny_station
from ui.cards.dialog import CardDialog
from ui.cards.store import DEFAULTS
from ui.connect.dialog import ConnectDialog
from ui.connect.recent import RecentConnections
from ui.connect.request import ConnectRequest
from ui.theme import ThemeSwitch
from ui.training.behaviour import ErrorRule
from ui.training.panel import TrainingPanel
from ui.training.tabs import TABS

SIZES = {"wide": (1120, 420), "tall": (400, 760), "low": (900, 264)}


def shoot(widget: QWidget, folder: Path, name: str) -> None:
    """Let pending work come to rest and keep the picture."""
    QTest.qWait(350)
    widget.grab().save(str(folder / f"{name}.png"))


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        QTest.qWait(50)
    raise TimeoutError("nothing to photograph")


def fill(one: TinyStation, other: TinyStation) -> None:
    """A busy day at two stations."""
    one.boot201()
    for evse, status in ((1, "Occupied"), (2, "Available")):
        one.status201(evse, 1, status)
    one.event201("Started", 0, "tx-9f1c-01", trigger="CablePluggedIn", state="EVConnected")
    one.event201("Updated", 1, "tx-9f1c-01", trigger="Authorized", token="04A29F1C", energy_wh=1200)
    one.event201("Updated", 2, "tx-9f1c-01", trigger="ChargingStateChanged", energy_wh=2600)
    one.event201("Updated", 4, "tx-9f1c-01", trigger="MeterValuePeriodic", energy_wh=5410)
    other.boot16()
    for connector, status, error in ((1, "Charging", "NoError"), (2, "Faulted", "GroundFailure")):
        other.ask(
            "StatusNotification",
            {"connectorId": connector, "errorCode": error, "status": status},
        )
    began = other.ask(
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": "0477B0E3",
            "meterStart": 100,
            "timestamp": "2026-05-04T09:12:00Z",
        },
    )
    other.ask(
        "StopTransaction",
        {
            "transactionId": began["transactionId"],
            "meterStop": 8600,
            "timestamp": "2026-05-04T09:58:00Z",
            "reason": "Local",
            "idTag": "0477B0E3",
        },
    )


def training(folder: Path, switch: ThemeSwitch) -> None:
    csms = TrainingCsmsThread()
    catalogue = Catalogue.load("en")
    panel = TrainingPanel(csms, switch.theme, catalogue)
    switch.worn_by(panel.set_theme)
    panel.resize(*SIZES["wide"])
    panel.show()
    shoot(panel, folder, "training-stopped")
    url = csms.start()
    QTest.qWait(1200)
    shoot(panel, folder, "training-no-station")
    panel.set_elsewhere("wss://csms.example.com/ocpp")
    shoot(panel, folder, "training-elsewhere")
    panel.set_elsewhere(None)
    with ExitStack() as stack:
        one = stack.enter_context(tiny_station(url, "CS-NORTH-01"))
        other = stack.enter_context(tiny_station(url, "HOME-16", V16))
        fill(one, other)
        place = csms.perform(lambda it: it.files.upload_url("CS-NORTH-01")).result(5)
        for name, size in (("diagnostics.tgz", 48_312), ("security-2026-05-04.log.tgz", 2_048_000)):
            urlopen(Request(place + name, bytes(size), method="PUT"), timeout=5).close()
        QTest.qWait(300)
        panel.rooms.composer.choose_station("CS-NORTH-01")
        panel.rooms.composer.choose_action("SetChargingProfile")
        wait_for(panel.rooms.composer.send_button.isEnabled)
        answers = threading.Thread(target=one.answer, args=({"status": "Accepted"},))
        answers.start()
        panel.rooms.composer.send()
        answers.join()
        QTest.qWait(200)
        panel.rooms.composer.choose_action("TriggerMessage")
        wait_for(panel.rooms.composer.send_button.isEnabled)
        panel.rooms.composer.text.setPlainText(
            '{"requestedMessage": "Heartbeat",\n  "evse": {"id": "one"}}'
        )
        behaviour = panel.rooms.behaviour.behaviour
        panel.rooms.behaviour.set_behaviour(
            behaviour.with_error(ErrorRule("StatusNotification", "InternalError"))
        )
        for size, (width, height) in SIZES.items():
            panel.resize(width, height)
            for number, tab in enumerate(TABS):
                panel.rooms.tabs.setCurrentIndex(number)
                for name in ("dark", "light"):
                    switch.use(name)
                    shoot(panel, folder, f"training-{tab}-{size}-{name}")
    panel.close_feed()
    csms.stop()


TESTED = (
    Step(
        "dns", True, Text("runtime.probe.dns", {"host": "csms", "addresses": "192.0.2.7"}), "", 12
    ),
    Step("tcp", True, Text("runtime.probe.tcp", {"host": "csms", "port": 443}), "", 23),
    Step("tls", True, Text("runtime.probe.tls", {"version": "TLSv1.3", "cipher": "AES"}), "", 41),
    Step("chain", False, Text("runtime.tls.self_signed", {"host": "csms.example.com"}), "", 2),
)


def connecting(folder: Path, switch: ThemeSwitch) -> None:
    catalogue = Catalogue.load("en")
    kept = folder / "kept"
    recent = RecentConnections(kept)
    for place, id_ in (
        ("csms.example.com/ocpp", "CS-NORTH-01"),
        ("10.0.0.7:9000/steve", "DEPOT-7"),
    ):
        recent.remember(ConnectRequest(f"ws://{place}", id_))
    for name in ("dark", "light"):
        switch.use(name)
        empty = ConnectDialog(switch.theme, catalogue).made()
        empty.show()
        shoot(empty, folder, f"connect-empty-{name}")
        dialog = ConnectDialog(switch.theme, catalogue, None, kept).made()
        dialog.show()
        dialog.form.url_field.setText(
            "https://CS-NORTH-01:hush-hush@csms.example.com/ocpp/CS-NORTH-01"
        )
        shoot(dialog, folder, f"connect-pasted-{name}")
        dialog.steps.begin()
        for step in TESTED[:3]:
            dialog.steps.add(step)
        shoot(dialog, folder, f"connect-testing-{name}")
        dialog.steps.add(TESTED[3])
        dialog.steps.end()
        shoot(dialog, folder, f"connect-failed-{name}")
        dialog.form.profile_field.choose(3)
        shoot(dialog, folder, f"connect-certificate-{name}")
        empty.close()
        dialog.close()


def cards(folder: Path, switch: ThemeSwitch) -> None:
    catalogue = Catalogue.load("en")
    for name in ("dark", "light"):
        switch.use(name)
        empty = CardDialog(switch.theme, catalogue).made()
        edited = CardDialog(switch.theme, catalogue, DEFAULTS[2]).made()
        edited.uid_field.setText("04 F1 EE")
        for dialog, what in ((empty, "empty"), (edited, "odd")):
            dialog.show()
            shoot(dialog, folder, f"card-{what}-{name}")
            dialog.close()


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/preview")
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication(sys.argv)
    assert isinstance(app, QApplication)
    switch = ThemeSwitch(app, "dark")
    rooms = {"training": training, "connect": connecting, "cards": cards}
    for room in sys.argv[2:] or rooms:
        rooms[room](folder, switch)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
