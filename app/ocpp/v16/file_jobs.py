"""Firmware and logs of 1.6 put together: the blocks that move files, and one stream for their reports."""

from __future__ import annotations

from app.ocpp.context import Context, JobView
from app.ocpp.features import FIRMWARE
from app.ocpp.personality import Block
from app.ocpp.shared.jobs.course import RaiseEvent
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.v16.availability import Availability
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.diagnostics import Diagnostics
from app.ocpp.v16.firmware import Firmware
from app.ocpp.v16.logs import Logs
from app.ocpp.v16.triggers import Triggers


class FileJobs:
    """What the personality makes of this chapter."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        availability: Availability,
        boot: Boot,
        triggers: Triggers,
        raise_event: RaiseEvent,
    ) -> None:
        self._config = config
        notices = Notices(ctx, lambda: boot.talking)
        self.firmware = Firmware(ctx, notices, config, connectors, availability)
        self.firmware.raise_event = raise_event
        self.diagnostics = Diagnostics(ctx, notices, config)
        self.logs = Logs(ctx, notices, config)
        boot.followers.append(self.firmware.boot_accepted)
        if FIRMWARE in config.profiles:
            triggers.others["FirmwareStatusNotification"] = self.firmware.trigger
            triggers.others["DiagnosticsStatusNotification"] = self.diagnostics.trigger
            triggers.extended["FirmwareStatusNotification"] = self.firmware.trigger_signed
        triggers.extended["LogStatusNotification"] = self.logs.trigger

    @property
    def blocks(self) -> list[Block]:
        return [self.firmware, self.diagnostics, self.logs]

    def views(self) -> tuple[JobView, ...]:
        """The jobs that run, and the last of each kind."""
        found = (self.firmware.view(), self.diagnostics.view(), self.logs.view())
        return tuple(view for view in found if view is not None)
