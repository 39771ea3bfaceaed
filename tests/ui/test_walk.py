"""A walk over the whole window: text fits, what is pressed is large enough, all can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from urllib.request import Request, urlopen

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QTableView,
    QToolButton,
    QWidget,
)

from tests.support.event_watch import WatchedApplication
from tests.ui.shell.conftest import play, until  # noqa: F401 - a fixture
from ui.main_room import Room
from ui.shell.toasts import Toast
from ui.station.hotspots import Act
from ui.training.panel import TrainingPanel
from ui.widgets.scribe import PaintedLabel

LEAST = 32
CONTRAST = 4.5
RATIO = 3
"""Device pixels a pixel: letters get solid strokes."""
SIZES = [(1280, 800), (1440, 900)]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Piece:
    """A text on the screen: whose, what, where in the window, and how much room it needs."""

    owner: str
    text: str
    rect: QRect
    need: int
    room: int
    enabled: bool


def described(widget: QWidget) -> str:
    name = widget.objectName() or widget.accessibleName()
    return f"{type(widget).__name__} {name!r} in {type(widget.parent()).__name__}"


def shown(window: QMainWindow, kind: type[QWidget] = QWidget) -> Iterator[QWidget]:
    """The visible widgets of a kind, without those that are scrolled out of sight."""
    for widget in window.findChildren(kind):
        if widget.isVisibleTo(window) and not widget.visibleRegion().isEmpty():
            yield widget


def place(window: QMainWindow, widget: QWidget, rect: QRect | None = None) -> QRect:
    inner = widget.rect() if rect is None else rect
    return QRect(widget.mapTo(window, inner.topLeft()), inner.size())


def is_whole(widget: QWidget) -> bool:
    """Nothing of it is scrolled away or cut off by what holds it."""
    return widget.visibleRegion().boundingRect() == widget.rect()


# ------------------------------------------------------------------ all text


def texts(window: QMainWindow) -> Iterator[Piece]:
    """Every text that a widget of Qt's shows."""
    for label in shown(window, QLabel):
        assert isinstance(label, QLabel)
        if label.text() and is_whole(label):
            yield from _label(window, label)
    for button in shown(window, QAbstractButton):
        assert isinstance(button, QAbstractButton)
        if button.text() and is_whole(button):
            need = button.fontMetrics().horizontalAdvance(button.text().replace("&", ""))
            if not button.icon().isNull():
                need += button.iconSize().width() + 4
            yield _piece(window, button, button.text(), need, button.width() - 8)
    for bar in shown(window, QTabBar):
        assert isinstance(bar, QTabBar)
        for index in range(bar.count()):
            rect = bar.tabRect(index)
            width = bar.fontMetrics().horizontalAdvance(bar.tabText(index))
            seen = rect.intersected(bar.visibleRegion().boundingRect())
            yield _piece(window, bar, bar.tabText(index), width + 8, seen.width(), seen)
    for combo in shown(window, QComboBox):
        assert isinstance(combo, QComboBox)
        if not is_whole(combo):
            continue
        option = QStyleOptionComboBox()
        combo.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        rect = combo.style().subControlRect(control, option, part, combo)
        width = combo.fontMetrics().horizontalAdvance(combo.currentText())
        yield _piece(window, combo, combo.currentText(), width, rect.width(), rect)
    for table in shown(window, QTableView):
        assert isinstance(table, QTableView)
        yield from _header(window, table)


def _label(window: QMainWindow, label: QLabel) -> Iterator[Piece]:
    metrics = QFontMetrics(label.font())
    lines = label.text().splitlines()
    if label.wordWrap():
        need, room = label.heightForWidth(label.width()), label.height()
    elif "</" in label.text():  # rich
        need, room = label.sizeHint().width(), label.width()
    else:
        need = max(metrics.horizontalAdvance(line) for line in lines)
        room = label.contentsRect().width()
    text = QRect(label.contentsRect())
    if not label.wordWrap():
        size = QSize(min(need, room), min(metrics.height() * len(lines), text.height()))
        direction = Qt.LayoutDirection.LeftToRight
        text = QStyle.alignedRect(direction, label.alignment(), size, text)
    yield _piece(window, label, label.text(), need, room, text)


def _header(window: QMainWindow, table: QTableView) -> Iterator[Piece]:
    header = table.horizontalHeader()
    if not header.isVisible():
        return
    for column in range(header.count()):
        if header.isSectionHidden(column):
            continue
        text = str(header.model().headerData(column, Qt.Orientation.Horizontal) or "")
        if text:
            left = header.sectionViewportPosition(column)
            rect = QRect(left, 0, header.sectionSize(column), header.height())
            need = QFontMetrics(header.font()).horizontalAdvance(text)
            if header.viewport().rect().contains(rect):
                yield _piece(window, header, text, need, rect.width() - 6, rect)


def _piece(
    window: QMainWindow,
    widget: QWidget,
    text: str,
    need: int,
    room: int,
    rect: QRect | None = None,
) -> Piece:
    where = place(window, widget, rect)
    return Piece(described(widget), text, where, need, room, widget.isEnabled())


def painted(room: Room) -> Iterator[tuple[QWidget, PaintedLabel]]:
    parts = [room.window.canvas, room.window.wallet, room.window.inspector.session_tab.graph.chart]
    for part in parts:
        for label in part.painted_labels() if part.isVisible() else ():
            yield part, label


def in_sight(part: QWidget, label: PaintedLabel) -> bool:
    """It is not scrolled away."""
    return part.visibleRegion().boundingRect().contains(label.rect.toAlignedRect())


# ------------------------------------------------------------------ what is wrong


def cut_texts(room: Room) -> list[str]:
    found = [
        f"{piece.owner}: {piece.text!r} needs {piece.need}, has {piece.room}"
        for piece in texts(room.window)
        if piece.need > piece.room + 1
    ]
    return [*found, *hidden_columns(room)] + [
        f"{label.owner}: {label.full!r} is cut to {label.text!r}"
        for part, label in painted(room)
        if label.elided and in_sight(part, label)
    ]


def hidden_columns(room: Room) -> list[str]:
    return [
        f"{described(table)}: columns lie {table.horizontalScrollBar().maximum()} px out of sight"
        for table in shown(room.window, QTableView)
        if isinstance(table, QTableView) and table.horizontalScrollBar().maximum()
    ]


def small_targets(room: Room) -> list[str]:
    """What can be pressed has to have 32 px both ways, inside the window."""
    window, found = room.window, []
    for widget in (*shown(window, QAbstractButton), *shown(window, QComboBox)):
        if not is_whole(widget) or _part_of_another(widget):
            continue
        if widget.width() < LEAST or widget.height() < LEAST:
            found.append(f"{described(widget)}: {widget.width()} x {widget.height()}")
        if not window.rect().contains(place(window, widget)):
            found.append(f"{described(widget)} lies outside of the window")
    for bar in shown(window, QTabBar):
        assert isinstance(bar, QTabBar)
        if any(arrow.isVisible() for arrow in bar.findChildren(QToolButton)):
            found.append(f"{described(bar)}: not all tabs are in sight")
        for index in range(bar.count()):
            rect = bar.tabRect(index)
            if rect.width() < LEAST or rect.height() < LEAST:
                what = f"tab {bar.tabText(index)!r}"
                found.append(f"{described(bar)} {what}: {rect.width()} x {rect.height()}")
    fields = (*shown(window, QLineEdit), *shown(window, QAbstractSpinBox))
    return found + [
        f"{described(field)}: {field.height()} high"
        for field in fields
        if not _part_of_another(field) and field.height() < LEAST
    ]


def _part_of_another(widget: QWidget) -> bool:
    """A cross in a search field, arrows of tabs, the field in a spin box: the whole is what is aimed at."""
    kinds = (QLineEdit, QAbstractSpinBox, QComboBox, QTabBar, QTableView, QHeaderView)
    return isinstance(widget.parent(), kinds)


def unreadable(room: Room) -> list[str]:
    """Text under 4.5:1 on the pixels as they are painted; what is disabled is exempt."""
    window = room.window
    pixels = pixels_of(window)
    found = [
        f"{piece.owner}: {piece.text!r} {value:.2f}"
        for piece in texts(window)
        if piece.enabled and (value := contrast(pixels, piece.rect)) < CONTRAST
    ]
    toasts = [place(window, toast) for toast in shown(window, Toast)]
    for part, label in painted(room):
        rect = label.rect.toAlignedRect()
        there = QRect(part.mapTo(window, rect.topLeft()), rect.size())
        if not in_sight(part, label) or any(toast.intersects(there) for toast in toasts):
            continue  # scrolled away, or under what was just told
        if (value := contrast(pixels, there)) < CONTRAST:
            found.append(f"{label.owner}: {label.text!r} {value:.2f}")
    return found


def pixels_of(window: QMainWindow) -> Pixels:
    """Rows x columns x (blue, green, red, nothing).

    To be photographed the window is painted larger than it ever is for its screen: that time does not count.
    """
    image = QImage(window.size() * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    app = QApplication.instance()
    assert isinstance(app, WatchedApplication)
    with app.unwatched():
        window.render(image, QPoint(0, 0))
    flat = np.frombuffer(image.constBits(), np.uint8)
    table = flat.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()]
    return table.copy()


_LEVEL = np.arange(256) / 255
LINEAR = np.where(_LEVEL <= 0.04045, _LEVEL / 12.92, ((_LEVEL + 0.055) / 1.055) ** 2.4)


def contrast(pixels: Pixels, rect: QRect) -> float:
    """The letters against what most of their box is: the strongest difference there is.

    Letters fill most of a box that is just their own, so the ground is looked for around them, too.
    """
    light = brightness(pixels, rect)
    if light.size == 0:
        return 21.0
    ground = float(np.median(brightness(pixels, rect.adjusted(-1, -2, 1, 2))))
    values = [float(light.max()), float(light.min())]
    return max((max(v, ground) + 0.05) / (min(v, ground) + 0.05) for v in values)


def brightness(pixels: Pixels, rect: QRect) -> NDArray[np.float64]:
    """Relative luminance of the pixels in a part of the window."""
    top, left = max(0, rect.top() * RATIO), max(0, rect.left() * RATIO)
    box = pixels[top : top + rect.height() * RATIO, left : left + rect.width() * RATIO]
    return LINEAR[box[..., :3]] @ np.array([0.0722, 0.7152, 0.2126])


# ------------------------------------------------------------------ the walk


async def idle(room: Room) -> None:
    await until(lambda: room.window.messages.model.rowCount() >= 3)


async def charging(room: Room) -> None:
    """Energy flows, a message is open, the graph has something to show."""
    await idle(room)
    window = room.window
    window.canvas.hotspot(Act.PLUG, 1).click()
    window.wallet.buttons()[0].click()
    await until(lambda: room.session.snapshot().station.evse(1).flow.value == "charging")
    window.messages.select(1)


async def faulted(room: Room) -> None:
    await charging(room)
    room.controller.commands.run("emergency")
    await until(lambda: room.bridge.snapshot().station.emergency_stop)


async def all_tabs(room: Room) -> None:
    await charging(room)
    room.controller.commands.run("training")
    await until(lambda: room.training_dock.isVisible())
    files = room.training.perform(lambda one: one.files.upload_url("A-STATION"))
    url = await asyncio.wrap_future(files)
    log = Request(f"{url}diagnostics-2026-05-04.tgz", b"text", method="PUT")
    await asyncio.to_thread(urlopen, log, timeout=5)
    panel = room.training_dock.findChild(TrainingPanel)
    assert panel is not None
    await until(lambda: panel.rooms.files.uploads.model().rowCount() == 1)


State = Callable[[Room], Awaitable[None]]
STATES: dict[str, State] = {
    "idle": idle,
    "charging": charging,
    "faulted": faulted,
    "training": all_tabs,
}


@pytest.mark.parametrize("state", STATES)
def test_every_text_fits_every_target_is_large_and_all_can_be_read(
    play: Callable[..., None],  # noqa: F811
    state: str,
) -> None:
    wrong: list[str] = []

    async def story(room: Room) -> None:
        await STATES[state](room)
        for size in SIZES:
            room.window.resize(*size)
            for theme in ("dark", "light"):
                room.switch.use(theme)
                await until(lambda: room.switch.settled and room.window.canvas.ready)
                bar = tabs_of(room, state)
                for tab in range(bar.count() if state in {"charging", "training"} else 1):
                    bar.setCurrentIndex(tab)
                    await asyncio.sleep(0.1)
                    faults = cut_texts(room) + small_targets(room) + unreadable(room)
                    wrong.extend(f"{size[0]} {theme} tab {tab}: {one}" for one in faults)

    play(story)
    found = list(dict.fromkeys(wrong))
    assert not found, f"{len(found)}:\n" + "\n".join(found)


def test_the_walk_finds_what_is_wrong(play: Callable[..., None]) -> None:  # noqa: F811
    """A text that is cut, a button that is too small, letters that cannot be read."""
    found: list[str] = []

    async def story(room: Room) -> None:
        await idle(room)
        button = QPushButton("Far too long for its place", room.window.canvas)
        button.setStyleSheet("min-height: 0; padding: 0")
        button.setFixedSize(60, 20)
        button.move(8, 60)
        button.show()
        label = QLabel("Hardly there", room.window.canvas)
        label.setStyleSheet("color: #808080; background: #8a8a8a")
        label.setGeometry(8, 100, 160, 20)
        label.show()
        await asyncio.sleep(0.1)
        found.extend(cut_texts(room) + small_targets(room) + unreadable(room))
        button.setParent(None)
        label.setParent(None)

    play(story)
    assert any("'Far too long for its place' needs" in one for one in found)
    assert any("60 x 20" in one for one in found)
    assert any("'Hardly there' 1." in one for one in found)


def tabs_of(room: Room, state: str) -> QTabBar:
    """What is walked through: the pages of the training CSMS where it is shown, else of the inspector."""
    panel = room.training_dock.findChild(TrainingPanel)
    if state == "training" and panel is not None:
        return panel.rooms.tabs
    return room.window.inspector.tabs
