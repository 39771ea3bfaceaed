"""The one style sheet, generated from the tokens of a theme.

Widgets say what they are by dynamic properties: buttons `kind` = primary | danger | quiet | segment,
labels `role` = title | heading | strong | hint | secondary | figure | unit | mono | error | warning | good,
frames `role` = bar | card | well | line, heads of tables `margins` = records. After changing a property at
run time call `repolish(widget)`.
"""

from __future__ import annotations

from string import Template

from PySide6.QtWidgets import QWidget

from app.kernel.resources import resource
from ui.theme.theme import Theme

_SHEET = Template("""
* { outline: 0; }
QMainWindow { background: $win; }
QDialog { background: $panel; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QMainWindow::separator { background: $line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $focus; }
QToolTip { background: $raised; color: $text; border: 1px solid $line2; padding: 4px 6px; }

QLabel { background: transparent; }
QLabel[role="title"] { font-size: 17px; font-weight: 600; }
QLabel[role="heading"] { font-size: 15px; font-weight: 600; }
QLabel[role="heading"][close="true"] { font-size: 13px; }
QLabel[role="strong"] { font-size: 13px; font-weight: 600; }
QLabel[role="secondary"] { color: $text2; }
QLabel[role="hint"] { color: $text3; font-size: 11px; }
QLabel[role="figure"] { font-size: 28px; font-weight: 600; }
QLabel[role="figure"][close="true"] { font-size: 22px; }
QLabel[role="figure2"] { font-size: 15px; font-weight: 500; }
QLabel[role="unit"] { color: $text2; font-size: 14px; font-weight: 500; }
QLabel[role="mono"] { color: $text3; font-family: "JetBrains Mono"; font-size: 11px; }
QLabel[role="error"] { color: $fault; font-weight: 500; }
QLabel[role="warning"] { color: $warn; font-weight: 500; }
QLabel[role="good"] { color: $avail; font-weight: 500; }

QFrame[role="bar"] { background: $panel; border: 0; border-bottom: 1px solid $line; }
QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: 8px; }
QFrame[role="well"] { background: $win; border: 1px solid $line; border-radius: 8px; }
QFrame[role="side"] { background: $panel; border: 0; border-right: 1px solid $line; }
QFrame[role="line"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QFrame[role="vline"] { background: $line; border: 0; max-width: 1px; min-width: 1px; }

QPushButton, QToolButton {
    background: $raised; color: $text; border: 1px solid $line2; border-radius: 6px;
    padding: 0 12px; min-height: 30px; font-size: 13px; font-weight: 500;
}
QToolButton { padding: 0 8px; }
QPushButton:hover, QToolButton:hover { border-color: $text3; background: $sel; }
QPushButton:pressed, QToolButton:pressed { background: $panel2; }
QPushButton:checked, QToolButton:checked { background: $sel; border-color: $text3; }
QPushButton:disabled, QToolButton:disabled { color: $disabled; background: $panel2; border-color: $line; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QPlainTextEdit:focus,
QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QAbstractItemView:focus {
    border: 2px solid $focus;
}
QPushButton:focus, QToolButton:focus { padding: 0 11px; min-height: 28px; }
QToolButton:focus { padding: 0 7px; }
QPushButton[kind="primary"], QToolButton[kind="primary"] {
    background: $ink; color: $onink; border-color: $ink; font-weight: 600;
}
QPushButton[kind="primary"]:hover, QToolButton[kind="primary"]:hover {
    background: $inkhover; border-color: $inkhover;
}
QPushButton[kind="primary"]:disabled { background: $line2; border-color: $line2; color: $text3; }
QPushButton[kind="primary"]:focus { border: 2px solid $focus; }
QPushButton[kind="danger"] { color: $fault; }
QPushButton[kind="fault"]:checked { color: $fault; border-color: $fault; }
QPushButton[kind="quiet"], QToolButton[kind="quiet"] { background: transparent; border-color: transparent; }
QPushButton[kind="quiet"]:hover, QToolButton[kind="quiet"]:hover { background: $sel; }
QPushButton[kind="quiet"]:checked, QToolButton[kind="quiet"]:checked { background: $sel; }
QPushButton[kind="quiet"]:focus, QToolButton[kind="quiet"]:focus { border: 2px solid $focus; }
QPushButton[kind="segment"], QToolButton[kind="segment"] {
    background: transparent; border-color: transparent; color: $text2; min-height: 30px; border-radius: 5px;
}
QPushButton[kind="segment"]:hover { color: $text; }
QPushButton[kind="segment"]:checked, QToolButton[kind="segment"]:checked {
    background: $raised; border-color: $line2; color: $text; font-weight: 600;
}
QPushButton[kind="segment"]:focus { border: 2px solid $focus; min-height: 28px; }
QToolButton::menu-indicator, QPushButton::menu-indicator { image: url($icons/chevron-down.svg);
    subcontrol-position: right center; right: 6px; width: 12px; height: 12px; }
QToolButton[menuless="true"]::menu-indicator { image: none; width: 0; height: 0; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox {
    background: $input; color: $text; border: 1px solid $line2; border-radius: 6px;
    padding: 0 8px; min-height: 30px; selection-background-color: $charge; selection-color: $onink;
}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus { padding: 0 7px; min-height: 28px; }
QAbstractSpinBox QLineEdit { background: transparent; border: 0; padding: 0 6px; min-height: 0; }
QLineEdit { lineedit-clear-button-icon: url($icons/close.svg); }
QLineEdit QToolButton, QLineEdit QToolButton:hover {
    background: transparent; border: 0; padding: 0; min-height: 0; }
QLineEdit[state="error"] { border-color: $fault; }
QLineEdit[role="mono"] { font-family: "JetBrains Mono"; }
QComboBox { background: $raised; }
QComboBox::drop-down { border: 0; width: 24px; }
QComboBox::down-arrow { image: url($icons/chevron-down.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView, QComboBox QAbstractItemView:focus {
    background: $raised; border: 1px solid $line2; padding: 4px;
    selection-background-color: $sel; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: 28px; border-radius: 4px; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {
    background: transparent; border: 0; width: 20px; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url($icons/chevron-up.svg); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {
    image: url($icons/chevron-down.svg); width: 10px; height: 10px; }

QPlainTextEdit, QTextEdit, QTextBrowser {
    background: $win; color: $text; border: 1px solid $line; border-radius: 4px;
    selection-background-color: $sel; selection-color: $text;
}
QPlainTextEdit[role="mono"], QTextEdit[role="mono"] { font-family: "JetBrains Mono"; font-size: 12px; }

QCheckBox, QRadioButton { background: transparent; spacing: 8px; min-height: 32px; }
QCheckBox::indicator, QRadioButton::indicator {
    width: 16px; height: 16px; border: 1px solid $line3; background: $input; border-radius: 4px; }
QRadioButton::indicator { border-radius: 9px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $text2; }
QCheckBox::indicator:checked { background: $ink; border-color: $ink; image: url($icons/check.svg); }
QRadioButton::indicator:checked { background: $input; border: 5px solid $ink; width: 8px; height: 8px; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus {
    border: 2px solid $focus; width: 14px; height: 14px; }
QRadioButton::indicator:checked:focus {
    background: $ink; border: 2px solid $focus; width: 14px; height: 14px; }

QTableView, QTreeView, QListView, QTableWidget, QTreeWidget, QListWidget {
    background: $panel; alternate-background-color: $panel2; color: $text; border: 0;
    gridline-color: $line; selection-background-color: $sel; selection-color: $text;
}
QTableView[ring="own"]:focus, QListWidget[ring="own"]:focus { border: 0; }
QAbstractItemView::item { min-height: 24px; padding: 0 4px; }
QAbstractItemView::item:hover { background: $panel2; }
QAbstractItemView::item:selected { background: $sel; color: $text; }
QTreeView::branch { background: transparent; }
QTreeView::branch:selected { background: $sel; }
QTreeView::branch:has-children:closed { image: url($icons/chevron-right.svg); }
QTreeView::branch:has-children:open { image: url($icons/chevron-down.svg); }
QHeaderView { background: $panel2; border: 0; }
QHeaderView::section {
    background: $panel2; color: $text3; border: 0; border-bottom: 1px solid $line; padding: 0 6px;
    min-height: 24px; font-size: 11px; font-weight: 500;
}
QHeaderView[margins="records"]::section { padding: 0 8px; }
QHeaderView[margins="records"]::section:first, QHeaderView[margins="records"]::section:only-one {
    padding-left: 16px; }
QTableCornerButton::section { background: $panel2; border: 0; }

QTabWidget::pane { border: 0; border-top: 1px solid $line; background: $panel; }
QTabBar { background: transparent; border: 0; }
QTabBar::tab {
    background: transparent; color: $text2; border: 0; border-bottom: 2px solid transparent;
    padding: 0 10px; min-height: 32px; font-size: 13px; font-weight: 500;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $ink; }
QTabBar::tab:focus { border: 2px solid $focus; border-radius: 4px; padding: 0 8px; }
QTabBar::tab:disabled { color: $disabled; }

QDockWidget { color: $text; font-size: 13px; font-weight: 600; titlebar-close-icon: url($icons/close.svg);
    titlebar-normal-icon: url($icons/float.svg); }
QDockWidget::title { background: $panel; padding: 8px 16px; border-bottom: 1px solid $line; }
QDockWidget > QWidget { background: $panel; }
QDockWidget::close-button, QDockWidget::float-button { background: transparent; border: 0; padding: 2px; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: $sel; border-radius: 4px; }

QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $focus; }

QMenuBar { background: $panel; color: $text; border-bottom: 1px solid $line; }
QMenuBar::item { background: transparent; padding: 6px 10px; border-radius: 4px; }
QMenuBar::item:selected { background: $sel; }
QMenu { background: $raised; color: $text; border: 1px solid $line2; border-radius: 6px; padding: 4px; }
QMenu::item { padding: 0 28px 0 12px; min-height: 32px; border-radius: 4px; }
QMenu::item:selected { background: $sel; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { background: $line; height: 1px; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }
QMenu::right-arrow { image: url($icons/chevron-right.svg); width: 12px; height: 12px; right: 8px; }

QToolBar { background: $panel; border: 0; border-bottom: 1px solid $line; spacing: 8px; padding: 4px 16px; }
QStatusBar { background: $win; color: $text2; border-top: 1px solid $line; font-size: 12px; }
QStatusBar::item { border: 0; }

QScrollArea { background: transparent; border: 0; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar { background: transparent; border: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $line2; border-radius: 3px; margin: 2px; }
QScrollBar::handle:hover { background: $text3; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar {
    background: $win; border: 0; border-radius: 4px; min-height: 8px; max-height: 8px; color: transparent; }
QProgressBar::chunk { background: $charge; border-radius: 4px; }
QSlider { min-height: 32px; }
QSlider::groove:horizontal { background: $line2; height: 6px; border-radius: 3px; }
QSlider::sub-page:horizontal { background: $charge; border-radius: 3px; }
QSlider::handle:horizontal { background: $ink; width: 16px; margin: -5px 0; border-radius: 8px; }
QSlider::handle:horizontal:focus { border: 2px solid $focus; }
QGroupBox { border: 1px solid $line; border-radius: 8px; margin-top: 10px; padding-top: 10px; }
QGroupBox::title { subcontrol-origin: margin; left: 12px; padding: 0 4px; color: $text2; }
""")


def style_sheet(theme: Theme) -> str:
    """The application's style sheet in the colours of `theme`."""
    values = {token: theme.css(token) for token in theme.tokens}
    ink, paper = theme.colour("ink"), theme.colour("panel")
    values["inkhover"] = _mix(ink, paper, 0.14)
    values["input"] = theme.css("win" if theme.dark else "raised")
    values["disabled"] = _mix(theme.colour("text3"), paper, 0.35)
    values["line3"] = _mix(theme.colour("text3"), paper, 0.2)
    values["icons"] = resource("icons", "dark" if theme.dark else "light").as_posix()
    return _SHEET.substitute(values)


def repolish(widget: QWidget) -> None:
    """Apply the style sheet anew after a dynamic property changed."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def _mix(one: object, other: object, part: float) -> str:
    """`one` with `part` of `other` in it, as `#rrggbb`."""
    from PySide6.QtGui import QColor

    a, b = QColor(one), QColor(other)
    keep = 1.0 - part
    return QColor.fromRgbF(
        a.redF() * keep + b.redF() * part,
        a.greenF() * keep + b.greenF() * part,
        a.blueF() * keep + b.blueF() * part,
    ).name()
