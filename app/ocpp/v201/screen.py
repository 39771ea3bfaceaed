"""What drivers read for a while: why a card was refused is no news to the next one."""

from __future__ import annotations

from app.kernel.text import Text
from app.ocpp.context import Context
from app.station.commands import ShowText

SECONDS = 5.0
"""Station seconds until the screen goes back to the usual sentence."""


def show_for_a_while(ctx: Context, evse: int, text: Text) -> None:
    """Show a sentence that goes by itself, unless another one has taken its place. EVSE 0: the station's."""

    def fade() -> None:
        snapshot = ctx.station.snapshot()
        shown = snapshot.evse(evse).screen if evse else snapshot.screen
        if shown is text:
            ctx.station.handle(ShowText(evse, None))

    ctx.station.handle(ShowText(evse, text))
    ctx.clock.call_in(SECONDS, fade)
