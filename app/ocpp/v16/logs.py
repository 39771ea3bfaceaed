"""GetLog of the security extension: the diagnostics or the security log (whitepaper N01)."""

from __future__ import annotations

from collections.abc import Mapping

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.upload import LogStatus, UploadCourse, UploadJob
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.diagnostics import date
from app.ocpp.v16.triggers import told_once
from app.ocpp.v16.turned_down import REJECTED, turned_down

ACTION = "LogStatusNotification"


class Logs(UploadCourse):
    """One upload at a time; a newer request cancels an older one (N01.FR.11)."""

    def __init__(self, ctx: Context, notices: Notices, config: Configuration) -> None:
        super().__init__(ctx, notices, "log")
        self._config = config

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetLog": self._get}

    def _get(self, request: Payload) -> Reply:
        what: Payload = request["log"]
        kind = str(request["logType"])
        retries, interval = self._config.patience(request)
        job = UploadJob(
            log=kind,
            location=str(what["remoteLocation"]),
            name=self.file_name_of(kind),
            retries=retries,
            interval=interval,
            request_id=int(request["requestId"]),
            since=date(what.get("oldestTimestamp")),
            until=date(what.get("latestTimestamp")),
        )
        if not self.holds(kind, *job.period):
            return turned_down(REJECTED, "no_log")
        status = self.admit(job)
        return Reply({"status": status, "filename": job.name}, then=lambda: self.take_up(job))

    def report(self, job: UploadJob, status: LogStatus) -> tuple[str, Payload]:
        return ACTION, {"status": status.value, "requestId": job.request_id}

    def trigger(self) -> Reply:
        """ExtendedTriggerMessage: Idle, then without an id, unless it is uploading (N01.FR.12)."""
        job = self.job
        told: Payload = {"status": "Idle"}
        if job is not None:
            told = {"status": "Uploading", "requestId": job.request_id}
        return told_once(self.ctx, ACTION, told)
