"""Known secrets go through a whole window, and nothing that it shows or reads out tells one of them.

What is in no text of the window cannot be on a picture of it either.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from app.ocpp.context import BootState
from app.ocpp.version import Version
from app.runtime.session import STATE_FILE
from tests.app.runtime.test_secrets import (
    APN_PASSWORD,
    FTP_PASSWORD,
    NEW_KEY,
    NEW_PASSWORD,
    PASSWORD,
    leaks,
)
from tests.ui.station_rooms.conftest import ask, later, until
from tests.ui.test_walk import charging, painted
from ui.main_room import Room
from ui.station_rooms.docks import HELP, ROOMS

IDENTS = [ident for ident, _, _ in (*ROOMS, *HELP)]
ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
)
URL = f"ftp://charger:{FTP_PASSWORD}@127.0.0.1:9/file"
KEY = "AuthorizationKey"
PASSWORD_VARIABLE = {
    "component": {"name": "SecurityCtrlr"},
    "variable": {"name": "BasicAuthPassword"},
}
# the new password last: the station leaves, and comes back with it
ORDERS: dict[Version, list[tuple[str, dict[str, Any]]]] = {
    Version.V16: [
        ("UpdateFirmware", {"location": URL, "retrieveDate": later(days=1)}),
        ("GetDiagnostics", {"location": URL, "retries": 0}),
        ("GetConfiguration", {}),
        ("ChangeConfiguration", {"key": KEY, "value": NEW_KEY}),
    ],
    Version.V201: [
        (
            "SetNetworkProfile",
            {
                "configurationSlot": 2,
                "connectionData": {
                    "ocppVersion": "OCPP20",
                    "ocppTransport": "JSON",
                    "ocppCsmsUrl": f"wss://me:{FTP_PASSWORD}@127.0.0.1:9/x",
                    "messageTimeout": 30,
                    "securityProfile": 1,
                    "ocppInterface": "Wired0",
                    "apn": {
                        "apn": "net",
                        "apnPassword": APN_PASSWORD,
                        "apnAuthentication": "AUTO",
                    },
                },
            },
        ),
        ("GetVariables", {"getVariableData": [PASSWORD_VARIABLE]}),
        (
            "SetVariables",
            {"setVariableData": [{**PASSWORD_VARIABLE, "attributeValue": NEW_PASSWORD}]},
        ),
    ],
}


def told(room: Room) -> Iterator[str]:
    """Every text of the window, in sight or not, for eyes and for ears."""
    for widget in (room.window, *room.window.findChildren(QWidget)):
        yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
        yield widget.windowTitle()
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        elif isinstance(widget, QLineEdit):
            yield widget.displayText()
        elif isinstance(widget, QPlainTextEdit | QTextEdit):
            yield widget.toPlainText()
        elif isinstance(widget, QComboBox):
            yield from map(widget.itemText, range(widget.count()))
        elif isinstance(widget, QAbstractItemView) and widget.model() is not None:
            yield from cells(widget.model(), QModelIndex())
    for _, label in painted(room):
        yield label.full


def cells(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    for row in range(model.rowCount(parent)):
        for column in range(model.columnCount(parent)):
            index = model.index(row, column, parent)
            yield from (str(model.data(index, role) or "") for role in ROLES)
            yield from cells(model, index)


async def everything_told(room: Room) -> str:
    """Each message opened once, each room opened once."""
    found: list[str] = []
    for row in range(room.window.messages.model.rowCount()):
        room.window.messages.select(row)
        await asyncio.sleep(0)
        found.extend(told(room))
    for ident in IDENTS:
        room.controller.commands.run(f"room_{ident}")
        await asyncio.sleep(0.2)
        found.extend(told(room))
        room.controller.commands.run(f"room_{ident}")
        await until(lambda: not any(dock.isVisible() for dock in room.rooms.docks.values()))
    return "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.value)
def test_no_secret_is_on_the_screen(play: Any, version: Version, tmp_path: Path) -> None:
    texts: list[str] = []

    async def story(room: Room) -> None:
        await charging(room)
        await room.session.connect_to(
            room.session.snapshot().csms_url, password=PASSWORD, security_profile=1
        )
        for action, payload in ORDERS[version]:
            await until(lambda: room.session.snapshot().boot is BootState.ACCEPTED)
            await ask(room, action, payload)
        await until(lambda: room.session.snapshot().boot is BootState.ACCEPTED)
        texts.append(await everything_told(room))

    play(story, version=version.value)
    (text,) = texts
    for action, _ in ORDERS[version]:
        assert action in text, "the messages were not on the screen"
    assert "•••" in text
    assert not leaks(version, {"the window": text.encode("utf-8", "replace")})
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 2
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        if not path.name.startswith(STATE_FILE):
            assert not leaks(version, {path.name: path.read_bytes()})
