"""Jobs with files as people see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.kernel.units import parse_stamp
from app.ocpp.context import JobView
from app.ocpp.shared.jobs.job import FirmwareJob, Phase
from app.ocpp.shared.jobs.progress import Ticks


def firmware_view(job: FirmwareJob, running: bool, ticks: Ticks | None, now: datetime) -> JobView:
    """A firmware update; `due` only while it lies ahead."""
    wanted = {
        Phase.SCHEDULED: job.retrieve_at,
        Phase.DOWNLOADING: job.retry_at,
        Phase.WAITING: job.install_at,
    }.get(Phase(job.phase))
    view = JobView(
        kind="firmware",
        status=job.status,
        running=running,
        location=shown(job.location),
        name=file_name(job.location),
        version=job.version,
        request_id=job.request_id,
        signed=job.signed,
        attempt=min(job.tries + 1, job.retries + 1),
        attempts=job.retries + 1,
        due=ahead(wanted, now) if running else None,
        detail=job.detail,
    )
    return view if ticks is None else replace(view, done=ticks.done, total=ticks.total)


def ahead(date: str | None, now: datetime) -> datetime | None:
    """The date of a row, None where it has come."""
    when = parse_stamp(date) if date else None
    return when if when is not None and when > now else None


def file_name(location: str) -> str:
    """The file's name as the URL has it."""
    return location.partition("?")[0].rstrip("/").rpartition("/")[2]


def shown(location: str) -> str:
    """The URL without what is before the @ and behind the ?"""
    scheme, mark, rest = location.partition("://")
    return f"{scheme}{mark}{rest.partition('?')[0].rpartition('@')[2]}"
