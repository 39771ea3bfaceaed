"""Why a link ended, in words, and the pattern of two stations that use one id."""

from __future__ import annotations

from app.kernel.link_clock import LinkClock
from app.kernel.text import Text
from app.runtime.wire import WireClosed

SHORT_LIFE = 10.0
"""Seconds: a link that the other side closes sooner than this was hardly wanted."""

NO_REASON = Text("runtime.link.no_reason")
"""Said where the other side gave only a code."""

TIMES = 3
"""So many short lives in a row, and somebody else is suspected to use the id."""

_TAKEN = ("replac", "duplicate", "already connected", "another connection", "other connection")
"""What servers say when a second station comes with the same id."""

_CODES = {
    1000: "normal",
    1001: "going_away",
    1002: "protocol_error",
    1003: "refused_data",
    1005: "silent",
    1007: "refused_data",
    1008: "policy",
    1009: "too_big_theirs",
    1010: "extension",
    1011: "server_error",
    1012: "restart",
    1013: "try_later",
    1014: "gateway",
    3000: "unauthorized",
    3003: "forbidden",
    3008: "timeout",
}
"""RFC 6455, section 7.4.1, and the registry that it founded."""


def explain_close(closed: WireClosed, max_size: int) -> Text:
    """The end of a link as a sentence."""
    if closed.mute is not None:
        return Text("runtime.link.mute", {"seconds": f"{closed.mute:g}"})
    if closed.too_large and closed.own:
        return Text("runtime.link.too_big", {"limit": f"{max_size / 1024 / 1024:g}"})
    if closed.code is None or closed.code == 1006:
        return Text("runtime.link.lost")
    if closed.own:
        name = "broken_data"
    else:
        private = "private" if closed.code >= 4000 else "code"
        name = _CODES.get(closed.code, private)
    params = {"code": closed.code, "said": closed.reason or NO_REASON}
    return Text(f"runtime.link.closed_{name}", params)


class CloseWatch:
    """Remembers how long the last links lived."""

    def __init__(self, link: LinkClock) -> None:
        self._link = link
        self._short = 0

    def judge(self, closed: WireClosed, opened_at: float, station_id: str) -> Text | None:
        """The suspicion that another station uses our id, None while there is none."""
        said = closed.reason.lower()
        params = {"id": station_id, "code": closed.code, "said": closed.reason or NO_REASON}
        if not closed.own and any(word in said for word in _TAKEN):
            return Text("runtime.link.id_taken", params)
        if closed.own or closed.code in (None, 1006, 1012, 1013):
            return None  # not closed by the server on purpose
        if self._link.monotonic() - opened_at > SHORT_LIFE:
            self._short = 0
            return None
        self._short += 1
        if self._short < TIMES:
            return None
        return Text("runtime.link.id_perhaps_taken", {**params, "times": self._short})
