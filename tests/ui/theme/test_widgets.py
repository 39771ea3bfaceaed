"""Painted helpers: outlines from path data, measured text, glyphs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from ui.widgets.glyphs import glyph_icon, glyph_names, paint_glyph
from ui.widgets.scribe import CENTRE, RIGHT, PaintedLabel, Scribe, elided, text_width
from ui.widgets.svgpath import outline


def test_relative_and_absolute_commands_give_the_same_outline() -> None:
    assert outline("M0 0h10v10h-10z") == outline("M0 0H10V10H0Z")
    assert outline("m2 3l4 5c1 1 2 2 3 3q1 1 2 0") == outline("M2 3L6 8C7 9 8 10 9 11Q10 12 11 11")


@pytest.mark.parametrize(
    ("data", "box"),
    [
        ("M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", QRectF(-5, -5, 10, 10)),
        ("M0 -5A5 5 0 0 1 5 0", QRectF(0, -5, 5, 5)),
        ("M0 5A5 5 0 0 1 0 -5", QRectF(-5, -5, 5, 10)),
        ("M0 0A1 1 0 0 1 8 0", QRectF(0, -4, 8, 4)),
    ],
)
def test_arcs_bulge_to_the_right_side(data: str, box: QRectF) -> None:
    found = outline(data).boundingRect()
    for one, other in zip(found.getRect(), box.getRect(), strict=True):
        assert one == pytest.approx(other, abs=0.05)


@pytest.mark.parametrize("data", ["3 4", "M1 L2 3"])
def test_broken_path_data_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="path data"):
        outline(data)


def test_text_is_cut_to_its_room_and_never_wider(qapp: QApplication) -> None:
    text = "Waiting for the back office"
    whole = text_width(text, 12)
    assert elided(text, whole, 12) == text
    cut = elided(text, whole / 2, 12)
    assert cut.endswith("…")
    assert text_width(cut, 12) <= whole / 2
    assert elided(text, text_width("Wa…", 12) + 0.5, 12) == "Wa…"
    assert elided(text, text_width("W…", 12) + 0.5, 12) == "", "one letter says nothing"


def test_widths_grow_with_the_size_of_letters(qapp: QApplication) -> None:
    assert text_width("11.0 kW", 12.5) == pytest.approx(
        text_width("11.0 kW", 12) * 12.5 / 12, rel=0.02
    )


def test_a_scribe_remembers_what_it_wrote_where(qapp: QApplication) -> None:
    image = QImage(200, 60, QImage.Format.Format_RGB32)
    labels: list[PaintedLabel] = []
    painter = QPainter(image)
    painter.scale(2, 2)
    scribe = Scribe(painter, labels, "test", QPointF(100, 0))
    ink = QColor("white")
    width = scribe.write(10, 20, "Stop", 10, 500, ink)
    scribe.write(60, 20, "Stop", 10, 500, ink, align=RIGHT)
    scribe.write(60, 20, "Stop", 10, 500, ink, align=CENTRE)
    scribe.write(10, 20, "", 10, 500, ink)
    painter.end()
    left, right, centre = (label.rect for label in labels)
    assert left.left() == pytest.approx(120)
    assert left.width() == pytest.approx(2 * width)
    assert right.right() == pytest.approx(220)
    assert centre.center().x() == pytest.approx(220)
    assert not labels[0].elided


@pytest.mark.parametrize("name", glyph_names())
def test_every_glyph_paints_inside_its_radius(qapp: QApplication, name: str) -> None:
    image = QImage(60, 60, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    paint_glyph(painter, name, QPointF(30, 30), 14, QColor("white"))
    painter.end()
    inked = [
        (x, y) for x in range(60) for y in range(60) if image.pixelColor(x, y).lightness() > 40
    ]
    assert inked
    reach = 14 * 1.35
    assert all(abs(x - 29.5) <= reach and abs(y - 29.5) <= reach for x, y in inked)


def test_an_icon_is_sharp_at_three_hundred_percent(qapp: QApplication) -> None:
    icon = glyph_icon("tick", QColor("white"))
    assert {size.width() for size in icon.availableSizes()} == {16, 32, 48}
