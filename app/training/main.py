"""The training CSMS on its own, for the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TextIO

from app.kernel.text import Text
from app.training.console import Console
from app.training.records import CsmsChange
from app.training.server import TrainingCsms
from app.training.settings import LOOPBACK, CsmsSettings
from app.training.tokens import TokenList

DEFAULT_PORT = 9000
KEEP_ALIVE_S = 30.0
EPOCH_2020 = 1_577_836_800


async def serve(
    host: str = LOOPBACK,
    port: int = DEFAULT_PORT,
    *,
    report: Callable[[Text], None],
    settings: CsmsSettings | None = None,
    tokens: TokenList | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    lines: TextIO | None = None,
) -> None:
    """Serve until cancelled. `report` gets the URL and then each noteworthy thing.

    `lines`: requests to stations, as `console.py` reads them. Raises OSError if the port is taken.
    """
    csms = TrainingCsms(settings or standalone(now()), tokens, now)

    def changed(change: CsmsChange) -> None:
        entry = change.entry
        if entry is not None:
            station = entry.station_id or "?"  # a handshake that failed has no name yet
            report(Text("training.line", {"station": station, "what": entry.text}))

    url = await csms.start(host, port)
    remove = csms.subscribe(changed)
    report(Text("training.listening", {"url": url, "tokens": len(csms.tokens)}))
    offered = {"firmware": csms.files.firmware_url(), "uploads": csms.files.uploads_url()}
    report(Text("training.files", offered))
    if csms.settings.authority is not None:
        secure = {
            "firmware": csms.files.firmware_url("https"),
            "uploads": csms.files.uploads_url("https"),
        }
        report(Text("training.files_over_tls", secure))
    try:
        if lines is not None:
            await Console(csms, report).run(lines)
        await asyncio.get_running_loop().create_future()
    finally:
        remove()
        await csms.stop()
        report(Text("training.stopped"))


def standalone(now: datetime) -> CsmsSettings:
    """Without a window behind it."""
    # Stations keep transaction ids longer than this program runs: a new run starts above the old ones.
    first = max(1, int(now.timestamp()) - EPOCH_2020)
    return replace(CsmsSettings(), first_transaction_id=first, ping_interval_s=KEEP_ALIVE_S)
