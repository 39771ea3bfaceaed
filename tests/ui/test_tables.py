"""Tables of records: where the keyboard is can be seen, and what has no room is left out."""

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.rooms.table import Column, RecordModel, RecordTable
from ui.theme import Theme

COLUMNS = (
    Column[str]("Word", lambda word: word),
    Column[str]("Length", lambda word: str(len(word)), 80, from_width=400),
)


def make(
    qtbot: QtBot, qapp: QApplication, columns: tuple[Column[str], ...] = COLUMNS
) -> RecordTable[str]:
    theme = Theme.load("dark")
    theme.apply(qapp)
    model = RecordModel[str](columns, str, theme)
    table = RecordTable[str](model, columns, "Words")
    model.setParent(table)
    model.show([f"word {number}" for number in range(40)])
    qtbot.addWidget(table)
    table.resize(500, 200)
    table.show()
    return table


def ring(table: RecordTable[str]) -> list[str]:
    """The colours in the middle of the four edges of what is shown."""
    image = table.viewport().grab().toImage()
    w, h = image.width(), image.height()
    places = ((0, h // 2), (w - 1, h // 2), (w // 2, 0), (w // 2, h - 1))
    return [image.pixelColor(*place).name() for place in places]


def test_the_ring_of_the_keyboard_lies_over_the_rows_also_when_they_scroll(
    qtbot: QtBot, qapp: QApplication
) -> None:
    table = make(qtbot, qapp)
    focus = table._records.theme.colour("focus").name()
    assert focus not in ring(table)
    table.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    assert ring(table) == [focus] * 4
    table.verticalScrollBar().setValue(7)
    assert ring(table) == [focus] * 4
    table.clearFocus()
    assert focus not in ring(table)


def test_a_narrow_table_leaves_out_what_it_has_no_room_for(
    qtbot: QtBot, qapp: QApplication
) -> None:
    table = make(qtbot, qapp)
    assert not table.isColumnHidden(1)
    table.resize(300, 200)
    assert table.isColumnHidden(1)
    table.resize(500, 200)
    assert not table.isColumnHidden(1)


def test_rows_go_to_the_edge_also_where_the_column_that_takes_the_room_is_left_out(
    qtbot: QtBot, qapp: QApplication
) -> None:
    columns = (
        Column[str]("Word", lambda word: word, 90),
        Column[str]("Length", lambda word: str(len(word)), 80),
        Column[str]("Letters", lambda word: word, from_width=400),
    )
    table = make(qtbot, qapp, columns)
    for width in (500, 300, 500):
        table.resize(width, 200)
        header = table.horizontalHeader()
        assert header.length() == table.viewport().width()
        assert header.sectionSize(0) == 90
