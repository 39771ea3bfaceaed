"""The wallet: cards are chosen, offered by click and key, and carried to a reader."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.kernel.catalogue import Catalogue
from tests.ui.station import scenes
from ui.station.canvas import StationCanvas
from ui.theme import Theme
from ui.wallet import Card, CardState, Wallet
from ui.wallet.buttons import CardOverlay, MoreButton

# The platform without a screen says so for every window of a least size.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
ANNA = Card("04A29F1C", "Anna Berg", colour="blue", state=CardState.IN_USE, status="In use, EVSE 1")
FLEET = Card(
    "FLEET-12", "Fleet 12", "Central", "violet", CardState.HOLDS, "Holds EVSE 2", "Group A"
)
LOST = Card("04E8037A", "Lost card", colour="red", state=CardState.BLOCKED, status="Blocked")
CARDS = [ANNA, FLEET, LOST]


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication) -> tuple[QWidget, StationCanvas, Wallet]:
    """A window with the picture above and the wallet below."""
    theme = Theme.load("dark")
    theme.apply(qapp)
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    canvas = StationCanvas(theme, Catalogue.load())
    wallet = Wallet(theme, Catalogue.load())
    wallet.set_reduced_motion(True)
    canvas.set_snapshot(scenes.mixed(), scenes.extra(scenes.mixed()))
    wallet.set_cards(CARDS)
    wallet.set_drop_target(canvas.reader_at, canvas.hover_card)
    layout.addWidget(canvas)
    layout.addWidget(wallet)
    window.resize(900, 516)
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    return window, canvas, wallet


def offers(wallet: Wallet) -> list[tuple[Card, int | None]]:
    found: list[tuple[Card, int | None]] = []
    wallet.card_offered.connect(lambda card, evse: found.append((card, evse)))
    return found


def carry(wallet: Wallet, index: int, to: QPoint) -> None:
    """Drag a card to a global point in ten steps."""
    button = wallet.buttons()[index]
    start = QPoint(60, 40)
    goal = button.mapFromGlobal(to)
    QTest.mousePress(button, LEFT, NONE, start)
    for i in range(1, 11):
        QTest.mouseMove(button, start + (goal - start) * i / 10)
    QTest.mouseRelease(button, LEFT, NONE, goal)


def reader_point(canvas: StationCanvas, cabinet: int) -> QPoint:
    assert canvas.picture.plan is not None
    ring = canvas.picture.point(canvas.picture.plan.cabinets[cabinet].ring)
    return canvas.mapToGlobal(ring.toPoint())


def test_a_click_offers_the_card_to_the_selected_evse(
    qtbot: QtBot, desk: tuple[QWidget, StationCanvas, Wallet]
) -> None:
    _, _, wallet = desk
    found = offers(wallet)
    qtbot.mouseClick(wallet.buttons()[0], LEFT)
    assert found == [(ANNA, None)]
    assert wallet.chosen_uid == ANNA.uid


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_keys_offer_the_card(
    qtbot: QtBot, desk: tuple[QWidget, StationCanvas, Wallet], key: Qt.Key
) -> None:
    _, _, wallet = desk
    found = offers(wallet)
    wallet.buttons()[0].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(wallet.buttons()[0], Qt.Key.Key_Right)
    assert wallet.buttons()[1].hasFocus()
    qtbot.keyClick(wallet.buttons()[1], key)
    assert found == [(FLEET, None)]


def test_a_card_carried_to_a_reader_is_offered_there(
    desk: tuple[QWidget, StationCanvas, Wallet],
) -> None:
    window, canvas, wallet = desk
    found = offers(wallet)
    carry(wallet, 2, reader_point(canvas, 1))
    assert found == [(LOST, 3)]
    assert canvas.picture.mood.glow == ""
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, 52)
    assert window.findChildren(CardOverlay) == []


def test_while_carried_the_card_is_an_overlay_and_lights_the_reader(
    desk: tuple[QWidget, StationCanvas, Wallet],
) -> None:
    window, canvas, wallet = desk
    button = wallet.buttons()[0]
    target = button.mapFromGlobal(reader_point(canvas, 0))
    QTest.mousePress(button, LEFT, NONE, QPoint(60, 40))
    QTest.mouseMove(button, QPoint(40, 0))
    QTest.mouseMove(button, target)
    overlays = window.findChildren(CardOverlay)
    assert len(overlays) == 1
    assert overlays[0].geometry().contains(window.mapFromGlobal(reader_point(canvas, 0)))
    assert canvas.picture.mood.glow == "reader0"
    QTest.mouseRelease(button, LEFT, NONE, QPoint(20, -60))


def test_a_card_let_go_elsewhere_is_offered_to_nobody(
    desk: tuple[QWidget, StationCanvas, Wallet],
) -> None:
    _, canvas, wallet = desk
    found = offers(wallet)
    carry(wallet, 0, canvas.mapToGlobal(QPoint(10, 150)))
    assert found == []
    assert not wallet.buttons()[0].lifted


def test_the_empty_place_asks_for_a_new_card(
    qtbot: QtBot, desk: tuple[QWidget, StationCanvas, Wallet]
) -> None:
    _, _, wallet = desk
    with qtbot.waitSignal(wallet.add_requested):
        qtbot.mouseClick(wallet.add_button, LEFT)
    wallet.add_button.setFocus()
    with qtbot.waitSignal(wallet.add_requested):
        qtbot.keyClick(wallet.add_button, Qt.Key.Key_Return)


def test_cards_come_and_go_and_stay_named(desk: tuple[QWidget, StationCanvas, Wallet]) -> None:
    _, _, wallet = desk
    first = wallet.buttons()[0]
    wallet.set_cards([LOST])
    assert wallet.cards() == [LOST]
    assert wallet.buttons()[0] is first
    assert first.accessibleName() == "Card Lost card, 04E8037A, Blocked"


def test_a_narrow_wallet_scrolls_to_the_focused_card(
    qtbot: QtBot, desk: tuple[QWidget, StationCanvas, Wallet]
) -> None:
    _, _, wallet = desk
    many = [Card(f"0000000{i}", f"Card {i}") for i in range(9)]
    wallet.set_cards(many)
    last = wallet.buttons()[-1]
    assert last.geometry().right() > wallet.width()
    last.setFocus(Qt.FocusReason.TabFocusReason)
    assert last.geometry().right() <= wallet.width()
    first = wallet.buttons()[0]
    first.setFocus(Qt.FocusReason.BacktabFocusReason)
    assert first.x() >= 100


def test_a_uid_is_printed_in_pairs_and_other_ids_as_they_are() -> None:
    assert ANNA.printed == "04 A2 9F 1C"
    assert FLEET.printed == "FLEET-12"


def test_all_text_on_the_wallet_fits(desk: tuple[QWidget, StationCanvas, Wallet]) -> None:
    _, _, wallet = desk
    wallet.grab()
    labels = wallet.painted_labels()
    assert {"Wallet", "Anna Berg", "04 A2 9F 1C", "Add"} <= {label.text for label in labels}
    assert [label.full for label in labels if label.elided] == []
    area = QRectF(wallet.rect())
    assert all(area.contains(label.rect) for label in labels)


def test_hit_areas_of_cards_are_large_enough(desk: tuple[QWidget, StationCanvas, Wallet]) -> None:
    _, _, wallet = desk
    for button in (*wallet.buttons(), wallet.add_button):
        assert min(button.width(), button.height()) >= 32
        assert wallet.rect().contains(button.geometry())


def test_a_row_that_goes_on_says_so_and_turns_like_a_page(
    desk: tuple[QWidget, StationCanvas, Wallet],
) -> None:
    wallet = desk[2]
    wallet.set_cards([Card(f"{n:08X}", f"Card {n}") for n in range(9)])
    left, right = wallet.findChildren(MoreButton)
    assert right.isVisible()
    assert not left.isVisible()
    assert min(right.width(), right.height()) >= 32
    assert "right" in right.accessibleName()
    first = wallet.buttons()[0].x()
    QTest.mouseClick(right, LEFT)
    assert left.isVisible()
    assert wallet.buttons()[0].x() < first
    while right.isVisible():
        QTest.mouseClick(right, LEFT)
    assert wallet.add_button.geometry().right() < wallet.width()
    while left.isVisible():
        QTest.mouseClick(left, LEFT)
    assert wallet.buttons()[0].x() == first


def test_where_all_cards_fit_no_arrow_stands_in_the_way(
    desk: tuple[QWidget, StationCanvas, Wallet],
) -> None:
    wallet = desk[2]
    assert not any(more.isVisible() for more in wallet.findChildren(MoreButton))


def test_the_focus_is_never_under_an_arrow(desk: tuple[QWidget, StationCanvas, Wallet]) -> None:
    wallet = desk[2]
    wallet.set_cards([Card(f"{n:08X}", f"Card {n}") for n in range(9)])
    for button in wallet.buttons():
        button.setFocus(Qt.FocusReason.TabFocusReason)
        arrows = [one for one in wallet.findChildren(MoreButton) if one.isVisible()]
        assert not any(one.geometry().intersects(button.geometry()) for one in arrows)
