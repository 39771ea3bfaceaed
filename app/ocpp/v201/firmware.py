"""Firmware updates: UpdateFirmware, with a signature (part 2, L01) or without (L02)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.shared.jobs.course import FirmwareCourse
from app.ocpp.shared.jobs.job import FirmwareJob, Status
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.requests import job_of, refused_signer
from app.ocpp.v201.availability import Availability
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.patience import patience
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.remote import rejected
from app.ocpp.v201.transactions import Transactions
from app.ocpp.v201.triggers import Send, Where

ACTION = "FirmwareStatusNotification"
ALLOW_SESSIONS = "ChargingStation.AllowNewSessionsPendingFirmwareUpdate"

LONGEST_WAIT = 900.0
"""Station seconds that sessions still have under `force-after-timeout`."""
WINDOW = 3
"""The hour (UTC) at which `maintenance-window` installs."""


class Firmware(FirmwareCourse):
    """One update at a time; a newer request cancels an older one unless that is being installed."""

    def __init__(
        self,
        ctx: Context,
        notices: Notices,
        model: DeviceModel,
        office: Provisioning,
        availability: Availability,
        transactions: Transactions,
    ) -> None:
        super().__init__(ctx, notices)
        self._model = model
        self._office = office
        self._availability = availability
        self._tx = transactions
        transactions.idle_hooks.append(lambda _: self.standstill.look_again())

    def handlers(self) -> Mapping[str, Handler]:
        return {"UpdateFirmware": self._update}

    def start(self) -> None:
        self._model.watch(ALLOW_SESSIONS, self.standstill.look_again)
        super().start()

    async def _update(self, request: Payload) -> Reply:
        job = job_of(request, *await patience(self.ctx, request))
        refusal = await refused_signer(self.ctx, job.certificate or "") if job.signed else None
        if refusal is not None:  # L01.FR.22
            word, why = refusal
            info = {"reasonCode": "InvalidCertificate", "additionalInfo": why}
            return Reply(
                {"status": word, "statusInfo": info},
                then=lambda: self.raise_event("InvalidFirmwareSigningCertificate", why),
            )
        status = self.admit(job)
        if status == "Rejected":  # L01.FR.27
            return rejected("FwUpdateInProgress")
        return Reply({"status": status}, then=lambda: self.take_up(job))

    # ---- the course

    def report(self, job: FirmwareJob, status: Status) -> tuple[str, Payload]:
        return ACTION, self.remembered(job, status)

    def sessions_run(self) -> bool:
        return any(bay.transaction or bay.permission for bay in self._tx.all_bays())

    def withhold(self, *, everything: bool) -> None:
        if everything or not self._model.flag(ALLOW_SESSIONS):
            self._availability.withhold()
        else:
            self._availability.give_back()

    def give_back(self) -> None:
        self._availability.give_back()

    async def clear_the_way(self, job: FirmwareJob) -> None:
        """Open point ocpp201-firmware-vs-active-tx: how long sessions are waited for."""
        if not self.sessions_run():
            return
        chosen = await self.ctx.points.ask("ocpp201-firmware-vs-active-tx")
        if chosen == "install-in-background" or not self.sessions_run():
            return  # the reboot waits (L01.FR.33), or they ended while a person thought
        self._enter(job, Status.INSTALL_SCHEDULED, again=False)  # L01.FR.34
        if chosen == "maintenance-window":
            await self._window()
            self._end_sessions()
        timer = None
        if chosen == "force-after-timeout":
            timer = self.ctx.clock.call_in(LONGEST_WAIT, self._end_sessions)
        try:
            await self.standstill.until_idle()
        finally:
            if timer is not None:
                timer.cancel()

    async def _window(self) -> None:
        now = self.ctx.clock.now()
        begin = now.replace(hour=WINDOW, minute=0, second=0, microsecond=0)
        await self.ctx.clock.sleep_until(begin if begin > now else begin + timedelta(days=1))

    def _end_sessions(self) -> None:
        self._tx.end_all("AbnormalCondition", "Other")

    # ---- triggers

    def trigger(self, _: Where) -> Send:
        """What was told last, Idle after Installed (L01.FR.25 and .26)."""

        return lambda: self.ctx.spawn(self._tell_state(), "triggered firmware status")

    async def _tell_state(self) -> None:
        await self._office.say(ACTION, await self._state(), asked=True)

    async def _state(self) -> Payload:
        """Where nothing runs F06.FR.16 wants Idle: open point ocpp201-firmware-trigger-idle."""
        idle = {"status": Status.IDLE.value}
        if self.job is not None or self.told_last() == idle:
            return self.told_last()
        chosen = await self.ctx.points.ask("ocpp201-firmware-trigger-idle")
        at_rest = self.job is None  # an update may have begun while a person thought
        return idle if chosen == "idle" and at_rest else self.told_last()
