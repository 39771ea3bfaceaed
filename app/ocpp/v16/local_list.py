"""The local authorization list: tokens the back office vouches for in advance (1.6 part 3.5.2, 5.10, 5.15).

Only SendLocalList changes it. An update is taken as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.ocpp.context import Context, Handler, Payload, Reply
from app.ocpp.events import LocalListChanged
from app.ocpp.features import LOCAL_LIST
from app.ocpp.personality import Block
from app.ocpp.v16.configuration import Configuration
from app.ocpp.v16.rows import LIST, LIST_VERSION
from app.ocpp.v16.turned_down import turned_down

CURRENT = "current"
LIST_LENGTH = "LocalAuthListMaxLength"

NOT_THERE = -1
"""The version told of a list that is not supported or switched off."""

EMPTY = 0
"""The version told of a list without entries."""


class BadUpdate(Exception):
    """An update that cannot be taken: the status word, and why."""

    def __init__(self, status: str, key: str, **params: str | float) -> None:
        super().__init__(status)
        self.reply = turned_down(status, key, **params)


class LocalAuthList(Block):
    """The list and the two messages about it."""

    def __init__(self, ctx: Context, config: Configuration) -> None:
        super().__init__(ctx)
        self._config = config
        self._entries: dict[str, Payload] = {}
        self._version = EMPTY

    # ------------------------------------------------------------------ what is asked of it

    @property
    def enabled(self) -> bool:
        """The list is supported and not switched off."""
        supported = LOCAL_LIST in self._config.profiles
        return supported and self._config.flag("LocalAuthListEnabled")

    @property
    def version(self) -> int:
        """What GetLocalListVersion tells: -1 where there is no list, 0 for an empty one (16-LL-04)."""
        if not self.enabled:
            return NOT_THERE
        return self._version if self._entries else EMPTY

    def find(self, token: str) -> Mapping[str, Any] | None:
        """The idTagInfo of a listed token; None if it is not listed or the list is off."""
        return self._entries.get(token.casefold()) if self.enabled else None

    def entries(self) -> list[Payload]:
        """All entries for views: idTag, status, expiryDate and parentIdTag where they are set."""
        return [dict(row) for row in self._entries.values()]

    # ------------------------------------------------------------------ block

    def restore(self) -> None:
        self._entries = dict(self.ctx.store.rows(LIST))
        row = self.ctx.store.get(LIST_VERSION, CURRENT) or {}
        self._version = int(row.get("version", EMPTY))

    def handlers(self) -> Mapping[str, Handler]:
        # also answered without the profile: both have a word for that
        return {"SendLocalList": self._send_local_list, "GetLocalListVersion": self._get_version}

    # ------------------------------------------------------------------ messages

    def _get_version(self, request: Payload) -> Reply:
        return Reply({"listVersion": self.version})

    def _send_local_list(self, request: Payload) -> Reply:
        if not self.enabled:
            return turned_down("NotSupported", "no_list")
        full = request["updateType"] == "Full"
        items = request.get("localAuthorizationList") or []
        try:
            after = self._updated(items, int(request["listVersion"]), full=full)
        except BadUpdate as bad:
            return bad.reply
        self._write(after, int(request["listVersion"]), full=full)
        return Reply({"status": "Accepted"})

    def _updated(
        self, items: Sequence[Payload], version: int, *, full: bool
    ) -> dict[str, Payload | None]:
        """The rows to write, None for those to delete. Raises BadUpdate."""
        if not full and version <= self.version:
            mine = self.version
            raise BadUpdate(
                "VersionMismatch", "list_version", version=version, mine=mine
            )  # 16-LL-03
        if version <= EMPTY:
            raise BadUpdate("Failed", "list_version_zero", version=version)  # errata 3.52
        most = self._config.number("SendLocalListMaxLength")
        if len(items) > most:
            raise BadUpdate("Failed", "list_long", count=len(items), most=most)  # 16-LL-05
        changes: dict[str, Payload | None] = {}
        for item in items:
            key = str(item["idTag"]).casefold()
            info = item.get("idTagInfo")
            if key in changes:  # part 6.41: unique
                raise BadUpdate("Failed", "list_twice", token=str(item["idTag"]))
            if full and info is None:  # part 7.1: complete in a full list
                raise BadUpdate("Failed", "list_no_info", token=str(item["idTag"]))
            changes[key] = None if info is None else {"idTag": item["idTag"], **info}
        after, room = self._size_after(changes, full=full), self._config.number(LIST_LENGTH)
        if after > room:
            raise BadUpdate("Failed", "list_full", count=after, most=room)
        return changes

    def _size_after(self, changes: Mapping[str, Payload | None], *, full: bool) -> int:
        kept = 0 if full else sum(key not in changes for key in self._entries)
        return kept + sum(row is not None for row in changes.values())

    def _write(self, changes: Mapping[str, Payload | None], version: int, *, full: bool) -> None:
        entries: dict[str, Payload] = {} if full else dict(self._entries)
        with self.ctx.store.step():
            if full:
                self.ctx.store.clear(LIST)
            for key, row in changes.items():
                if row is None:
                    self.ctx.store.delete(LIST, key)
                    entries.pop(key, None)
                else:
                    self.ctx.store.put(LIST, key, row)
                    entries[key] = row
            self.ctx.store.put(LIST_VERSION, CURRENT, {"version": version})
        self._entries, self._version = entries, version
        self.ctx.bus.publish(LocalListChanged(self.version, len(entries)))
