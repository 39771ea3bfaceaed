"""The widget that shows the station and takes what people do to it."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from app.kernel.catalogue import Catalogue
from app.station.intents import Intent
from app.station.snapshot import StationSnapshot
from ui.station.hand import Hand, nudge
from ui.station.hotspots import HEAD_ACTS, Act, Hotspot, Spot
from ui.station.motion import Motion
from ui.station.naming import HeldCard, reader_target, spot_intent
from ui.station.picture import Picture
from ui.station.renewal import Renewal
from ui.station.spots import SpotKeeper
from ui.station.views import PictureExtra
from ui.theme.theme import Theme
from ui.widgets.scribe import PaintedLabel
from ui.widgets.turns import Turns, Work

ZOOM_STEPS = (75, 100, 125, 150, 200)


class StationCanvas(QWidget):
    """The picture of the station.

    It only shows snapshots and emits intents; whoever embeds it passes them on and shows refusals.
    `intent` carries an `app.station.intents.Intent`; `evse_selected` the number of an EVSE;
    `fault_menu_requested` an EVSE (0: the station) and a global QPoint; `card_wanted` the EVSE whose
    reader was clicked while no card was chosen (see `set_card`); `vehicle_menu_requested` an EVSE and a
    global QPoint; `zoom_changed` percent.
    """

    intent = Signal(object)
    evse_selected = Signal(int)
    fault_menu_requested = Signal(int, object)
    card_wanted = Signal(int)
    vehicle_menu_requested = Signal(int, object)
    zoom_changed = Signal(int)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = Picture(theme, catalogue)
        self._card: HeldCard | None = None
        self._spots = SpotKeeper(self, self, self._clicked)
        self._placing = QTimer(self, singleShot=True, interval=0)
        """They follow a new size in a turn of their own, and many sizes once."""
        self._placing.timeout.connect(self._place_spots)
        self._hand = Hand()
        self._pan: QPointF | None = None
        self._motion = Motion(self)
        self._renewal = Renewal(self)
        self._turns = Turns(self)
        self._changed: list[QRectF] = []
        self.setMinimumSize(480, 280)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(self.picture.words.say("name"))

    # ------------------------------------------------------------------ what the shell calls

    def open_in_turns(self) -> None:
        """The first picture takes turns of the loop, too; until it is ready wall and floor are seen."""
        self._renewal.open_in_turns()

    def set_snapshot(self, snapshot: StationSnapshot, extra: PictureExtra | None = None) -> None:
        """Show the station as it is now; only what changed is painted anew."""
        before, offered = self.picture.views, self.picture.offered()
        changed = self.picture.show(snapshot, extra or self.picture.extra)
        self._motion.cars_moved(before)
        if changed is None:
            self._renewal.again()
            self.update()
        elif changed and self.ready and self.isVisible():
            self._changed += changed
            self._turns.start(self._repaint())
        if changed is None or offered != self.picture.offered():
            self._place_spots()
        if changed != []:
            self._describe()
        self._motion.pace()

    def set_selected(self, evse: int) -> None:
        """Mark a bay as selected and bring it into view; no signal."""
        if evse == self.picture.mood.selected or evse not in self.picture.views:
            return
        marked = {self.selected, evse} & set(self.picture.views)
        self.picture.choose(evse)
        self.reveal(evse)
        self._place_spots()
        self.refresh(self.picture.head_rect)
        for number in marked:
            self.refresh(self.picture.bay_rect(number))

    @property
    def selected(self) -> int:
        return self.picture.mood.selected

    def set_zoom(self, percent: int) -> None:
        """Zoom in percent of the size that fits; 75 to 200."""
        percent = min(ZOOM_STEPS[-1], max(ZOOM_STEPS[0], percent))
        if percent == self.picture.zoom:
            return
        with self._renewal:
            self.picture.set_zoom(percent)
        self.reveal(self.picture.mood.selected)
        self._place_spots()
        self.update()
        self.zoom_changed.emit(percent)

    def set_reduced_motion(self, reduced: bool) -> None:
        """No animation: energy is shown by arrowheads, cars stand where they are."""
        self.picture.mood.still = reduced
        if reduced:
            self.picture.mood.moving.clear()
        self._motion.pace()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours; the old picture stays for the turns of the loop that the new one takes."""
        with self._renewal:
            self.picture.set_theme(theme)
        self._spots.colour(self.picture)
        self.update()

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Change the language at once."""
        snapshot, extra, mood = self.picture.snapshot, self.picture.extra, self.picture.mood
        self.picture = Picture(self.picture.theme, catalogue)
        self.picture.mood = mood
        self.setAccessibleName(self.picture.words.say("name"))
        self._fit()
        if snapshot is not None:
            self.set_snapshot(snapshot, extra)

    def set_card(self, card: HeldCard | None) -> None:
        """The card that a click on a reader presents; None: such a click emits `card_wanted`."""
        self._card = card
        self._spots.name(self.picture, card)

    def reader_at(self, at: QPoint) -> int | None:
        """The EVSE that a card let go at this global point is shown to; None away from all readers."""
        cabinet = self.picture.reader_under(QPointF(self.mapFromGlobal(at)))
        if cabinet is None:
            return None
        assert self.picture.plan is not None
        return reader_target(self.picture, self.picture.plan.cabinets[cabinet].evses[0])

    def hover_card(self, at: QPoint | None) -> bool:
        """A card is carried over this global point (None: no more): light the reader under it."""
        cabinet = None if at is None else self.picture.reader_under(QPointF(self.mapFromGlobal(at)))
        glow = "" if cabinet is None else f"reader{cabinet}"
        if glow != self.picture.mood.glow:
            self.picture.mood.glow = glow
            self.update()
        return cabinet is not None

    def painted_labels(self) -> list[PaintedLabel]:
        """Every text on the picture with its place, for tests of fit and contrast."""
        return self.picture.labels()

    def hotspots(self) -> list[Hotspot]:
        """All acts on the picture, in the order of the keyboard."""
        return self._spots.all()

    def hotspot(self, act: Act, evse: int = 0, slot: int = 0) -> Hotspot:
        """The button of an act. Raises KeyError where the picture does not offer it now."""
        return self._spots[Spot(act, evse, slot)]

    def reveal(self, evse: int) -> None:
        """Scroll so that a bay is in view, and its cabinet too where there is room for both."""
        picture = self.picture
        if picture.frame is None or evse not in picture.views or picture.frame.overflow <= 0:
            return
        rect = picture.bay_rect(evse)
        both = rect.united(picture.cabinet_rect(evse))
        if both.width() <= self.width():
            rect = both
        x = picture.scroll.x()
        if rect.left() < 0:
            x += rect.left() - 24
        elif rect.right() > self.width():
            x += rect.right() - self.width() + 24
        self._scroll(x, picture.scroll.y())

    def sizeHint(self) -> QSize:
        return QSize(1200, 560)

    @property
    def ready(self) -> bool:
        """The picture is of this size and theme, and not one that stands in for it."""
        return not self._renewal.running

    @property
    def animating(self) -> bool:
        """Is the frame timer running."""
        return self._motion.running

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        self._fit()
        painter = QPainter(self)
        painter.setClipRegion(event.region())
        if self._renewal.shown(painter):
            return
        for rect in _columns(event.region()):
            painter.save()
            painter.setClipRect(rect)
            self.picture.paint(painter, QRectF(rect))
            painter.restore()
        painter.end()
        self._motion.pace()

    def _fit(self) -> None:
        ratio = self.devicePixelRatioF()
        self.picture.resize(float(self.width()), float(self.height()), ratio)

    def refresh(self, rect: QRectF) -> None:
        """Paint this part anew, unless all of it is being painted."""
        if self.ready and not rect.isEmpty():
            self.update(rect.toAlignedRect().adjusted(-1, -1, 1, 1))

    def _repaint(self) -> Work:
        """What has changed is painted in turns of the loop, and seen when all of it is there."""
        yield from self.picture.steps()
        changed, self._changed = self._changed, []
        for rect in changed:
            self.refresh(rect)

    # ------------------------------------------------------------------ hotspots

    def make_spots(self) -> Work:
        """Make the hotspots before the picture is seen, in steps."""
        return self._spots.make(self.picture)

    def _place_spots(self) -> None:
        self._spots.arrange(self.picture, self._card)

    def _describe(self) -> None:
        """Tell screen readers the state of the station in one sentence an EVSE."""
        words = self.picture.words
        parts = [
            words.say("act.select", n=view.evse, state=f"{view.word}, {view.subline}")
            for view in self.picture.views.values()
        ]
        text = ". ".join(
            [self.picture.content.sign, *parts] if self.picture.content.sign else parts
        )
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)

    def _clicked(self) -> None:
        button = self.sender()
        if isinstance(button, Hotspot):
            self._act(button.spot, force=button.force)

    def _act(self, spot: Spot, *, force: bool = False) -> None:
        picture = self.picture
        match spot.act:
            case Act.SELECT:
                self._choose(spot.evse)
                self.reveal(spot.evse)
            case Act.READER if self._card is None:
                self.card_wanted.emit(reader_target(picture, spot.evse))
            case Act.FAULTS:
                corner = self._spots[spot].geometry().bottomLeft()
                self.fault_menu_requested.emit(0, self.mapToGlobal(corner))
            case Act.ZOOM_IN | Act.ZOOM_OUT:
                self._step_zoom(1 if spot.act is Act.ZOOM_IN else -1)
            case Act.ZOOM_RESET:
                self.set_zoom(100)
            case _:
                intent = spot_intent(picture, spot, self._card, force=force)
                if intent is not None:
                    self._emit(intent)
                elif spot.evse:
                    self._choose(spot.evse)

    def _choose(self, evse: int) -> None:
        if evse == self.selected:
            return
        self.set_selected(evse)
        self.evse_selected.emit(evse)

    def _step_zoom(self, way: int) -> None:
        steps = [
            z for z in ZOOM_STEPS if (z > self.picture.zoom if way > 0 else z < self.picture.zoom)
        ]
        if steps:
            self.set_zoom(steps[0] if way > 0 else steps[-1])

    # ------------------------------------------------------------------ what hotspots report

    def drag_begun(self, spot: Spot, at: QPointF) -> bool:
        """A plug is taken into the hand, or a battery bar by its end."""
        if not self._hand.take(self.picture, spot, at):
            return False
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.update()
        return True

    def drag_moved(self, at: QPointF) -> None:
        """What is in the hand follows the pointer."""
        self.refresh(self._hand.move(self.picture, at))

    def drag_ended(self, at: QPointF) -> None:
        """It is let go: a plug goes into the car, out of it, or back to where it was."""
        force = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        intent = self._hand.let_go(self.picture, at, force=force)
        self.unsetCursor()
        self.update()
        if intent is not None:
            self._emit(intent)

    def nudged(self, spot: Spot, way: int) -> bool:
        """Plus and minus were pressed on a hotspot; True where that means something."""
        intent = nudge(self.picture, spot, way)
        if intent is not None:
            self._emit(intent)
        return intent is not None

    def _emit(self, intent: Intent) -> None:
        """Select the EVSE that is acted on, and tell what is done."""
        evse = getattr(intent, "evse", 0)
        if evse and evse != self.selected:
            self._choose(evse)
        self.intent.emit(intent)

    def hover_changed(self) -> None:
        """Show what the pointer is on."""
        name, hover = "", None
        for button in self._spots.all():
            spot = button.spot
            if not button.underMouse():
                continue
            if spot.act is Act.SELECT:
                name = f"bubble{spot.evse}"
            elif spot.act in HEAD_ACTS:
                name = spot.act.value
            else:
                hover = button.outline
        mood = self.picture.mood
        if name != mood.hovered:
            mood.hovered = name
            self.refresh(self.picture.head_rect)
        if hover != mood.hover:
            for line in (mood.hover, hover):
                if line is not None:
                    self.refresh(line[0].adjusted(-4, -4, 4, 4))
            mood.hover = hover

    def focus_reached(self, spot: Spot) -> None:
        """The keyboard came to an act: bring its bay, and then itself, into view."""
        if spot.act in HEAD_ACTS or spot.act is Act.SELECT:
            return
        if spot.evse:
            self.reveal(spot.evse)
        box, scroll, top = (
            self._spots[spot].geometry(),
            self.picture.scroll,
            self.picture.head_height,
        )
        if box.top() < top:
            self._scroll(scroll.x(), scroll.y() + box.top() - top - 8)
        elif box.bottom() > self.height():
            self._scroll(scroll.x(), scroll.y() + box.bottom() - self.height() + 8)

    # ------------------------------------------------------------------ Qt's events

    def resizeEvent(self, event: QResizeEvent) -> None:
        with self._renewal:
            self._fit()
        if self.isVisible():  # else they are placed when it is shown
            self._placing.start()
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()
        self.reveal(self.selected)
        self._place_spots()
        self._motion.pace()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._motion.stop()
        self._renewal.drop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self._motion.pace()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._fit()
            self.update()
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Sideways where the picture is wider than the window; with Ctrl: zoom."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if delta.y():
                self._step_zoom(1 if delta.y() > 0 else -1)
            event.accept()
            return
        frame = self.picture.frame
        if frame is None or (frame.overflow <= 0 and frame.overflow_down <= 0):
            event.ignore()
            return
        scroll = self.picture.scroll
        sideways = delta.x() or (delta.y() if frame.overflow > 0 else 0)
        down = delta.y() if frame.overflow <= 0 or event.modifiers() else 0
        self._scroll(scroll.x() - sideways, scroll.y() - down)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            evse = self.picture.bay_at(event.position())
            if evse:
                self._choose(evse)
            self._pan = event.position() + self.picture.scroll

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan is not None and event.buttons() & Qt.MouseButton.LeftButton:
            target = self._pan - event.position()
            self._scroll(target.x(), target.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan = None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The fault menu of what was pointed at; on a car's floor label the menu of the vehicle."""
        focus = self._spots.focused()
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        evse = self.picture.bay_at(QPointF(event.pos()))
        at = event.globalPos()
        if by_key and focus is not None:
            evse, at = focus.spot.evse, focus.mapToGlobal(focus.rect().center())
        on_label = any(
            b.spot.act is Act.CAR and b.spot.evse == evse and b.geometry().contains(event.pos())
            for b in self._spots.all()
        )
        if on_label or (by_key and focus is not None and focus.spot.act is Act.CAR):
            self.vehicle_menu_requested.emit(evse, at)
        else:
            self.fault_menu_requested.emit(evse, at)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits select an EVSE, arrows the next one."""
        numbers = list(self.picture.views)
        if event.text().isdigit() and int(event.text()) in numbers:
            self._choose(int(event.text()))
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.selected in numbers:
            step = 1 if event.key() == Qt.Key.Key_Right else -1
            place = min(len(numbers) - 1, max(0, numbers.index(self.selected) + step))
            self._choose(numbers[place])
        else:
            super().keyPressEvent(event)

    def _scroll(self, x: float, y: float) -> None:
        before = QPointF(self.picture.scroll)
        self.picture.scroll_to(x, y)
        if self.picture.scroll != before:
            self._place_spots()
            self.update()


def _columns(region: QRegion) -> list[QRect]:
    """What of a region lies side by side: Qt cuts cables that hang beside each other into strips.

    Each costs as much to begin with as all that it can show.
    """
    strips: list[QRect] = list(region)  # type: ignore[call-overload]  # the stubs of Qt do not say so
    columns: list[QRect] = []
    for strip in sorted(strips, key=QRect.left):
        if columns and strip.left() <= columns[-1].right() + 1:
            columns[-1] = columns[-1].united(strip)
        else:
            columns.append(strip)
    return columns
