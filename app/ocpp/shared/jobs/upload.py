"""Uploads of the station's log: pack what is of the time asked for, send it, tell how it went.

What a version adds: its requests and its words (`report`). The job is a row: after a power cut it is packed
and sent anew, which counts as no failed try.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.kernel.text import Text
from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, JobView, Payload, TransferFailed, TransferTrouble
from app.ocpp.events import LogProgress
from app.ocpp.personality import Block
from app.ocpp.shared.jobs.faults import LogFault
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.progress import Ticks
from app.ocpp.shared.jobs.row import Job
from app.ocpp.shared.jobs.views import ahead, shown

TABLE = "log_uploads"
DIAGNOSTICS, SECURITY = "DiagnosticsLog", "SecurityLog"


class LogStatus(StrEnum):
    """How an upload stands. Each version has its own words for some."""

    IDLE = "Idle"
    UPLOADING = "Uploading"
    UPLOADED = "Uploaded"
    FAILURE = "UploadFailure"
    BAD_MESSAGE = "BadMessage"
    DENIED = "PermissionDenied"
    NOT_SUPPORTED = "NotSupportedOperation"
    CANCELED = "AcceptedCanceled"
    """A newer request took its place: told by 2.0.1 alone."""


_WORDS = {
    TransferTrouble.DENIED: LogStatus.DENIED,
    TransferTrouble.BAD_MESSAGE: LogStatus.BAD_MESSAGE,
    TransferTrouble.NOT_SUPPORTED: LogStatus.NOT_SUPPORTED,
}
"""What is told of a failure; all others are an UploadFailure (N01.FR.10: as precise as possible)."""

_CHOSEN = {
    LogFault.UPLOAD: TransferTrouble.CHOSEN,
    LogFault.DENIED: TransferTrouble.DENIED,
    LogFault.BAD_MESSAGE: TransferTrouble.BAD_MESSAGE,
    LogFault.NOT_SUPPORTED: TransferTrouble.NOT_SUPPORTED,
}


@dataclass(slots=True, eq=False, kw_only=True)
class UploadJob(Job):
    """One upload. `since` and `until` as on the wire."""

    log: str
    """DiagnosticsLog or SecurityLog."""
    name: str
    since: str | None = None
    until: str | None = None

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        since, until = self.since, self.until
        return parse_stamp(since) if since else None, parse_stamp(until) if until else None


class UploadCourse(Block):
    """Carries out one upload at a time. `key` names its row: a version may have several kinds."""

    def __init__(self, ctx: Context, notices: Notices, key: str) -> None:
        super().__init__(ctx)
        self.notices = notices
        self._key = key
        self.job: UploadJob | None = None
        self.last: UploadJob | None = None
        """The one before, as long as the power lasts."""
        self._ticks: Ticks | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = 0

    # ------------------------------------------------------------------ what a version adds

    def report(self, job: UploadJob, status: LogStatus) -> tuple[str, Payload]:
        """The message that tells of this status."""
        raise NotImplementedError

    def superseded(self, job: UploadJob) -> None:
        """A newer request ended this upload. Unless a version says otherwise nobody is told."""

    # ------------------------------------------------------------------ block

    def restore(self) -> None:
        row = self.ctx.store.get(TABLE, self._key)
        self.job = UploadJob.of(row) if row else None

    def start(self) -> None:
        if self.job is not None:
            self._go()

    # ------------------------------------------------------------------ beginning and giving up

    def file_name_of(self, log: str) -> str:
        """A name for the file, telling when it was asked for."""
        kind = "security" if log == SECURITY else "diagnostics"
        now = self.ctx.clock.now().strftime("%Y%m%dT%H%M%SZ")
        who = self.ctx.settings.identity.serial_number or "station"
        safe = "".join(each if each.isalnum() or each in "-_" else "-" for each in who)
        return f"{safe[:60]}-{kind}-{now}.tar.gz"

    def holds(self, log: str, since: datetime | None, until: datetime | None) -> bool:
        """Is there anything of that time that could be sent?"""
        if self.ctx.logs is None or self.ctx.faults.log.take(LogFault.EMPTY):
            return False
        return self.ctx.logs.holds(log, since, until)

    def admit(self, job: UploadJob) -> str:
        """Write a request down: Accepted, or AcceptedCanceled where it takes the place of another."""
        answer = "Accepted" if self.job is None else "AcceptedCanceled"
        self.ctx.store.put(TABLE, self._key, job.row())
        return answer

    def take_up(self, job: UploadJob) -> None:
        """Begin what was admitted; an upload that is under way ends."""
        if self.job is not None:
            self._turn += 1
            if self._task is not None:
                self._task.cancel()
            self.job.failed_because(Text("transfer.job.cancelled"))
            self._publish(self.job)
            self.superseded(self.job)
        self.job = job
        self._go()

    def _go(self) -> None:
        self._turn += 1
        self.ctx.spawn(self._run(self._turn), "log upload")

    # ------------------------------------------------------------------ the upload

    async def _run(self, turn: int) -> None:
        job = self.job
        if turn != self._turn or job is None:
            return
        self._task = asyncio.current_task()
        while True:
            if job.retry_at is not None:
                await self.ctx.clock.sleep_until(parse_stamp(job.retry_at))
                job.retry_at = None
            self._enter(job, LogStatus.UPLOADING)
            try:
                await self._send(job)
            except TransferFailed as failure:
                if self._failed_try(job, failure):
                    return
                continue
            finally:
                self._ticks = None
            job.failed_because(None)
            self._end(job, LogStatus.UPLOADED)
            return

    async def _send(self, job: UploadJob) -> None:
        transfer, logs, began = self.ctx.transfer, self.ctx.logs, self.ctx.clock.elapsed()
        if transfer is None or logs is None:
            raise TransferFailed(Text("transfer.none"), TransferTrouble.NOT_SUPPORTED)
        for fault, trouble in _CHOSEN.items():
            if self.ctx.faults.log.take(fault):
                await self._pause(self.ctx.faults.upload_seconds)
                raise TransferFailed(Text("transfer.chosen"), trouble)
        path = await _packed(logs.archive(job.log, *job.period))
        try:
            self._ticks = Ticks(lambda done, total: self._publish(job, done, total))
            await transfer.upload(job.location, path, job.name, progress=self._ticks)
        finally:
            with contextlib.suppress(OSError):  # what is left is cleared at the next start
                path.unlink(missing_ok=True)
        await self._pause(self.ctx.faults.upload_seconds - (self.ctx.clock.elapsed() - began))

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self.ctx.clock.sleep(seconds)

    def _failed_try(self, job: UploadJob, failure: TransferFailed) -> bool:
        """True where that was the last one (DG-02)."""
        if not job.tries_again(failure, self.ctx.clock.now()):
            self._end(job, _WORDS.get(failure.trouble, LogStatus.FAILURE))
            return True
        self.ctx.store.put(TABLE, self._key, job.row())
        self._publish(job)
        return False

    def _enter(self, job: UploadJob, status: LogStatus) -> None:
        job.status = status
        with self.ctx.store.step():
            self.ctx.store.put(TABLE, self._key, job.row())
            self.notices.put(*self.report(job, status))
        self._publish(job)
        self.notices.kick()

    def _end(self, job: UploadJob, status: LogStatus) -> None:
        job.status = status
        with self.ctx.store.step():
            self.ctx.store.delete(TABLE, self._key)
            self.notices.put(*self.report(job, status))
        self.last, self.job = job, None
        self._publish(job)
        self.notices.kick()

    # ------------------------------------------------------------------ what people see

    def view(self) -> JobView | None:
        """The upload under way, else the last one of this power cycle."""
        job = self.job or self.last
        if job is None:
            return None
        running = job is self.job
        view = JobView(
            kind=self._key,
            status=job.status,
            running=running,
            location=shown(job.location),
            name=job.name,
            request_id=job.request_id,
            attempt=min(job.tries + 1, job.retries + 1),
            attempts=job.retries + 1,
            due=ahead(job.retry_at, self.ctx.clock.now()) if running else None,
            detail=job.detail,
        )
        ticks = self._ticks if running else None
        return view if ticks is None else replace(view, done=ticks.done, total=ticks.total)

    def _publish(self, job: UploadJob, done: int | None = None, total: int | None = None) -> None:
        self.ctx.bus.publish(
            LogProgress(job.log, job.status, job.name, job.detail, job.request_id, done, total)
        )


async def _packed(work: Any) -> Path:
    """The archive; a disk that does not take it is a failure like any other."""
    try:
        path: Path = await work
    except OSError as error:
        params = {"file": "log", "why": error.strerror or str(error)}
        raise TransferFailed(Text("transfer.own_disk", params), TransferTrouble.LOCAL) from error
    return path


def date(text: str | None) -> str | None:
    """A date of the wire as rows have it."""
    return stamp(parse_stamp(text)) if text else None
