"""Control methods about files: what is to go wrong with firmware and logs, and how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from app.kernel.bus import Origin
from app.kernel.forms import Limits, form, names, values
from app.ocpp.shared.jobs.faults import FirmwareFault, LogFault
from app.runtime.control.dispatch import Table
from app.runtime.control.params import Params
from app.trace.codec import to_json

if TYPE_CHECKING:
    from app.runtime.session import Session

LONGEST = 86_400.0


@form
class FaultParams(Params):
    """`times` None: until it is lifted, by a call without a fault."""

    times: Annotated[int, Limits(ge=1)] | None = 1


@form
class FirmwareFaultParams(FaultParams):
    fault: FirmwareFault | None = None


@form
class LogFaultParams(FaultParams):
    fault: LogFault | None = None


@form
class TimesParams(Params):
    """Station seconds; what is left out stays as it is."""

    download: Annotated[float, Limits(ge=0, le=LONGEST)] | None = None
    pause: Annotated[float, Limits(ge=0, le=LONGEST)] | None = None
    install: Annotated[float, Limits(ge=0, le=LONGEST)] | None = None
    upload: Annotated[float, Limits(ge=0, le=LONGEST)] | None = None


class FileMethods:
    """`station.jobs`, `station.set_firmware_fault`, `station.set_log_fault`, `station.set_file_times`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def table(self) -> Table:
        return {
            "station.jobs": (Params, self._jobs),
            "station.set_firmware_fault": (FirmwareFaultParams, self._firmware),
            "station.set_log_fault": (LogFaultParams, self._log),
            "station.set_file_times": (TimesParams, self._times),
        }

    def _jobs(self, _: Params) -> dict[str, Any]:
        return {"jobs": to_json(self._session.snapshot().jobs)}

    def _firmware(self, arguments: FirmwareFaultParams) -> dict[str, Any]:
        files = self._session.files
        files.choose_firmware_fault(arguments.fault, arguments.times, Origin.CONTROL)
        return {"accepted": True}

    def _log(self, arguments: LogFaultParams) -> dict[str, Any]:
        files = self._session.files
        files.choose_log_fault(arguments.fault, arguments.times, Origin.CONTROL)
        return {"accepted": True}

    def _times(self, arguments: TimesParams) -> dict[str, Any]:
        faults = self._session.files.faults
        for name, seconds in values(arguments).items():
            if seconds is not None:
                setattr(faults, f"{name}_seconds", seconds)
        return {name: getattr(faults, f"{name}_seconds") for name in names(TimesParams)}
