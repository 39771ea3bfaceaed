"""GetLog: the diagnostics or the security log, packed and sent to a server. Part 2, N01 and F06.FR.14/.15."""

from __future__ import annotations

from collections.abc import Mapping

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.shared.jobs.logs import ACTION, LogCourse
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.shared.jobs.upload import LogStatus, UploadJob
from app.ocpp.v201.patience import patience
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.triggers import Send, Where


class Logs(LogCourse):
    """An older request is cancelled, which is told (N01.FR.12 and .20)."""

    def __init__(self, ctx: Context, notices: Notices, office: Provisioning) -> None:
        super().__init__(ctx, notices)
        self._office = office

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetLog": self._get}

    async def _get(self, request: Payload) -> Reply:
        job = self.wanted(request, *await patience(self.ctx, request))
        return Reply({"status": "Rejected"}) if job is None else self.granted(job)  # N01.FR.05

    def superseded(self, job: UploadJob) -> None:
        self.notices.put(*self.report(job, LogStatus.CANCELED))
        self.notices.kick()

    def trigger(self, _: Where) -> Send | None:
        """N01.FR.13."""
        told = self.present()

        def send() -> None:
            self.ctx.spawn(self._office.say(ACTION, told, asked=True), "triggered log status")

        return send
