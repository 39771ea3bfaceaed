"""The security of the station: profile in force, certificates, security log, and the certificate lab."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from app.ocpp.shared.security_log import SecurityEntry
from app.runtime.security_view import OWN, CertificateRow, CertificateState, SecurityView
from ui.rooms.form import bar, column, label
from ui.rooms.search import SearchField
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.station_rooms.lab_panel import LabPanel
from ui.station_rooms.room import LiveRoom, clock
from ui.station_rooms.security_acts import SecurityActs
from ui.theme import Theme
from ui.widgets.turns import Work

TURN_AT = 1000
_STATES = {
    CertificateState.IN_USE: Mark("available", "avail"),
    CertificateState.READY: Mark("tick", "text2"),
    CertificateState.FALLBACK: Mark("waiting", "text2"),
    CertificateState.TURNED_DOWN: Mark("warning", "warn"),
    CertificateState.WAITING: Mark("waiting", "warn"),
    CertificateState.EXPIRED: Mark("warning", "warn"),
}


class SecurityRoom(LiveRoom):
    """One search over certificates and log."""

    actions = ("CertificateSigned", "InstallCertificate", "DeleteCertificate")

    def build(self) -> Work:
        say = self._say
        self._view: SecurityView | None = None
        self.search = SearchField(say("security.search"))
        self.search.textChanged.connect(self._filter)
        self._profile = label("", "strong")
        yield
        yield from self._make_tables()
        yield
        self.lab = LabPanel(self._feed, self._theme, say)
        yield from self.lab.build()
        yield
        self.acts = SecurityActs(self._feed, self._theme, say)
        yield
        certificates = column(
            bar(self._certificates_title, self.acts.ask),
            self.acts.notice,
            self.acts.requests,
            self.table,
        )
        events = column(bar(self._events_title, self.acts.happen, self.acts.clear), self.events)
        yield
        left = TurningSplitter(10_000, [1, 1], [1, 1], certificates, events)
        lab = column(bar(label(say("lab.title"), "strong"), self.lab.renew), self.lab)
        yield
        body = TurningSplitter(TURN_AT, [56, 44], [1, 1], left, lab, low=10_000)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self.search, self._profile, stretch_after=1))
        box.addWidget(self.notice)
        box.addWidget(body, 1)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self._model, self._events_model, self.lab, self.acts):
            part.set_theme(theme)

    def refresh(self) -> None:
        self.tell_refusal()
        self._view = self._feed.rooms.security()
        profile = self._view.profile
        words = self._say(f"lab.profile.{self._view.protection}")
        self._profile.setText(self._say("security.profile", number=profile, words=words))
        self._certificates_title.setText(
            self._say("security.certificates", count=len(self._view.certificates))
        )
        self._events_title.setText(self._say("security.events", count=len(self._view.events)))
        self._fill(quiet=False)
        self.lab.refresh(profile)
        self.acts.refresh()

    def tick(self) -> None:
        self.acts.tell_requests()

    def _make_tables(self) -> Work:
        say = self._say
        self._certificates_title, self._events_title = label("", "strong"), label("", "strong")
        columns = (
            Column[CertificateRow](
                say("security.use"), self._use, 176, strong=True, mark=lambda c: _STATES[c.state]
            ),
            Column[CertificateRow](say("security.state"), self._state, 92),
            Column[CertificateRow](say("security.subject"), lambda c: c.subject),
            Column[CertificateRow](
                say("security.until"), lambda c: c.valid_to.strftime("%Y-%m-%d"), 92, mono=True
            ),
            Column[CertificateRow](
                say("security.digest"),
                lambda c: c.digest[:16],
                132,
                mono=True,
                tip=_all_of,
                from_width=640,
            ),
        )
        self._model = RecordModel[CertificateRow](
            columns, lambda c: c.key, self._theme, self, lambda c: (c.state, c.failures, c.ocsp)
        )
        self.table = RecordTable[CertificateRow](self._model, columns, say("security.table"))
        yield
        events = (
            Column[SecurityEntry](say("security.at"), lambda e: clock(e.at), 96, mono=True),
            Column[SecurityEntry](
                say("security.event"), lambda e: e.type, 268, strong=True, mark=_critical
            ),
            Column[SecurityEntry](say("security.info"), lambda e: e.tech_info),
        )
        self._events_model = RecordModel[SecurityEntry](
            events, lambda e: e.number, self._theme, self, lambda e: e.number
        )
        self.events = RecordTable[SecurityEntry](self._events_model, events, say("security.log"))

    def _filter(self) -> None:
        self._fill(quiet=True)

    def _fill(self, *, quiet: bool) -> None:
        view, finds = self._view, self.search.finds
        if view is None:
            return
        certificates = [
            one
            for one in view.certificates
            if finds(self._use(one), one.subject, one.serial, one.digest, self._state(one))
        ]
        events = [one for one in view.events if finds(one.type, one.tech_info)]
        self._model.show(certificates, quiet=quiet)
        self._events_model.show(events, quiet=quiet)

    def _use(self, one: CertificateRow) -> str:
        if one.use == OWN:
            return self._say("security.own", kind=one.kind)
        return self._say("security.root", kind=one.kind)

    def _state(self, one: CertificateRow) -> str:
        words = self._say(f"security.state.{one.state.value}")
        if one.ocsp is not None:
            words += self._say("security.ocsp", verdict=self._say(f"security.ocsp.{one.ocsp}"))
        if one.failures:
            words += self._say("security.failures", count=one.failures)
        return words


def _all_of(one: CertificateRow) -> str:
    return f"SHA-256 {one.digest}\n{one.serial}"


def _critical(entry: SecurityEntry) -> Mark:
    return Mark("warning", "warn") if entry.critical else Mark("lock", "text3")
