"""The one place where a version becomes a personality."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator, Sequence

from app.ocpp.context import Context, OcppSettings, Payload
from app.ocpp.personality import Personality
from app.ocpp.version import Version

_MODULES = {Version.V16: "app.ocpp.v16", Version.V201: "app.ocpp.v201"}


async def read(version: Version) -> None:
    """Read the program of a version, before it is wanted: a tenth of a second, in a thread.

    Only once, and only of the version that is spoken: the other stays out of memory.
    """
    if _MODULES[version] not in sys.modules:
        await asyncio.to_thread(read_here, version)


def read_here(version: Version) -> None:
    """As `read`, where nobody waits for the loop: a thread would keep a MiB of what it used for that."""
    importlib.import_module(_MODULES[version])
    from app.ocpp.schema import Schemas

    Schemas.of(version)  # looks for its files


def make(version: Version, ctx: Context) -> Personality:
    """A fresh personality for one power cycle; `restore()` it before use."""
    if version is Version.V16:
        from app.ocpp.v16 import Personality16

        return Personality16(ctx)
    from app.ocpp.v201 import Personality201

    return Personality201(ctx)


def misfits(
    version: Version, settings: OcppSettings, connectors: Sequence[int]
) -> Iterator[tuple[str | int, Payload | None]]:
    """First values that this version would not take, by key or by place in the list of variables.

    With each goes what would be taken; None: the EVSE or connector is not there. `connectors`: how
    many each EVSE has.
    """
    if version is Version.V16:
        if settings.keys:
            from app.ocpp.v16 import presets as of_16

            for setting, takes in of_16.misfits(settings.keys, sum(connectors)):
                yield setting.key, takes
    elif settings.variables:
        from app.ocpp.v201 import presets as of_201

        yield from of_201.misfits(settings.variables, connectors)
