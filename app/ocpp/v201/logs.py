"""GetLog: the diagnostics or the security log, packed and sent to a server. Part 2, N01 and F06.FR.14/.15."""

from __future__ import annotations

from collections.abc import Mapping

from app.kernel.units import parse_stamp, stamp
from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.upload import LogStatus, UploadCourse, UploadJob
from app.ocpp.v201.patience import patience
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.triggers import Send, Where

ACTION = "LogStatusNotification"


class Logs(UploadCourse):
    """One upload at a time; a newer request cancels an older one, which is told (N01.FR.12 and .20)."""

    def __init__(self, ctx: Context, notices: Notices, office: Provisioning) -> None:
        super().__init__(ctx, notices, "log")
        self._office = office

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetLog": self._get}

    def _get(self, request: Payload) -> Reply:
        what: Payload = request["log"]
        kind = str(request["logType"])
        retries, interval = patience(self.ctx, request)
        job = UploadJob(
            log=kind,
            location=str(what["remoteLocation"]),
            name=self.file_name_of(kind),
            retries=retries,
            interval=interval,
            request_id=int(request["requestId"]),
            since=_date(what.get("oldestTimestamp")),
            until=_date(what.get("latestTimestamp")),
        )
        if not self.holds(kind, *job.period):
            return Reply({"status": "Rejected"})  # N01.FR.05
        status = self.admit(job)
        return Reply({"status": status, "filename": job.name}, then=lambda: self.take_up(job))

    def report(self, job: UploadJob, status: LogStatus) -> tuple[str, Payload]:
        return ACTION, {"status": status.value, "requestId": job.request_id}

    def superseded(self, job: UploadJob) -> None:
        self.notices.put(*self.report(job, LogStatus.CANCELED))
        self.notices.kick()

    def trigger(self, _: Where) -> Send | None:
        """Idle, then without an id, unless it is uploading (N01.FR.13)."""
        job = self.job
        told: Payload = {"status": "Idle"}
        if job is not None:
            told = {"status": "Uploading", "requestId": job.request_id}

        def send() -> None:
            self.ctx.spawn(self._office.say(ACTION, told, asked=True), "triggered log status")

        return send


def _date(text: str | None) -> str | None:
    """A date of the wire as rows have it."""
    return stamp(parse_stamp(text)) if text else None
