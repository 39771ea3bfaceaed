"""What the driver sees: the ring of the reader and a sentence on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.kernel.bus import Entry
from app.kernel.clock import Timer
from app.kernel.text import Text
from app.ocpp.context import Context
from app.ocpp.events import SettingChanged
from app.ocpp.personality import Block
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.timers import Timers
from app.station.commands import SetLight, SetReaderLamp, ShowText
from app.station.kinds import ReaderLamp

SECONDS = 5.0
"""How long a sentence stays before the screen goes back to the usual one."""


class Signals:
    """Lamps and sentences; sentences fall back by themselves."""

    def __init__(self, ctx: Context, config: Configuration, timers: Timers) -> None:
        self._ctx = ctx
        self._config = config
        self._deadlines = timers
        self._timers: dict[int, Timer] = {}

    def lamp(self, reader: int | None, lamp: ReaderLamp) -> None:
        if reader is not None:
            blinks = self._config.number("BlinkRepeat")
            self._ctx.station.handle(SetReaderLamp(reader, lamp, blinks))

    def say(
        self,
        evses: Iterable[int],
        key: str,
        params: Mapping[str, Any] | None = None,
        *,
        seconds: float | None = SECONDS,
    ) -> None:
        """Show `v16.screen.<key>` on these EVSEs; for good where `seconds` is None."""
        for evse in sorted(set(evses)):
            self._drop(evse)
            self._ctx.station.handle(ShowText(evse, Text(f"v16.screen.{key}", params or {})))
            if seconds is not None:
                self._timers[evse] = self._deadlines.call_in(
                    seconds,
                    lambda evse=evse: self.clear((evse,)),  # type: ignore[misc]
                )

    def clear(self, evses: Iterable[int]) -> None:
        """Back to the usual sentence."""
        for evse in sorted(set(evses)):
            self._drop(evse)
            self._ctx.station.handle(ShowText(evse, None))

    def _drop(self, evse: int) -> None:
        timer = self._timers.pop(evse, None)
        if timer is not None:
            timer.cancel()


class Lights(Block):
    """Keeps the lights as bright as LightIntensity says."""

    def __init__(self, ctx: Context, config: Configuration) -> None:
        super().__init__(ctx)
        self._config = config

    def start(self) -> None:
        self.on(self._on_setting, SettingChanged)
        self._apply()

    def _on_setting(self, entry: Entry) -> None:
        if isinstance(entry.event, SettingChanged) and entry.event.name == "LightIntensity":
            self._apply()

    def _apply(self) -> None:
        self.ctx.station.handle(SetLight(self._config.number("LightIntensity")))
