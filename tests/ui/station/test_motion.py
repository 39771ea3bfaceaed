"""What moves, what stands still, and what painting costs."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from app.station.kinds import ReaderLamp
from tests.ui.station import scenes
from tests.ui.station.conftest import Show
from ui.station.canvas import StationCanvas
from ui.station.motion import FRAME_MS
from ui.theme import Theme


def frame_ms(canvas: StationCanvas, rects: list[QRectF]) -> float:
    """Median time to paint these parts, ms."""
    size = canvas.size()
    image = QImage(size, QImage.Format.Format_RGB32)
    times = []
    for i in range(25):
        for number in canvas.picture.views:
            canvas.picture.mood.phases[number] = i * 1.7
        start = time.perf_counter()
        painter = QPainter(image)
        for rect in rects:
            painter.save()
            painter.setClipRect(rect.toAlignedRect())
            canvas.picture.paint(painter, rect)
            painter.restore()
        painter.end()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def test_nothing_runs_while_nothing_moves(show: Show) -> None:
    assert not show(scenes.row(4, scenes.parked)).animating


def test_energy_on_a_cable_runs_at_most_30_times_a_second(show: Show) -> None:
    canvas = show(scenes.row(1, scenes.charging))
    assert canvas.animating
    assert FRAME_MS >= 33


def test_a_waiting_reader_turns_its_ring(show: Show) -> None:
    scene = scenes.home()
    canvas = show(scene)
    asking = replace(scene.readers[0], lamp=ReaderLamp.ASKING)
    canvas.set_snapshot(replace(scene, readers=(asking,)))
    assert canvas.animating
    canvas.set_snapshot(scene)
    assert not canvas.animating


def test_a_hidden_picture_runs_no_timer(show: Show) -> None:
    canvas = show(scenes.row(2, scenes.charging))
    canvas.hide()
    assert not canvas.animating
    canvas.set_snapshot(scenes.row(2, lambda evse, i: evse))
    canvas.set_snapshot(scenes.row(2, scenes.charging))
    assert not canvas.animating
    canvas.show()
    assert canvas.animating


def test_reduced_motion_shows_arrows_and_runs_no_timer(show: Show) -> None:
    moving = show(scenes.row(1, scenes.charging))
    still = show(scenes.row(1, scenes.charging), still=True)
    assert not still.animating
    assert moving.grab().toImage() != still.grab().toImage()
    moving.set_reduced_motion(True)
    assert not moving.animating


def test_faster_power_moves_faster(show: Show) -> None:
    evse = scenes.charging(scenes.make_evse(1))
    canvas = show(scenes.station(evse, replace(scenes.charging(scenes.make_evse(2)), power=2000.0)))
    canvas._motion._since.start()
    for _ in range(5):
        time.sleep(0.01)
        canvas._motion._tick()
    phases = canvas.picture.mood.phases
    assert phases[1] > phases[2] > 0


def test_a_car_drives_in_and_the_motion_ends(qtbot: QtBot, show: Show) -> None:
    evse = scenes.make_evse(1)
    canvas = show(scenes.station(evse))
    canvas.set_snapshot(scenes.station(scenes.parked(evse)))
    assert 1 in canvas.picture.mood.moving
    qtbot.waitUntil(lambda: not canvas.animating, timeout=3000)
    assert canvas.picture.mood.moving == {}


def test_only_the_evse_that_changed_is_painted_anew(show: Show) -> None:
    scene = scenes.row(4, scenes.charging)
    canvas = show(scene, (1200, 560))
    before = canvas.picture.renders()
    changed = replace(scene.evses[0], power=10_400.0, session_energy=4_300.0)
    canvas.set_snapshot(replace(scene, evses=(changed, *scene.evses[1:])))
    canvas.grab()
    after = canvas.picture.renders()
    again = {name for name in after if after[name] != before.get(name)}
    assert again == {"screen0", "bubble1"}


def test_an_equal_snapshot_paints_nothing(show: Show) -> None:
    canvas = show(scenes.mixed())
    before = canvas.picture.renders()
    assert canvas.picture.show(scenes.mixed(), scenes.extra(scenes.mixed())) == []
    canvas.grab()
    assert canvas.picture.renders() == before


def test_a_new_theme_repaints_all(show: Show, qtbot: QtBot) -> None:
    canvas = show(scenes.mixed())
    dark = canvas.grab().toImage()
    canvas.set_theme(Theme.load("light"))
    qtbot.waitUntil(lambda: canvas.ready)
    light = canvas.grab().toImage()
    assert light.pixelColor(4, 4).lightness() > 200 > 60 > dark.pixelColor(4, 4).lightness()


def test_a_frame_with_eight_evses_charging_stays_under_ten_ms(show: Show) -> None:
    """The moving parts only; three times the target is allowed on a busy machine."""
    canvas = show(scenes.row(8, scenes.charging), (1280, 560))
    rects = [canvas.picture.cable_rect(n) for n in canvas.picture.views]
    rects = [r.intersected(QRectF(canvas.rect())) for r in rects]
    cost = frame_ms(canvas, [r for r in rects if not r.isEmpty()])
    whole = frame_ms(canvas, [QRectF(canvas.rect())])
    print(f"\n8 EVSEs charging: {cost:.2f} ms a frame, whole picture {whole:.2f} ms")
    assert cost < 30
