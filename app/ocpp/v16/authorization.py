"""Who may charge: Authorize, the authorization cache and the offline rules (1.6 part 3.5 and 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from app.kernel.units import parse_stamp
from app.ocpp.context import (
    CallFailed,
    CallTimedOut,
    Context,
    Handler,
    NotConnected,
    Payload,
    Reply,
    TooLarge,
)
from app.ocpp.events import AuthorizationDecided
from app.ocpp.personality import Block
from app.ocpp.v16.boot import Boot
from app.ocpp.v16.cache import Cache
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.keys import CACHE_SIZE
from app.ocpp.v16.rows import ACCEPTED, Decision
from app.ocpp.v16.turned_down import REJECTED, turned_down

_VALID = frozenset({ACCEPTED, "ConcurrentTx"})
"""Words that do not contradict a list that says Accepted (part 3.5.2)."""


class LocalList(Protocol):
    """The local authorization list, as far as a decision needs it."""

    def find(self, token: str) -> Mapping[str, Any] | None:
        """The idTagInfo of a listed token; None if it is not listed or the list is off."""
        ...


class NoLocalList:
    """A station without a local authorization list."""

    def find(self, token: str) -> Mapping[str, Any] | None:
        return None


class Authorization(Block):
    """Decisions on tokens."""

    def __init__(self, ctx: Context, config: Configuration, boot: Boot) -> None:
        super().__init__(ctx)
        self._config = config
        self._boot = boot
        self.local_list: LocalList = NoLocalList()
        self.cache = Cache(ctx.store, ctx.clock, lambda: config.number(CACHE_SIZE))
        config.after_change[CACHE_SIZE.casefold()] = self.cache.trim
        self.on_conflict: list[Callable[[], None]] = []
        """Called when the back office does not accept a token that the local list accepts."""

    def handlers(self) -> Mapping[str, Handler]:
        return {"ClearCache": self._clear_cache}

    # ------------------------------------------------------------------ decisions

    async def decide(self, token: str, evse: int | None = None) -> Decision:
        """Judge a token: with the back office while online, else with what is known here."""
        known = self._known(token)
        if self._boot.talking:
            if known is not None and known.accepted and self._config.flag("LocalPreAuthorize"):
                decision = known
            else:
                decision = await self._ask(token)
        else:
            decision = await self._without_link(token)
        self._publish(decision, evse)
        return decision

    async def ask_along(self, decision: Decision) -> Decision | None:
        """With a token accepted from list or cache while online, where the open point says so: the
        back office's own word, None where it was not asked or gave none."""
        if not self._boot.talking or decision.by not in ("list", "cache"):
            return None
        if await self.ctx.points.ask("both-local-preauthorize-request") != "parallel-request":
            return None
        answer = await self._ask(decision.token)
        return answer if answer.by == "backoffice" else None

    def vouch(self, token: str, by: str, evse: int | None = None) -> Decision:
        """Accept a token that nobody is asked about: free vend, or an unchecked remote start."""
        known = self._known(token)
        decision = Decision(token, ACCEPTED, by, known.parent if known else None)
        self._publish(decision, evse)
        return decision

    def learn(self, token: str, info: Mapping[str, Any] | None) -> None:
        """Take an idTagInfo of the back office into the cache (16-AU-05, 16-AU-06).

        Of a listed token it is only compared with the list (16-ST-11).
        """
        if info is None:
            return
        entry = self.local_list.find(token)
        if entry is None:
            if self._config.flag("AuthorizationCacheEnabled"):
                self.cache.put(token, info)
        elif self._status(entry) == ACCEPTED and info["status"] not in _VALID:
            for listener in self.on_conflict:
                listener()

    # ------------------------------------------------------------------ sources

    async def _ask(self, token: str) -> Decision:
        try:
            answer = await self.ctx.calls.call("Authorize", {"idTag": token})
        except (NotConnected, CallTimedOut, TooLarge):
            return await self._offline(token)
        except CallFailed:
            return Decision(token, "Invalid", "backoffice")
        return self._answered(token, answer["idTagInfo"])

    def _answered(self, token: str, info: Mapping[str, Any]) -> Decision:
        self.learn(token, info)
        return Decision(token, self._status(info), "backoffice", info.get("parentIdTag"))

    async def _without_link(self, token: str) -> Decision:
        decision = await self._offline(token)
        if decision.by == "offline" and self._boot.talking:
            return await self._ask(token)  # the link came back while a person thought
        return decision

    async def _offline(self, token: str) -> Decision:
        """List, then cache, then the switch for unknown tokens (16-AU-03, 16-AU-04)."""
        known = self._known(token)
        if known is not None and (not known.accepted or self._config.flag("LocalAuthorizeOffline")):
            return known
        allowed = self._config.flag("AllowOfflineTxForUnknownId")
        choice = await self.ctx.points.ask("ocpp16-offline-unknown-id")
        if allowed or choice.startswith("accept"):
            return Decision(token, ACCEPTED, "offline", uncapped=choice == "accept-uncapped")
        return Decision(token, "Invalid", "offline")

    def _known(self, token: str) -> Decision | None:
        """What list or cache say; the list beats the cache (16-AU-05)."""
        entry, by = self.local_list.find(token), "list"
        if entry is None and self._config.flag("AuthorizationCacheEnabled"):
            entry, by = self.cache.find(token), "cache"
        if entry is None:
            return None
        return Decision(token, self._status(entry), by, entry.get("parentIdTag"))

    def _status(self, info: Mapping[str, Any]) -> str:
        """The status of an idTagInfo; past its expiry date it is Expired."""
        word = str(info["status"])
        expiry = info.get("expiryDate")
        if word == ACCEPTED and expiry and self._passed(parse_stamp(str(expiry))):
            return "Expired"
        return word

    def _passed(self, moment: datetime) -> bool:
        return moment <= self.ctx.clock.now()

    def _publish(self, decision: Decision, evse: int | None) -> None:
        self.ctx.bus.publish(
            AuthorizationDecided(
                decision.token, decision.accepted, decision.status, decision.by, evse
            )
        )

    # ------------------------------------------------------------------ messages

    def _clear_cache(self, request: Payload) -> Reply:
        if not self._config.flag("AuthorizationCacheEnabled"):
            return turned_down(REJECTED, "no_cache")  # errata 3.23
        self.cache.clear()
        return Reply({"status": ACCEPTED})
