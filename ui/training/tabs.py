"""What the panel of the training CSMS holds: six tabs, or the words that the station is elsewhere."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QStackedLayout,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.kernel.catalogue import Catalogue
from app.training.records import StationRecord
from ui.rooms.empty import EmptyState
from ui.rooms.form import BAR_HEIGHT, Words, button, label
from ui.rooms.making import make_in
from ui.theme import Theme
from ui.training.behaviour import Behaviour
from ui.training.behaviour_tab import BehaviourTab
from ui.training.composer import ComposerTab
from ui.training.feed import TrainingFeed, TrainingView
from ui.training.files_tab import FilesTab
from ui.training.stations import StationsTab
from ui.training.tokens import TokensTab
from ui.training.transactions import TransactionsTab
from ui.widgets.glyphs import glyph_icon
from ui.widgets.turns import ALONE, Turns, Work, at_once

TABS = ("stations", "transactions", "tokens", "composer", "files", "behaviour")
ROOMY = 480
"""From this width on the tabs have room around their words."""
STATIONS, TRANSACTIONS, TOKENS, COMPOSER, FILES, BEHAVIOUR = range(6)


Room = StationsTab | TransactionsTab | TokensTab | ComposerTab | FilesTab | BehaviourTab


class TrainingRooms(QWidget):
    """Six tabs over one feed; each is made in turns of the loop when it is looked at first, and shown whole.

    `use_training_requested`: the station of the window shall come here.
    """

    use_training_requested = Signal()

    def __init__(self, feed: TrainingFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._say = Words(catalogue, "training_panel")
        self._theme, self._catalogue = theme, catalogue
        self._elsewhere: str | None = None
        self._odd = self._tight = False
        self._feed = feed
        self._rooms: dict[int, Room] = {}
        self._station = ""
        self._turns = Turns(self)
        self.empty = EmptyState(
            "link", self._say("elsewhere.title"), "", theme, self._say("elsewhere.use")
        )
        self._build()
        self._feed.changed.connect(self._on_view)
        self._on_view(self._feed.view)

    @property
    def tabs(self) -> QTabBar:
        return self._tabs

    @property
    def stations(self) -> StationsTab:
        return cast("StationsTab", self._room(STATIONS))

    @property
    def transactions(self) -> TransactionsTab:
        return cast("TransactionsTab", self._room(TRANSACTIONS))

    @property
    def tokens(self) -> TokensTab:
        return cast("TokensTab", self._room(TOKENS))

    @property
    def composer(self) -> ComposerTab:
        return cast("ComposerTab", self._room(COMPOSER))

    @property
    def files(self) -> FilesTab:
        return cast("FilesTab", self._room(FILES))

    @property
    def behaviour(self) -> BehaviourTab:
        return cast("BehaviourTab", self._room(BEHAVIOUR))

    @property
    def shows_empty_state(self) -> bool:
        return self._stack.currentWidget() is self.empty

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._mark_behaviour()
        self.empty.set_theme(theme)
        for room in self._rooms.values():
            room.set_theme(theme)

    def set_elsewhere(self, url: str | None) -> None:
        """Where the station of the window connects instead; None: it connects here."""
        if url != self._elsewhere:
            self._elsewhere = url
            self._place()

    def open_composer(self, station_id: str = "", action: str = "") -> None:
        """Show the composer, ready to write this to that station."""
        self._tabs.setCurrentIndex(COMPOSER)
        if station_id:
            self.composer.choose_station(station_id)
        if action:
            self.composer.choose_action(action)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        tight = event.size().width() < ROOMY
        if tight != self._tight:
            self._tight = tight
            self._tabs.setStyleSheet("QTabBar::tab { padding: 0 2px; }" if tight else "")
            self._count_transactions()

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        self._tabs = QTabBar()
        self._tabs.setExpanding(False)
        self._tabs.setDrawBase(False)
        self._tabs.setIconSize(QSize(14, 14))
        self._tabs.setAccessibleName(self._say("title"))
        self._pages = QStackedWidget()
        for key in TABS:
            self._tabs.addTab(self._say(f"tab.{key}"))
            self._pages.addWidget(_page())
        self._tabs.currentChanged.connect(self._on_tab)
        head = QFrame()
        head.setProperty("role", "bar")
        head.setFixedHeight(BAR_HEIGHT)
        row = QHBoxLayout(head)
        row.setContentsMargins(4, 0, 0, 0)
        row.addWidget(self._tabs, 1)
        whole = QWidget()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(head)
        box.addWidget(self._make_notice())
        box.addWidget(self._pages, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(whole)
        self._stack.addWidget(self.empty)
        self.empty.action.clicked.connect(self.use_training_requested)
        self._on_tab(STATIONS)

    def _room(self, index: int) -> Room:
        """What a tab holds; what of it is not there yet is made now."""
        if index not in self._rooms:
            self._turns.finish()
        if index not in self._rooms:
            at_once(self._making(index))
        return self._rooms[index]

    def _make_front(self) -> Work:
        """What is begun goes on behind another tab, too: they will look again."""
        while (index := self._tabs.currentIndex()) not in self._rooms:
            yield from self._making(index)

    def _making(self, index: int) -> Work:
        page = self._pages.widget(index).layout()
        assert page is not None
        theme, room = self._theme, self._make(index)
        yield from make_in(page, room, room.build())
        if theme is not self._theme:
            room.set_theme(self._theme)
            yield
        yield ALONE
        room.show_view(self._feed.view)
        yield ALONE
        if isinstance(room, ComposerTab) and self._station:
            room.choose_station(self._station)
        room.show()
        self._rooms[index] = room
        if index == self._tabs.currentIndex():
            self._turn_to(index)

    def _make(self, index: int) -> Room:
        feed, theme, catalogue = self._feed, self._theme, self._catalogue
        if index == STATIONS:
            stations = StationsTab(feed, theme, catalogue)
            stations.chosen.connect(self._on_station)
            return stations
        if index == TRANSACTIONS:
            return TransactionsTab(theme, catalogue)
        if index == TOKENS:
            return TokensTab(feed, theme, catalogue)
        if index == COMPOSER:
            return ComposerTab(feed, theme, catalogue)
        if index == FILES:
            return FilesTab(feed, theme, catalogue)
        behaviour = BehaviourTab(feed, theme, catalogue)
        behaviour.changed.connect(self._on_behaviour)
        return behaviour

    def _make_notice(self) -> QFrame:
        """Shown while the window's own station is elsewhere but others are here."""
        self._notice = QFrame()
        self._notice.setProperty("role", "bar")
        self._notice_words = label("", "secondary")
        self.use = button(self._say("elsewhere.use"), "quiet")
        self.use.clicked.connect(self.use_training_requested)
        row = QHBoxLayout(self._notice)
        row.setContentsMargins(16, 2, 6, 2)
        row.addWidget(self._notice_words, 1)
        row.addWidget(self.use)
        return self._notice

    # ------------------------------------------------------------------ events

    def _on_tab(self, index: int) -> None:
        """What was in front stays until the other is whole."""
        if index in self._rooms:
            self._turn_to(index)
        elif not self._turns.running:
            self._turns.start(self._make_front())

    def _turn_to(self, index: int) -> None:
        """The keyboard stays at the tabs: Qt would hand it to the first button of the new page."""
        focus = QApplication.focusWidget()
        if focus is not None and self._pages.isAncestorOf(focus):
            self._tabs.setFocus()
        self._pages.setCurrentIndex(index)

    def _on_view(self, view: TrainingView) -> None:
        for room in self._rooms.values():
            room.show_view(view)
        self._count_transactions()
        self._place()

    def _place(self) -> None:
        """Tabs, tabs under a notice, or the words that nobody is here."""
        others = any(one.connected for one in self._feed.view.snapshot.stations)
        elsewhere = self._elsewhere
        self._notice.setVisible(elsewhere is not None and others)
        if elsewhere is not None:
            self._notice_words.setText(self._say("elsewhere.notice", url=elsewhere))
            self.empty.say(
                self._say("elsewhere.title"), self._say("elsewhere.sentence", url=elsewhere)
            )
        self._stack.setCurrentIndex(1 if elsewhere is not None and not others else 0)

    def _count_transactions(self) -> None:
        """How many run stands at the tab, where there is room for it."""
        active = sum(one.active for one in self._feed.view.snapshot.transactions)
        words = self._say("tab.transactions")
        if active and not self._tight:
            words = self._say("tab.counted", tab=words, count=active)
        if words != self._tabs.tabText(TRANSACTIONS):
            self._tabs.setTabText(TRANSACTIONS, words)

    def _on_behaviour(self, behaviour: Behaviour) -> None:
        self._odd = not behaviour.is_normal
        self._mark_behaviour()

    def _mark_behaviour(self) -> None:
        """A triangle at the tab while the back office misbehaves on purpose."""
        colour = self._theme.colour("warn")
        icon = glyph_icon("warning", colour, colour) if self._odd else QIcon()
        self._tabs.setTabIcon(BEHAVIOUR, icon)
        key = "behaviour.odd" if self._odd else "behaviour.normal"
        self._tabs.setTabToolTip(BEHAVIOUR, self._say(key))

    def _on_station(self, station: StationRecord | None) -> None:
        if station is not None:
            self._station = station.id
            if COMPOSER in self._rooms:
                self.composer.choose_station(station.id)


def _page() -> QWidget:
    """An empty place for what a tab holds."""
    page = QWidget()
    box = QVBoxLayout(page)
    box.setContentsMargins(0, 0, 0, 0)
    return page
