"""How what a dock or a tab holds comes into its place: in steps, unseen until it is whole."""

from __future__ import annotations

from PySide6.QtWidgets import QLayout, QWidget

from ui.rooms.split import put_in_panes
from ui.theme.polish import leave_unpolished, polished
from ui.widgets.turns import Work


def make_in(place: QLayout, whole: QWidget, parts: Work) -> Work:
    """Make its parts, put it in, and find its style; whoever began this shows it then."""
    for said in _put_in(place, whole, parts):
        leave_unpolished()  # it would be styled for each place on its way
        yield said
    yield from polished(whole)


def _put_in(place: QLayout, whole: QWidget, parts: Work) -> Work:
    yield from parts
    whole.hide()
    place.addWidget(whole)
    yield
    yield from put_in_panes(whole)
