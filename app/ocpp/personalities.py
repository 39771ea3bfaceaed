"""The one place where a version becomes a personality."""

from __future__ import annotations

from app.ocpp.context import Context
from app.ocpp.personality import Personality
from app.ocpp.version import Version


def make(version: Version, ctx: Context) -> Personality:
    """A fresh personality for one power cycle; `restore()` it before use."""
    if version is Version.V16:
        from app.ocpp.v16 import Personality16

        return Personality16(ctx)
    from app.ocpp.v201 import Personality201

    return Personality201(ctx)
