"""GetLog of the security extension: the diagnostics or the security log (whitepaper N01)."""

from __future__ import annotations

from collections.abc import Mapping

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.shared.jobs.logs import ACTION, LogCourse
from app.ocpp.shared.jobs.notices import Notices
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.triggers import told_once
from app.ocpp.v16.turned_down import REJECTED, turned_down


class Logs(LogCourse):
    """An older request is cancelled without a word (N01.FR.11)."""

    def __init__(self, ctx: Context, notices: Notices, config: Configuration) -> None:
        super().__init__(ctx, notices)
        self._config = config

    def handlers(self) -> Mapping[str, Handler]:
        return {"GetLog": self._get}

    def _get(self, request: Payload) -> Reply:
        job = self.wanted(request, *self._config.patience(request))
        return turned_down(REJECTED, "no_log") if job is None else self.granted(job)

    def trigger(self) -> Reply:
        """ExtendedTriggerMessage (N01.FR.12)."""
        return told_once(self.ctx, ACTION, self.present())
