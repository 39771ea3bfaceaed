"""What a window shows of 1.6: lists, reservations and charging profiles as read models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.kernel.units import parse_stamp
from app.ocpp.context import Context
from app.ocpp.features import LOCAL_LIST, RESERVATION, SMART_CHARGING
from app.ocpp.outbox import Outbox
from app.ocpp.shared.charging.answers import Question, compute
from app.ocpp.shared.charging.composite import Composite, composite
from app.ocpp.shared.charging.ladder import Rung, limit_at
from app.ocpp.shared.charging.model import STATION, Installed, Outlet, Purpose, Unit
from app.ocpp.shared.charging.options import Coalesce, Options
from app.ocpp.shared.charging.parse import purpose_name_16, write_16
from app.ocpp.v16.authorization import Authorization
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.keys import CACHE_SIZE
from app.ocpp.v16.local_list import LocalAuthList
from app.ocpp.v16.reservation import Reservations
from app.ocpp.v16.rows import CACHE
from app.ocpp.v16.smart_charging import SmartCharging
from app.ocpp.views import (
    ChargingView,
    Lane,
    ListedToken,
    ProfileView,
    ReservationView,
    RoomViews,
    ScheduleView,
    Step,
    TokenBook,
)

HORIZON = 86_400
"""Seconds ahead that the next change of a limit is looked for."""


class Rooms16(RoomViews):
    """The rooms of a charge point of 1.6. A feature profile that is switched off has no room."""

    def __init__(
        self,
        ctx: Context,
        config: Configuration,
        connectors: Connectors,
        authorization: Authorization,
        local_list: LocalAuthList,
        reservations: Reservations,
        charging: SmartCharging,
        outbox: Outbox,
    ) -> None:
        self._ctx = ctx
        self._config = config
        self._connectors = connectors
        self._authorization = authorization
        self._list = local_list
        self._reservations = reservations
        self._charging = charging
        self._outbox = outbox

    def places(self) -> tuple[int, ...]:
        return tuple(item.number for item in self._connectors)

    def closing(self) -> frozenset[int]:
        return frozenset(item.evse for item in self._connectors if item.scheduled is False)

    def resume_queue(self) -> None:
        self._outbox.resume()

    # ------------------------------------------------------------------ tokens

    def local_list(self) -> TokenBook | None:
        if LOCAL_LIST not in self._config.profiles:
            return None
        return TokenBook(
            self._list.enabled,
            tuple(_token(str(row["idTag"]), row) for row in self._list.entries()),
            self._list.version,
            self._config.number("LocalAuthListMaxLength"),
        )

    def cache(self) -> TokenBook | None:
        return TokenBook(
            self._config.flag("AuthorizationCacheEnabled"),
            tuple(_token(key, row) for key, row in self._ctx.store.rows(CACHE)),
            capacity=self._config.number(CACHE_SIZE),
        )

    def clear_cache(self) -> bool:
        self._authorization.cache.clear()
        return True

    def reservations(self) -> tuple[ReservationView, ...] | None:
        if RESERVATION not in self._config.profiles:
            return None
        return tuple(
            ReservationView(each.id, each.number, each.token, each.parent, each.until)
            for each in self._reservations.all()
        )

    # ------------------------------------------------------------------ charging profiles

    def charging(self, place: int, unit: str) -> ChargingView | None:
        if SMART_CHARGING not in self._config.profiles:
            return None
        profiles, now = self._charging.profiles, self._ctx.clock.now()
        outlet = profiles.site().outlet(place)
        if outlet is None:
            listed = tuple(_profile(item, None) for item in self._charging.installed())
            return ChargingView(now, place, unit, None, None, None, listed)
        ladder = limit_at(
            profiles.book, outlet, now, Unit(unit), profiles.options(), horizon=HORIZON
        )
        rungs = {id(rung.installed): rung for rung in ladder.rungs}
        order = [rung.installed for rung in ladder.rungs]
        order += [item for item in self._charging.installed() if id(item) not in rungs]
        return ChargingView(
            at=now,
            place=place,
            unit=unit,
            limit=ladder.limit,
            until=ladder.until,
            leading=None if ladder.leading is None else ladder.leading.profile.id,
            profiles=tuple(_profile(item, rungs.get(id(item))) for item in order),
        )

    def schedule(self, place: int, unit: str, seconds: int) -> ScheduleView | None:
        if SMART_CHARGING not in self._config.profiles:
            return None
        profiles, asked = self._charging.profiles, Unit(unit)
        site, start = profiles.site(), self._ctx.clock.now()
        options = replace(profiles.options(), coalesce=Coalesce.KEEP)
        outlet = site.outlet(place)
        if outlet is None and place != STATION:
            return None
        if outlet is None:
            question = Question(place, seconds, start, asked)
            whole = compute(question, profiles.book, site, options)
            lanes: tuple[Lane, ...] = ()
        else:
            whole = composite(profiles.book, outlet, start, seconds, asked, options)
            lanes = _lanes(list(profiles.book), outlet, start, seconds, asked, options)
        end = whole.start + timedelta(seconds=whole.duration)
        return ScheduleView(place, unit, whole.start, end, _steps(whole), lanes)


def _token(token: str, row: Mapping[str, Any]) -> ListedToken:
    return ListedToken(
        token,
        str(row["status"]),
        _moment(row.get("expiryDate")),
        row.get("parentIdTag"),
        _moment(row.get("since")),
    )


def _moment(word: object) -> datetime | None:
    return parse_stamp(str(word)) if word else None


def _profile(item: Installed, rung: Rung | None) -> ProfileView:
    profile = item.profile
    return ProfileView(
        id=profile.id,
        place=item.place,
        purpose=purpose_name_16(profile.purpose),
        level=profile.stack_level,
        kind=profile.kind.value,
        received=item.received,
        fields=write_16(profile),
        standing=None if rung is None else rung.standing.value,
        why=None if rung is None else rung.text,
        limit=None if rung is None else rung.limit,
    )


def _steps(schedule: Composite) -> tuple[Step, ...]:
    return tuple(
        Step(
            schedule.start + timedelta(seconds=piece.start),
            piece.limit,
            None if piece.leading is None else piece.leading.profile.id,
            None if piece.leading is None else purpose_name_16(piece.leading.profile.purpose),
            None if piece.leading is None else piece.leading.profile.stack_level,
            piece.phases,
        )
        for piece in schedule.pieces
    )


def _lanes(
    items: Sequence[Installed],
    outlet: Outlet,
    start: datetime,
    seconds: int,
    unit: Unit,
    options: Options,
) -> tuple[Lane, ...]:
    """Each purpose alone, with a gap where it says nothing."""
    bare = replace(outlet, rating=None)
    lanes = []
    for purpose in Purpose:
        own = [item for item in items if item.profile.purpose is purpose]
        if own:
            alone = composite(own, bare, start, seconds, unit, options)
            steps = (
                replace(step, limit=step.limit if step.profile is not None else None)
                for step in _steps(alone)
            )
            lanes.append(Lane(purpose_name_16(purpose), tuple(steps)))
    return tuple(lanes)
