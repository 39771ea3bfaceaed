"""Profiles that apply together must not want different phases (2.0.1 errata 2.36)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.ocpp.shared.charging.composite import composite
from app.ocpp.shared.charging.model import (
    STATION,
    Installed,
    Kind,
    Outlet,
    Purpose,
    moment_of,
    second,
)
from app.ocpp.shared.charging.options import Coalesce, Options
from app.ocpp.shared.charging.timeline import ALWAYS

_WEEK = 7 * 86_400
_FARTHEST = 400 * 86_400
"""Seconds ahead that are looked at; what goes on after that cannot be told and counts as a conflict."""

_OF_TRANSACTIONS = (Purpose.TX, Purpose.TX_DEFAULT)


def phase_conflict(
    installed: Iterable[Installed], new: Installed, outlets: Iterable[Outlet], options: Options
) -> Installed | None:
    """An installed profile that at some instant wants another phase than `new`; None if none does.

    `installed` is what will be installed with `new` among it. Where second 0 of a relative schedule is not
    known yet, any difference counts: only what is certain not to conflict is taken.
    """
    items = list(installed)
    for outlet in outlets:
        rival = next((old for old in items if old is not new and _differ(old, new, outlet)), None)
        if rival is not None and _meet(items, rival, new, outlet, options):
            return rival
    return None


def _differ(old: Installed, new: Installed, outlet: Outlet) -> bool:
    """Both act on the outlet, can lead at the same time, and do not name the same phases."""
    here = (STATION, outlet.id)
    if old.place not in here or new.place not in here:
        return False
    together = (old.profile.purpose, new.profile.purpose)
    if together[0] is together[1] or all(one in _OF_TRANSACTIONS for one in together):
        return False
    wanted, given = _named(new), _named(old)
    return bool(wanted and given and len(wanted | given) > 1)


def _named(item: Installed) -> set[int]:
    return {
        period.phase_to_use
        for schedule in item.profile.schedules
        for period in schedule.periods
        if period.phase_to_use is not None
    }


def _meet(
    items: list[Installed], rival: Installed, new: Installed, outlet: Outlet, options: Options
) -> bool:
    """Whether differing phases are ever wanted at one instant, as far as that can be told."""
    if any(_floating(item, outlet) for item in (rival, new)):
        return True
    begin = second(new.received)
    end = max((_settled(item) for item in items), default=begin)
    if end > begin + _FARTHEST:
        return True
    window = max(end, begin) - begin + _WEEK
    exact = replace(options, coalesce=Coalesce.KEEP)
    start = moment_of(begin)
    pieces = composite(items, outlet, start, window, outlet.native_unit, exact).pieces
    return any(piece.conflict for piece in pieces)


def _floating(item: Installed, outlet: Outlet) -> bool:
    """A relative schedule whose second 0 lies in a transaction to come."""
    profile = item.profile
    if profile.kind is not Kind.RELATIVE or profile.purpose not in _OF_TRANSACTIONS:
        return False
    running = outlet.transaction
    return profile.purpose is Purpose.TX_DEFAULT or running is None or running.started is None


def _settled(item: Installed) -> int:
    """The last second at which this profile begins or ceases something that does not recur weekly."""
    profile = item.profile
    edges = [second(item.received)]
    edges += [second(edge) for edge in (profile.valid_from, profile.valid_to) if edge is not None]
    for schedule in profile.schedules:
        base = second(schedule.start) if schedule.start is not None else edges[0]
        length = max((period.start for period in schedule.periods), default=0)
        edges.append(base + max(length, min(schedule.duration or 0, ALWAYS)))
    return max(edges)
