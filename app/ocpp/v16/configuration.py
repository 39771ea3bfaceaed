"""GetConfiguration and ChangeConfiguration over the table of keys (1.6 part 5.3, 5.8 and 9).

A key's value is, the first that there is: what OCPP or a person changed (a row), what the configuration
file says, the default. Names compare without case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from app.kernel.text import Text
from app.ocpp.context import Context, Handler, HandlerError, KeySetting, Payload, Reply
from app.ocpp.events import SettingChanged
from app.ocpp.features import CORE, FEATURES
from app.ocpp.personality import Block
from app.ocpp.v16.connectors import Connectors
from app.ocpp.v16.keys import KEYS, OWN_KEYS, SIGNED_KEYS, Access, Key, Kind
from app.ocpp.v16.measurands import Wish, parse
from app.ocpp.v16.presets import described
from app.ocpp.v16.rows import KEYS as TABLE
from app.ocpp.v16.turned_down import REJECTED, reason, turned_down
from app.ocpp.v16.values import BadValue, checked, items
from app.ocpp.version import Version
from app.station.kinds import Current

BACK_OFFICE = "backoffice"
PERSON = "person"

_SECRETS = frozenset({"authorizationkey"})


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that is not ours to keep, and what makes it known."""

    value: Callable[[], str | None]
    ready: Callable[[], Awaitable[None]]


class Configuration(Block):
    """The configuration keys of the charge point."""

    def __init__(self, ctx: Context, connectors: Connectors) -> None:
        super().__init__(ctx)
        self._connectors = connectors
        wanted = ctx.settings.features
        self.profiles = tuple(
            name
            for name in FEATURES[Version.V16]
            if wanted is None or name in wanted or name == CORE
        )
        self._keys = self._table()
        self._values: dict[str, str] = {}
        self._given: dict[str, _Given] = {}
        self._waiting: dict[str, str | None] = {}
        """What keys that wait for the next boot were before they were changed."""
        self.judges: dict[str, Callable[[str, str], None]] = {}
        """By folded name: raises BadValue for a value, and for who wants it, that the key cannot rule out."""
        self.before_change: dict[str, Callable[[str | None], None]] = {}
        """By folded name: told the value that is about to go, in the step that writes the new one."""
        self.after_change: dict[str, Callable[[], None]] = {}
        """By folded name: what is done once the change has been answered."""

    # ------------------------------------------------------------------ what other blocks read

    def text(self, name: str) -> str:
        """The value, "" where the key is unset."""
        return self.value(name) or ""

    def value(self, name: str) -> str | None:
        """The value in force, None where the key is unset. Raises KeyError for one that is not there."""
        low = name.casefold()
        return self._waiting[low] if low in self._waiting else self._set(low)

    def _set(self, low: str) -> str | None:
        """The value as it was set, though it may wait for the next boot."""
        if low in self._given:
            return self._given[low].value()
        return self._values.get(low, self._keys[low].default)

    def waits(self, name: str) -> bool:
        """The key has another value that counts from the next boot on."""
        return name.casefold() in self._waiting

    def flag(self, name: str) -> bool:
        return self.text(name).casefold() == "true"

    def number(self, name: str) -> int:
        """The value as a whole number, 0 where it is unset or was preset with something else."""
        try:
            return int(self.text(name))
        except ValueError:
            return 0

    def patience(self, request: Payload) -> tuple[int, float]:
        """How often a transfer is tried again, and after how many seconds: as asked, or our own."""
        retries = request.get("retries", self.number("TransferRetries"))
        interval = request.get("retryInterval", self.number("TransferRetryInterval"))
        return max(0, int(retries)), max(0, int(interval))

    def wishes(self, name: str) -> list[Wish]:
        """A list of measurands; what the meter cannot measure is passed over."""
        found = (parse(item) for item in items(self.text(name)))
        return [wish for wish in found if wish is not None]

    def give(
        self, name: str, value: Callable[[], str | None], ready: Callable[[], Awaitable[None]]
    ) -> None:
        """A read-only key whose value the hardware tells; `ready` is awaited where that is None."""
        self._keys.setdefault(name.casefold(), Key(name, Kind.TEXT, Access.READ, None))
        self._given[name.casefold()] = _Given(value, ready)

    def all(self) -> list[Key]:
        return list(self._keys.values())

    # ------------------------------------------------------------------ block

    def restore(self) -> None:
        for name, row in self.ctx.store.rows(TABLE):
            if name in self._keys:
                self._values[name] = str(row["value"])

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "GetConfiguration": self._get_configuration,
            "ChangeConfiguration": self._change_configuration,
        }

    def change(self, name: str, value: str, by: str) -> str:
        """Set a key as the back office or a person would. Returns the status word of 1.6."""
        return str(self._change(name, value, by).payload["status"])

    def why_not(self, name: str, value: str, by: str) -> Text | None:
        """Why this value would be refused, where the type and range of the key do not tell it."""
        try:
            self._judge(self._keys[name.casefold()], value, by)
        except BadValue as bad:
            return bad.why
        return None

    def _judge(self, key: Key, value: str, by: str) -> str:
        """The value as it is kept. Raises BadValue."""
        most = self.number(key.limited_by) if key.limited_by else None
        value = checked(key, value, connectors=len(self._connectors), most=most)
        judge = self.judges.get(key.name.casefold())
        if judge is not None:
            judge(value, by)
        return value

    def _change(self, name: str, value: str, by: str) -> Reply:
        low = name.casefold()
        key = self._keys.get(low)
        if key is None:
            return turned_down("NotSupported", "key", key=name)
        if key.access is Access.READ:
            return turned_down(REJECTED, "key_readonly", key=key.name)
        try:
            value = self._judge(key, value, by)
        except BadValue as bad:
            told = _told_of(key, value)
            return Reply({"status": REJECTED}, why=bad.why or told)
        with self.ctx.store.step():
            if low in self.before_change:
                self.before_change[low](self._set(low))
            self.put(key.name, value, by)
        return Reply({"status": "RebootRequired" if key.reboot else "Accepted"})

    def withdraw(self, name: str, by: str) -> None:
        """The key has its first value again: as the configuration file or the specification has it."""
        low = name.casefold()
        key = self._keys[low]
        before = self._set(low)
        self.ctx.store.delete(TABLE, low)
        self._values.pop(low, None)
        self._waiting.pop(low, None)
        if before != key.default:
            told = (None, None) if low in _SECRETS else (before, key.default)
            self.ctx.bus.publish(SettingChanged(key.name, told[0], told[1], by))

    def changed(self, name: str) -> None:
        """A change has been answered: what follows from it."""
        after = self.after_change.get(name.casefold())
        if after is not None:
            after()

    def put(self, name: str, value: str, by: str) -> None:
        """Write a value down without asking whether the key takes it, and tell of it."""
        low = name.casefold()
        key = self._keys[low]
        before = self._set(low)
        if key.reboot:
            self._waiting.setdefault(low, before)
        self.ctx.store.put(TABLE, low, {"value": value})
        self._values[low] = value
        if before != value:
            secret = low in _SECRETS
            told = (None, None) if secret else (before, value)
            self.ctx.bus.publish(SettingChanged(key.name, told[0], told[1], by))

    def describe(self) -> list[Payload]:
        """All keys for views and the control API; secrets without their value."""
        return [
            {
                **described(key),
                "value": None if _secret(key) else self._set(key.name.casefold()),
                "readonly": key.access is Access.READ,
                "secret": _secret(key),
                "waiting": key.name.casefold() in self._waiting,
                "most": self.number(key.limited_by) if key.limited_by else None,
            }
            for key in self._keys.values()
        ]

    def get(self, name: str) -> str | None:
        """As `value`, but a secret is not told. Raises KeyError."""
        key = self._keys[name.casefold()]
        return None if _secret(key) else self._set(name.casefold())

    # ------------------------------------------------------------------ messages

    def _get_configuration(self, request: Payload) -> Reply | Awaitable[Reply]:
        asked: list[str] = list(dict.fromkeys(request.get("key") or []))
        wanted = {name.casefold() for name in asked} or self._keys.keys()
        late = {
            given.ready
            for low, given in self._given.items()
            if low in wanted and given.value() is None
        }
        return self._read_later(asked, late) if late else self._read(asked)

    async def _read_later(
        self, asked: list[str], late: Iterable[Callable[[], Awaitable[None]]]
    ) -> Reply:
        for ready in late:
            await ready()
        return self._read(asked)

    def _read(self, asked: list[str]) -> Reply:
        if not asked:
            return Reply({"configurationKey": [self._told(key) for key in self._keys.values()]})
        limit = self.number("GetConfigurationMaxKeys")
        if limit and len(asked) > limit:
            raise HandlerError(
                "OccurenceConstraintViolation", f"at most {limit} keys in one request"
            )
        found, unknown = [], []
        for name in asked:
            key = self._keys.get(name.casefold())
            if key is None:
                unknown.append(name)
            else:
                found.append(self._told(key))
        answer: Payload = {"configurationKey": found} if found or not unknown else {}
        if unknown:
            answer["unknownKey"] = unknown
        return Reply(answer)

    def _change_configuration(self, request: Payload) -> Reply:
        name = str(request["key"])
        reply = self._change(name, str(request["value"]), BACK_OFFICE)
        if reply.payload["status"] == "Accepted":
            return replace(reply, then=lambda: self.changed(name))
        return reply

    def _told(self, key: Key) -> Payload:
        told: Payload = {"key": key.name, "readonly": key.access is Access.READ}
        value = self._set(key.name.casefold())
        if value is not None and not _secret(key):
            told["value"] = value[:500]
        return told

    # ------------------------------------------------------------------ the table of this station

    def _table(self) -> dict[str, Key]:
        wanted = {item.key.casefold(): item for item in self.ctx.settings.keys}
        table: dict[str, Key] = {}
        for key in (*KEYS, *SIGNED_KEYS, *OWN_KEYS):
            setting = wanted.pop(key.name.casefold(), None)
            if key.offered or setting is not None:
                table[key.name.casefold()] = _preset(self._fitted(key), setting)
        for low, setting in wanted.items():
            custom = Key(setting.key, Kind.TEXT, Access.BOTH, "", profile="Custom")
            table[low] = _preset(custom, setting)
        return table

    def _fitted(self, key: Key) -> Key:
        """The key as this hardware and these features make it."""
        match key.name:
            case "NumberOfConnectors":
                return replace(key, default=str(len(self._connectors)))
            case "SupportedFeatureProfiles":
                return replace(key, default=",".join(self.profiles))
            case "SecurityProfile":
                return replace(key, default=str(self.ctx.settings.security_profile))
            case "ConnectorPhaseRotation":
                return replace(key, default=self._rotation())
        if key.name == "UnlockConnectorOnEVSideDisconnect" and not any(
            item.lockable and not item.tethered for item in self._connectors
        ):
            return replace(key, default="false", access=Access.READ)  # errata 3.84
        if key.kind is Kind.BOOL and key.profile not in (CORE, "Security", *self.profiles):
            return replace(key, default="false", access=Access.READ)
        return key

    def _rotation(self) -> str:
        snapshot = self.ctx.station.snapshot()
        items = ["0.RST"]
        for item in self._connectors:
            evse = snapshot.evse(item.evse)
            three = evse.current is Current.AC and evse.phases == 3
            items.append(f"{item.number}.{'RST' if three else 'NotApplicable'}")
        return ",".join(items)


def _told_of(key: Key, value: str) -> Text:
    """That the key does not take this value; a secret is not told."""
    if _secret(key):
        return reason("key_secret", key=key.name)
    return reason("key_value", key=key.name, value=value)


def _secret(key: Key) -> bool:
    return key.access is Access.WRITE or key.name.casefold() in _SECRETS


def _preset(key: Key, setting: KeySetting | None) -> Key:
    """The key with what the configuration file says about it."""
    if setting is None:
        return key
    if setting.value is not None:
        key = replace(key, default=setting.value)
    if setting.reboot:
        key = replace(key, reboot=True)
    if setting.readonly is not None and key.access is not Access.WRITE:
        key = replace(key, access=Access.READ if setting.readonly else Access.BOTH)
    return key
