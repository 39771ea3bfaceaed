"""How this station speaks OCPP 1.6J: its functional blocks, put together."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from app.kernel.text import Text
from app.kernel.units import parse_stamp
from app.ocpp.context import BootState, Context, JobView, Payload, QueuedMessage, SessionView
from app.ocpp.personality import Block, LinkPlan, LinkPolicy, LinkTrial, Personality
from app.ocpp.shared.security_desk import SecurityDesk
from app.ocpp.v16.authorization import Authorization
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.book import Book
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.certificates import Certificates
from app.ocpp.v16.configuration import PERSON, Configuration
from app.ocpp.v16.connectors import Connector, Connectors
from app.ocpp.v16.data_transfer import DataTransfer
from app.ocpp.v16.delivery import Delivery
from app.ocpp.v16.drivers import Drivers
from app.ocpp.v16.file_jobs import FileJobs
from app.ocpp.v16.heartbeat import Heartbeat
from app.ocpp.v16.link import Link
from app.ocpp.v16.local_list import LocalAuthList
from app.ocpp.v16.metering import Metering
from app.ocpp.v16.remote import Remote
from app.ocpp.v16.reservation import Reservations
from app.ocpp.v16.reset import Reset
from app.ocpp.v16.rooms import Rooms16
from app.ocpp.v16.rows import Transaction
from app.ocpp.v16.security import Security
from app.ocpp.v16.signals import Lights, Signals
from app.ocpp.v16.signing import Signing
from app.ocpp.v16.smart_charging import SmartCharging
from app.ocpp.v16.timers import Timers
from app.ocpp.v16.transactions import Transactions
from app.ocpp.v16.triggers import Triggers
from app.ocpp.version import Version


class Personality16(Personality):
    """A charge point of OCPP 1.6: all feature profiles."""

    version: ClassVar[Version] = Version.V16

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._timers = Timers(ctx.clock)
        self._make_station()
        self._make_sessions()
        self._make_requests()
        self._make_security()
        self._make_rooms()
        self.boot.followers.append(self.heartbeat.begin)
        self.blocks = self._in_order()

    # ------------------------------------------------------------------ the blocks

    def _make_station(self) -> None:
        """What a station is before anybody charges: its keys, its boot, its connectors, whom it knows."""
        ctx = self.ctx
        self.connectors = Connectors(ctx)
        self.configuration = config = Configuration(ctx, self.connectors)
        self.link = Link(ctx, config)
        self.heartbeat = Heartbeat(ctx, config)
        self.boot = boot = Boot(ctx, config, self.heartbeat)
        self.heartbeat.may_speak = lambda: boot.talking
        self.availability = Availability(ctx, config, self.connectors, boot, self._timers)
        self.authorization = Authorization(ctx, config, boot)
        self.local_list = self.authorization.local_list = LocalAuthList(ctx, config)

    def _make_sessions(self) -> None:
        """Transactions, what is measured in them, and who drives them at the station."""
        ctx, config, connectors = self.ctx, self.configuration, self.connectors
        boot, availability, authorization = self.boot, self.availability, self.authorization
        book, timers = Book(ctx.store), self._timers
        self.delivery = Delivery(
            ctx, config, boot, book, availability.notifier, authorization, timers
        )
        self.signing = Signing(ctx, config, connectors, boot)
        self.metering = Metering(ctx, config, connectors, book, self.delivery, self.signing)
        signals = Signals(ctx, config, timers)
        self.reservations = Reservations(ctx, config, connectors, availability, timers)
        self.charging = SmartCharging(ctx, config, connectors, timers)
        self.transactions = Transactions(
            ctx,
            config,
            connectors,
            availability,
            authorization,
            book,
            self.delivery,
            self.metering,
            self.reservations,
            self.charging,
            timers,
        )
        self.drivers = Drivers(
            ctx,
            config,
            connectors,
            boot,
            availability,
            authorization,
            self.transactions,
            self.reservations,
            signals,
            timers,
        )

    def _make_requests(self) -> None:
        """What the back office may ask for beside charging."""
        ctx, config, connectors = self.ctx, self.configuration, self.connectors
        self.triggers = Triggers(
            ctx,
            config,
            connectors,
            self.boot,
            self.heartbeat,
            self.availability,
            self.metering,
        )
        self.data_transfer = DataTransfer(ctx, self.boot)
        self._remote = Remote(
            ctx,
            config,
            connectors,
            self.boot,
            self.authorization,
            self.transactions,
            self.drivers,
            self.charging,
        )
        self._reset = Reset(
            ctx,
            config,
            connectors,
            self.availability,
            self.delivery,
            self.transactions,
            self.drivers,
        )

    def _make_security(self) -> None:
        """The security extension, and the files that it guards."""
        ctx, config, boot = self.ctx, self.configuration, self.boot
        self.security = Security(ctx, config, boot, self.availability.notifier)
        self.security.hindrance = self.delivery.hindrance
        self.certificates = Certificates(ctx, config, boot, self.security, self.triggers)
        self.desk = SecurityDesk(self.security, self.certificates)
        self.file_jobs = FileJobs(
            ctx,
            config,
            self.connectors,
            self.availability,
            boot,
            self.triggers,
            self.security.raise_event,
        )
        self._reset.hindered = lambda: self.file_jobs.firmware.installing

    def _make_rooms(self) -> None:
        self.rooms = Rooms16(
            self.ctx,
            self.configuration,
            self.connectors,
            self.authorization,
            self.local_list,
            self.reservations,
            self.charging,
            self.delivery.outbox,
        )

    def _in_order(self) -> list[Block]:
        """The order in which they hear of events, of the link and of the start."""
        return [
            self.configuration,
            self.boot,
            self.heartbeat,
            self.reservations,
            self.availability,
            self.local_list,
            self.authorization,
            self.delivery,
            self.signing,
            self.metering,
            self.charging,
            self.transactions,
            self.drivers,
            self._remote,
            self._reset,
            self.triggers,
            Lights(self.ctx, self.configuration),
            self.data_transfer,
            self.security,
            self.certificates,
            *self.file_jobs.blocks,
        ]

    def stop(self) -> None:
        super().stop()
        self._timers.cancel_all()

    # ------------------------------------------------------------------ queries

    @property
    def boot_state(self) -> BootState:
        return self.boot.state

    def admit(self, action: str) -> Awaitable[None] | None:
        return self.boot.admit(action)

    def sessions(self) -> tuple[SessionView, ...]:
        return tuple(
            self._view(item, item.transaction)
            for item in self.connectors
            if item.transaction is not None
        )

    def jobs(self) -> tuple[JobView, ...]:
        return self.file_jobs.views()

    def settings(self) -> list[Payload]:
        return self.configuration.describe()

    def get_setting(self, name: str) -> str | None:
        return self.configuration.get(name)

    def set_setting(self, name: str, value: str) -> str:
        self.configuration.get(name)
        status = self.configuration.change(name, value, PERSON)
        if status == "Accepted":
            self.configuration.changed(name)
        return status

    def why_not_setting(self, name: str, value: str) -> Text | None:
        return self.configuration.why_not(name, value, PERSON)

    def ask_time(self) -> bool:
        if not self.boot.talking:
            return False
        self.ctx.spawn(self.heartbeat.beat(), "heartbeat")
        return True

    def link_policy(self) -> LinkPolicy:
        return LinkPolicy(
            ping_interval=float(self.configuration.number("WebSocketPingInterval")),
            message_timeout=float(self.configuration.number("MessageTimeout") or 30),
        )

    def basic_auth_password(self) -> str | bytes | None:
        return self.link.password()

    async def before_link(self) -> None:
        await self.link.before_link()
        await self.boot.before_link()

    def link_plan(self) -> LinkPlan:
        return self.link.plan()

    def link_tried(self, trial: LinkTrial) -> None:
        self.link.tried(trial)
        self.security.link_tried(trial)

    def queue(self, limit: int | None = None) -> list[QueuedMessage]:
        return [*self.delivery.outbox.view(limit), *self.security.view()][:limit]

    def _view(self, item: Connector, transaction: Transaction) -> SessionView:
        known = transaction.transaction_id
        return SessionView(
            evse=item.evse,
            connector=item.id,
            transaction_id=None if known is None else str(known),
            id_token=transaction.token,
            started=parse_stamp(transaction.started),
            meter_start=float(transaction.meter_start),
            state=self.availability.condition(item.number).status,
        )
