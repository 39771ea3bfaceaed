"""The detail of one exchange: request and reply as trees, findings in words, and the raw text."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QTabBar,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.kernel.text import Text
from app.ocpp.events import Violation
from app.trace.exchange import Exchange, Verdict
from ui.messages.pretty import payload_of, pretty
from ui.messages.raw import RawText
from ui.messages.tree import PayloadTree
from ui.rooms.form import add_stack
from ui.theme import Theme
from ui.widgets.buttons import PushButton
from ui.widgets.turns import Work

REQUEST, REPLY, FINDINGS, RAW = range(4)
HEAD_HEIGHT = 40
NARROW = 620
"""Below this width the raw text is a tab instead of standing beside the tree."""


class ExchangeDetail(QWidget):
    """Shows one exchange, or an invitation to choose one. To be furnished before anything else."""

    def __init__(self, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._theme, self._catalogue = theme, catalogue
        self._exchange: Exchange | None = None

    def furnish(self) -> Work:
        """Make what it holds, in steps."""
        self._make_tabs()
        yield
        self._tree = PayloadTree(self._theme, self._catalogue)
        self._tree.setAccessibleName(self._say("messages.tree"))
        yield
        self._findings = QTextBrowser()
        self._findings.setFrameShape(QFrame.Shape.NoFrame)
        self._findings.setAccessibleName(self._say("messages.tab.findings"))
        yield
        self._raw = RawText(self._theme)
        self._raw.setAccessibleName(self._say("messages.raw"))
        self._tree.path_chosen.connect(self._raw.light)
        self._raw.path_clicked.connect(self._tree.light)
        self._copy = PushButton(self._say("messages.copy"))
        self._copy.setProperty("kind", "quiet")
        self._copy.clicked.connect(self._copy_text)
        yield
        self._build()
        self._tabs.currentChanged.connect(self._refresh)
        self.show_exchange(None)

    def _make_tabs(self) -> None:
        self._tabs = QTabBar()
        self._tabs.setExpanding(False)
        self._tabs.setDrawBase(False)
        self._tabs.setUsesScrollButtons(False)  # they would lie over the last tab
        for key in ("request", "reply", "findings", "raw"):
            self._tabs.addTab(self._say(f"messages.tab.{key}"))
        self._tabs.setTabVisible(RAW, False)
        self._tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._tabs.setAccessibleName(self._say("messages.detail"))

    @property
    def tabs(self) -> QTabBar:
        return self._tabs

    @property
    def raw(self) -> RawText:
        return self._raw

    @property
    def tree(self) -> PayloadTree:
        return self._tree

    def set_theme(self, theme: Theme) -> None:
        self._tree.set_theme(theme)
        self._raw.set_theme(theme)
        self._refresh()

    def show_exchange(self, exchange: Exchange | None) -> None:
        """Show this exchange; None clears."""
        same = (
            exchange is not None
            and self._exchange is not None
            and exchange.number == self._exchange.number
        )
        self._exchange = exchange
        if not same and exchange is not None:
            wanted = REQUEST if exchange.request_text is not None else REPLY
            self._tabs.setCurrentIndex(wanted)
        self._refresh()

    def _build(self) -> None:
        """From the outside in: what is given a place is styled anew with all that it holds."""
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        box.addWidget(splitter)
        left_box = _pane(splitter)
        _bar(left_box, self._tabs)
        self._empty = QLabel(self._say("messages.choose"))
        self._empty.setProperty("role", "hint")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._stack = add_stack(left_box, self._empty, self._tree, self._findings)
        self._right_box = _pane(splitter)
        self._right = self._right_box.parentWidget()
        title = QLabel(self._say("messages.raw"))
        title.setProperty("role", "strong")
        _bar(self._right_box, title, self._copy, margin=12)
        self._right_box.addWidget(self._raw, 1)
        splitter.setSizes([340, 260])
        splitter.setChildrenCollapsible(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        if narrow == self._tabs.isTabVisible(RAW):
            return
        if narrow:
            self._stack.addWidget(self._raw)
        else:
            self._right_box.addWidget(self._raw, 1)
            self._raw.show()
        self._right.setVisible(not narrow)
        self._tabs.setTabVisible(RAW, narrow)
        self._tabs.updateGeometry()  # by itself it keeps the width of the tabs it had
        self._refresh()

    def _refresh(self) -> None:
        exchange = self._exchange
        self._copy.setEnabled(exchange is not None)
        if exchange is None:
            self._stack.setCurrentWidget(self._empty)
            self._raw.show_lines([])
            return
        tab = self._tabs.currentIndex()
        if tab in {FINDINGS, RAW}:
            self._findings.setPlainText("\n\n".join(self._finding_lines(exchange)))
            self._stack.setCurrentWidget(self._raw if tab == RAW else self._findings)
            text = exchange.request_text or exchange.reply_text
            if tab == RAW and exchange.request_text and exchange.reply_text:
                self._raw.show_lines([*pretty(exchange.request_text), *pretty(exchange.reply_text)])
                return
        else:
            request = tab == REQUEST
            text = exchange.request_text if request else exchange.reply_text
            violations = exchange.violations if request else exchange.reply_violations
            self._show_tree(exchange, text, violations, request)
        self._raw.show_lines(pretty(text))

    def _show_tree(
        self, exchange: Exchange, text: str | None, violations: tuple[Violation, ...], request: bool
    ) -> None:
        if text is None:
            waiting = exchange.verdict is Verdict.WAITING
            self._empty.setText(
                self._say("messages.no_reply_yet" if waiting else "messages.no_reply")
            )
            self._stack.setCurrentWidget(self._empty)
            return
        payload = payload_of(text)
        if payload is None:  # no message of OCPP has none
            self._empty.setText(self._say("messages.no_frame"))
            self._stack.setCurrentWidget(self._empty)
            return
        suffix = "Request" if request else "Response"
        name = f"{exchange.action}{suffix}" if exchange.action else suffix
        if not request and exchange.error_code:
            name = f"CALLERROR {exchange.error_code}"
        self._tree.show_payload(name, payload, violations)
        self._stack.setCurrentWidget(self._tree)

    def _finding_lines(self, exchange: Exchange) -> list[str]:
        lines = [
            self._say(
                "messages.finding.violation", path=v.path or "–", rule=v.rule, message=v.message
            )
            for v in (*exchange.violations, *exchange.reply_violations)
        ]
        if exchange.note is not None:
            lines.append(self._catalogue.render(exchange.note))
        if exchange.forced:
            lines.append(self._say("messages.finding.forced"))
        if exchange.late:
            lines.append(self._say("messages.finding.late"))
        if exchange.verdict in {Verdict.SLOW, Verdict.TIMEOUT, Verdict.DISCONNECTED}:
            lines.append(self._say(f"messages.finding.{exchange.verdict.value}"))
        return lines or [self._say("messages.finding.none")]

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self._raw.toPlainText())

    def _say(self, text_id: str, **params: object) -> str:
        return self._catalogue.render(Text(text_id, params))


def _pane(splitter: QSplitter) -> QVBoxLayout:
    pane = QWidget()
    splitter.addWidget(pane)
    box = QVBoxLayout(pane)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(0)
    return box


def _bar(above: QVBoxLayout, *widgets: QWidget, margin: int = 4) -> None:
    frame = QFrame()
    above.addWidget(frame)
    frame.setProperty("role", "bar")
    frame.setFixedHeight(HEAD_HEIGHT)
    box = QHBoxLayout(frame)
    box.setContentsMargins(margin, 0, 4, 0)
    for number, widget in enumerate(widgets):
        box.addWidget(widget)
        if number == 0:
            box.addStretch(1)
