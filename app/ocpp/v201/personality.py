"""A station that speaks OCPP 2.0.1: its blocks, put together."""

from __future__ import annotations

from collections.abc import Mapping

from app.ocpp.context import BootState, Context, JobView, Payload, QueuedMessage, SessionView
from app.ocpp.outbox import Outbox
from app.ocpp.personality import Block, LinkPlan, LinkPolicy, LinkTrial, Personality
from app.ocpp.shared.security_desk import SecurityDesk
from app.ocpp.v201.authorization import Authorization
from app.ocpp.v201.availability import Availability
from app.ocpp.v201.cards import Cards
from app.ocpp.v201.certificates import Certificates
from app.ocpp.v201.configuration import PASSWORD, Configuration
from app.ocpp.v201.data_transfer import DataTransfer
from app.ocpp.v201.delivery import Delivery
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.ev_certificate import EvCertificates
from app.ocpp.v201.file_jobs import FileJobs
from app.ocpp.v201.metering import Metering
from app.ocpp.v201.network import Network
from app.ocpp.v201.presets import described
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.remote import Remote
from app.ocpp.v201.reports import Reports
from app.ocpp.v201.reset import Reset
from app.ocpp.v201.rooms import Rooms201
from app.ocpp.v201.security import Security
from app.ocpp.v201.transactions import Transactions
from app.ocpp.v201.triggers import Triggers
from app.ocpp.v201.variables import Mutability, Path, Variable
from app.ocpp.v201.watch import Watch
from app.ocpp.version import Version


class Personality201(Personality):
    """One power cycle of a 2.0.1 station."""

    version = Version.V201

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.model = DeviceModel(ctx)
        self.network = Network(ctx, self.model)
        self.office = Provisioning(ctx, self.model)
        self.network.switched = self.office.moved
        delivery = Delivery(ctx, self.model, self.office)
        self.outbox = Outbox(ctx, delivery)
        self._make_sessions()
        self._make_requests()
        self._make_security(delivery)
        self.rooms = Rooms201(ctx, self.model, self.outbox)
        self.blocks = self._in_order()
        self._wire(delivery)

    # ---- the blocks

    def _make_sessions(self) -> None:
        """Connectors, cards, what is measured, and the transactions over them."""
        ctx, model, office, outbox = self.ctx, self.model, self.office, self.outbox
        self.availability = Availability(ctx, model, office, outbox)
        self.authorization = Authorization(ctx, model, office)
        self.metering = Metering(ctx, model, office, outbox)
        self.transactions = Transactions(ctx, model, self.metering, outbox)
        self.watch = Watch(ctx, model, self.authorization, self.transactions)
        self._cards = Cards(ctx, office, self.authorization, self.transactions, self.watch)

    def _make_requests(self) -> None:
        """What the back office may ask for beside the device model."""
        ctx, office = self.ctx, self.office
        self._remote = Remote(
            ctx,
            self.model,
            office,
            self.authorization,
            self.availability,
            self.transactions,
        )
        self.reset = Reset(ctx, self.model, self.outbox, self.transactions)
        self.triggers = Triggers(ctx, office, self.availability, self.metering, self.transactions)
        self.file_jobs = FileJobs(
            ctx,
            self.model,
            office,
            self.availability,
            self.transactions,
            self.triggers,
            self.reset,
        )
        self.data_transfer = DataTransfer(ctx, office)

    def _make_security(self, delivery: Delivery) -> None:
        ctx, model, office = self.ctx, self.model, self.office
        self.security = Security(ctx, model, office, self.availability)
        self.security.hindrance = delivery.hindrance
        self.file_jobs.firmware.raise_event = self.security.raise_event
        self.certificates = Certificates(ctx, model, office, self.security, self.triggers)
        self.ev_certificates = EvCertificates(ctx, model, office)
        self.desk = SecurityDesk(
            self.security, self.certificates, self.ev_certificates, self.certificates.status
        )

    def _in_order(self) -> list[Block]:
        """The order in which they hear of events, of the link and of the start.

        Availability hears of a cable before transactions do: the state is told first.
        """
        return [
            self.model,
            self.network,
            self.office,
            self.availability,
            self.authorization,
            self.metering,
            self.transactions,
            self.watch,
            self._cards,
            self._remote,
            self.reset,
            self.triggers,
            Configuration(self.ctx, self.model),
            Reports(self.ctx, self.model, self.office),
            self.data_transfer,
            *self.file_jobs.blocks,
            self.security,
            self.certificates,
            self.ev_certificates,
        ]

    def _wire(self, delivery: Delivery) -> None:
        """What blocks tell each other."""
        delivery.answer_taken = self.watch.answered
        delivery.gone = self.reset.something_delivered
        delivery.failed = self.reset.delivery_failed
        delivery.held = lambda: self.availability.telling
        self.availability.told = self._states_told
        self.availability.busy = self._is_busy
        self.transactions.usable = self.availability.usable
        self.transactions.idle_hooks.append(self.availability.became_idle)
        self.office.accepted_hooks.append(self.outbox.kick)

    def _states_told(self) -> None:
        self.outbox.kick()
        self.security.kick()

    def _is_busy(self, evse: int) -> bool:
        bay = self.transactions.bays[evse]
        return bay.transaction is not None or bay.permission is not None

    # ---- life

    def start(self) -> None:
        super().start()
        self.outbox.start()

    def link_up(self, *, first: bool) -> None:
        super().link_up(first=first)
        self.outbox.kick()

    def link_down(self) -> None:
        super().link_down()
        self.outbox.kick()

    # ---- what runtime, window and control ask

    @property
    def boot_state(self) -> BootState:
        return self.office.state

    def admit(self, action: str) -> None:
        self.office.admit(action)

    def sessions(self) -> tuple[SessionView, ...]:
        return self.transactions.sessions()

    def paid(self) -> Mapping[int, str]:
        return {bay.evse: bay.paid for bay in self.transactions.bays.values() if bay.paid}

    def settings(self) -> list[Payload]:
        return [self._view(variable) for variable in self.model.variables()]

    def _view(self, variable: Variable) -> Payload:
        attributes: Payload = {
            name: {
                "value": None if variable.secret else self.model.value(variable, name),
                "mutability": attribute.mutability.value,
                "constant": attribute.constant,
                "persistent": attribute.persistent,
            }
            for name, attribute in variable.attributes.items()
        }
        actual = attributes.get("Actual", {})
        return {
            **described(variable),
            "value": actual.get("value"),
            "readonly": actual.get("mutability") == Mutability.READ_ONLY.value,
            "component": variable.place.payload(),
            "variable": variable.variable_payload(),
            "maximum": self.model.maximum(variable),
            "secret": variable.secret,
            "attributes": attributes,
        }

    def get_setting(self, name: str) -> str | None:
        path = Path.parse(name)
        variable = self.model.at(name)
        if path.attribute not in variable.attributes:
            raise KeyError(name)
        return None if variable.secret else self.model.value(variable, path.attribute)

    def set_setting(self, name: str, value: str) -> str:
        path = Path.parse(name)
        variable = self.model.at(name)
        if path.attribute not in variable.attributes:
            raise KeyError(name)
        status = self.model.set(variable, path.attribute, value, "person").status
        if status == "Accepted" and variable.path == PASSWORD:
            self.ctx.calls.close_link("the password has changed")
        return status

    def ask_time(self) -> bool:
        if not (self.office.accepted and self.ctx.calls.online):
            return False
        self.office.heartbeat()
        return True

    def link_policy(self) -> LinkPolicy:
        model = self.model
        return LinkPolicy(
            ping_interval=float(model.integer("OCPPCommCtrlr.WebSocketPingInterval")),
            message_timeout=float(
                self.network.message_timeout()
                or model.integer("OCPPCommCtrlr.MessageTimeout[Default]")
            ),
            backoff_minimum=float(model.integer("OCPPCommCtrlr.RetryBackOffWaitMinimum")),
            backoff_random=float(model.integer("OCPPCommCtrlr.RetryBackOffRandomRange")),
            backoff_repeats=model.integer("OCPPCommCtrlr.RetryBackOffRepeatTimes"),
        )

    def basic_auth_password(self) -> str | bytes | None:
        """The password that was set over the protocol, which goes out as it is (errata 2.1)."""
        return self.model.text(PASSWORD) or None

    async def before_link(self) -> None:
        await self.office.before_link(may_move=self.network.may_move)

    def link_plan(self) -> LinkPlan:
        return self.network.plan()

    def link_tried(self, trial: LinkTrial) -> None:
        self.network.tried(trial)
        self.security.link_tried(trial)

    def jobs(self) -> tuple[JobView, ...]:
        return self.file_jobs.views()

    def queue(self, limit: int | None = None) -> list[QueuedMessage]:
        return [*self.outbox.view(limit), *self.security.view()][:limit]
