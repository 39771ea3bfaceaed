"""The stations that are, or were, connected to the training CSMS, and what it noticed about them."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QItemSelection, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.kernel.catalogue import Catalogue
from app.training.records import (
    ConnectorRecord,
    CsmsSnapshot,
    Level,
    LogEntry,
    StationRecord,
)
from app.training.settings import V16
from ui.rooms.empty import EmptyState
from ui.rooms.form import Words, add_stack, bar, button, column, label
from ui.rooms.split import TurningSplitter
from ui.rooms.table import Column, Mark, RecordModel, RecordTable
from ui.theme import Theme
from ui.training.feed import TrainingFeed, TrainingView
from ui.widgets.turns import Work

TURN_AT = 640
LOW_FROM, LOW = 1000, 340
"""A dock so wide and so low has table and detail side by side."""
_MARKS = {
    "Available": Mark("available", "avail"),
    "Preparing": Mark("occupied", "charge"),
    "Occupied": Mark("occupied", "charge"),
    "Charging": Mark("charging", "charge"),
    "SuspendedEV": Mark("occupied", "charge"),
    "SuspendedEVSE": Mark("occupied", "charge"),
    "Finishing": Mark("occupied", "charge"),
    "Reserved": Mark("reserved", "reserve"),
    "Unavailable": Mark("unavailable", "unavail"),
    "Faulted": Mark("faulted", "fault"),
}


class StationsTab(QWidget):
    """`chosen` carries the record of the selected station."""

    chosen = Signal(object)

    def __init__(self, feed: TrainingFeed, theme: Theme, catalogue: Catalogue) -> None:
        super().__init__()
        self._feed, self._theme = feed, theme
        self._say = Words(catalogue, "training_panel")

    def build(self) -> Work:
        """In steps of a few milliseconds; nothing else is called before its end."""
        theme = self._theme
        self._empty = EmptyState(
            "network", self._say("stations.none"), self._say("stations.none_hint"), theme
        )
        self._url = label("", "mono")
        self._copy = button(self._say("copy_url"), "quiet")
        self._copy.setAccessibleName(self._say("copy_url_name"))
        self._copy.clicked.connect(self._copy_url)
        self._close = button(self._say("stations.disconnect"), "quiet")
        self._close.setToolTip(self._say("stations.disconnect_hint"))
        self._close.clicked.connect(self._disconnect)
        yield
        yield from self._make_tables(theme)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar(self._url, self._close, self._copy))
        yield
        tables = self._tables()
        yield
        self._stack = add_stack(box, self._empty, tables)

    def set_theme(self, theme: Theme) -> None:
        self._empty.set_theme(theme)
        for model in (self._stations, self._connectors, self._log):
            model.set_theme(theme)

    @property
    def table(self) -> RecordTable[StationRecord]:
        return self._table

    def show_view(self, view: TrainingView) -> None:
        self._url.setText(view.snapshot.url if view.running else self._say("not_running"))
        self._url.setToolTip(self._say("url_hint"))
        self._copy.setEnabled(view.running)
        self._stations.show(view.snapshot.stations)
        self._log.show(_newest_first(view.snapshot))
        self._stack.setCurrentIndex(1 if view.snapshot.stations else 0)
        if self._table.chosen() is None and view.snapshot.stations:
            self._table.choose(view.snapshot.stations[0].id)
        self._show_station()

    def _make_tables(self, theme: Theme) -> Work:
        say = self._say
        stations = (
            Column[StationRecord](
                say("stations.id"), lambda s: s.id, strong=True, mark=self._link_mark
            ),
            Column[StationRecord](say("stations.version"), lambda s: s.version, 56),
            Column[StationRecord](
                say("stations.boot"),
                self._boot,
                108,
                mark=_boot_mark,
            ),
            Column[StationRecord](say("stations.since"), self._since, 148, from_width=450),
            Column[StationRecord](say("stations.model"), _model, 170, from_width=640),
            Column[StationRecord](say("stations.connectors"), self._summary, from_width=760),
        )
        self._stations = RecordModel[StationRecord](stations, lambda s: s.id, theme, self)
        self._table = RecordTable[StationRecord](self._stations, stations, say("stations.title"))
        self._table.selectionModel().selectionChanged.connect(self._on_selection)
        yield
        connectors = (
            Column[ConnectorRecord](say("stations.place"), self._place, 160, strong=True),
            Column[ConnectorRecord](
                say("stations.status"), lambda c: c.status, 118, mark=lambda c: _MARKS.get(c.status)
            ),
            Column[ConnectorRecord](say("stations.error"), _error, from_width=360),
            Column[ConnectorRecord](
                say("stations.at"), lambda c: clock(c.at), 76, mono=True, from_width=420
            ),
        )
        self._connectors = RecordModel[ConnectorRecord](
            connectors, lambda c: (c.evse, c.connector), theme, self
        )
        self._connector_table = RecordTable[ConnectorRecord](
            self._connectors, connectors, say("stations.connectors")
        )
        yield
        log = (
            Column[LogEntry](say("log.at"), lambda e: clock(e.at), 84, mono=True),
            Column[LogEntry](say("log.station"), lambda e: e.station_id, 112, from_width=620),
            Column[LogEntry](
                say("log.what"), lambda e: say.catalogue.render(e.text), mark=_level_mark
            ),
        )
        self._log = RecordModel[LogEntry](log, id, theme, self)
        self._log_table = RecordTable[LogEntry](self._log, log, say("log.title"))

    def _tables(self) -> QWidget:
        connectors = column(
            bar(label(self._say("stations.connectors"), "strong")), self._connector_table
        )
        noticed = column(bar(label(self._say("log.title"), "strong")), self._log_table)
        details = TurningSplitter(TURN_AT, [45, 55], [4, 5], connectors, noticed, low=10_000)
        return TurningSplitter(LOW_FROM, [36, 64], [4, 6], self._table, details, low=LOW)

    def _on_selection(self, _: QItemSelection, __: QItemSelection) -> None:
        self._show_station()
        self.chosen.emit(self._table.chosen())

    def _show_station(self) -> None:
        station = self._table.chosen()
        self._connectors.show(() if station is None else station.connectors)
        self._close.setEnabled(station is not None and station.connected)

    def _copy_url(self) -> None:
        QGuiApplication.clipboard().setText(self._feed.view.snapshot.url)

    def _disconnect(self) -> None:
        station = self._table.chosen()
        if station is not None:
            self._feed.csms.disconnect(station.id)

    # ------------------------------------------------------------------ words

    def _since(self, station: StationRecord) -> str:
        key = "stations.connected_since" if station.connected else "stations.gone"
        return self._say(key, time=clock(station.since))

    def _link_mark(self, station: StationRecord) -> Mark:
        return Mark("available", "avail") if station.connected else Mark("off", "unavail")

    def _boot(self, station: StationRecord) -> str:
        return self._say("stations.no_boot") if station.boot is None else station.boot.status

    def _place(self, connector: ConnectorRecord) -> str:
        if connector.evse == 0:
            return self._say("stations.whole")
        station = self._table.chosen()
        if station is not None and station.version == V16:
            return self._say("stations.connector_16", connector=connector.evse)
        return self._say(
            "stations.connector_201", evse=connector.evse, connector=connector.connector
        )

    def _summary(self, station: StationRecord) -> str:
        words = [
            f"{one.evse} {one.status}" for one in station.connectors if one.evse or one.connector
        ]
        return ", ".join(words)


def clock(moment: datetime | None) -> str:
    """A moment as the time of day here; empty for none."""
    return "" if moment is None else moment.astimezone().strftime("%H:%M:%S")


def _boot_mark(station: StationRecord) -> Mark:
    status = "" if station.boot is None else station.boot.status
    if status == "Accepted":
        return Mark("tick", "avail")
    return Mark("faulted", "fault") if status == "Rejected" else Mark("waiting", "text2")


def _model(station: StationRecord) -> str:
    return "" if station.boot is None else f"{station.boot.vendor} {station.boot.model}"


def _error(connector: ConnectorRecord) -> str:
    parts = (connector.error_code, connector.vendor_error_code, connector.info)
    return ", ".join(part for part in parts if part and part != "NoError")


def _level_mark(entry: LogEntry) -> Mark | None:
    return Mark("warning", "warn") if entry.level is Level.WARNING else None


def _newest_first(snapshot: CsmsSnapshot) -> tuple[LogEntry, ...]:
    return snapshot.log[::-1]
