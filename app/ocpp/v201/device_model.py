"""The device model: what the station is and how it is set, by component and variable.

Part 1 section 4, part 2 section B and appendix 3. Values that were set survive in `v201.variables`;
values that are measured come from sources that other blocks name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.kernel.units import stamp
from app.ocpp.context import Context, Payload
from app.ocpp.events import SettingChanged
from app.ocpp.personality import Block
from app.ocpp.v201 import inventory
from app.ocpp.v201.variables import (
    ACTUAL,
    Attribute,
    BadValue,
    Mutability,
    Path,
    Place,
    Variable,
    normalise,
    split,
)
from app.station.kinds import Current
from app.station.snapshot import EvseSnapshot

TABLE = "v201.variables"

Source = Callable[[Place], str]
Watcher = Callable[[], None]
Guard = Callable[[str], None]
Ahead = Callable[[str], Awaitable[None]]
Early = Callable[[str | None, str], None]

_Key = tuple[tuple[str, str, int, int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a wish to set an attribute: a SetVariableStatusEnumType and why."""

    status: str
    reason: str | None = None
    info: str | None = None


class DeviceModel(Block):
    """All variables of the station, read and set by path or by payload."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._variables: dict[_Key, Variable] = {}
        self._sources: dict[str, Source] = {}
        self._watchers: dict[str, list[Watcher]] = {}
        self._guards: dict[str, Guard] = {}
        self._ahead: dict[str, Ahead] = {}
        self._early: dict[str, Early] = {}
        self._identity_sources()

    # ---- life

    def restore(self) -> None:
        snapshot = self.ctx.station.snapshot()
        self._variables = {
            (variable.place.key, variable.key): variable
            for variable in inventory.build(snapshot, self.ctx.settings.features)
        }
        self._fit_hardware(all(c.tethered for e in snapshot.evses for c in e.connectors))
        if self.ctx.settings.free_vend:
            self._variables[self._key("AuthCtrlr.Enabled")].attributes[ACTUAL].value = "false"
        inventory.override(self._variables, self.ctx.settings.variables)
        for path, row in self.ctx.store.rows(TABLE):
            self._restore_row(path, row)

    def _restore_row(self, path: str, row: Payload) -> None:
        variable = self._by_path(Path.parse(path))
        if variable is None:
            return  # hardware or feature that is gone: the row waits for it to come back
        for name, value in row.items():
            attribute = variable.attributes.setdefault(name, Attribute())
            attribute.value = value
            if name == ACTUAL:
                variable.source = None

    def _fit_hardware(self, all_tethered: bool) -> None:
        # appendix: with fixed cables only, UnlockOnEVSideDisconnect is false and cannot be changed
        if all_tethered:
            variable = self._variables[self._key("OCPPCommCtrlr.UnlockOnEVSideDisconnect")]
            variable.attributes[ACTUAL] = Attribute("false", Mutability.READ_ONLY)

    def source(self, name: str, read: Source) -> None:
        """Name where values come from that nobody stores."""
        self._sources[name] = read

    def watch(self, path: str, changed: Watcher) -> None:
        """Call after this variable got a new value."""
        self._watchers.setdefault(path.lower(), []).append(changed)

    def guard(self, path: str, check: Guard) -> None:
        """Let `check` raise BadValue for values that the characteristics cannot rule out."""
        self._guards[path.lower()] = check

    def ahead(self, path: str, look: Ahead) -> None:
        """Let `look` see a value before `check` does, where there is still time to ask a person."""
        self._ahead[path.lower()] = look

    def before(self, path: str, changes: Early) -> None:
        """Tell the value that is about to go, and who sets another one, in the step that writes it."""
        self._early[path.lower()] = changes

    # ---- reading

    def variables(self) -> list[Variable]:
        """All, ordered by place."""
        return [self._variables[key] for key in sorted(self._variables)]

    def has_component(self, place: Place) -> bool:
        return any(key == place.key for key, _ in self._variables)

    def find(self, place: Place, name: str, instance: str | None) -> Variable | None:
        return self._variables.get((place.key, (name.lower(), (instance or "").lower())))

    def value(self, variable: Variable, attribute: str = ACTUAL) -> str:
        """The value of an attribute, empty where it has none."""
        if attribute == ACTUAL and variable.source is not None:
            return self._sources[variable.source](variable.place)
        given = variable.attributes[attribute].value
        if attribute == "MaxSet" and given is None and variable.maximum_source is not None:
            return self._sources[variable.maximum_source](variable.place)
        return given or ""

    def maximum(self, variable: Variable) -> float | None:
        """The upper limit, which hardware may set."""
        if variable.maximum_source is not None:
            return float(self._sources[variable.maximum_source](variable.place))
        return variable.maximum

    def text(self, path: str) -> str:
        """The actual value by path. Raises KeyError."""
        return self.value(self.at(path))

    def integer(self, path: str) -> int:
        value = self.text(path)
        return int(value) if value else 0

    def flag(self, path: str, default: bool = False) -> bool:
        """True or false; `default` where the station has no such variable."""
        parsed = Path.parse(path)
        variable = self._by_path(parsed)
        return self.value(variable) == "true" if variable is not None else default

    def members(self, path: str) -> tuple[str, ...]:
        return split(self.text(path))

    def at(self, path: str) -> Variable:
        """Raises KeyError."""
        variable = self._by_path(Path.parse(path))
        if variable is None:
            raise KeyError(path)
        return variable

    # ---- setting

    async def look_ahead(self, variable: Variable, value: str) -> None:
        """Awaited before the step in which the variables of a request are set."""
        look = self._ahead.get(variable.path.lower())
        if look is not None:
            await look(value)

    def judge(self, variable: Variable, attribute: str, value: str) -> tuple[Verdict, str]:
        """Could this be set from outside, and in which spelling."""
        found = variable.attributes[attribute]
        if found.mutability is Mutability.READ_ONLY:
            return Verdict("Rejected", "ReadOnly"), value
        try:
            value = normalise(variable, value, self.maximum(variable))
            check = self._guards.get(variable.path.lower())
            if check is not None and attribute == ACTUAL:
                check(value)
        except BadValue as error:
            return Verdict("Rejected", error.reason, error.info), value
        reboot = variable.reboot and attribute == ACTUAL and value != self.value(variable)
        return Verdict("RebootRequired" if reboot else "Accepted"), value

    def set(self, variable: Variable, attribute: str, value: str, by: str) -> Verdict:
        """Set from outside: checked, stored, told."""
        verdict, spelling = self.judge(variable, attribute, value)
        if verdict.status in ("Accepted", "RebootRequired"):
            self.put(variable, spelling, by, attribute)
        return verdict

    def put(self, variable: Variable, value: str, by: str, attribute: str = ACTUAL) -> None:
        """Set from inside, read-only or not."""
        before = None if variable.secret else self.value(variable, attribute)
        row = self.ctx.store.get(TABLE, variable.path) or {}
        early = self._early.get(variable.path.lower()) if attribute == ACTUAL else None
        with self.ctx.store.step():
            if early is not None:
                early(variable.attributes[ACTUAL].value, by)
            self.ctx.store.put(TABLE, variable.path, {**row, attribute: value})
        variable.attributes[attribute].value = value
        if attribute != ACTUAL:
            return
        variable.source = None
        after = None if variable.secret else value
        self.ctx.bus.publish(SettingChanged(variable.path, before, after, by))
        for changed in self._watchers.get(variable.path.lower(), ()):
            changed()

    # ---- inside

    def _by_path(self, path: Path) -> Variable | None:
        return self.find(path.place, path.name, path.instance)

    def _key(self, path: str) -> _Key:
        parsed = Path.parse(path)
        return parsed.place.key, (parsed.name.lower(), (parsed.instance or "").lower())

    def _evse(self, place: Place) -> EvseSnapshot:
        return self.ctx.station.snapshot().evse(place.evse or 1)

    def _identity_sources(self) -> None:
        identity = self.ctx.settings.identity
        self.source("identity.model", lambda _: identity.model[:20])
        self.source("identity.vendor", lambda _: identity.vendor[:50])
        self.source("clock.now", lambda _: stamp(self.ctx.clock.now()))
        self.source("phases.station", lambda _: str(self._station_phases()))
        self.source("phases.evse", lambda place: str(_phases(self._evse(place))))
        self.source("power.evse", lambda place: f"{self._evse(place).power:.1f}")
        self.source("power.rating", lambda place: f"{self._evse(place).max_power:.0f}")
        self.source("connector.type", self._connector_type)

    def _station_phases(self) -> int:
        return max((_phases(evse) for evse in self.ctx.station.snapshot().evses), default=0) or 3

    def _connector_type(self, place: Place) -> str:
        for connector in self._evse(place).connectors:
            if connector.id == place.connector:
                if connector.plug.value == "ccs2":
                    return "cCCS2"
                return "cType2" if connector.tethered else "sType2"
        return "Unknown"


def _phases(evse: EvseSnapshot) -> int:
    """Phases of alternating current at the outlet: none for DC."""
    return 0 if evse.current is Current.DC else evse.phases
