"""The dialog "Connect to yours"."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from urllib.parse import urlsplit

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.context import Identity
from app.runtime.address import AddressBad
from ui.ask import Dialog, Spawner
from ui.connect.derive import Derived, derive, profile_for
from ui.connect.fields import RecentList
from ui.connect.form import ConnectForm
from ui.connect.probe import Diagnose, make_diagnose
from ui.connect.recent import RecentConnections
from ui.connect.request import (
    OPEN,
    PASSWORD,
    TLS_PASSWORD,
    ConnectRequest,
    problem_of,
)
from ui.connect.steps import StepList
from ui.rooms.empty import Glyph
from ui.rooms.form import Words, button, label
from ui.theme import Theme
from ui.widgets.turns import Work

log = logging.getLogger(__name__)

FORM_WIDTH, RECENT_WIDTH = 600, 232
LOWEST_WELL = 96
FRAME = QSize(16, 40)
"""Room for the frame that the desktop draws around the dialog."""
PASTED = 3
"""So many letters more at once were not typed."""


class ConnectDialog(Dialog):
    """`result()` is what a person wants. To be opened by `await ask(dialog)`.

    `current` is where it starts, `folder` keeps the list of former connections, `diagnose` is the test
    (without one: the real one, booting as a plain station), `spawner` starts it.
    """

    def __init__(
        self,
        theme: Theme,
        catalogue: Catalogue,
        current: ConnectRequest | None = None,
        folder: Path | None = None,
        parent: QWidget | None = None,
        *,
        spawner: Spawner | None = None,
        diagnose: Diagnose | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._current = theme, current
        self._catalogue = catalogue
        self._say = Words(catalogue, "connect")
        self._spawner = spawner or Spawner(_report)
        self._recent = RecentConnections(folder)
        self._diagnose = diagnose or make_diagnose(Identity())
        self._test: asyncio.Task[None] | None = None
        self._tested: ConnectRequest | None = None
        self._derived = Derived("", "")
        self._notes: tuple[Text, ...] = ()
        self._before = self._taken = ""
        self._own_id = False
        self._own_profile = False
        self._filled = ""
        self._final: ConnectRequest | None = None
        self.setWindowTitle(self._say("title"))

    def build(self) -> Work:
        self.form = ConnectForm(self._say)
        yield from self.form.build()
        yield
        self._make_outcome(self._theme)
        yield
        yield from self._put_together()
        self._connect_signals()
        yield
        if self._current is not None:
            self._fill(self._current)
        self._refresh()
        self.form.url_field.setFocus()
        self.form.url_field.selectAll()

    def result(self) -> ConnectRequest:  # type: ignore[override]
        """The fields as they stand, or stood when it was closed; what is hidden does not count."""
        return self._final or self.form.read()

    request = result

    def set_theme(self, theme: Theme) -> None:
        self._preview_glyph.set_theme(theme)
        self.steps.set_theme(theme)
        self.recent_list.set_theme(theme)

    def done(self, result: int) -> None:
        """However it is closed, a running test ends with it."""
        self._stop_test()
        self._final = self.form.read()
        if result == self.DialogCode.Accepted.value:
            self._recent.remember(self._final)
        super().done(result)

    def setVisible(self, visible: bool) -> None:
        """The size that it wants is long to find, and found in the turn of the loop in which it appears."""
        if visible and not self.testAttribute(Qt.WidgetAttribute.WA_Resized):
            most = self.screen().availableGeometry().size() - FRAME
            self.resize(self.sizeHint().boundedTo(most))
        super().setVisible(visible)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """It grows with what a profile needs, and stays on the screen with it."""
        super().resizeEvent(event)
        over = self.frameGeometry().bottom() - self.screen().availableGeometry().bottom()
        if over > 0 and self.isVisible():
            self.move(self.x(), max(self.screen().availableGeometry().top(), self.y() - over))

    # ------------------------------------------------------------------ building

    def _make_outcome(self, theme: Theme) -> None:
        say = self._say
        self._preview_glyph = Glyph("link", "text3", theme)
        self.preview = label("", "", wrap=True)
        self.steps = StepList(theme, self._catalogue)
        self.test_button = button(say("test"))
        self.cancel_button = button(say("cancel"))
        self.connect_button = button(say("connect"), "primary")
        self.connect_button.setDefault(True)
        self.recent_list = RecentList(theme, say("recent"))

    def _put_together(self) -> Work:
        form = QWidget()
        form.setMinimumWidth(FORM_WIDTH)
        box = QVBoxLayout(form)
        box.setContentsMargins(24, 20, 24, 20)
        box.setSpacing(12)
        box.addWidget(label(self._say("title"), "title"))
        box.addWidget(label(self._say("lead"), "secondary", wrap=True))
        box.addWidget(self.form)
        yield
        box.addWidget(self._preview_card())
        yield
        well = QFrame()
        well.setProperty("role", "well")
        well.setMinimumHeight(LOWEST_WELL)
        inside = QVBoxLayout(well)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.addWidget(self.steps)
        box.addWidget(well, 1)
        box.addLayout(self._buttons())
        yield
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._recent_part())
        row.addWidget(form, 1)

    def _preview_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        row = QHBoxLayout(card)
        row.setContentsMargins(14, 10, 14, 10)
        row.setSpacing(10)
        row.addWidget(self._preview_glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.preview, 1)
        return card

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.test_button)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.connect_button)
        return row

    def _recent_part(self) -> QWidget:
        self._side = QFrame()
        self._side.setFixedWidth(RECENT_WIDTH)
        self._side.setProperty("role", "side")
        box = QVBoxLayout(self._side)
        box.setContentsMargins(0, 20, 0, 0)
        box.setSpacing(8)
        title = label(self._say("recent"), "strong")
        title.setContentsMargins(16, 0, 0, 0)
        box.addWidget(title)
        box.addWidget(self.recent_list, 1)
        told = self._recent.told
        if told is not None:
            words = label(self._catalogue.render(told), "warning", wrap=True)
            words.setContentsMargins(16, 0, 8, 12)
            box.addWidget(words)
        entries = self._recent.all()
        self.recent_list.show_requests(entries)
        self._side.setVisible(bool(entries) or told is not None)
        return self._side

    def _connect_signals(self) -> None:
        form = self.form
        form.url_field.textChanged.connect(self._on_url)
        form.url_field.editingFinished.connect(self._on_url_finished)
        form.keep_button.clicked.connect(self._on_keep)
        form.id_field.textEdited.connect(self._on_id_edited)
        form.profile_field.activated.connect(self._on_profile_chosen)
        form.changed.connect(self._refresh)
        self.recent_list.picked.connect(self._on_picked)
        self.test_button.clicked.connect(self._on_test)
        self.cancel_button.clicked.connect(self.reject)
        self.connect_button.clicked.connect(self.accept)

    # ------------------------------------------------------------------ deriving

    def _on_url(self, text: str) -> None:
        pasted = len(text) - len(self._before) >= PASTED
        self._before = text
        if pasted:
            self._take(derive(text), take_id=not self._own_id)
        else:
            self._notes = ()
            self._derive_profile(derive(text).secure)
            self._refresh()

    def _on_url_finished(self) -> None:
        text = self.form.url_field.text()
        if text and text != self._taken:
            self._take(derive(text), take_id=not self._own_id)

    def _take(self, derived: Derived, *, take_id: bool) -> None:
        """Put what a URL told into the fields; its password is seen nowhere any more."""
        free = take_id or not self.form.id_field.text()
        take_user = free and bool(derived.user) and not derived.station_id
        take_id = take_id and bool(derived.station_id)
        url = derived.url if take_id or derived.url == derived.kept_url else derived.kept_url
        id_note = "connect.note.id"
        notes = [one for one in derived.notes if one.id != id_note or take_id]
        if take_id:
            self.form.id_field.setText(derived.station_id)
        elif take_user:  # who logs in is the station: HTTP Basic of OCPP knows no other user
            self.form.id_field.setText(derived.user)
            notes.append(Text("connect.note.user", {"user": derived.user}))
        if derived.password is not None:
            self.form.password_field.setText(derived.password)
            notes.append(Text("connect.note.password"))
        if take_id or notes:
            self._derived, self._notes = derived, tuple(notes)
        self._taken = url
        if url != self.form.url_field.text():
            self._before = url
            self.form.url_field.blockSignals(True)
            self.form.url_field.setText(url)  # also forgets what could be undone
            self.form.url_field.blockSignals(False)
        self._derive_profile(derived.secure, carried=self._same_host(url))
        self._refresh()

    def _derive_profile(self, secure: bool, *, carried: bool = True) -> None:
        """`carried`: that a password is wanted holds for this address, too."""
        chosen = self.form.profile_field.currentData()
        fits = chosen == OPEN or (chosen == PASSWORD) != secure
        if self._own_profile and fits:
            return
        asked = chosen in {PASSWORD, TLS_PASSWORD} and (carried or self._own_profile)
        profile = profile_for(
            secure=secure,
            password=bool(self.form.password_field.text()) or asked,
            certificate=bool(self.form.certificate_field.text()),
        )
        self.form.profile_field.choose(profile)

    def _same_host(self, url: str) -> bool:
        """It is that of the connection that was filled in; on another one its profile says nothing."""
        places = (urlsplit(derive(one).url).netloc for one in (url, self._filled))
        try:
            return len(set(places)) == 1
        except ValueError:
            return True

    def _on_keep(self) -> None:
        """What was taken for an id belongs to the address."""
        url = self._derived.kept_url
        self._own_id = True
        self._notes = ()
        self._before = self._taken = url
        self.form.url_field.setText(url)
        self.form.id_field.clear()
        self.form.id_field.setFocus()

    def _on_id_edited(self) -> None:
        self._own_id = True

    def _on_profile_chosen(self) -> None:
        self._own_profile = True

    def _on_picked(self, request: ConnectRequest) -> None:
        self._fill(request)
        self._refresh()
        (
            self.connect_button
            if problem_of(self.form.read()) is None
            else self.form.password_field
        ).setFocus()

    def _fill(self, request: ConnectRequest) -> None:
        self._own_id = self._own_profile = False
        self._notes = ()
        self._before = self._taken = self._filled = request.url
        self.form.fill(request)

    # ------------------------------------------------------------------ showing

    def _refresh(self) -> None:
        request = self.form.read()
        if self._tested not in {None, request}:  # what was found says nothing of this any more
            self._tested = None
            self._stop_test()
            self.steps.clear()
        self.form.show_what_counts(request)
        told = " ".join(self._catalogue.render(one) for one in self._notes)
        self.form.note.setText(told or self._say("note_hint"))
        has_id_note = any(one.id == "connect.note.id" for one in self._notes)
        self.form.keep_button.setVisible(has_id_note)
        problem = problem_of(request) if request.url else None
        good = bool(request.url) and problem is None
        self.connect_button.setEnabled(good)
        self.test_button.setEnabled(good or self._test is not None)
        if not request.url:
            self._preview("link", "text3", self._say("preview.empty"))
        elif problem is not None:
            self._preview("warning", "warn", self._catalogue.render(problem))
        else:
            glyph = "lock" if request.secure else "link"
            safe = request.secure and request.security_profile != OPEN
            self._preview(glyph, "avail" if safe else "text2", self._sentence(request))

    def _preview(self, glyph: str, token: str, words: str) -> None:
        self._preview_glyph.show_glyph(glyph, token)
        self.preview.setText(words)

    def _sentence(self, request: ConnectRequest) -> str:
        say = self._say
        if request.version == "auto":
            version = say("preview.auto")
        else:
            version = say("preview.fixed", version=request.version)
        if request.security_profile == OPEN:
            proof = say("preview.tls" if request.secure else "preview.open")
        else:
            proof = say(f"preview.p{request.security_profile}")
        with contextlib.suppress(AddressBad):
            url = request.full_url()
            return say(
                "preview.sentence", url=url, id=request.station_id, version=version, proof=proof
            )
        return ""

    # ------------------------------------------------------------------ testing

    def _on_test(self) -> None:
        if self._test is not None:
            self._stop_test()
            self.steps.stopped()
            return
        self.steps.begin()
        self.test_button.setText(self._say("test_stop"))
        self._tested = self.form.read()
        self._test = self._spawner.spawn(self._run_test(self._tested), "connection test")

    async def _run_test(self, request: ConnectRequest) -> None:
        try:
            async with contextlib.aclosing(self._diagnose(request)) as steps:  # type: ignore[type-var]
                async for step in steps:
                    if not isValid(self):
                        return
                    self.steps.add(step)
            if isValid(self):
                self.steps.end()
        except Exception as error:
            if isValid(self):
                self.steps.broke(f"{type(error).__name__}: {error}")
            raise
        finally:
            if isValid(self) and self._test is asyncio.current_task():
                self._test_over()

    def _stop_test(self) -> None:
        if self._test is not None:
            self._test.cancel()
            self._test_over()

    def _test_over(self) -> None:
        self._test = None
        self.test_button.setText(self._say("test"))
        self._refresh()


def _report(error: BaseException) -> None:
    log.error("the test of a connection failed in itself", exc_info=error)
