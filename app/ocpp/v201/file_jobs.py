"""Firmware and logs of 2.0.1 put together: the blocks that move files, and one stream for their reports."""

from __future__ import annotations

from app.ocpp.context import Context, JobView
from app.ocpp.personality import Block
from app.ocpp.shared.jobs.logs import ACTION as LOG_STATUS
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.v201.availability import Availability
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.firmware import ACTION as FIRMWARE_STATUS
from app.ocpp.v201.firmware import Firmware
from app.ocpp.v201.logs import Logs
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.reset import Reset
from app.ocpp.v201.transactions import Transactions
from app.ocpp.v201.triggers import Triggers


class FileJobs:
    """What the personality makes of this chapter."""

    def __init__(
        self,
        ctx: Context,
        model: DeviceModel,
        office: Provisioning,
        availability: Availability,
        transactions: Transactions,
        triggers: Triggers,
        reset: Reset,
    ) -> None:
        notices = Notices(ctx, lambda: office.accepted and ctx.calls.online)
        self.firmware = Firmware(ctx, notices, model, office, availability, transactions)
        self.logs = Logs(ctx, notices, office)
        office.accepted_hooks.append(self.firmware.boot_accepted)
        triggers.register(FIRMWARE_STATUS, self.firmware.trigger)
        triggers.register(LOG_STATUS, self.logs.trigger)
        # errata 2.14: a station that does one of these is not idle
        reset.busy += [lambda: self.logs.job is not None, lambda: self.firmware.at_work]
        reset.hindered = lambda: self.firmware.installing

    @property
    def blocks(self) -> list[Block]:
        return [self.firmware, self.logs]

    def views(self) -> tuple[JobView, ...]:
        """The jobs that run, and the last of each kind."""
        found = (self.firmware.view(), self.logs.view())
        return tuple(view for view in found if view is not None)
