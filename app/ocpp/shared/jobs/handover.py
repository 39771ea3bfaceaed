"""What becomes of jobs where the station speaks another version from now on.

Their requests came in words of the version before: who asked could not be told in the new one.
"""

from __future__ import annotations

from app.ocpp.context import StorePort
from app.ocpp.shared.jobs import notices, upload
from app.ocpp.shared.jobs.job import JOB, NEXT, TABLE, TOLD


def end_jobs(store: StorePort) -> None:
    """Give up what is under way and what waits to be told. What was installed stays installed."""
    with store.step():
        for key in (JOB, NEXT, TOLD):
            store.delete(TABLE, key)
        store.clear(upload.TABLE)
        store.clear(notices.TABLE)
