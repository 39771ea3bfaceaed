"""How often a transfer is tried, where a request leaves that to the station."""

from __future__ import annotations

from app.ocpp.context import Context, Payload

INTERVAL = 60
RETRIES = {"3x60": 2, "no-retry": 0, "endless": 1_000_000}
"""What is done where a request leaves it to the station: seconds, and times by option of the open point
`ocpp201-retry-policy-defaults`."""


async def patience(ctx: Context, request: Payload) -> tuple[int, float]:
    """How often a transfer is tried again, and after how many seconds: as asked, or our own."""
    retries = request.get("retries")
    if retries is None:
        retries = RETRIES[await ctx.points.ask("ocpp201-retry-policy-defaults")]
    return max(0, int(retries)), max(0, int(request.get("retryInterval", INTERVAL)))
