"""The installed charging profiles, and the station as they see it (1.6 part 3.13)."""

from __future__ import annotations

from app.kernel.units import parse_stamp
from app.ocpp.context import Context
from app.ocpp.events import ChargingProfilesChanged
from app.ocpp.shared.charging.book import Book
from app.ocpp.shared.charging.model import Outlet, Rate, Transaction, Unit
from app.ocpp.shared.charging.options import Options
from app.ocpp.shared.charging.parse import export, restore
from app.ocpp.shared.charging.rules import Limits
from app.ocpp.shared.charging.station import Site, make_site
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.rows import PROFILES
from app.station.kinds import Current
from app.station.snapshot import StationSnapshot

_UNITS = {"Current": Unit.A, "Power": Unit.W}
"""Errata 3.88: the words of the key for the units of the messages."""


class Profiles:
    """The book of profiles, kept as rows, and what is needed to judge one."""

    def __init__(self, ctx: Context, config: Configuration, connectors: Connectors) -> None:
        self._ctx = ctx
        self._config = config
        self._connectors = connectors
        self.book = Book()

    def restore(self) -> None:
        self.book = Book(tuple(restore(row) for _, row in self._ctx.store.rows(PROFILES)))

    def write(self, book: Book) -> bool:
        """Make this the book, in rows. True if that changed anything; tell so with `announce`."""
        if book.items == self.book.items:
            return False
        store = self._ctx.store
        with store.step():
            # all anew, as their order counts; there are but a few
            store.clear(PROFILES)
            for item in book:
                store.put(PROFILES, str(item.profile.id), export(item))
        self.book = book
        return True

    def announce(self) -> None:
        """Tell that the book changed."""
        self._ctx.bus.publish(ChargingProfilesChanged(len(self.book)))

    # ------------------------------------------------------------------ what the keys say

    def limits(self) -> Limits:
        return Limits(
            stack_level=self._config.number("ChargeProfileMaxStackLevel"),
            periods=self._config.number("ChargingScheduleMaxPeriods"),
            profiles=self._config.number("MaxChargingProfilesInstalled"),
        )

    def options(self) -> Options:
        """The options that keys decide; those of open points are at their defaults."""
        words = self._config.text("ChargingScheduleAllowedChargingRateUnit").split(",")
        units = frozenset(_UNITS[word.strip()] for word in words if word.strip() in _UNITS)
        site_default = Rate(float(self._config.number("SiteDefaultCurrent")), Unit.A)
        return Options(units=units, site_default=site_default)

    def foreign_unit(self, options: Options) -> bool:
        """A profile lies here in a unit that the station does not list."""
        return any(item.profile.schedule.unit not in options.units for item in self.book)

    # ------------------------------------------------------------------ the station

    def site(self) -> Site:
        """The connectors and the grid connection as they are now."""
        snapshot = self._ctx.station.snapshot()
        return make_site(
            [self._outlet(item, snapshot) for item in self._connectors],
            voltage=snapshot.supply_voltage,
            rating=Rate(snapshot.supply_current, Unit.A),
        )

    def _outlet(self, item: Connector, station: StationSnapshot) -> Outlet:
        evse = station.evse(item.evse)
        part = next(each for each in evse.connectors if each.id == item.id)
        direct = evse.current is Current.DC
        if direct:
            rating = Rate(evse.max_power, Unit.W)
        else:
            most = evse.max_power / (evse.line_voltage * evse.phases)
            rating = Rate(min(most, part.max_current), Unit.A)
        return Outlet(
            item.number,
            phases=evse.phases,
            voltage=evse.line_voltage,
            grid_voltage=station.supply_voltage if direct else None,
            dc=direct,
            rating=rating,
            transaction=_running(item),
            limits_phases=self._config.flag("ConnectorSwitch3to1PhaseSupported"),
        )


def _running(item: Connector) -> Transaction | None:
    transaction = item.transaction
    if transaction is None:
        return None
    return Transaction(transaction.transaction_id, parse_stamp(transaction.started))
