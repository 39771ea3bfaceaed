"""The fields of a connection: what stands in them, and which of them count."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ui.connect.derive import derive
from ui.connect.fields import PathField
from ui.connect.probe import PREFERRED
from ui.connect.request import (
    OPEN,
    PASSWORD,
    TLS_CERTIFICATE,
    TLS_PASSWORD,
    VERSIONS,
    ConnectRequest,
    subprotocols_of,
)
from ui.rooms.form import QuietCombo, Words, button, field, label
from ui.theme import mono_font
from ui.widgets.turns import Work

OWN = "own"
"""The entry behind the versions: the offer is written by hand."""


class ConnectForm(QWidget):
    """`changed`: something else stands in a field; the address has signals of its own."""

    changed = Signal()

    def __init__(self, say: Words) -> None:
        super().__init__()
        self._say = say

    def build(self) -> Work:
        """Make the fields and give them their places, in steps."""
        self._make_fields()
        yield
        self._make_security()
        yield
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(12)
        box.addLayout(self._url_part())
        yield
        box.addLayout(self._grid())
        self._connect_signals()

    def read(self) -> ConnectRequest:
        """The fields as they stand; what is hidden does not count."""
        profile = self.profile_field.currentData()
        url = derive(self.url_field.text())
        secure = url.secure
        with_password = profile in {PASSWORD, TLS_PASSWORD}
        with_certificate = profile == TLS_CERTIFICATE
        return ConnectRequest(
            url=url.kept_url,
            station_id=self.id_field.text().strip(),
            version=VERSIONS[0] if self._own_offer else self.version_field.currentData(),
            security_profile=profile,
            password=(self.password_field.text() or None) if with_password else None,
            ca=(self.ca_field.text() or None) if secure else None,
            certificate=(self.certificate_field.text() or None) if with_certificate else None,
            key=(self.key_field.text() or None) if with_certificate else None,
            subprotocols=subprotocols_of(self.offer_field.text()) if self._own_offer else (),
        )

    def fill(self, request: ConnectRequest) -> None:
        self.url_field.setText(request.url)
        self.id_field.setText(request.station_id)
        self.version_field.choose(OWN if request.subprotocols else request.version)
        self.profile_field.choose(request.security_profile)
        self.password_field.setText(request.password or "")
        self.ca_field.set_text(request.ca or "")
        self.certificate_field.set_text(request.certificate or "")
        self.key_field.set_text(request.key or "")
        self.offer_field.setText(", ".join(request.subprotocols))

    def show_what_counts(self, request: ConnectRequest) -> None:
        """Hide the fields that say nothing with this profile and version."""
        profile = request.security_profile
        self._password_part.setVisible(profile in {PASSWORD, TLS_PASSWORD})
        self._ca_part.setVisible(request.secure)
        self._certificate_part.setVisible(profile == TLS_CERTIFICATE)
        self._key_part.setVisible(profile == TLS_CERTIFICATE)
        self._offer_part.setVisible(self._own_offer)

    @property
    def _own_offer(self) -> bool:
        """The back office picks from what a person offers."""
        return self.version_field.currentData() == OWN

    # ------------------------------------------------------------------ building

    def _make_fields(self) -> None:
        say = self._say
        self.url_field = QLineEdit()
        self.url_field.setFont(mono_font(12))
        self.url_field.setPlaceholderText(say("url_hint"))
        self.note = label("", "hint", wrap=True)
        self.keep_button = button(say("keep"), "quiet")
        self.keep_button.setAccessibleName(say("keep_name"))
        place = self.keep_button.sizePolicy()
        # what is below stays there: somebody may be clicking it
        place.setRetainSizeWhenHidden(True)
        self.keep_button.setSizePolicy(place)
        self.id_field = QLineEdit()
        self.id_field.setFont(mono_font(12))
        self.version_field = QuietCombo()
        for version in VERSIONS:
            self.version_field.addItem(say(f"version.{version.replace('.', '')}"), version)
        self.version_field.addItem(say("version.own"), OWN)
        self.offer_field = QLineEdit()
        self.offer_field.setFont(mono_font(12))
        self.offer_field.setPlaceholderText(", ".join(one.subprotocol for one in PREFERRED))
        for widget, name in ((self.url_field, "url"), (self.id_field, "station_id")):
            widget.setAccessibleName(say(name))

    def _make_security(self) -> None:
        say = self._say
        self.profile_field = QuietCombo()
        for profile in (OPEN, PASSWORD, TLS_PASSWORD, TLS_CERTIFICATE):
            self.profile_field.addItem(say(f"profile.{profile}"), profile)
        self.password_field = QLineEdit()
        self.password_field.setEchoMode(QLineEdit.EchoMode.Password)
        files, choose = say("files"), say("choose")
        self.ca_field = PathField(say("ca"), choose, files)
        self.ca_field.edit.setPlaceholderText(say("ca_hint"))
        self.certificate_field = PathField(say("certificate"), choose, files)
        self.key_field = PathField(say("key"), choose, files)
        self.key_field.edit.setPlaceholderText(say("key_hint"))

    def _url_part(self) -> QVBoxLayout:
        part = field(self._say("url"), self.url_field)
        below = QHBoxLayout()
        below.addWidget(self.note, 1)
        below.addWidget(self.keep_button)
        part.addLayout(below)
        return part

    def _grid(self) -> QGridLayout:
        say = self._say
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        self._password_part = _hosted(field(say("password"), self.password_field))
        self._ca_part = _hosted(field(say("ca"), self.ca_field))
        self._certificate_part = _hosted(field(say("certificate"), self.certificate_field))
        self._key_part = _hosted(field(say("key"), self.key_field))
        self._offer_part = _hosted(field(say("offer"), self.offer_field))
        grid.addLayout(field(say("station_id"), self.id_field), 0, 0)
        grid.addLayout(field(say("version"), self.version_field), 0, 1)
        grid.addLayout(field(say("profile"), self.profile_field), 1, 0)
        grid.addWidget(self._password_part, 1, 1)
        grid.addWidget(self._ca_part, 2, 0, 1, 2)
        grid.addWidget(self._certificate_part, 3, 0)
        grid.addWidget(self._key_part, 3, 1)
        grid.addWidget(self._offer_part, 4, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _connect_signals(self) -> None:
        for text in (self.id_field, self.password_field, self.offer_field):
            text.textChanged.connect(self.changed)
        for choice in (self.version_field, self.profile_field):
            choice.currentIndexChanged.connect(self.changed)
        for path in (self.ca_field, self.certificate_field, self.key_field):
            path.changed.connect(self.changed)


def _hosted(layout: QVBoxLayout) -> QWidget:
    """A part of the form that can be hidden as a whole."""
    host = QWidget()
    layout.setContentsMargins(0, 0, 0, 0)
    host.setLayout(layout)
    return host
