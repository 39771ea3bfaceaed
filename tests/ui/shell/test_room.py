"""The window as a person uses it: real session, real back office, real clicks on offscreen widgets."""

import asyncio
import json
import shutil
import zipfile

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)
from websockets.asyncio.server import serve

from app.kernel.text import Text
from app.ocpp.context import BootState
from app.runtime.archive import ArchiveError
from app.runtime.views import LinkState
from app.station.intents import PresentCard, Refused, Unplug
from app.station.kinds import Fault
from tests.ui.shell.conftest import until
from ui import hand_over
from ui.application import default_folder
from ui.connect.dialog import ConnectDialog
from ui.shell import toasts
from ui.shell.confirm import Confirmation
from ui.shell.toasts import Toast, Tone
from ui.station.hotspots import Act
from ui.theme import Theme
from ui.widgets.line import Line

LEFT = Qt.MouseButton.LeftButton


def flow(room, evse=1):
    return room.session.snapshot().station.evse(evse).flow.value


async def charge(room):
    """Plug, card, charging: by the inspector's own button."""
    main = room.window.inspector.main_button
    QTest.mouseClick(main, LEFT)
    await until(lambda: main.objectName() == "card")
    room.window.wallet.choose(room.window.wallet.cards()[0].uid)
    QTest.mouseClick(main, LEFT)
    await until(lambda: flow(room) == "charging")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_plug_card_power_and_stop_in_both_versions(play, version):
    async def story(room):
        await charge(room)
        await until(lambda: room.window.inspector.session_tab.figure("power") != "0.0 kW")
        await until(lambda: len(room.training.snapshot().transactions) == 1)
        assert room.window.inspector.main_button.objectName() == "stop"
        QTest.mouseClick(room.window.inspector.main_button, LEFT)
        await until(lambda: not room.session.snapshot().sessions)
        room.controller.commands.run("plug")
        await until(lambda: flow(room) == "idle")
        await until(lambda: room.window.messages.model.rowCount() >= 8)

    play(story, version=version)


@pytest.mark.parametrize(
    ("version", "command"),
    [("1.6", "restart"), ("1.6", "watchdog"), ("2.0.1", "restart")],
)
def test_a_restart_at_the_station_ends_the_session_with_reboot(play, version, command):
    """16-TX-09."""

    async def story(room):
        await charge(room)
        room.controller.commands.run(command)
        await until(lambda: not room.session.snapshot().sessions)

        def reason():
            return room.training.snapshot().transactions[0].stop_reason

        await until(reason)
        assert reason() == "Reboot"

    play(story, version=version)


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_fault_menu_of_the_head_ticks_what_lies_at_the_evse_and_repairs_it(play):
    async def story(room):
        def chosen(fault):
            """The menu as the chip opens it, and its line of this fault."""
            room.window.canvas.fault_menu_requested.emit(0, room.window.mapToGlobal(QPoint(9, 9)))
            menu = QApplication.activePopupWidget()
            lines = [one for one in menu.actions() if one.data()]
            return menu, next(one for one in lines if one.data()[0] is fault)

        for lies in (False, True):
            menu, line = chosen(Fault.RCD)
            assert line.isChecked() is lies
            line.trigger()
            menu.close()
            lying = [item.fault for item in room.session.snapshot().station.evse(1).faults]
            assert lying == ([] if lies else [Fault.RCD])

    play(story)


def test_keys_do_the_same_as_the_mouse(play):
    async def story(room):
        window = room.window
        window.wallet.choose(window.wallet.cards()[0].uid)
        window.activateWindow()
        await until(window.isActiveWindow)
        for key in (Qt.Key.Key_P, Qt.Key.Key_Return):
            QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: flow(room) == "charging")
        QTest.keyClick(window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: flow(room) == "connected")

    play(story)


def test_a_refused_card_is_told_as_a_toast(play):
    async def story(room):
        room.bridge.intend(PresentCard("04E8037A", evse=1))  # the lost card of the wallet
        await until(lambda: any("04E8037A" in text for text in room.window.toasts.texts()))

    play(story)


def test_what_the_machine_refuses_is_told_with_its_reason(play):
    async def story(room):
        outcome = room.bridge.intend(Unplug(1))
        assert isinstance(outcome, Refused)
        reason = room.session.catalogue.render(outcome.reason)
        await until(lambda: any(reason in text for text in room.window.toasts.texts()))

    play(story)


def test_mains_network_and_emergency_stop_are_commands(play):
    async def story(room):
        commands = room.controller.commands
        commands.run("network")
        await until(lambda: room.session.snapshot().link.state is LinkState.OFFLINE)
        commands.run("network")
        await until(lambda: room.session.snapshot().link.state is LinkState.ONLINE)
        commands.run("emergency")
        faults = room.session.snapshot().station.faults
        assert [fault.fault for fault in faults] == [Fault.EMERGENCY_STOP]
        await until(lambda: room.bridge.snapshot().station.emergency_stop)
        commands.run("emergency")
        assert not room.session.snapshot().station.faults
        commands.run("mains")
        await until(lambda: not room.bridge.snapshot().station.mains)
        commands.run("mains")
        await until(lambda: room.session.snapshot().link.state is LinkState.ONLINE)

    play(story)


def test_the_other_version_is_spoken_on_demand_but_not_in_a_session(play):
    async def story(room):
        room.controller.commands.run("speak_16")
        await until(lambda: room.session.snapshot().version.value == "1.6")
        await until(lambda: room.session.snapshot().boot is BootState.ACCEPTED)
        await charge(room)
        room.controller.commands.run("speak_201")
        reason = "A session runs in OCPP 1.6. End it before the station speaks 2.0.1."
        await until(lambda: reason in room.window.toasts.texts())
        assert room.session.snapshot().version.value == "1.6"
        menu = room.controller.menu
        menu.aboutToShow.emit()
        ticked = [action.data() for action in menu.actions() if action.isChecked()]
        assert ticked == ["1.6"]  # what it speaks, not what was turned down

    play(story, version="2.0.1")


def test_themes_switch_while_it_runs_and_are_remembered(play, tmp_path):
    async def to_light(room):
        room.controller.commands.run("theme")
        assert room.switch.theme.name == "light"

    async def still_light(room):
        assert room.switch.theme.name == "light"

    play(to_light)
    play(still_light)


def test_rooms_are_hidden_shown_and_put_back(play):
    async def story(room):
        window, commands = room.window, room.controller.commands
        for command, dock in (
            ("messages", window.messages_dock),
            ("inspector", window.inspector_dock),
        ):
            commands.run(command)
            assert not dock.isVisible()
        commands.run("reset_layout")
        assert window.messages_dock.isVisible()
        assert window.inspector_dock.isVisible()
        commands.run("training")
        assert room.training_dock.isVisible()
        await until(lambda: window.messages_dock.visibleRegion().isEmpty())
        commands.run("messages")  # they lie behind it: they come to the front
        await until(lambda: not window.messages_dock.visibleRegion().isEmpty())
        commands.run("messages")
        assert not window.messages_dock.isVisible()
        commands.run("reset_layout")
        assert window.messages_dock.isVisible()
        assert not room.training_dock.isVisible()
        assert window.restore_layout(window.layout_text())
        assert not window.restore_layout("not a layout")

    play(story)


def drag(window, x, y, by):
    """An edge between two places of the window, by so many px downwards."""
    handle = window.windowHandle()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    for step in range(1, 11):
        QTest.mouseMove(handle, QPoint(x, y + by * step // 10), 20)
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=QPoint(x, y + by))


def test_the_messages_keep_their_part_of_the_window_the_usual_one_or_what_a_person_chose(play):
    async def story(room):
        window = room.window
        dock = window.messages_dock

        async def share(height: int, width: int = 1440) -> float:
            window.resize(width, height)
            await until(lambda: window.height() == height)
            await asyncio.sleep(0.05)
            return dock.height() / height

        usual = await share(900)
        assert await share(1400) == pytest.approx(usual, abs=0.02)
        assert await share(800) == pytest.approx(usual, abs=0.02)
        assert await share(1200) == pytest.approx(usual, abs=0.02)
        assert await share(1440, 2560) == pytest.approx(usual, abs=0.02)
        assert await share(800, 1280) == pytest.approx(usual, abs=0.02)
        assert await share(640, 1024) == pytest.approx(usual, abs=0.02)
        assert await share(1200) == pytest.approx(usual, abs=0.02)
        drag(window, dock.geometry().center().x(), dock.y() - 2, by=-100)
        dragged = dock.height() / 1200
        assert dragged > usual + 0.05
        assert await share(1400) == pytest.approx(dragged, abs=0.01)

    play(story)


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_menu_in_the_corner_stays_over_the_window(play):
    async def story(room):
        window, menu = room.window, room.controller.menu
        button = next(b for b in window.findChildren(QToolButton) if b.menu() is menu)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
        await until(menu.isVisible)
        right = window.mapToGlobal(window.rect().topRight()).x()
        assert menu.geometry().right() <= right
        menu.close()

    play(story)


def test_the_menu_in_the_corner_is_no_higher_than_a_small_screen(play):
    """720 px, less what a desktop keeps for itself; on a lower one Qt puts it into columns."""

    async def story(room):
        menus = [room.controller.menu, *room.controller.menu.findChildren(QMenu)]
        menus += [room.rooms.menu, room.rooms.help]
        assert {menu.title() for menu in menus} >= {"Rooms", "Restart and reset", "Help"}
        for menu in menus:
            assert menu.sizeHint().height() <= 640, menu.title()
        shown = {action for menu in menus for action in menu.actions()}
        named = {"messages", "inspector", "reset_layout", "repower", "factory_reset", "quit"}
        assert {room.controller.commands[ident] for ident in named} <= shown

    play(story)


def test_closing_asks_the_session_to_end_first(play):
    async def story(room):
        room.window.close()
        await room.closed()
        assert room.window.isVisible()  # it goes when all is written

    play(story)


def test_factory_reset_asks_before_it_forgets(play):
    async def story(room):
        room.session.set_setting("HeartbeatInterval", "77")
        room.controller.commands.run("factory_reset")
        dialog = None

        def opened():
            nonlocal dialog
            from PySide6.QtWidgets import QDialog

            dialog = next((d for d in room.window.findChildren(QDialog) if d.isVisible()), None)
            return dialog

        await until(opened)
        QTest.keyClick(dialog, Qt.Key.Key_Return)  # who presses Enter without reading loses nothing
        await until(lambda: not dialog.isVisible())
        assert room.session.get_setting("HeartbeatInterval") == "77"
        room.controller.commands.run("factory_reset")
        await until(opened)
        dialog.accept()
        await until(lambda: any("factory" in text for text in room.window.toasts.texts()))
        await until(lambda: room.session.get_setting("HeartbeatInterval") != "77")

    play(story, version="1.6")


def test_an_unreachable_back_office_is_told_and_the_way_back_is_one_command(play):
    async def story(room):
        await room.session.connect_to("ws://127.0.0.1:9/ocpp")
        await until(lambda: "127.0.0.1" in " ".join(room.window.toasts.texts()))
        room.controller.commands.run("use_training")
        await until(lambda: room.session.snapshot().link.state is LinkState.ONLINE)

    play(story)


class Stubborn:
    """A back office that answers every boot in one way, whatever else it is asked."""

    def __init__(self, answer):
        self.answer = answer
        self.boots = 0

    async def meet(self, guest):
        async for text in guest:
            _, number, action, *_ = json.loads(text)
            if action == "BootNotification":
                self.boots += 1
                await guest.send(json.dumps([*self.answer[:1], number, *self.answer[1:]]))


SOON = {"currentTime": "2026-01-01T00:00:00Z", "interval": 1}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([3, {"status": "Rejected", **SOON}], "rejects the station: register it there"),
        ([3, {"status": "Pending", **SOON}], "has not accepted the station yet (Pending)"),
        ([3, {"status": "Yes", **SOON}], "BootNotification failed"),
        ([4, "InternalError", "", {}], "answers BootNotification with the error InternalError"),
    ],
)
def test_a_boot_that_does_not_let_the_station_in_is_told_once(play, version, answer, words):
    async def story(room):
        told = []
        show = room.window.toasts.show_text
        room.window.toasts.show_text = lambda *text: (told.append(text[0]), show(*text))
        office = Stubborn(answer)
        async with serve(office.meet, "127.0.0.1", 0, subprotocols=["ocpp1.6", "ocpp2.0.1"]) as s:
            port = next(iter(s.sockets)).getsockname()[1]
            await room.session.connect_to(f"ws://127.0.0.1:{port}/ocpp")
            await until(lambda: any(words in text for text in told))
            if answer[0] == 3 and answer[1]["status"] != "Yes":
                await until(lambda: office.boots > 1)
                await asyncio.sleep(0.2)
        assert len([text for text in told if words in text]) == 1
        assert not any("switched off" in text for text in told)

    play(story, version=version)


def test_one_error_is_one_error(play):
    async def story(room):
        status = room.window.status
        snapshot = room.session.snapshot()
        for count, words in ((0, "0 errors"), (1, "1 error<"), (2, "2 errors")):
            status.show_snapshot(snapshot, 0.0, 0, count)
            assert words in status.text("errors")

    play(story)


def test_the_training_csms_is_reached_also_where_another_back_office_is_configured(play, tmp_path):
    there = "ws://127.0.0.1:9/ocpp"

    async def story(room):
        assert room.session.snapshot().csms_url == there
        room.controller.commands.run("use_training")
        await until(lambda: room.session.snapshot().link.state is LinkState.ONLINE)
        assert room.session.snapshot().csms_url == room.training.snapshot().url

    async def later(room):
        """Its address was that of one run: the next one begins with what is configured."""
        assert room.session.snapshot().csms_url == there

    play(story, csms=there)
    play(later, csms=there)


def test_strict_mode_asks_and_takes_the_answer(play):
    from app.ocpp.points import registry

    async def story(room):
        point = registry()["ocpp16-remote-start-no-connector"]
        asking = room.spawner.spawn(room.session.points.ask(point.id))
        await until(lambda: room.window.findChild(type_of_dialog()) is not None)
        dialog = room.window.findChild(type_of_dialog())
        dialog.choose("reject")
        dialog.always.setChecked(True)
        dialog.accept()
        assert await asking == "reject"
        assert room.session.points.choose(point.id) == "reject"

    def type_of_dialog():
        from ui.points import PointDialog

        return PointDialog

    play(story, version="1.6", strict=True)


def test_a_toast_can_be_closed_and_the_oldest_makes_room(play):
    async def story(room):
        for number in range(6):
            room.controller.tell(f"news {number}", Tone.NOTE)
        assert room.window.toasts.texts() == ["news 2", "news 3", "news 4", "news 5"]
        room.controller.tell("news 5", Tone.NOTE)
        assert len(room.window.toasts.texts()) == 4
        toast = next(t for t in room.window.toasts.findChildren(Toast) if t.text == "news 3")
        QTest.mouseClick(toast.findChild(QPushButton), LEFT)
        assert room.window.toasts.texts() == ["news 2", "news 4", "news 5"]

    play(story)


def test_a_warning_that_is_over_goes_with_the_good_news_about_it(qtbot, qapp, monkeypatch):
    monkeypatch.setattr(toasts, "SECONDS", {"good": 0.1, "warning": 60, "error": 60, "note": 60})
    place = QWidget()
    qtbot.addWidget(place)
    place.resize(600, 400)
    stack = toasts.Toasts(Theme.load("dark"), place)
    stack.show_text("The back office goes away.", Tone.WARNING, "link")
    stack.show_text("The card is refused.", Tone.WARNING, "card")
    stack.show_text("Connected.", Tone.GOOD, "link")
    assert len(stack.texts()) == 3
    qtbot.waitUntil(lambda: stack.texts() == ["The card is refused."])


def test_several_toasts_show_their_sentences_in_full(play):
    async def story(room):
        await until(lambda: room.window.toasts.texts())
        room.controller.tell("The station lost its power.", Tone.WARNING)
        room.controller.tell("Connected, OCPP 2.0.1.", Tone.GOOD)
        toasts = room.window.toasts.findChildren(Toast)
        assert len(toasts) >= 2
        await until(lambda: all(toast.height() >= toast.sizeHint().height() for toast in toasts))

    play(story)


def test_connect_to_yours_opens_and_changes_the_back_office(play):
    async def story(room):
        room.controller.commands.run("connect")
        dialog = await shown(room, ConnectDialog)
        dialog.form.url_field.setText("ws://127.0.0.1:1/ocpp")
        dialog.form.id_field.setText("CS-7")
        QTest.mouseClick(dialog.connect_button, LEFT)
        await until(lambda: room.session.snapshot().csms_url == "ws://127.0.0.1:1/ocpp")
        assert room.session.snapshot().station_id == "CS-7"

    play(story)


async def shown(room, kind):
    """The dialog of this kind, once it is whole and on the screen."""

    def visible():
        return [one for one in room.window.findChildren(kind) if one.isVisible()]

    await until(visible)
    return visible()[0]


def test_the_station_is_saved_to_a_file_and_what_is_in_the_way_is_told(play, tmp_path):
    async def save(room, target):
        room.controller.commands.run("hand_over")
        dialog = await shown(room, QFileDialog)
        assert dialog.selectedFiles()[0].endswith(".zip")
        dialog.findChild(QLineEdit).setText(str(target))
        dialog.accept()
        await until(lambda: not room.window.findChildren(QFileDialog))

    async def story(room):
        target = tmp_path / "mine.zip"
        await save(room, target)
        await until(target.exists)
        with zipfile.ZipFile(target) as archive:
            assert "state.jsonl" in archive.namelist()
        await until(lambda: told(room, "is in mine.zip"))
        room.session.export_station = full
        await save(room, tmp_path / "other.zip")
        await until(lambda: told(room, "no space left"))

    async def full(target):
        raise ArchiveError(
            Text("archive.cannot_write", {"file": str(target), "why": "no space left"})
        )

    def told(room, words):
        return any(words in label.text() for label in room.window.findChildren(QLabel))

    play(story)


def test_a_station_is_opened_from_a_file_in_a_window_of_its_own(play, tmp_path, monkeypatch):
    """The way back of a finding that was handed over; what is in the way is told in a sentence."""
    opened = []
    monkeypatch.setattr(hand_over, "open_window", lambda folder: opened.append(folder) or True)

    async def choose(room, source, answer=None):
        room.controller.commands.run("take_in")
        dialog = await shown(room, QFileDialog)
        dialog.findChild(QLineEdit).setText(str(source))
        dialog.accept()
        await until(lambda: not room.window.findChildren(QFileDialog))
        if answer is not None:
            question = await shown(room, Confirmation)
            assert "connects to its back office" in question.findChild(QLabel).text()
            QTest.mouseClick(question.yes if answer else question.no, LEFT)
            await until(lambda: not room.window.findChildren(Confirmation))

    async def story(room):
        source = tmp_path / "finding 7.zip"
        await room.session.export_station(source)
        home = tmp_path / "stations"
        room._folder = home / "station"
        await choose(room, source, answer=False)
        assert opened == []
        await until(lambda: told(room, "Start it with --config"))
        await choose(room, source)
        await until(lambda: told(room, "Rename the file"))
        other = tmp_path / "again.zip"
        shutil.copy(source, other)
        await choose(room, other, answer=True)
        await until(lambda: opened == [home / "again"])
        assert (home / "again" / "state.sqlite3").exists()
        assert (home / "finding-7" / "config.json").exists()
        wrong = tmp_path / "photo.zip"
        wrong.write_bytes(b"no zip")
        await choose(room, wrong)
        await until(lambda: told(room, "damaged or incomplete"))

    def told(room, words):
        return any(words in label.text() for label in room.window.findChildren(QLabel))

    play(story)


def test_a_click_on_the_card_and_then_on_the_reader_starts_and_does_not_stop(play):
    async def story(room):
        window = room.window
        room.controller.commands.run("plug")
        await until(lambda: flow(room) == "connected")
        card = window.wallet.buttons()[0]
        QTest.mouseClick(card, LEFT)
        QTest.mouseClick(card, LEFT)  # a double click is one showing too
        await until(lambda: flow(room) == "charging")
        QTest.mouseClick(window.canvas.hotspot(Act.READER, 1), LEFT)
        await asyncio.sleep(0.3)
        assert flow(room) == "charging"
        assert len(room.training.snapshot().transactions) == 1

    play(story)


def test_a_queue_that_cannot_leave_is_seen_on_the_picture_and_in_the_status_bar(play):
    async def story(room):
        await charge(room)
        room.controller.commands.run("network")
        room.controller.commands.run("stop")
        await until(lambda: room.session.snapshot().queue >= 1)
        warn = room.switch.theme.css("warn")
        await until(lambda: warn in room.window.status.text("queue"))
        await until(lambda: "messages waiting" in room.window.canvas.picture.content.sign)

    play(story)


def test_tab_goes_from_the_machine_to_the_cards_and_on_and_everything_has_a_name(play):
    async def story(room):
        window = room.window
        order, widget = [], window.canvas.nextInFocusChain()
        while widget is not window.canvas:
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
                order.append(widget)
            widget = widget.nextInFocusChain()
        kinds = [type(widget).__name__ for widget in order]
        cards = kinds.index("CardButton")
        assert set(kinds[:cards]) == {"Hotspot"}
        assert kinds[kinds.index("AddButton") + 1] == "QTabBar"
        unnamed = [w for w in order if not w.accessibleName() and not getattr(w, "text", str)()]
        assert unnamed == []

    play(story)


def test_a_long_reason_ends_in_an_ellipsis_and_is_whole_in_the_tool_tip(play):
    async def story(room):
        room.window.resize(1024, 640)
        await until(lambda: room.session.snapshot().link.problem)
        line = room.window.top.findChildren(Line)[-1]
        why = room.session.catalogue.render(room.session.snapshot().link.problem)
        await until(lambda: line.text() == why)
        assert line.toolTip() == why
        assert line.shown().endswith("…")
        assert line.geometry().right() <= line.parentWidget().width()

    play(story, csms="ws://127.0.0.1:1/ocpp", id="CS-1")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://127.0.0.1:1/ocpp", "No password, no TLS"),
        ("wss://127.0.0.1:1/ocpp", "TLS, no password"),
    ],
)
def test_tls_without_a_profile_is_not_told_as_no_tls(play, url, words):
    async def story(room):
        column = room.window.top._security
        await until(lambda: column.second.text() == words)
        assert column.first.text() == "Security profile 0"
        room.controller.commands.run("room_security")
        made = room.rooms.room("security")
        made.set_live(True)
        await until(lambda: words.lower() in made._profile.text().lower())

    play(story, csms=url, id="CS-1", strays=False)


def test_each_hardware_has_a_state_of_its_own_when_no_folder_is_given():
    """The shipped blueprints can be tried one after the other without any other option."""
    folders = {default_folder(name) for name in (None, "home-ac-11", "dc-2x150", "mine/dc.toml")}
    assert len(folders) == 4
    assert len({folder.parent for folder in folders}) == 1
