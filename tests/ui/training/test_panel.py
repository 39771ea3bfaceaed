"""The panel over a real CSMS: stations, transactions, tokens, and the panel as a whole."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.training.thread import TrainingCsmsThread
from app.training.tokens import TokenStatus
from tests.support.strays import Strays
from tests.ui.training.hands import LEFT, cells, click, open_tab
from tests.ui.training.stations import V16, TinyStation, tiny_station
from ui.theme import Theme
from ui.training.composer import ComposerTab
from ui.training.panel import TrainingPanel
from ui.training.tabs import BEHAVIOUR, COMPOSER, FILES, STATIONS, TABS, TOKENS
from ui.widgets import turns

# The offscreen platform says so of every top-level window with a smallest size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


# ---------------------------------------------------------------- stations


def test_a_station_that_connects_and_boots_appears_with_its_connectors(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    table = panel.rooms.stations.table
    with tiny_station(url, "CS-7") as station:
        station.boot201()
        station.status201(1, 1, "Available")
        qtbot.waitUntil(lambda: table.model().rowCount() == 1 and "1 Available" in cells(table, 0))
        row = cells(table, 0)
        assert row[:3] == ["CS-7", "2.0.1", "Accepted"]
        assert row[4] == "Forecourt Public 22"
    qtbot.waitUntil(lambda: cells(table, 0)[3].startswith("gone"))


def test_the_url_is_copied(panel: TrainingPanel, url: str, qtbot: QtBot) -> None:
    click(qtbot, panel.rooms.stations._copy)
    assert QGuiApplication.clipboard().text() == url


def test_disconnect_closes_the_connection_of_the_chosen_station(
    panel: TrainingPanel, url: str, csms: TrainingCsmsThread, qtbot: QtBot
) -> None:
    with tiny_station(url, "CS-7"):
        qtbot.waitUntil(panel.rooms.stations._close.isEnabled)
        click(qtbot, panel.rooms.stations._close)
        qtbot.waitUntil(lambda: not csms.snapshot().stations[0].connected)
        qtbot.waitUntil(lambda: not panel.rooms.stations._close.isEnabled())


def test_a_station_that_appears_keeps_the_chosen_one_chosen(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    table = panel.rooms.stations.table
    with tiny_station(url, "A"), tiny_station(url, "B"):
        qtbot.waitUntil(lambda: table.model().rowCount() == 2)
        table.choose("B")
        with tiny_station(url, "C"):
            qtbot.waitUntil(lambda: table.model().rowCount() == 3)
            assert table.chosen().id == "B"


# ---------------------------------------------------------------- elsewhere


def test_an_empty_state_says_where_the_station_is_and_offers_to_come_here(
    panel: TrainingPanel, qtbot: QtBot
) -> None:
    assert not panel.rooms.shows_empty_state
    panel.set_elsewhere("wss://csms.example.com/ocpp")
    assert panel.rooms.shows_empty_state
    assert "wss://csms.example.com/ocpp" in panel.rooms.empty.sentence.text()
    with qtbot.waitSignal(panel.use_training_requested):
        click(qtbot, panel.rooms.empty.action)
    panel.set_elsewhere(None)
    assert not panel.rooms.shows_empty_state


def test_other_stations_are_shown_although_the_own_one_is_elsewhere(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    panel.set_elsewhere("wss://csms.example.com/ocpp")
    with tiny_station(url, "GUEST"):
        qtbot.waitUntil(lambda: not panel.rooms.shows_empty_state)
        assert panel.rooms.use.isVisible()
        with qtbot.waitSignal(panel.use_training_requested):
            click(qtbot, panel.rooms.use)
    qtbot.waitUntil(lambda: panel.rooms.shows_empty_state)


# ---------------------------------------------------------------- transactions


def session201(station: TinyStation) -> None:
    station.event201("Started", 0, "tx-1", trigger="CablePluggedIn", state="EVConnected")
    station.event201("Updated", 1, "tx-1", trigger="Authorized", token="04A29F1C", energy_wh=1000)
    station.event201("Updated", 3, "tx-1", trigger="MeterValuePeriodic", energy_wh=5210)


def test_a_transaction_is_shown_live_with_energy_cost_and_what_is_missing(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    tab = panel.rooms.transactions
    with tiny_station(url, "CS-7") as station:
        session201(station)
        qtbot.waitUntil(lambda: tab.events.model().rowCount() == 3)
        row = cells(tab.table, 0)
        assert row[:6] == ["Charging", "CS-7", "1", "04A29F1C", "4.21 kWh", "2.19 EUR"]
        assert tab._remarks.text() == "Missing seqNo: 2"
        assert [cells(tab.events, n)[2] for n in range(3)] == ["Started", "Updated", "Updated"]
        station.event201(
            "Ended", 4, "tx-1", trigger="EVDeparted", state="Idle", stoppedReason="EVDisconnected"
        )
        qtbot.waitUntil(lambda: cells(tab.table, 0)[0] == "Ended, EVDisconnected")


def test_the_chosen_event_shows_its_text(panel: TrainingPanel, url: str, qtbot: QtBot) -> None:
    tab = panel.rooms.transactions
    with tiny_station(url, "CS-7") as station:
        session201(station)
        qtbot.waitUntil(lambda: tab.events.model().rowCount() == 3)
        open_tab(qtbot, panel, 1)
        rect = tab.events.visualRect(tab.events.model().index(0, 2))
        qtbot.mouseClick(tab.events.viewport(), LEFT, pos=rect.center())
        assert '"triggerReason": "CablePluggedIn"' in tab._raw.toPlainText()


def test_the_tab_counts_the_running_transactions(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    with tiny_station(url, "CS-7") as station:
        session201(station)
        qtbot.waitUntil(lambda: panel.rooms.tabs.tabText(1) == "Transactions 1")


# ---------------------------------------------------------------- tokens


def test_the_status_of_a_token_is_changed_in_its_row(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, TOKENS)
    qtbot.waitUntil(lambda: panel.rooms.tokens.status_combo("045D2088") is not None)
    combo = panel.rooms.tokens.status_combo("045D2088")
    assert combo is not None
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() is TokenStatus.BLOCKED
    found = {token.id: token.status for token in csms.snapshot().tokens}
    assert found["045D2088"] is TokenStatus.BLOCKED
    others = [status for id_, status in found.items() if id_ not in {"045D2088", "04E8037A"}]
    assert TokenStatus.BLOCKED not in others


@pytest.mark.qt_log_ignore("This plugin does not support")  # of every popup
def test_an_open_list_of_statuses_is_not_disturbed_by_what_stations_say(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, TOKENS)
    qtbot.waitUntil(lambda: panel.rooms.tokens.status_combo("045D2088") is not None)
    combo = panel.rooms.tokens.status_combo("045D2088")
    assert combo is not None
    combo.showPopup()
    emptied: list[object] = []
    combo.model().rowsRemoved.connect(lambda *what: emptied.append(what))
    with tiny_station(url, "CS-7") as station:
        station.boot201()
        qtbot.waitUntil(lambda: panel.rooms.stations.table.model().rowCount() == 1)
    assert combo.view().isVisible()
    assert not emptied
    combo.hidePopup()


def test_a_token_is_added_edited_and_removed(
    panel: TrainingPanel, csms: TrainingCsmsThread, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, TOKENS)
    tab = panel.rooms.tokens
    click(qtbot, tab._add)
    dialog = tab.dialog
    assert dialog is not None
    assert not dialog.save.isEnabled()
    qtbot.keyClicks(dialog.name_field, "New one")
    qtbot.keyClicks(dialog.id_field, "04AA")
    qtbot.keyClicks(dialog.group_field, "FLEET B")
    click(qtbot, dialog.save)
    qtbot.waitUntil(lambda: tab.table.choose("04aa"))
    click(qtbot, tab._edit)
    dialog = tab.dialog
    assert dialog is not None
    dialog.id_field.selectAll()
    qtbot.keyClicks(dialog.id_field, "04BB")
    qtbot.keyClicks(dialog.expiry_field, "2031-05-01")
    click(qtbot, dialog.save)
    qtbot.waitUntil(lambda: tab.table.choose("04bb"))
    token = next(one for one in csms.snapshot().tokens if one.id == "04BB")
    assert (token.name, token.group) == ("New one", "FLEET B")
    assert token.expiry is not None
    assert token.expiry.isoformat() == "2031-05-01T23:59:59+00:00"
    assert not any(one.id == "04AA" for one in csms.snapshot().tokens)
    with qtbot.waitActive(panel):
        panel.activateWindow()
    tab.table.setFocus()
    qtbot.keyClick(tab.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not any(one.id == "04BB" for one in csms.snapshot().tokens))


@pytest.mark.parametrize(("id_", "expiry"), [("04a29f1c", ""), ("", ""), ("NEW", "tomorrow")])
def test_a_token_that_cannot_be_kept_cannot_be_saved(
    panel: TrainingPanel, qtbot: QtBot, id_: str, expiry: str
) -> None:
    open_tab(qtbot, panel, TOKENS)
    panel.rooms.tokens.add_token()
    dialog = panel.rooms.tokens.dialog
    assert dialog is not None
    qtbot.keyClicks(dialog.id_field, id_)
    qtbot.keyClicks(dialog.expiry_field, expiry)
    assert not dialog.save.isEnabled()
    dialog.reject()


# ---------------------------------------------------------------- the panel as a whole


def test_it_can_be_closed_while_the_csms_still_talks(
    csms: TrainingCsmsThread, qtbot: QtBot, qapp: QApplication
) -> None:
    url = csms.snapshot().url
    panel = TrainingPanel(csms, Theme.load("dark"), Catalogue.load())
    panel.show()
    with tiny_station(url, "CS-7") as station:
        station.boot201()
        panel.close_feed()
        panel.close()
        panel.deleteLater()
        station.ask("Heartbeat", {})
        qtbot.wait(150)
    assert csms.is_running


def test_what_it_holds_is_made_when_it_is_shown_first(
    csms: TrainingCsmsThread, qtbot: QtBot, qapp: QApplication
) -> None:
    panel = TrainingPanel(csms, Theme.load("dark"), Catalogue.load())
    qtbot.addWidget(panel)
    panel.set_elsewhere("wss://csms.example.com/ocpp")
    panel.set_theme(Theme.load("light"))
    assert not panel.findChildren(QPushButton)
    panel.show()
    assert panel.rooms.shows_empty_state
    panel.close_feed()


def test_the_composer_is_opened_for_a_station_and_an_action(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    with tiny_station(url, "A"), tiny_station(url, "B", V16):
        qtbot.waitUntil(lambda: panel.rooms.composer.station.count() == 2)
        panel.open_composer("B", "RemoteStartTransaction")
        assert panel.rooms.tabs.currentIndex() == COMPOSER
        assert panel.rooms.composer.station.currentData() == "B"
        assert panel.rooms.composer._title.text() == "RemoteStartTransaction"


def test_another_tab_leaves_the_keyboard_at_the_tabs_and_not_at_a_button(
    panel: TrainingPanel, qtbot: QtBot
) -> None:
    open_tab(qtbot, panel, COMPOSER)
    panel.activateWindow()
    panel.rooms.composer.search.setFocus()
    qtbot.waitUntil(panel.rooms.composer.search.hasFocus)
    open_tab(qtbot, panel, STATIONS)
    assert panel.rooms.tabs.hasFocus()


def test_a_hidden_panel_reads_nothing_and_catches_up_when_shown(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    panel.hide()
    with tiny_station(url, "CS-7") as station:
        station.boot201()
        qtbot.wait(250)
        assert panel.rooms.stations.table.model().rowCount() == 0
        panel.show()
        qtbot.waitUntil(lambda: panel.rooms.stations.table.model().rowCount() == 1)


def test_a_flood_of_messages_is_shown_at_most_ten_times_a_second(
    panel: TrainingPanel, url: str, qtbot: QtBot
) -> None:
    seen: list[object] = []
    panel.feed.changed.connect(seen.append)
    with tiny_station(url, "CS-7") as station:
        station.boot201()
        for _ in range(200):
            station.ask("Heartbeat", {})
            qtbot.wait(1)
        qtbot.wait(250)
    frames = len(panel.feed.csms.frames("CS-7"))
    assert frames >= 400
    assert 1 <= len(seen) <= frames / 5


@pytest.mark.parametrize("size", [(400, 760), (1120, 420), (900, 264)])
def test_it_fits_tall_wide_and_low_docks(
    panel: TrainingPanel, qtbot: QtBot, size: tuple[int, int]
) -> None:
    panel.rooms.behaviour.mute.click()
    for number in range(len(TABS)):
        open_tab(qtbot, panel, number)
        panel.resize(*size)
        qtbot.wait(20)
        assert (panel.width(), panel.height()) == size
        assert panel.rooms.tabs.tabRect(len(TABS) - 1).right() < panel.rooms.tabs.width()


def test_every_control_has_a_name_and_can_be_hit(panel: TrainingPanel, qtbot: QtBot) -> None:
    for number in range(len(TABS)):
        open_tab(qtbot, panel, number)
        for made in (*panel.findChildren(QAbstractButton), *panel.findChildren(QComboBox)):
            if made.isVisible():
                words = made.accessibleName() or (isinstance(made, QAbstractButton) and made.text())
                assert words, f"{made} in {TABS[number]}"
                assert made.height() >= 32, f"{words} in {TABS[number]}"


def test_the_theme_is_switched_live(panel: TrainingPanel, qapp: QApplication) -> None:
    def brightness() -> int:
        return panel.grab().toImage().pixelColor(2, 2).lightness()

    before = brightness()
    light = Theme.load("light")
    light.apply(qapp)
    qapp.setProperty("look", "light")
    panel.set_theme(light)
    assert before < 80 < 180 < brightness()


def test_no_tab_flashes_up_as_a_window_of_its_own_when_it_is_made(
    panel: TrainingPanel, qtbot: QtBot, qapp: QApplication
) -> None:
    with Strays(qapp, panel) as strays:
        for number in range(len(TABS)):
            open_tab(qtbot, panel, number)
    assert strays.shown == []
    assert panel.isActiveWindow()


def test_the_tab_before_stays_in_sight_until_the_other_one_is_whole(
    panel: TrainingPanel, qtbot: QtBot
) -> None:
    rooms = panel.rooms
    open_tab(qtbot, panel, STATIONS)
    before = rooms.stations
    rooms.tabs.setCurrentIndex(COMPOSER)
    seen = []
    while COMPOSER not in rooms._rooms:
        assert before.isVisible()
        seen.append(len([one for one in panel.findChildren(ComposerTab) if one.isVisible()]))
        QTest.qWait(1)
    assert len(seen) > 1
    assert not any(seen)
    assert rooms.composer.isVisible()
    assert not before.isVisible()


def test_who_turns_on_while_a_tab_is_made_gets_the_tab_that_is_in_front(
    panel: TrainingPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = panel.rooms
    monkeypatch.setattr(turns, "TURN", 0.0)  # a step in each turn, however fast the computer is
    rooms.tabs.setCurrentIndex(COMPOSER)
    while not panel.findChildren(ComposerTab):
        QApplication.processEvents()
    assert COMPOSER not in rooms._rooms
    rooms.tabs.setCurrentIndex(TOKENS)
    rooms.tabs.setCurrentIndex(FILES)
    qtbot.waitUntil(lambda: FILES in rooms._rooms)
    assert rooms.files.isVisible()
    assert TOKENS not in rooms._rooms  # nobody looked
    assert COMPOSER in rooms._rooms  # it was begun
    rooms.tabs.setCurrentIndex(COMPOSER)
    assert rooms.composer.isVisible()


def test_a_tab_that_is_wanted_at_once_is_made_to_its_end(panel: TrainingPanel) -> None:
    rooms = panel.rooms
    rooms.tabs.setCurrentIndex(BEHAVIOUR)
    QTest.qWait(1)
    assert rooms.behaviour.mute.isVisible()
