"""GetDiagnostics: the station's log is packed and sent to a server (1.6 part 5.9 and 4.4)."""

from __future__ import annotations

from collections.abc import Mapping

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.features import FIRMWARE
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.upload import DIAGNOSTICS, LogStatus, UploadCourse, UploadJob, date
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.triggers import told_once
from app.ocpp.v16.turned_down import reason

ACTION = "DiagnosticsStatusNotification"
_GOOD = (LogStatus.UPLOADING, LogStatus.UPLOADED)


class Diagnostics(UploadCourse):
    """One upload at a time; a newer request takes the place of an older one."""

    def __init__(self, ctx: Context, notices: Notices, config: Configuration) -> None:
        super().__init__(ctx, notices, "diagnostics")
        self._config = config

    def handlers(self) -> Mapping[str, Handler]:
        if FIRMWARE not in self._config.profiles:
            return {}
        return {"GetDiagnostics": self._get}

    def _get(self, request: Payload) -> Reply:
        since, until = date(request.get("startTime")), date(request.get("stopTime"))
        retries, interval = self._config.patience(request)
        job = UploadJob(
            log=DIAGNOSTICS,
            location=str(request["location"]),
            name=self.file_name_of(DIAGNOSTICS),
            retries=retries,
            interval=interval,
            since=since,
            until=until,
        )
        if not self.holds(DIAGNOSTICS, *job.period):
            return Reply({}, why=reason("no_log"))
        self.admit(job)
        return Reply({"fileName": job.name}, then=lambda: self.take_up(job))

    def report(self, job: UploadJob, status: LogStatus) -> tuple[str, Payload]:
        return ACTION, {"status": status.value if status in _GOOD else "UploadFailed"}

    def trigger(self) -> Reply:
        """TriggerMessage: Idle unless it is busy uploading (4.4)."""
        busy = self.job is not None
        return told_once(self.ctx, ACTION, {"status": "Uploading" if busy else "Idle"})
