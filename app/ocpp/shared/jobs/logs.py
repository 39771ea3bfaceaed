"""GetLog: 1.6 (whitepaper N01) and 2.0.1 (part 2, N01) ask for a log and hear of it alike."""

from __future__ import annotations

from app.ocpp.context import Context, Payload, Reply
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.upload import LogStatus, UploadCourse, UploadJob, date

ACTION = "LogStatusNotification"


class LogCourse(UploadCourse):
    """One upload at a time; a newer request cancels an older one. Subclasses answer in their version."""

    def __init__(self, ctx: Context, notices: Notices) -> None:
        super().__init__(ctx, notices, "log")

    def wanted(self, request: Payload, retries: int, interval: float) -> UploadJob | None:
        """The upload that is asked for, None where the station has no such log."""
        what: Payload = request["log"]
        kind = str(request["logType"])
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
        return job if self.holds(kind, *job.period) else None

    def granted(self, job: UploadJob) -> Reply:
        """The answer to a request that is carried out, which begins then."""
        status = self.admit(job)
        return Reply({"status": status, "filename": job.name}, then=lambda: self.take_up(job))

    def report(self, job: UploadJob, status: LogStatus) -> tuple[str, Payload]:
        return ACTION, {"status": status.value, "requestId": job.request_id}

    def present(self) -> Payload:
        """What a trigger wants told: Idle, then without an id, unless it is uploading."""
        if self.job is None:
            return {"status": "Idle"}
        return {"status": "Uploading", "requestId": self.job.request_id}
