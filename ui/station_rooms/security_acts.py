"""What a person may do about a station's security: ask for certificates, let events happen, clear the log."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QPushButton

from app.ocpp.shared.certificates.model import Purpose
from app.ocpp.shared.security_desk import RequestView, SecurityDesk
from app.runtime.store import StoreError
from ui.rooms.form import Words, button
from ui.station_rooms.feed import RoomFeed
from ui.station_rooms.room import Notice
from ui.theme import Theme

USER, PANEL = "service", "panel"
"""Who logs in, and where, when a person has it happen."""
INSTALL, UPDATE, STATUS = "install", "update", "status"
LOGIN, LOGIN_FAILED = "login", "login_failed"
FOR_CARS = (Purpose.V2G, Purpose.COMBINED)
BAD = ("stopped", "refused")
CERTIFICATE = "certificate"


class SecurityActs:
    """Buttons for the heads of the room, and two lines: what came of an act, which requests wait."""

    def __init__(self, feed: RoomFeed, theme: Theme, say: Words) -> None:
        self._feed, self._say = feed, say
        self._contract = feed.rooms.contract
        self.ask = button(say("security.ask"), "quiet")
        self.ask.setToolTip(say("security.ask_hint"))
        self.ask.clicked.connect(self._offer_requests)
        self.happen = button(say("security.happen"), "quiet")
        self.happen.setToolTip(say("security.happen_hint"))
        self.happen.clicked.connect(self._offer_events)
        self.clear = button(say("security.clear"), "quiet")
        self.clear.setToolTip(say("security.clear_hint"))
        self.clear.clicked.connect(self._clear)
        self.notice, self.requests = Notice(theme), Notice(theme)

    def set_theme(self, theme: Theme) -> None:
        self.notice.set_theme(theme)
        self.requests.set_theme(theme)

    def refresh(self) -> None:
        """Without power there is nobody who could do anything."""
        rooms = self._feed.rooms
        for each in (self.ask, self.happen, self.clear):
            each.setEnabled(rooms.desk is not None)
        if rooms.contract is not self._contract and rooms.contract is not None:
            answer = self._contract = rooms.contract
            key = "security.contract" if answer.status else "security.contract.none"
            told = self._say(key, action=answer.action, status=answer.status or "")
            self.notice.tell(told, good=answer.status == "Accepted")
        self.tell_requests()

    def tell_requests(self) -> None:
        """Which requests for certificates are under way, and when they are repeated."""
        desk, found = self._feed.rooms.desk, list[RequestView]()
        with suppress(StoreError):  # told by the store
            found = desk.requests() if desk is not None else found
        if found:
            words = " ".join(self._words_of(one) for one in found)
            self.requests.tell(words, good=not any(one.state in BAD for one in found))
        else:
            self.requests.quiet()

    def _words_of(self, one: RequestView) -> str:
        state = "due" if one.due is not None else one.state
        return self._say(
            f"security.request.{state}",
            purpose=one.purpose,
            repeats=one.repeats,
            seconds=max(0, round(one.due or 0)),
        )

    # ------------------------------------------------------------------ certificates

    def _offer_requests(self) -> None:
        desk = self._feed.rooms.desk
        if desk is None:
            return
        offered: list[str] = [Purpose.STATION]
        if desk.speaks_of_cars:
            offered += [*FOR_CARS, INSTALL, UPDATE, STATUS]
        menu = self._menu(self.ask)
        for what in offered:
            menu.addAction(self._say(f"security.ask.{what}")).setData(what)
        menu.triggered.connect(lambda action: self.request(action.data()))
        menu.popup(self._below(self.ask))

    def request(self, what: str) -> None:
        """Ask for a certificate by its purpose, for a contract (install, update), or for the status."""
        desk = self._feed.rooms.desk
        if desk is None:
            self.notice.tell(self._say("security.dark"))
            return
        good, why = _asked(desk, what)
        told = self._say(f"security.ask.{what}")
        if good and why == CERTIFICATE:
            self.notice.quiet()  # the line of requests tells it
        elif good:
            self.notice.tell(self._say("security.asked", what=told), good=True)
        else:
            reason = self._say(f"security.why.{why}")
            self.notice.tell(self._say("security.not_asked", what=told, why=reason))
        self._feed.poke()

    # ------------------------------------------------------------------ events

    def _offer_events(self) -> None:
        desk = self._feed.rooms.desk
        if desk is None:
            return
        menu = self._menu(self.happen)
        for what in (LOGIN, LOGIN_FAILED):
            menu.addAction(self._say(f"security.{what}")).setData(what)
        menu.addSeparator()
        for kind in desk.kinds:
            menu.addAction(kind).setData(kind)
        menu.triggered.connect(lambda action: self.let_happen(action.data()))
        menu.popup(self._below(self.happen))

    def let_happen(self, what: str) -> None:
        """A login at the maintenance panel, or any event of the version's list."""
        desk = self._feed.rooms.desk
        if desk is None:
            return
        if what in (LOGIN, LOGIN_FAILED):
            desk.maintenance_login(USER, PANEL, accepted=what == LOGIN)
        else:
            desk.raise_event(what)

    def _clear(self) -> None:
        desk = self._feed.rooms.desk
        if desk is not None:
            desk.clear_log()

    # ------------------------------------------------------------------ small parts

    def _menu(self, owner: QPushButton) -> QMenu:
        menu = QMenu(owner)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _below(self, owner: QPushButton) -> Any:
        return owner.mapToGlobal(owner.rect().bottomLeft())


def _asked(desk: SecurityDesk, what: str) -> tuple[bool, str]:
    """Was it asked for; and which sentence says why not."""
    if what in (INSTALL, UPDATE):
        return desk.request_contract(update=what == UPDATE), "contract"
    if what == STATUS:
        return desk.ask_status(), "status"
    return desk.request_certificate(what), CERTIFICATE
