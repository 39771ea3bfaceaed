"""Settings as rows of a table: configuration keys of 1.6 and variables of 2.0.1 alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.kernel.text import Text

GOOD = frozenset({"Accepted", "RebootRequired"})
LISTS = frozenset({"MemberList", "SequenceList", "list"})
"""Types of which a value names several."""
BACK_OFFICE, PERSON, STATION = "back_office", "person", "station"


@dataclass(frozen=True, slots=True)
class Change:
    """A setting got another value. `by` is back_office, person or station."""

    at: datetime
    by: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A configuration key (1.6) or variable (2.0.1).

    `waiting`: the value counts from the next boot on. `takes` says which values it takes, None for any.
    """

    name: str
    group: str
    value: str | None
    kind: str
    unit: str
    readonly: bool
    secret: bool
    reboot: bool
    waiting: bool
    choices: tuple[str, ...]
    takes: Text | None
    change: Change | None = None

    @property
    def editable(self) -> bool:
        """A person at the station may set it."""
        return not self.readonly


@dataclass(frozen=True, slots=True)
class SettingOutcome:
    """What became of a value: the protocol's word, and why, where it was not taken."""

    name: str
    value: str
    status: str
    why: Text | None = None

    @property
    def accepted(self) -> bool:
        return self.status in GOOD


def setting_row(item: Mapping[str, Any], change: Change | None = None) -> SettingRow:
    """A row of what a personality tells of a key or variable."""
    component = item.get("component")
    group = str(component["name"]) if component else str(item.get("profile") or "")
    kind = str(item.get("type") or "")
    return SettingRow(
        name=str(item["name"]),
        group=group,
        value=item.get("value"),
        kind=kind,
        unit=str(item.get("unit") or ""),
        readonly=bool(item.get("readonly")),
        secret=bool(item.get("secret")),
        reboot=bool(item.get("reboot")),
        waiting=bool(item.get("waiting")),
        choices=_choices(kind, item),
        takes=_takes(kind, item),
        change=change,
    )


def _choices(kind: str, item: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of which one is taken; empty where it is no choice of one."""
    if kind == "boolean":
        return ("true", "false")
    return () if kind in LISTS else tuple(item.get("values") or ())


def _takes(kind: str, item: Mapping[str, Any]) -> Text | None:
    """Which values are taken, as a sentence."""
    check = item.get("check")
    if check and check != "none":
        return Text(f"rooms.takes.check.{str(check).replace(' ', '_')}", {"most": item.get("most")})
    low, high = item.get("minimum"), item.get("maximum")
    if kind == "boolean":
        return Text("rooms.takes.boolean")
    if kind in {"integer", "decimal"}:
        return _range(kind, low, high)
    values = ", ".join(item.get("values") or ())
    if values:
        listed = kind in LISTS
        return Text("rooms.takes.members" if listed else "rooms.takes.one_of", {"values": values})
    if high is None:
        return None
    if low:
        shown = {"minimum": f"{low:,.0f}", "maximum": f"{high:,.0f}"}
        return Text("rooms.takes.length.between", shown)
    return Text("rooms.takes.length", {"maximum": f"{high:,.0f}"})


def _range(kind: str, low: float | None, high: float | None) -> Text:
    """A number, and what it lies between."""
    shown = {"minimum": f"{low or 0:,.0f}", "maximum": f"{high or 0:,.0f}"}
    if low is not None and high is not None:
        return Text(f"rooms.takes.{kind}.between", shown)
    if high is not None:
        return Text(f"rooms.takes.{kind}.to", shown)
    return Text(f"rooms.takes.{kind}.from" if low is not None else f"rooms.takes.{kind}", shown)


def why_not(row: SettingRow | None) -> Text | None:
    if row is None:
        return Text("rooms.setting.gone")
    if row.readonly:
        return Text("rooms.setting.readonly")
    return row.takes
