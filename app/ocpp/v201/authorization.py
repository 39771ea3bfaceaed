"""Who may charge: list, cache, back office, offline rules. Part 2, block C.

A decision is asked for by token; what it leads to is the business of transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.ocpp.context import (
    CallFailed,
    CallRefused,
    Context,
    Handler,
    InvalidAnswer,
    Payload,
    Reply,
)
from app.ocpp.events import AuthorizationDecided
from app.ocpp.personality import Block
from app.ocpp.v201.auth_cache import AuthCache
from app.ocpp.v201.device_model import DeviceModel
from app.ocpp.v201.provisioning import Provisioning
from app.ocpp.v201.tokens import ANONYMOUS, CENTRAL, NO_AUTHORIZATION, IdToken


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a token, and by whom: backoffice, list, cache, offline or free.

    `recheck`: accepted here, but the back office is asked in parallel.
    """

    token: IdToken
    accepted: bool
    status: str
    by: str
    info: Mapping[str, Any] = field(default_factory=dict)
    recheck: bool = False
    capped: bool = True
    """If the back office refuses later, MaxEnergyOnInvalidId limits what is given meanwhile."""

    @property
    def group(self) -> str | None:
        """Key of the group it belongs to."""
        return group_of(self.info)

    def allows(self, evse: int) -> bool:
        """C01.FR.21: a token may be limited to some EVSEs."""
        allowed = self.info.get("evseId")
        return not allowed or evse in allowed


def group_of(info: Mapping[str, Any]) -> str | None:
    """The key of idTokenInfo.groupIdToken."""
    group = info.get("groupIdToken")
    return IdToken.of(group).key if group else None


class LocalList(Protocol):
    """The local authorization list, where there is one."""

    def find(self, token: IdToken) -> Payload | None:
        """The IdTokenInfo of a token that is in the list and has not expired there."""
        ...


class Authorization(Block):
    """Decides about tokens."""

    def __init__(self, ctx: Context, model: DeviceModel, office: Provisioning) -> None:
        super().__init__(ctx)
        self._model = model
        self._office = office
        self._cache = AuthCache(ctx.store)
        self._baseline = ctx.points.ahead("ocpp201-baseline")
        self.local_list: LocalList | None = None
        model.source("cache.bytes", lambda _: str(self._cache.bytes()))

    def handlers(self) -> Mapping[str, Handler]:
        return {"ClearCache": self._clear_cache}

    # ---- decisions

    @property
    def required(self) -> bool:
        """AuthCtrlr.Enabled: is anybody asked at all."""
        return self._model.flag("AuthCtrlr.Enabled", default=True)

    async def decide(self, token: IdToken, evse: int | None = None) -> Decision:
        """May this token start a charge."""
        decision = await self._decide(token)
        if decision.accepted and evse is not None and not decision.allows(evse):
            decision = Decision(token, False, "NotAllowedTypeEVSE", decision.by, decision.info)
        if decision.accepted and self.is_master(decision.group):
            # C16.FR.03: a master pass stops, it does not start
            decision = Decision(token, False, "MasterPass", decision.by, decision.info)
        self.tell(decision, evse)
        return decision

    def tell(self, decision: Decision, evse: int | None) -> None:
        """Publish what was decided."""
        self.ctx.bus.publish(
            AuthorizationDecided(
                decision.token.text, decision.accepted, decision.status, decision.by, evse
            )
        )

    async def _decide(self, token: IdToken) -> Decision:
        if not self.required:
            return Decision(token, True, "Accepted", "free")
        if token.kind in (NO_AUTHORIZATION, CENTRAL):
            return Decision(token, True, "Accepted", "free")
        if self._hangs_on_use(token):
            await self._baseline.ask()
        known, where = self.known(token)
        if known is not None and where == "cache":
            self._cache.use(token, self.ctx.clock.now())
        if self._office.accepted and self.ctx.calls.online:
            local = await self._online_without_asking(token, known, where)
            if local is not None:
                return local
            answer = await self.ask(token)
            if answer is not None:
                return answer
            return await self._offline(token, known, where)
        decision = await self._offline(token, known, where)
        if decision.by == "offline" and self._office.accepted and self.ctx.calls.online:
            # the link came back while a person thought
            return await self.ask(token) or decision
        return decision

    async def _online_without_asking(
        self, token: IdToken, known: Payload | None, where: str
    ) -> Decision | None:
        """What is decided on the spot although the back office could be asked."""
        never = self._model.flag("AuthCtrlr.DisableRemoteAuthorization")
        if known is None:
            return Decision(token, False, "Unknown", where) if never else None
        status = known["status"]
        if status == "Accepted":
            if never:
                return Decision(token, True, status, where, known)
            if not self._model.flag("AuthCtrlr.LocalPreAuthorize"):
                return None
            chosen = await self.ctx.points.ask("both-local-preauthorize-request")
            return Decision(token, True, status, where, known, recheck=chosen != "no-request")
        component = "LocalAuthListCtrlr" if where == "list" else "AuthCacheCtrlr"
        if never or self._model.flag(f"{component}.DisablePostAuthorize"):
            return Decision(token, False, status, where, known)
        return None

    async def _offline(self, token: IdToken, known: Payload | None, where: str) -> Decision:
        """C13, C15: what the station knows by itself."""
        if known is not None:
            local = self._model.flag("AuthCtrlr.LocalAuthorizeOffline")
            accepted = known["status"] == "Accepted" and local
            status = known["status"] if local else "Unknown"
            return Decision(token, accepted, status, where if local else "offline", known)
        chosen = "reject"
        if not self._model.flag("AuthCtrlr.OfflineTxForUnknownIdEnabled"):
            chosen = await self.ctx.points.ask("ocpp201-offline-unknown-token")
            if chosen == "reject":
                return Decision(token, False, "Unknown", "offline")
        capped = chosen != "accept-uncapped"
        return Decision(token, True, "Accepted", "offline", capped=capped)

    async def ask(self, token: IdToken) -> Decision | None:
        """Authorize: the decision of the back office, None when it cannot be reached."""
        try:
            answer = await self.ctx.calls.call("Authorize", {"idToken": token.payload()})
        except (CallRefused, InvalidAnswer):
            return Decision(token, False, "Invalid", "backoffice")
        except CallFailed:
            return None
        info: Payload = answer["idTokenInfo"]
        self.learn(token, info)
        status = info["status"]
        return Decision(token, status == "Accepted", status, "backoffice", info)

    # ---- what is known locally

    def known(self, token: IdToken) -> tuple[Payload | None, str]:
        """What list or cache say of a token (C13.FR.01: the list first), and which of them."""
        if self.local_list is not None and self._model.flag("LocalAuthListCtrlr.Enabled"):
            listed = self.local_list.find(token)
            if listed is not None:
                return listed, "list"
        if self._cache_on:
            since_use = self._hangs_on_use(token) and self._baseline.choose() == "edition-3"
            now, life_time = self.ctx.clock.now(), self._life_time
            return self._cache.find(token, now, life_time, since_use=since_use), "cache"
        return None, "cache"

    def _hangs_on_use(self, token: IdToken) -> bool:
        """Errata 2.21: LifeTime counts since the last update; as printed, since the last use."""
        if not self._cache_on:
            return False
        return self._cache.hangs_on_use(token, self.ctx.clock.now(), self._life_time)

    @property
    def _life_time(self) -> int:
        return self._model.integer("AuthCacheCtrlr.LifeTime")

    def local_group(self, token: IdToken) -> str | None:
        """The group of a token that list or cache accept (C01.FR.03 b)."""
        known, _ = self.known(token)
        if known is None or known["status"] != "Accepted":
            return None
        return group_of(known)

    def learn(self, token: IdToken, info: Payload) -> None:
        """An IdTokenInfo came in (C10.FR.04, C10.FR.05)."""
        if self._cache_on:
            self._cache.learn(token, info, self.ctx.clock.now())

    def is_master(self, group: str | None) -> bool:
        """Is this the group of the master passes."""
        master = self._model.text("AuthCtrlr.MasterPassGroupId")
        return bool(master) and group is not None and group.partition(":")[2] == master.lower()

    @property
    def _cache_on(self) -> bool:
        return self._model.flag("AuthCacheCtrlr.Enabled")

    # ---- back office

    def _clear_cache(self, _request: Payload) -> Reply:
        """C11: Rejected where there is no cache, or it is off."""
        if not self._cache_on:
            return Reply({"status": "Rejected", "statusInfo": {"reasonCode": "NotEnabled"}})
        self._cache.clear()
        return Reply({"status": "Accepted"})


def anonymous(token: IdToken | None) -> IdToken:
    """AuthCtrlr.Enabled false: the token that was shown, or the empty one."""
    return token or ANONYMOUS
