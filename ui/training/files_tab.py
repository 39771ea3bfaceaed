"""The files between stations and the training CSMS: what they have sent, what is there for them to fetch."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.training.records import UploadRecord
from ui.files import FileQuestion, file_to_save
from ui.rooms.empty import EmptyState
from ui.rooms.form import Words, bar, button, column, label
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, RecordModel, RecordTable
from ui.theme import Theme
from ui.theme.qss import repolish
from ui.training.feed import Offer, TrainingFeed, TrainingView
from ui.training.stations import LOW, LOW_FROM, clock
from ui.widgets.turns import Work


class FilesTab(QWidget):
    """Uploads, newest first, to be saved; the URLs of firmware and of the place for logs, to be copied."""

    def __init__(self, feed: TrainingFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._feed, self._theme = feed, theme
        self._say = Words(catalogue, "training_panel")

    def build(self) -> Work:
        """In steps of a few milliseconds; nothing else is called before its end."""
        theme = self._theme
        self.told = label("", "secondary")
        self.needs = label("", "secondary")
        self.save = button(self._say("files.save"), "quiet")
        self.save.setToolTip(self._say("files.save_hint"))
        self.save.clicked.connect(self.save_as)
        self.copy = button(self._say("copy_url"), "quiet")
        self.copy.setAccessibleName(self._say("files.copy_name"))
        self.copy.clicked.connect(self.copy_url)
        self._empty = EmptyState(
            "export", self._say("files.none"), self._say("files.none_hint"), theme
        )
        yield
        yield from self._make_tables(theme)
        yield
        split = self._split()
        yield
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(split)
        self._on_upload()
        self._on_offer()

    @property
    def uploads(self) -> RecordTable[UploadRecord]:
        return self._table

    @property
    def offers(self) -> RecordTable[Offer]:
        return self._offer_table

    def set_theme(self, theme: Theme) -> None:
        self._empty.set_theme(theme)
        self._model.set_theme(theme)
        self._offer_model.set_theme(theme)

    def show_view(self, view: TrainingView) -> None:
        uploads = view.snapshot.uploads[::-1]
        self._model.show(uploads)
        self._stack.setCurrentIndex(1 if uploads else 0)
        if self._table.chosen() is None and uploads:
            self._table.choose(_key(uploads[0]))
        self._offer_model.show(view.offers)
        if self._offer_table.chosen() is None and view.offers:
            self._offer_table.choose(view.offers[0])
        self._on_upload()
        self._on_offer()

    def save_as(self) -> None:
        """Ask where the chosen file shall go."""
        record = self._table.chosen()
        if record is None or self.findChild(FileQuestion) is not None:
            return
        title = self._say("files.save_title", name=record.name)
        question = file_to_save(self, title, record.name)
        question.answered.connect(partial(self._on_chosen, _key(record)))
        question.open()

    def save_to(self, record: UploadRecord, target: Path) -> None:
        """Copy a file there, and say how it went."""
        copied = self._feed.csms.save_upload(record, target)
        self._feed.await_future(copied, self._on_saved)

    def copy_url(self) -> None:
        """Put the chosen URL on the clipboard."""
        offer = self._offer_table.chosen()
        if offer is not None:
            QGuiApplication.clipboard().setText(offer.url)

    # ------------------------------------------------------------------ building

    def _make_tables(self, theme: Theme) -> Work:
        say = self._say
        uploads = (
            Column[UploadRecord](say("files.name"), lambda u: u.name, 230, strong=True),
            Column[UploadRecord](say("files.size"), lambda u: size_in_words(u.size), 84),
            Column[UploadRecord](say("files.station"), lambda u: u.station_id, 150),
            Column[UploadRecord](say("files.at"), lambda u: clock(u.at), 90, mono=True),
            Column[UploadRecord](say("files.by"), lambda u: u.protocol.upper()),
        )
        self._model = RecordModel[UploadRecord](uploads, _key, theme, self, seen=lambda u: u.at)
        self._table = RecordTable[UploadRecord](self._model, uploads, say("files.title"))
        self._table.selectionModel().selectionChanged.connect(self._on_upload)
        yield
        offers = (
            Column[Offer](say("files.what"), self._what, 190, strong=True),
            Column[Offer](say("files.url"), lambda o: o.url, mono=True),
        )
        self._offer_model = RecordModel[Offer](offers, lambda o: o, theme, self)
        self._offer_table = RecordTable[Offer](self._offer_model, offers, say("files.offered"))
        self._offer_table.selectionModel().selectionChanged.connect(self._on_offer)

    def _split(self) -> QWidget:
        held = QWidget()
        self._stack = QStackedLayout(held)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._table)
        title = label(self._say("files.title"), "strong")
        came = column(bar(title, self.told, self.save, stretch_after=1), held)
        title = label(self._say("files.offered"), "strong")
        offered = column(bar(title, self.needs, self.copy, stretch_after=1), self._offer_table)
        return TurningSplitter(LOW_FROM, [6, 5], [6, 5], came, offered, low=LOW)

    # ------------------------------------------------------------------ events

    def _on_upload(self) -> None:
        self.save.setEnabled(self._table.chosen() is not None)

    def _on_offer(self) -> None:
        offer = self._offer_table.chosen()
        self.copy.setEnabled(offer is not None)
        secure = offer is not None and offer.protocol == "https"
        self.needs.setText(self._say("files.needs_root") if secure else "")
        self.needs.setToolTip(self._say("files.needs_root_hint") if secure else "")

    def _on_chosen(self, key: object, path: str) -> None:
        record = self._model.record(self._model.row_of(key))
        if path and record is not None:
            self.save_to(record, Path(path))

    def _on_saved(self, result: object) -> None:
        if isinstance(result, OSError):
            why = result.strerror or str(result)
            self._tell(self._say("files.not_saved", why=why), "warning")
        elif isinstance(result, Path):
            self._tell(self._say("files.saved", name=result.name), "secondary")
            self.told.setToolTip(str(result))

    def _tell(self, words: str, role: str) -> None:
        self.told.setProperty("role", role)
        repolish(self.told)
        self.told.setText(words)
        self.told.setToolTip(words)

    # ------------------------------------------------------------------ words

    def _what(self, offer: Offer) -> str:
        key = "files.firmware" if offer.version else "files.logs"
        return self._say(key, version=offer.version, protocol=offer.protocol.upper())


def size_in_words(count: int) -> str:
    """Bytes for people, such as 12.3 kB."""
    form = QLocale.DataSizeFormat.DataSizeSIFormat
    return QLocale.c().formattedDataSize(count, 1, form)


def _key(record: UploadRecord) -> tuple[str, str]:
    """A station that sends a name again replaces what it had sent."""
    return record.station_id, record.name
