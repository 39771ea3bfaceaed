"""The course of a firmware update: fetch, check, wait for sessions, install, reboot, tell.

What a version adds: its requests, and which words it tells of (`report`). Everything that has to survive a
power cut is in the job's row; the coroutine begins again from its phase. A download that was cut off by a
power cut begins anew and counts as no failed try; so does an installation.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from app.kernel.bus import Entry
from app.kernel.text import Text
from app.kernel.units import parse_stamp
from app.ocpp.context import (
    BootReason,
    Context,
    JobView,
    Payload,
    TransferFailed,
    TransferTrouble,
)
from app.ocpp.events import FirmwareProgress, TransactionEnded
from app.ocpp.personality import Block
from app.ocpp.shared.jobs.faults import FirmwareFault
from app.ocpp.shared.jobs.image import BadImage, read_image, version_of_name
from app.ocpp.shared.jobs.job import (
    FILE,
    INSTALLED,
    JOB,
    LAST,
    NEXT,
    TABLE,
    TOLD,
    FirmwareJob,
    Phase,
    Status,
)
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.progress import Ticks
from app.ocpp.shared.jobs.signing import check_file
from app.ocpp.shared.jobs.standstill import Standstill
from app.ocpp.shared.jobs.views import ahead, file_name, firmware_view, shown
from app.station.commands import Restart
from app.station.kinds import RestartKind

RaiseEvent = Callable[[str, str], None]

_NEED_THE_FILE = frozenset({Phase.DOWNLOADED, Phase.WAITING, Phase.INSTALLING})


class FirmwareCourse(Block):
    """Carries out one update at a time. Subclasses add the messages of their version."""

    def __init__(self, ctx: Context, notices: Notices) -> None:
        super().__init__(ctx)
        self.notices = notices
        self.job: FirmwareJob | None = None
        self.last: FirmwareJob | None = None
        """The one before: what it came to stays to be asked for."""
        self.raise_event: RaiseEvent = lambda kind, info: None
        """Raises a security event."""
        self._ticks: Ticks | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = 0
        self._after_reboot = False
        self.standstill = Standstill(ctx, self.sessions_run, self.withhold, self.give_back)

    # ------------------------------------------------------------------ what a version adds

    def report(self, job: FirmwareJob, status: Status) -> tuple[str, Payload] | None:
        """The message that tells of this status, None where the version has none for it."""
        raise NotImplementedError

    def sessions_run(self) -> bool:
        """Transactions are under way: nothing can be installed."""
        raise NotImplementedError

    def withhold(self, *, everything: bool) -> None:
        """Take what is free out of service for the time of the update; or all, the station too."""
        raise NotImplementedError

    def give_back(self) -> None:
        """Undo `withhold`."""
        raise NotImplementedError

    async def clear_the_way(self, job: FirmwareJob) -> None:
        """Before it installs: wait for all sessions to end."""
        await self.standstill.until_idle()

    # ------------------------------------------------------------------ block

    def restore(self) -> None:
        store = self.ctx.store
        self.job, self.last = self._read(JOB), self._read(LAST)
        if self.job is None and store.get(TABLE, NEXT) is not None:
            self._promote()
        self._after_reboot = self.job is not None and self.job.phase == Phase.REBOOTING
        if self.job is not None and self.job.phase in _NEED_THE_FILE and not self._has_file():
            self._move(self.job, Phase.DOWNLOADING)

    def start(self) -> None:
        self.on(self._on_session_end, TransactionEnded)
        if self.job is not None and not self._after_reboot:
            self._go()

    def link_up(self, *, first: bool) -> None:
        self.notices.kick()

    def boot_accepted(self) -> None:
        """The back office has accepted us: what waited is told, and that the new version runs."""
        if self._after_reboot and self.job is not None:
            self._after_reboot = False
            self._installed(self.job)
        self.notices.kick()

    def _read(self, key: str) -> FirmwareJob | None:
        row = self.ctx.store.get(TABLE, key)
        return FirmwareJob.of(row) if row else None

    @property
    def installing(self) -> bool:
        """The new version is being written over the old one: that cannot be stopped."""
        return self.job is not None and not self.job.can_be_cancelled

    @property
    def at_work(self) -> bool:
        """An update is being carried out, at most waiting for sessions: no date lies ahead."""
        job = self.job
        if job is None or job.phase == Phase.SCHEDULED:
            return False
        return job.phase != Phase.WAITING or ahead(job.install_at, self.ctx.clock.now()) is None

    # ------------------------------------------------------------------ beginning and giving up

    def admit(self, job: FirmwareJob) -> str:
        """Take a request on: Accepted, AcceptedCanceled, or Rejected where the old one cannot stop.

        The row is written at once; `take_up()` begins, once the answer is out.
        """
        if self.installing:
            return "Rejected"
        answer = "Accepted" if self.job is None else "AcceptedCanceled"
        with self.ctx.store.step():
            self.ctx.store.delete(TABLE, NEXT)
            self.ctx.store.put(TABLE, JOB, job.row())
        return answer

    def take_up(self, job: FirmwareJob) -> None:
        """Begin a job that was admitted; one that is under way ends without a word to the back office."""
        if self.job is not None:
            self._drop(self.job)
        self.job = job
        self._go()

    def put_off(self, job: FirmwareJob) -> None:
        """Begin as soon as the present one is through."""
        self.ctx.store.put(TABLE, NEXT, job.row())

    def _drop(self, job: FirmwareJob) -> None:
        self._turn += 1
        if self._task is not None:
            self._task.cancel()
        job.failed_because(Text("transfer.job.cancelled"))
        job.location = shown(job.location)
        self.last = job
        self.ctx.store.put(TABLE, LAST, job.row())
        self._release()
        self._publish(job)

    def _go(self) -> None:
        self._turn += 1
        self.ctx.spawn(self._run(self._turn, self._task), "firmware")

    async def _run(self, turn: int, before: asyncio.Task[None] | None) -> None:
        """Carry the job out, until it is over or another one takes its place."""
        if before is not None:
            await asyncio.wait([before])  # both write to the same file
        if turn != self._turn:
            return
        self._task = asyncio.current_task()
        steps = {
            Phase.SCHEDULED: self._wait_for_date,
            Phase.DOWNLOADING: self._download,
            Phase.DOWNLOADED: self._check,
            Phase.WAITING: self._wait_for_sessions,
            Phase.INSTALLING: self._install,
            Phase.REBOOTING: self._reboot,
        }
        while turn == self._turn and (job := self.job) is not None:
            phase = Phase(job.phase)
            await steps[phase](job)
            if phase is Phase.REBOOTING:
                return

    # ------------------------------------------------------------------ fetching

    async def _wait_for_date(self, job: FirmwareJob) -> None:
        if job.retrieve_date > self.ctx.clock.now():
            self._enter(job, Status.DOWNLOAD_SCHEDULED, again=False)
            await self.ctx.clock.sleep_until(job.retrieve_date)
        self._move(job, Phase.DOWNLOADING)

    async def _download(self, job: FirmwareJob) -> None:
        if job.retry_at is not None:
            await self.ctx.clock.sleep_until(parse_stamp(job.retry_at))
            job.retry_at = None
        self._enter(job, Status.DOWNLOADING)
        if self.ctx.faults.firmware.take(FirmwareFault.PAUSE):
            self._enter(job, Status.DOWNLOAD_PAUSED)
            await self._pause(self.ctx.faults.pause_seconds)
            self._enter(job, Status.DOWNLOADING)
        try:
            await self._fetch(job)
        except TransferFailed as failure:
            self._failed_try(job, failure)
            return
        finally:
            self._ticks = None
        job.failed_because(None)
        self._enter(job, Status.DOWNLOADED, phase=Phase.DOWNLOADED)

    async def _fetch(self, job: FirmwareJob) -> None:
        transfer, began = self.ctx.transfer, self.ctx.clock.elapsed()
        if transfer is None or self.ctx.files is None:
            raise TransferFailed(Text("transfer.none"), TransferTrouble.NOT_SUPPORTED)
        if self.ctx.faults.firmware.take(FirmwareFault.DOWNLOAD):
            await self._pause(self.ctx.faults.download_seconds)
            raise TransferFailed(Text("transfer.chosen"), TransferTrouble.CHOSEN)
        self._ticks = Ticks(lambda done, total: self._publish(job, done, total))
        await transfer.download(job.location, self._file, progress=self._ticks)
        await self._pause(self.ctx.faults.download_seconds - (self.ctx.clock.elapsed() - began))

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self.ctx.clock.sleep(seconds)

    def _failed_try(self, job: FirmwareJob, failure: TransferFailed) -> None:
        if not job.tries_again(failure, self.ctx.clock.now()):
            self._fail(job, Status.DOWNLOAD_FAILED, failure.text)
            return
        self._move(job, Phase.DOWNLOADING)
        self._publish(job)

    # ------------------------------------------------------------------ checking

    async def _check(self, job: FirmwareJob) -> None:
        """Whose is it? Only then a word of it is believed."""
        try:
            if job.signed and not await self._signature_fits(job):
                return
            job.version = await asyncio.to_thread(self._version, job.location)
        except OSError as error:
            self._fail(job, Status.INSTALLATION_FAILED, _unreadable(error))
            return
        if job.signed:
            self._enter(job, Status.SIGNATURE_VERIFIED, phase=Phase.WAITING)
        else:
            self._move(job, Phase.WAITING)

    async def _signature_fits(self, job: FirmwareJob) -> bool:
        why = await asyncio.to_thread(
            check_file, self._file, job.certificate or "", job.signature or ""
        )
        if self.ctx.faults.firmware.take(FirmwareFault.SIGNATURE):
            why = "chosen to fail"
        if why is None:
            return True
        self.raise_event("InvalidFirmwareSignature", why)
        self._fail(job, Status.INVALID_SIGNATURE, Text("transfer.job.signature", {"why": why}))
        return False

    def _version(self, location: str) -> str:
        name = file_name(location)
        try:
            return read_image(self._file, name).version
        except BadImage:
            return version_of_name(name)  # it fails when it is to be installed

    # ------------------------------------------------------------------ installing

    async def _wait_for_sessions(self, job: FirmwareJob) -> None:
        """The date comes, and what else a version waits for."""
        if job.install_at is not None and parse_stamp(job.install_at) > self.ctx.clock.now():
            self._enter(job, Status.INSTALL_SCHEDULED, again=False)
            await self.ctx.clock.sleep_until(parse_stamp(job.install_at))
        await self.clear_the_way(job)
        self._move(job, Phase.INSTALLING)

    async def _install(self, job: FirmwareJob) -> None:
        faults = self.ctx.faults
        if self.sessions_run():  # it is written beside the old one, and waits with the reboot
            self.standstill.keep_free()
        else:
            self.standstill.close()
        self._enter(job, Status.INSTALLING)
        bad = await self._refused_image(job)
        if bad is not None:
            self._fail(job, *bad)
            return
        if faults.firmware.take(FirmwareFault.INSTALLATION):
            await self._pause(faults.install_seconds / 2)
            self._fail(job, Status.INSTALLATION_FAILED, Text("transfer.chosen"))
            return
        await self._pause(faults.install_seconds)
        await self.standstill.until_idle()
        self.standstill.close()  # until it is down: the back office is to hear of that first
        with self.ctx.store.step():
            self.ctx.store.put(TABLE, INSTALLED, {"version": job.version})
            self._note(job, Status.INSTALL_REBOOTING, Phase.REBOOTING)
        self._announce(job)

    async def _refused_image(self, job: FirmwareJob) -> tuple[Status, Text] | None:
        """Why the image cannot be installed, None where it can."""
        if self.ctx.faults.firmware.take(FirmwareFault.VERIFICATION):
            return Status.VERIFICATION_FAILED, Text("transfer.chosen")
        try:
            await asyncio.to_thread(read_image, self._file, file_name(job.location))
        except BadImage as error:
            text = Text(f"transfer.job.{error.why}")
            if error.why == "checksum":
                return Status.VERIFICATION_FAILED, text
            return Status.INSTALLATION_FAILED, text
        except OSError as error:
            return Status.INSTALLATION_FAILED, _unreadable(error)
        return None

    async def _reboot(self, job: FirmwareJob) -> None:
        await self.notices.flushed()
        self.ctx.station.handle(Restart(RestartKind.HARD, inevitable=True))
        self.ctx.reboot(BootReason.FIRMWARE_UPDATE)

    def _installed(self, job: FirmwareJob) -> None:
        self._end(job, Status.INSTALLED)
        self.raise_event("FirmwareUpdated", job.version or "")

    # ------------------------------------------------------------------ the row

    def _move(self, job: FirmwareJob, phase: Phase) -> None:
        job.phase = phase
        self.ctx.store.put(TABLE, JOB, job.row())

    def _enter(
        self,
        job: FirmwareJob,
        status: Status,
        *,
        phase: Phase | None = None,
        again: bool = True,
    ) -> None:
        """A new status began: one step for the row and for what is told of it.

        `again`: also where it is the one that was told last.
        """
        if job.status == status and not again:
            return
        self._note(job, status, phase)
        self._announce(job)

    def _note(self, job: FirmwareJob, status: Status, phase: Phase | None) -> None:
        job.status = status
        if phase is not None:
            job.phase = phase
        with self.ctx.store.step():
            self.ctx.store.put(TABLE, JOB, job.row())
            self._tell(job, status)

    def _announce(self, job: FirmwareJob) -> None:
        self._publish(job)
        self.notices.kick()

    def _tell(self, job: FirmwareJob, status: Status) -> None:
        message = self.report(job, status)
        if message is not None:
            self.notices.put(*message)

    def _fail(self, job: FirmwareJob, status: Status, why: Text) -> None:
        job.failed_because(why)
        self._end(job, status)

    def _end(self, job: FirmwareJob, status: Status) -> None:
        """It is over, well or not; one that was put off comes next."""
        job.status = status
        job.location = shown(job.location)  # nothing secret is kept that is of no more use
        with self.ctx.store.step():
            self.ctx.store.delete(TABLE, JOB)
            self.ctx.store.put(TABLE, LAST, job.row())
            self._tell(job, status)
            self.last, self.job = job, None
            following = self._promote()
        self._release()
        self._announce(job)
        if following:
            self._go()

    def _promote(self) -> bool:
        """The job that was put off becomes the present one."""
        self.job = self._read(NEXT)
        if self.job is None:
            return False
        with self.ctx.store.step():
            self.ctx.store.delete(TABLE, NEXT)
            self.ctx.store.put(TABLE, JOB, self.job.row())
        return True

    def remembered(self, job: FirmwareJob, status: Status) -> Payload:
        """What is told of a status, with the request's id; it stays to be asked for."""
        told: Payload = {"status": status.value, "requestId": job.request_id}
        self.ctx.store.put(TABLE, TOLD, told)
        return told

    def told_last(self) -> Payload:
        """What was last told with an id, Idle after Installed (errata 26)."""
        told = self.ctx.store.get(TABLE, TOLD)
        return {"status": "Idle"} if told is None or told["status"] == Status.INSTALLED else told

    # ------------------------------------------------------------------ what people see

    def view(self) -> JobView | None:
        """The update under way, else the last one."""
        job = self.job or self.last
        if job is None:
            return None
        running = job is self.job
        return firmware_view(job, running, self._ticks if running else None, self.ctx.clock.now())

    def _publish(self, job: FirmwareJob, done: int | None = None, total: int | None = None) -> None:
        self.ctx.bus.publish(
            FirmwareProgress(job.status, job.version, job.detail, job.request_id, done, total)
        )

    def _release(self) -> None:
        """Back to normal service; the download is of no more use."""
        if self.ctx.files is not None:
            with contextlib.suppress(OSError):  # it lies in a folder of ours, and is written over
                self._file.unlink(missing_ok=True)
        self.standstill.end()

    def _on_session_end(self, entry: Entry) -> None:
        self.standstill.look_again()

    def _has_file(self) -> bool:
        return self.ctx.files is not None and self._file.is_file()

    @property
    def _file(self) -> Path:
        assert self.ctx.files is not None
        return self.ctx.files / FILE


def _unreadable(error: OSError) -> Text:
    return Text("transfer.own_disk", {"file": FILE, "why": error.strerror or str(error)})
