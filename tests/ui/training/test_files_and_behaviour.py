"""Files of the training CSMS and what it does wrong on purpose, by the panel."""

from __future__ import annotations

from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.training.files import VERSION, firmware
from app.training.settings import BootStatus
from app.training.thread import TrainingCsmsThread
from app.training.tokens import Token
from tests.ui.choosing import choose, choosing
from tests.ui.training.hands import cells, click, open_tab
from tests.ui.training.stations import tiny_station
from ui.training.panel import TrainingPanel
from ui.training.tabs import BEHAVIOUR, FILES

# The offscreen platform says so of every top-level window with a smallest size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


# ---------------------------------------------------------------- files


def sent(csms: TrainingCsmsThread, station: str, name: str, content: bytes) -> None:
    """A station puts a file where it was told to, over HTTP."""
    url = csms.perform(lambda one: one.files.upload_url(station)).result(5) + name
    with urlopen(Request(url, content, method="PUT"), timeout=5) as answer:
        assert answer.status == 201


def test_a_file_that_a_station_sends_appears_and_is_saved_where_a_person_says(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot, tmp_path: Path
) -> None:
    open_tab(qtbot, panel, FILES)
    tab = panel.rooms.files
    assert not tab.uploads.isVisible()
    assert not tab.save.isEnabled()
    content = bytes(range(256)) * 50
    sent(csms, "CS-7", "log.tgz", b"older")
    sent(csms, "CS-7", "diagnostics.tgz", content)
    qtbot.waitUntil(lambda: tab.uploads.model().rowCount() == 2 and tab.save.isEnabled())
    row = cells(tab.uploads, 0)
    assert (*row[:3], row[4]) == ("diagnostics.tgz", "12.8 kB", "CS-7", "HTTP")
    assert cells(tab.uploads, 1)[1] == "5 bytes"
    tab.uploads.choose(("CS-7", "diagnostics.tgz"))
    click(qtbot, tab.save)
    target = tmp_path / "here.tgz"
    with choosing(qtbot, tab) as dialog:
        choose(dialog, target)
    qtbot.waitUntil(lambda: tab.told.text() == "Saved as here.tgz")
    assert target.read_bytes() == content


def test_a_file_that_cannot_be_saved_says_why(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot, tmp_path: Path
) -> None:
    open_tab(qtbot, panel, FILES)
    tab = panel.rooms.files
    sent(csms, "CS-7", "log.tgz", b"text")
    qtbot.waitUntil(tab.save.isEnabled)
    tab.save_to(tab.uploads.chosen(), tmp_path / "nowhere" / "log.tgz")
    qtbot.waitUntil(lambda: tab.told.text() == "Not saved: No such file or directory")


def test_a_file_is_gone_with_the_csms_and_saving_it_says_so(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot, tmp_path: Path
) -> None:
    open_tab(qtbot, panel, FILES)
    tab = panel.rooms.files
    sent(csms, "CS-7", "log.tgz", b"text")
    qtbot.waitUntil(tab.save.isEnabled)
    record = tab.uploads.chosen()
    csms.stop()
    tab.save_to(record, tmp_path / "log.tgz")
    qtbot.waitUntil(lambda: tab.told.text().startswith("Not saved"))
    qtbot.waitUntil(lambda: not tab.save.isEnabled() and not tab.copy.isEnabled(), timeout=4000)
    assert not (tmp_path / "log.tgz").exists()


def test_the_firmware_on_offer_is_copied_as_a_url_that_answers(
    panel: TrainingPanel, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, FILES)
    tab = panel.rooms.files
    named = [cells(tab.offers, row)[0] for row in range(6)]
    ways = ("HTTP", "HTTPS", "FTP")
    assert named[:3] == [f"Firmware {VERSION} ({way})" for way in ways]
    assert named[3:] == [f"Place for logs ({way})" for way in ways]
    click(qtbot, tab.copy)
    url = QGuiApplication.clipboard().text()
    with urlopen(url, timeout=5) as answer:
        assert answer.read() == firmware()
    assert tab.needs.text() == ""
    tab.offers.selectRow(1)
    assert tab.needs.text() == "Needs the lab's root"
    tab.offers.selectRow(2)
    click(qtbot, tab.copy)
    assert QGuiApplication.clipboard().text().startswith("ftp://")


# ---------------------------------------------------------------- behaviour


@pytest.mark.parametrize("status", [BootStatus.PENDING, BootStatus.REJECTED])
def test_the_boot_answer_acts_on_the_next_boot(
    panel: TrainingPanel, url: str, qtbot: QtBot, status: BootStatus
) -> None:
    open_tab(qtbot, panel, BEHAVIOUR)
    tab = panel.rooms.behaviour
    tab.interval.lineEdit().selectAll()
    qtbot.keyClicks(tab.interval.lineEdit(), "17")
    qtbot.keyClick(tab.interval, Qt.Key.Key_Return)
    click(qtbot, tab.boot_buttons[status])
    with tiny_station(url, "CS-7") as station:
        answer = station.boot201()
        assert (answer["status"], answer["interval"]) == (status.value, 17)


def test_an_error_for_one_action_lasts_until_it_is_removed(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, BEHAVIOUR)
    tab = panel.rooms.behaviour
    tab.action.setCurrentText("Heartbeat")
    tab.code.setCurrentText("GenericError")
    click(qtbot, tab.add_error)
    assert not panel.rooms.tabs.tabIcon(BEHAVIOUR).isNull()
    with tiny_station(url, "CS-7") as station:
        for _ in range(2):
            station.tell("Heartbeat", {})
            assert station.next()[2] == "GenericError"
        station.boot201()
        remove = next(
            one for one in tab.findChildren(QPushButton) if one.property("action") == "Heartbeat"
        )
        click(qtbot, remove)
        assert "currentTime" in station.ask("Heartbeat", {})
    assert tab.behaviour.is_normal
    assert panel.rooms.tabs.tabIcon(BEHAVIOUR).isNull()


def test_whose_certificate_a_station_shows_counts_until_a_person_says_otherwise(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, BEHAVIOUR)
    tab = panel.rooms.behaviour
    assert not csms.settings.any_certificate
    tab.any_certificate.click()
    qtbot.waitUntil(lambda: csms.settings.any_certificate)
    assert not tab.behaviour.is_normal
    click(qtbot, tab.normal)
    qtbot.waitUntil(lambda: not csms.settings.any_certificate)
    assert not tab.any_certificate.isChecked()


def test_mute_answers_nothing_and_well_behaved_answers_again(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, BEHAVIOUR)
    tab = panel.rooms.behaviour
    tab.mute.click()
    with tiny_station(url, "CS-7") as station:
        station.tell("Heartbeat", {})
        with pytest.raises(TimeoutError):
            station.next(timeout=0.3)
        click(qtbot, tab.normal)
        assert "currentTime" in station.ask("Heartbeat", {})


def test_behaviour_and_tokens_outlast_a_restart_of_the_csms(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, BEHAVIOUR)
    panel.rooms.behaviour.mute.click()
    csms.put_token(Token("NEW-1"))
    csms.stop()
    qtbot.waitUntil(lambda: not panel.feed.view.running, timeout=4000)
    csms.start()
    qtbot.waitUntil(
        lambda: len(csms.perform(lambda one: one.rules.active()).result(2)) == 1, timeout=4000
    )
    assert "NEW-1" in {token.id for token in csms.snapshot().tokens}
