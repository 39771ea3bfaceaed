"""The dialog as a person uses it: paste, look, test, connect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import Identity
from app.runtime.diagnosis import Step
from app.training.server import TrainingCsms
from app.training.settings import BootAnswer, BootStatus, CsmsSettings
from tests.ui.choosing import choose, choosing
from ui.ask import Spawner
from ui.connect.dialog import ConnectDialog
from ui.connect.probe import Diagnose, make_diagnose
from ui.connect.recent import FILE, RecentConnections
from ui.connect.request import ConnectRequest
from ui.theme import Theme

# The offscreen platform says so of every top-level window with a smallest size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LEFT = Qt.MouseButton.LeftButton
Open = Callable[..., ConnectDialog]


async def never(request: ConnectRequest) -> AsyncIterator[Step]:
    raise AssertionError("nobody asked for a test")
    yield


@pytest.fixture
def errors() -> list[BaseException]:
    return []


@pytest.fixture
def open_dialog(qtbot: QtBot, qapp: QApplication, errors: list[BaseException]) -> Open:
    theme = Theme.load("dark")
    theme.apply(qapp)

    def make(
        diagnose: Diagnose = never,
        folder: Path | None = None,
        current: ConnectRequest | None = None,
    ) -> ConnectDialog:
        dialog = ConnectDialog(
            theme,
            Catalogue.load(),
            current,
            folder,
            spawner=Spawner(errors.append),
            diagnose=diagnose,
        ).made()
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def paste(field: QLineEdit, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_everything_follows_from_a_pasted_url(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    assert not dialog.connect_button.isEnabled()
    paste(dialog.form.url_field, "wss://CS-7:hush@csms.example.com/ocpp/CS-7")
    assert dialog.form.url_field.text() == "wss://csms.example.com/ocpp"
    assert dialog.form.id_field.text() == "CS-7"
    assert dialog.preview.text() == (
        "Will connect to wss://csms.example.com/ocpp/CS-7 as CS-7, "
        "OCPP picked by the back office, over TLS with a password."
    )
    qtbot.mouseClick(dialog.connect_button, LEFT)
    assert dialog.result() == ConnectRequest(
        "wss://csms.example.com/ocpp", "CS-7", "auto", 2, "hush"
    )


def test_the_offered_subprotocols_and_their_order_are_a_persons_choice(open_dialog: Open) -> None:
    dialog = open_dialog(current=ConnectRequest("ws://10.0.0.7", "CS-1", subprotocols=("ocpp1.6",)))
    assert dialog.form.offer_field.isVisible()
    assert dialog.form.offer_field.text() == "ocpp1.6"
    assert dialog.form.offer_field.placeholderText() == "ocpp2.0.1, ocpp1.6"
    dialog.form.offer_field.setText("ocpp1.6 ocpp2.1,ocpp2.0.1, ocpp1.6")
    assert dialog.result().subprotocols == ("ocpp1.6", "ocpp2.1", "ocpp2.0.1")
    assert dialog.connect_button.isEnabled()
    for text, words in (("ocpp2.1", "must be offered"), ("ocpp/1.6", "cannot be the name")):
        dialog.form.offer_field.setText(text)
        assert words in dialog.preview.text()
        assert not dialog.connect_button.isEnabled()
    assert dialog.result().version == "auto"
    dialog.form.version_field.choose("1.6")  # then there is nothing to choose from
    assert not dialog.form.offer_field.isVisible()
    assert dialog.result().subprotocols == ()
    assert dialog.connect_button.isEnabled()


def test_the_password_is_never_shown_again(open_dialog: Open) -> None:
    dialog = open_dialog()
    paste(dialog.form.url_field, "wss://CS-7:hush@csms.example.com/ocpp/CS-7")
    QTest.keyClick(dialog.form.url_field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    shown = [field.displayText() for field in dialog.findChildren(QLineEdit)]
    assert not any("hush" in text for text in shown)
    assert "hush" not in repr(dialog.result())
    assert "hush" not in dialog.preview.text()


def test_a_part_that_was_no_id_goes_back_into_the_address(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    paste(dialog.form.url_field, "wss://csms.example.com/tenant42")
    assert dialog.form.id_field.text() == "tenant42"
    assert dialog.form.keep_button.isVisible()
    qtbot.mouseClick(dialog.form.keep_button, LEFT)
    assert dialog.form.url_field.text() == "wss://csms.example.com/tenant42"
    assert dialog.form.id_field.text() == ""
    assert not dialog.form.keep_button.isVisible()
    assert not dialog.connect_button.isEnabled()
    assert "no id" in dialog.preview.text()
    qtbot.keyClicks(dialog.form.id_field, "CS 7")
    assert dialog.connect_button.isEnabled()
    assert "wss://csms.example.com/tenant42/CS%207" in dialog.preview.text()


def test_the_user_of_a_url_is_the_station_where_its_path_names_none(open_dialog: Open) -> None:
    current = ConnectRequest("ws://127.0.0.1:9000/ocpp", "FC-ABCDEF")
    dialog = open_dialog(current=current)
    paste(dialog.form.url_field, "wss://CS-7:secret@csms.example.com/ocpp")
    assert dialog.form.id_field.text() == "CS-7"
    assert "The user CS-7 is the station's id." in dialog.form.note.text()
    paste(dialog.form.url_field, "wss://CS-8:secret@csms.example.com/ocpp/CS-9")
    assert dialog.form.id_field.text() == "CS-9"


def test_a_profile_with_a_password_is_not_carried_to_another_host(open_dialog: Open) -> None:
    current = ConnectRequest("ws://127.0.0.1:9104/ocpp", "CS-1", security_profile=1)
    dialog = open_dialog(current=current)
    paste(dialog.form.url_field, "ws://127.0.0.1:9104/other")
    dialog.form.url_field.editingFinished.emit()
    assert dialog.form.profile_field.currentData() == 1
    paste(dialog.form.url_field, "ws://127.0.0.1:9112/ocpp")
    dialog.form.url_field.editingFinished.emit()
    assert dialog.form.profile_field.currentData() == 0
    assert dialog.connect_button.isEnabled()


def test_a_profile_that_a_person_chose_stays_on_another_host(open_dialog: Open) -> None:
    dialog = open_dialog(current=ConnectRequest("ws://127.0.0.1:9104/ocpp", "CS-1"))
    dialog.form.profile_field.setCurrentIndex(1)
    dialog.form.profile_field.activated.emit(1)
    paste(dialog.form.url_field, "ws://127.0.0.1:9112/ocpp")
    assert dialog.form.profile_field.currentData() == 1


def test_an_id_typed_by_hand_is_not_replaced_by_a_pasted_one(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    qtbot.keyClicks(dialog.form.id_field, "MINE")
    paste(dialog.form.url_field, "ws://10.0.0.7:9000/CP001")
    assert dialog.form.id_field.text() == "MINE"
    assert dialog.form.url_field.text() == "ws://10.0.0.7:9000/CP001"


def test_a_url_typed_letter_by_letter_is_read_when_the_field_is_left(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    qtbot.keyClicks(dialog.form.url_field, "ws://CP001:pw@10.0.0.7:9000/CP001")
    assert dialog.form.id_field.text() == ""
    qtbot.keyClick(dialog.form.url_field, Qt.Key.Key_Tab)
    dialog.form.url_field.editingFinished.emit()
    assert dialog.form.id_field.text() == "CP001"
    assert dialog.form.url_field.text() == "ws://10.0.0.7:9000"
    assert dialog.result().security_profile == 1
    assert dialog.result().password == "pw"


def test_what_was_read_in_a_url_moves_no_button_away_from_the_click_that_left_the_field(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    qtbot.keyClicks(dialog.form.url_field, "wss://csms.example.com/ocpp/CP001")
    qtbot.wait(50)
    before = dialog.test_button.mapTo(dialog, QPoint())
    dialog.form.url_field.editingFinished.emit()
    qtbot.wait(50)
    assert dialog.form.keep_button.isVisible()
    assert dialog.test_button.mapTo(dialog, QPoint()) == before


@pytest.mark.parametrize(
    ("url", "profile", "words"),
    [
        ("ws://10.0.0.7/CS-1", 2, "needs TLS"),
        ("ws://10.0.0.7/CS-1", 1, "needs a password"),
        ("wss://csms.example.com/CS-1", 2, "needs a password"),
        ("wss://csms.example.com/CS-1", 3, "needs the station's certificate"),
        ("wss://csms.example.com/CS-1#part", 0, "after #"),
        ("ftp://csms.example.com/CS-1", 0, "must begin with ws"),
    ],
)
def test_what_is_missing_is_said_and_keeps_connect_back(
    open_dialog: Open, url: str, profile: int, words: str
) -> None:
    dialog = open_dialog()
    paste(dialog.form.url_field, url)
    dialog.form.id_field.setText("CS-1")
    dialog.form.profile_field.choose(profile)
    assert words in dialog.preview.text()
    assert not dialog.connect_button.isEnabled()
    assert not dialog.test_button.isEnabled()


def test_files_are_asked_for_where_they_matter_and_must_exist(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    assert not dialog.form.ca_field.isVisible()
    paste(dialog.form.url_field, "wss://csms.example.com/CS-1")
    assert dialog.form.ca_field.isVisible()
    assert not dialog.form.certificate_field.isVisible()
    dialog.form.profile_field.choose(3)
    assert dialog.form.certificate_field.isVisible()
    assert not dialog.form.password_field.isVisible()
    qtbot.keyClicks(dialog.form.certificate_field.edit, str(tmp_path / "absent.pem"))
    assert "There is no file" in dialog.preview.text()
    (tmp_path / "absent.pem").touch()
    dialog.form.certificate_field.edit.textChanged.emit("")
    assert dialog.connect_button.isEnabled()
    assert dialog.result().certificate == str(tmp_path / "absent.pem")
    dialog.form.profile_field.choose(0)
    assert dialog.result().certificate is None


def test_a_former_connection_is_picked_by_a_click_and_asks_for_its_password(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    recent = RecentConnections(tmp_path)
    recent.remember(ConnectRequest("wss://csms.example.com/ocpp", "CS-1", "1.6", 2, "hush"))
    dialog = open_dialog(folder=tmp_path)
    rect = dialog.recent_list.visualItemRect(dialog.recent_list.item(0))
    qtbot.mouseClick(dialog.recent_list.viewport(), LEFT, pos=rect.center())
    assert dialog.result().station_id == "CS-1"
    assert dialog.result().version == "1.6"
    assert "needs a password" in dialog.preview.text()
    qtbot.keyClicks(dialog.form.password_field, "hush")
    assert dialog.connect_button.isEnabled()


def test_connecting_is_remembered_and_cancelling_is_not(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    for button, count in (("cancel_button", 0), ("connect_button", 1)):
        dialog = open_dialog(folder=tmp_path)
        paste(dialog.form.url_field, "ws://10.0.0.7:9000/CP001")
        qtbot.mouseClick(getattr(dialog, button), LEFT)
        assert len(RecentConnections(tmp_path).all()) == count


def test_the_present_connection_is_where_it_starts(open_dialog: Open) -> None:
    now = ConnectRequest("ws://10.0.0.7:9000", "CP001", "1.6", 1, "pw")
    assert open_dialog(current=now).request() == now


def test_a_pasted_id_replaces_that_of_the_present_connection(open_dialog: Open) -> None:
    dialog = open_dialog(current=ConnectRequest("", "MADE-UP-1", "2.0.1"))
    assert dialog.preview.text() == "Nothing to connect to yet."
    paste(dialog.form.url_field, "wss://csms.example.com/ocpp")
    assert dialog.result() == ConnectRequest("wss://csms.example.com/ocpp", "MADE-UP-1", "2.0.1")
    paste(dialog.form.url_field, "wss://csms.example.com/ocpp/CS-9")
    assert dialog.result().station_id == "CS-9"


def test_an_address_with_a_part_like_an_id_stays_when_its_field_is_left_untouched(
    open_dialog: Open,
) -> None:
    now = ConnectRequest("ws://10.0.0.7:9000/tenant42", "CP001")
    dialog = open_dialog(current=now)
    dialog.form.url_field.editingFinished.emit()
    assert dialog.result() == now


def test_a_damaged_list_of_former_connections_is_told(open_dialog: Open, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{", "utf-8")
    dialog = open_dialog(folder=tmp_path)
    said = [one.text() for one in dialog.findChildren(QLabel) if one.isVisible()]
    assert any("was damaged" in text for text in said)


def test_every_control_is_high_enough_and_named(open_dialog: Open) -> None:
    dialog = open_dialog()
    paste(dialog.form.url_field, "wss://csms.example.com/CS-1")
    dialog.form.profile_field.choose(3)
    QTest.qWait(20)
    for widget in (
        dialog.form.url_field,
        dialog.form.id_field,
        dialog.form.version_field,
        dialog.form.profile_field,
        dialog.form.ca_field.edit,
        dialog.form.ca_field.choose,
        dialog.form.keep_button,
        dialog.test_button,
        dialog.connect_button,
        dialog.cancel_button,
    ):
        assert widget.height() >= 32
        text = getattr(widget, "text", str)
        assert widget.accessibleName() or text()


def test_a_file_is_chosen_without_a_loop_of_its_own(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    paste(dialog.form.url_field, "wss://csms.example.com/CS-1")
    qtbot.mouseClick(dialog.form.ca_field.choose, LEFT)
    (tmp_path / "ca.pem").touch()
    with choosing(qtbot, dialog.form.ca_field) as chooser:
        choose(chooser, tmp_path / "ca.pem")
    assert dialog.result().ca == str(tmp_path / "ca.pem")


def test_former_connections_are_painted_in_both_themes(open_dialog: Open, tmp_path: Path) -> None:
    RecentConnections(tmp_path).remember(ConnectRequest("wss://csms.example.com/ocpp", "CS-1"))
    dialog = open_dialog(folder=tmp_path)
    dialog.recent_list.setCurrentRow(0)
    dark = dialog.recent_list.grab().toImage()
    dialog.set_theme(Theme.load("light"))
    assert dialog.recent_list.grab().toImage() != dark


def test_the_ring_of_the_keyboard_lies_over_former_connections(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    for number in range(9):
        RecentConnections(tmp_path).remember(
            ConnectRequest("wss://csms.example.com", f"CS-{number}")
        )
    dialog = open_dialog(folder=tmp_path)
    listed = dialog.recent_list

    def edge() -> set[str]:
        """The colours down the left edge of the list."""
        image = listed.viewport().grab().toImage()
        return {image.pixelColor(1, y).name() for y in range(8, image.height() - 8)}

    focus = Theme.load("dark").colour("focus").name()
    assert focus not in edge()
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    listed.setFocus()
    assert edge() == {focus}


# ---------------------------------------------------------------- the test of the connection


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def press(button: object) -> None:
    QTest.mouseClick(button, LEFT)  # type: ignore[call-overload]


async def test_a_test_against_a_real_back_office_says_that_all_works(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    async with TrainingCsms() as csms:
        dialog = open_dialog(make_diagnose(Identity("Forecourt", "Bench")))
        paste(dialog.form.url_field, f"{csms.url}/CS-1")
        press(dialog.test_button)
        assert dialog.test_button.text() == "Stop test"
        await until(lambda: dialog.test_button.text() == "Test")
        assert [step.name for step in dialog.steps.steps] == [
            "dns",
            "tcp",
            "http",
            "subprotocol",
            "boot",
        ]
        assert all(step.ok for step in dialog.steps.steps)
        assert dialog.steps.sentences()[-1] == "Result: Everything works."
    assert not errors


async def test_a_test_that_fails_says_where_and_what_to_do(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    settings = CsmsSettings(boot=BootAnswer(BootStatus.REJECTED))
    async with TrainingCsms(settings) as csms:
        dialog = open_dialog(make_diagnose(Identity("Forecourt", "Bench")))
        paste(dialog.form.url_field, f"{csms.url}/CS-1")
        press(dialog.test_button)
        await until(lambda: dialog.test_button.text() == "Test")
        assert dialog.steps.sentences()[-1] == (
            "Boot: The back office answered BootNotification with Rejected. "
            "Register the station there, under this id."
        )
        url = csms.url
    dialog.form.url_field.setText(url)
    press(dialog.test_button)
    await until(lambda: dialog.test_button.text() == "Test")
    assert "nothing listens on port" in dialog.steps.sentences()[-1]
    assert not dialog.steps.steps[-1].ok
    assert not errors


async def half_good(request: ConnectRequest) -> AsyncIterator[Step]:
    for name, ok in (("tls", True), ("chain", False), ("date", True), ("name", True)):
        yield Step(name, ok, Text("runtime.probe.http"))


async def test_what_failed_stays_in_sight_when_the_test_goes_on_to_other_questions(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    dialog = open_dialog(half_good)
    paste(dialog.form.url_field, "wss://csms.example.com/ocpp/CS-1")
    press(dialog.test_button)
    await until(lambda: dialog.test_button.text() == "Test")
    named = [sentence.split(":")[0] for sentence in dialog.steps.sentences()]
    assert named == ["TLS", "Certificate chain", "Certificate date", "Certificate name"]
    assert not errors


async def endless(request: ConnectRequest) -> AsyncIterator[Step]:
    yield Step("dns", True, Text("runtime.probe.http"), ms=3)
    await asyncio.sleep(3600)


async def test_a_running_test_can_be_stopped(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    dialog = open_dialog(endless)
    paste(dialog.form.url_field, "ws://10.0.0.7/CS-1")
    press(dialog.test_button)
    await until(lambda: len(dialog.steps.steps) == 1)
    press(dialog.test_button)
    assert dialog.steps.sentences()[-1] == "Result: The test was stopped."
    assert dialog.test_button.text() == "Test"
    assert not errors


async def test_what_a_test_found_is_gone_when_it_would_be_about_something_else(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    dialog = open_dialog(endless)
    paste(dialog.form.url_field, "ws://10.0.0.7/CS-1")
    press(dialog.test_button)
    await until(lambda: len(dialog.steps.steps) == 1)
    dialog.form.id_field.setText("CS-2")
    assert dialog.test_button.text() == "Test"
    assert dialog.steps.steps == ()
    assert not errors


async def test_closing_the_dialog_ends_its_test(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    ended = asyncio.Event()

    async def watched(request: ConnectRequest) -> AsyncIterator[Step]:
        try:
            yield Step("dns", True, Text("runtime.probe.http"), ms=3)
            await asyncio.sleep(3600)
        finally:
            ended.set()

    dialog = open_dialog(watched)
    paste(dialog.form.url_field, "ws://10.0.0.7/CS-1")
    press(dialog.test_button)
    await until(lambda: len(dialog.steps.steps) == 1)
    dialog.reject()
    async with asyncio.timeout(5):
        await ended.wait()
    assert not errors


async def test_an_error_in_the_test_itself_is_reported_and_frees_the_button(
    open_dialog: Open, errors: list[BaseException]
) -> None:
    async def broken(request: ConnectRequest) -> AsyncIterator[Step]:
        yield Step("dns", True, Text("runtime.probe.http"), ms=3)
        raise RuntimeError("a fault of ours")

    dialog = open_dialog(broken)
    paste(dialog.form.url_field, "ws://10.0.0.7/CS-1")
    press(dialog.test_button)
    await until(lambda: bool(errors))
    assert dialog.test_button.text() == "Test"
    assert "RuntimeError: a fault of ours" in dialog.steps.sentences()[-1]
