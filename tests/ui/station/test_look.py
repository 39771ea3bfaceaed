"""How the picture looks, measured: text fits and can be read, hit areas are large enough."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import BootState
from app.station.kinds import BayStatus, Fault
from app.station.snapshot import FaultSnapshot, StationSnapshot
from tests.ui.station import scenes
from tests.ui.station.conftest import Show
from ui.station.picture import Picture
from ui.theme import Theme
from ui.widgets.scribe import PaintedLabel

SIZES = [(620, 360), (900, 420), (1200, 560), (2000, 1200)]
RATIO = 3.0
Pixels = NDArray[np.float64]


def painted(
    snapshot: StationSnapshot, theme: str, size: tuple[int, int], ratio: float = 1.0, **more: object
) -> tuple[Picture, QImage]:
    """The picture; three device pixels a pixel give letters solid strokes."""
    picture = Picture(Theme.load(theme), Catalogue.load())
    picture.resize(*size, ratio)
    picture.show(snapshot, scenes.extra(snapshot, **more))  # type: ignore[arg-type]
    image = QImage(int(size[0] * ratio), int(size[1] * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    picture.paint(painter, QRectF(0, 0, *size))
    painter.end()
    return picture, image


def array_of(image: QImage) -> Pixels:
    """Rows x columns x (red, green, blue), 0 to 1."""
    flat = np.frombuffer(image.constBits(), np.uint8)
    table = flat.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width(), 2::-1]
    return table.astype(np.float64) / 255


def luminance(colours: Pixels) -> Pixels:
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    weighed: Pixels = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighed


def contrast(pixels: Pixels, label: PaintedLabel) -> float:
    """Letters against what lies around them: the pixel nearest the ink, the median of the frame."""
    rect = label.rect
    left, top = int(rect.left() * RATIO), int(rect.top() * RATIO)
    right, bottom = int(rect.right() * RATIO) + 1, int(rect.bottom() * RATIO) + 1
    box = pixels[max(0, top) : bottom, max(0, left) : right]
    ink = np.array([label.colour.redF(), label.colour.greenF(), label.colour.blueF()])
    flat = box.reshape(-1, 3)
    letter = flat[np.argmin(((flat - ink) ** 2).sum(axis=1))]
    edge = 3
    frame = pixels[max(0, top - edge) : bottom + edge, max(0, left - edge) : right + edge].copy()
    mask = np.ones(frame.shape[:2], bool)
    mask[edge:-edge, edge:-edge] = False
    ground = float(np.median(luminance(frame[mask])))
    bright, dim = sorted((float(luminance(letter)), ground), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def in_view(label: PaintedLabel, size: tuple[int, int]) -> bool:
    return QRectF(0, 0, *size).contains(label.rect)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("scene", list(scenes.SCENES))
def test_all_text_has_a_contrast_of_four_and_a_half(
    qapp: QApplication, scene: str, theme: str
) -> None:
    size = (960, 460)
    picture, image = painted(scenes.SCENES[scene](), theme, size, RATIO)
    if path := os.environ.get("FORECOURT_SAVE_SCENES"):
        image.save(f"{path}/{scene}-{theme}.png")
    pixels = array_of(image)
    weak = {
        f"{label.owner}: {label.text}": round(value, 2)
        for label in picture.labels()
        if in_view(label, size) and (value := contrast(pixels, label)) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(
    ("boot", "online"),
    [(BootState.BOOTING, True), (BootState.REJECTED, True), (BootState.ACCEPTED, False)],
)
def test_the_sign_can_be_read(
    qapp: QApplication, theme: str, boot: BootState, online: bool
) -> None:
    picture, image = painted(
        scenes.mixed(), theme, (900, 420), RATIO, boot=boot, online=online, queue=3
    )
    signs = [label for label in picture.labels() if label.owner == "sign"]
    assert len(signs) == 1
    assert not signs[0].elided
    assert contrast(array_of(image), signs[0]) >= 4.5


@pytest.mark.parametrize("scrolled", [0, 90, 180, 270, 360, 450, 540])
def test_the_sign_covers_no_screen_wherever_a_wide_picture_is_scrolled_to(
    qapp: QApplication, scrolled: int
) -> None:
    picture, image = painted(scenes.row(8, lambda evse, i: evse), "dark", (900, 420), online=False)
    picture.scroll_to(scrolled, 0)
    painter = QPainter(image)
    picture.paint(painter, QRectF(0, 0, 900, 420))
    painter.end()
    assert picture.scroll.x() == scrolled
    sign = next(label for label in picture.labels() if label.owner == "sign")
    screens = [picture.cabinet_rect(cabinet.evses[0]) for cabinet in picture.plan.cabinets]
    assert not any(screen.intersects(sign.rect) for screen in screens)
    assert 0 <= sign.rect.left() <= sign.rect.right() <= 900


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", list(scenes.SCENES))
def test_no_text_lies_on_other_text_or_leaves_the_picture(
    qapp: QApplication, scene: str, size: tuple[int, int]
) -> None:
    picture, _ = painted(scenes.SCENES[scene](), "dark", size)
    labels = [label for label in picture.labels() if in_view(label, size)]
    if not picture.scrolls:
        assert [label.text for label in picture.labels() if label not in labels] == []
    shrunk = [(label, label.rect.adjusted(0.5, 1, -0.5, -1)) for label in labels]
    clashes = [
        (one.text, other.text)
        for (one, a), (other, b) in combinations(shrunk, 2)
        if a.intersects(b)
    ]
    assert clashes == []


@pytest.mark.parametrize("scene", ["mixed", "charging4", "home_charging", "dc2", "idle2"])
def test_states_and_figures_are_shown_in_full_at_the_design_size(
    qapp: QApplication, scene: str
) -> None:
    picture, _ = painted(scenes.SCENES[scene](), "dark", (1200, 560))
    assert [label.full for label in picture.labels() if label.elided] == []


@pytest.mark.parametrize("scene", ["mixed", "charging4", "home_idle", "dc2"])
def test_words_of_state_are_whole_in_a_small_window(qapp: QApplication, scene: str) -> None:
    picture, _ = painted(scenes.SCENES[scene](), "dark", (900, 420))
    words = {view.word for view in picture.views.values()}
    shown = [label for label in picture.labels() if label.full in words]
    assert shown
    assert [label.full for label in shown if label.elided] == []


@pytest.mark.parametrize(
    ("size", "power"), [((620, 360), False), ((900, 420), True), ((1200, 560), True)]
)
def test_an_ordered_text_is_on_the_screen_and_the_power_where_there_is_room(
    qapp: QApplication, size: tuple[int, int], power: bool
) -> None:
    picture, _ = painted(scenes.SCENES["told"](), "dark", size)
    shown = [label.full for label in picture.labels() if label.owner == "screen0"]
    assert " ".join(shown).count("Show your card") == 2
    assert shown.count("11.0") == (2 if power else 0)
    energies = {view.energy for view in picture.views.values()}
    assert sum(text in energies for text in shown) == (2 if power else 0)


@pytest.mark.parametrize("size", [(880, 430), (1040, 520), (1900, 980)])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("text", ["Welcome, Anna.", "Welcome. Charging starts now."])
def test_an_ordered_text_is_never_cut_while_energy_flows(
    qapp: QApplication, count: int, size: tuple[int, int], text: str
) -> None:
    ordered = Text("v201.screen.message", {"text": text})
    snapshot = scenes.row(count, scenes.charging)
    evses = tuple(replace(evse, screen=ordered) for evse in snapshot.evses)
    picture, _ = painted(replace(snapshot, evses=evses), "dark", size)
    shown = [label for label in picture.labels() if label.owner.startswith("screen")]
    if count == 1 or len(text) < 20 or size[1] > 430:  # two small screens hold no long sentence
        assert [label.full for label in shown if label.elided] == []
    assert any("kWh" in label.text for label in shown), "what is paid for stays in sight"


@pytest.mark.parametrize("size", [(880, 430), (880, 310), (1900, 980)])
def test_a_finished_session_shows_what_it_came_to_and_no_power(
    qapp: QApplication, size: tuple[int, int]
) -> None:
    evse = replace(
        scenes.plugged(scenes.parked(scenes.make_evse(1))),
        session_energy=4_210.0,
        screen=Text("station.screen.finished", {"kwh": "4.21"}),
    )
    picture, _ = painted(scenes.station(evse), "dark", size)
    words = " ".join(label.text for label in picture.labels() if label.owner.startswith("screen"))
    assert "4.21 kWh" in words
    assert "0.0" not in words


def test_a_fault_goes_before_an_ordered_text_and_the_emergency_stop_has_its_name(
    qapp: QApplication,
) -> None:
    """A text of the last session must not hide that the place is out of order."""
    snapshot = scenes.SCENES["told"]()
    lying = FaultSnapshot(Fault.EMERGENCY_STOP, 0, 0, snapshot.at)
    broken = replace(
        snapshot,
        emergency_stop=True,
        faults=(lying,),
        evses=tuple(replace(evse, status=BayStatus.FAULTED) for evse in snapshot.evses),
    )
    picture, _ = painted(broken, "dark", (1200, 560))
    shown = " ".join(label.full for label in picture.labels() if label.owner == "screen0")
    assert "Show your card" not in shown
    assert "Emergency stop" in shown
    assert {view.subline for view in picture.views.values()} == {"Emergency stop"}


@pytest.mark.parametrize("scene", list(scenes.SCENES))
def test_hit_areas_are_at_least_32_px_inside_the_widget(show: Show, scene: str) -> None:
    canvas = show(scenes.SCENES[scene](), (900, 420))
    for button in canvas.hotspots():
        seen = button.geometry().intersected(canvas.rect())
        if canvas.picture.scrolls and seen != button.geometry():
            continue
        assert seen.width() >= 32, button.objectName()
        assert seen.height() >= 32, button.objectName()


def test_every_hit_area_can_be_hit_in_its_middle(show: Show) -> None:
    """No act is hidden under another one at the size of a 1280 x 800 window."""
    for scene in (scenes.mixed(), scenes.row(4, scenes.charging), scenes.home()):
        canvas = show(scene, (900, 420))
        for button in canvas.hotspots():
            assert canvas.childAt(button.geometry().center()) is button, button.objectName()


def test_hit_areas_of_acts_hardly_overlap(show: Show) -> None:
    canvas = show(scenes.row(4, scenes.charging), (900, 420))
    for one, other in combinations(canvas.hotspots(), 2):
        common: QRect = one.geometry().intersected(other.geometry())
        assert common.width() <= 8 or common.height() <= 8, (one.objectName(), other.objectName())


def test_states_differ_in_shape_and_not_in_colour_alone(qapp: QApplication) -> None:
    """Painted in one colour, the glyphs of all states are different pictures."""
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QColor

    from app.station.kinds import BayStatus
    from ui.widgets.glyphs import paint_glyph

    pictures = []
    for status in BayStatus:
        image = QImage(32, 32, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_glyph(painter, status.value, QPointF(16, 16), 14, QColor("white"))
        painter.end()
        pictures.append(bytes(image.constBits()))
    assert len(set(pictures)) == len(pictures)


def test_long_words_for_the_whole_station_take_lines_and_leave_the_places_theirs(
    qapp: QApplication,
) -> None:
    words = "Dear guests, this place closes at ten this evening"
    snapshot = replace(
        scenes.row(2, lambda evse, i: evse), screen=Text("ocpp.vendor_text", {"text": words})
    )
    picture, _ = painted(snapshot, "light", (900, 520))
    shown = [label.text for label in picture.labels() if label.owner == "screen0"]
    assert " ".join(shown).count("Available") == 2
    start = shown.index(next(text for text in shown if text.startswith("Dear")))
    assert len(shown) - start >= 2
