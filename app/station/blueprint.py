"""What is built: EVSEs, plugs, ratings, readers. It parses text and opens no file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from app.kernel.forms import Limits, form
from app.kernel.resources import resource_texts
from app.kernel.text import Text
from app.kernel.units import MIN_AC_CURRENT, NOMINAL_VOLTAGE
from app.station.kinds import Current, Plug
from app.station.specs import SpecError, check_spec, mistake, parse_spec

Amps = Annotated[float, Limits(gt=0, le=2000)]
Watts = Annotated[float, Limits(gt=0, le=2_000_000)]
Name = Annotated[str, Limits(min_length=1, max_length=50)]

OUTLETS = {Current.AC: Plug.TYPE2, Current.DC: Plug.CCS2}


class BlueprintError(SpecError):
    """A blueprint cannot be built. `text` says what, where and what to do."""


@form
class ConnectorSpec:
    """One outlet: a cable that hangs on the station (tethered), or a socket for the driver's own."""

    plug: Plug
    tethered: bool = True
    lock: bool = False
    max_current: Amps
    """What the cable or socket carries, A per phase (DC: A)."""
    label: Annotated[str, Limits(max_length=20)] = ""

    def __post_init__(self) -> None:
        if self.plug is Plug.CCS2 and not self.tethered:
            raise mistake("dc_socket")
        if self.plug is Plug.TYPE2 and self.max_current < MIN_AC_CURRENT:
            raise mistake("below_minimum", minimum=MIN_AC_CURRENT)


@form
class EvseSpec:
    """One place to charge: it serves one car at a time, through one of its connectors."""

    current: Current
    max_power: Watts
    phases: Literal[1, 2, 3] = 3
    """Phases it delivers (AC), or draws from the grid (DC)."""
    connectors: Annotated[tuple[ConnectorSpec, ...], Limits(min_length=1, max_length=8)]
    vehicle: str = "city-52"
    """Id of the car that usually comes here."""

    def __post_init__(self) -> None:
        wanted = OUTLETS[self.current]
        for connector in self.connectors:
            if connector.plug is not wanted:
                raise mistake("plug_mismatch", current=self.current.value, plug=wanted.value)


@form
class ReaderSpec:
    """A card reader and the EVSEs it serves (none named: all of them)."""

    evses: tuple[int, ...] = ()


@form
class SupplySpec:
    """The shared grid connection."""

    current: Amps
    """A per phase."""
    voltage: Annotated[float, Limits(ge=100, le=400)] = NOMINAL_VOLTAGE
    """V, line to neutral."""
    main_meter: bool = False


@form
class Blueprint:
    """A whole station."""

    name: Name
    vendor: Name = "Forecourt"
    model: Name
    serial: Annotated[str, Limits(max_length=25)] = ""
    firmware: Annotated[str, Limits(max_length=50)] = "1.0.0"
    free_vend: bool = False
    """Charging is free: plugging in, or the start button, is enough."""
    meter_noise: bool = True
    supply: SupplySpec
    readers: tuple[ReaderSpec, ...] = ()
    evses: Annotated[tuple[EvseSpec, ...], Limits(min_length=1, max_length=64)]

    def __post_init__(self) -> None:
        served: set[int] = set()
        for number, reader in enumerate(self.readers, 1):
            for evse in reader.evses or range(1, len(self.evses) + 1):
                if not 1 <= evse <= len(self.evses):
                    raise mistake("reader_evse", reader=number, evse=evse, evses=len(self.evses))
                if evse in served:
                    raise mistake("reader_twice", evse=evse)
                served.add(evse)

    @classmethod
    def parse(cls, text: str, where: str) -> Blueprint:
        """Read a blueprint; `where` names its source in error sentences. Raises BlueprintError."""
        try:
            return parse_spec(cls, text, where)
        except SpecError as error:
            raise BlueprintError(error.text) from error

    @classmethod
    def check(cls, data: Mapping[str, Any], where: str) -> Blueprint:
        """As `parse`, from data that was read already (part of a larger file)."""
        try:
            return check_spec(cls, data, where)
        except SpecError as error:
            raise BlueprintError(error.text) from error

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The blueprints that come with the program."""
        return tuple(_texts())

    @classmethod
    def builtin(cls, name: str) -> Blueprint:
        """One of `names()`. Raises BlueprintError when there is no such one."""
        text = _texts().get(name)
        if text is None:
            params = {"name": name, "names": ", ".join(_texts())}
            raise BlueprintError(Text("station.spec.no_blueprint", params))
        return cls.parse(text, f"{name}.toml")


@cache
def _texts() -> dict[str, str]:
    return resource_texts("blueprints")
