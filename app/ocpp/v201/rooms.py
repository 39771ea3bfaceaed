"""What a window shows of 2.0.1 beside its sessions, as far as this version has it."""

from __future__ import annotations

from datetime import timedelta

from app.kernel.units import parse_stamp
from app.ocpp.context import Context, Payload
from app.ocpp.outbox import Outbox
from app.ocpp.v201.auth_cache import TABLE as CACHE
from app.ocpp.v201.auth_cache import AuthCache
from app.ocpp.v201.availability import SCHEDULED
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.views import ListedToken, RoomViews, TokenBook


class Rooms201(RoomViews):
    """The rooms of a charging station of 2.0.1."""

    def __init__(self, ctx: Context, model: DeviceModel, outbox: Outbox) -> None:
        self._ctx, self._model, self._outbox = ctx, model, outbox

    def closing(self) -> frozenset[int]:
        found = {int(key.partition("/")[0]) for key, _ in self._ctx.store.rows(SCHEDULED)}
        if 0 in found:  # the station as a whole
            found = {evse.id for evse in self._ctx.station.snapshot().evses}
        return frozenset(found)

    def resume_queue(self) -> None:
        self._outbox.resume()

    def cache(self) -> TokenBook | None:
        life = self._model.integer("AuthCacheCtrlr.LifeTime")
        return TokenBook(
            self._model.flag("AuthCacheCtrlr.Enabled"),
            tuple(_cached(row, life) for _, row in self._ctx.store.rows(CACHE)),
        )

    def clear_cache(self) -> bool:
        AuthCache(self._ctx.store).clear()
        return True


def _cached(row: Payload, life_time: int) -> ListedToken:
    """An entry of the cache; without an expiry of its own it counts for LifeTime seconds (0: for good)."""
    info, updated = row["info"], parse_stamp(row["updated"])
    expiry = info.get("cacheExpiryDateTime")
    expires = parse_stamp(expiry) if expiry else None
    if expires is None and life_time > 0:
        expires = updated + timedelta(seconds=life_time)
    group = (info.get("groupIdToken") or {}).get("idToken")
    return ListedToken(row["token"]["idToken"], info["status"], expires, group, updated)
