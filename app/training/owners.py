"""Whose certificate a station shows: A00.FR.404, .405 and .427 of both versions.

TLS finds out who has signed it, and whether it was taken back. That it is this station's own, and of an
operator that the CSMS trusts, only somebody can tell who knows the stations: what they have told is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.kernel.text import Text

OPERATOR = "Forecourt training"
"""The operator that this CSMS works for."""


@dataclass(slots=True)
class Owners:
    """Who may show what. With a `file` it is written at each change, and read again by `of`."""

    operators: set[str] = field(default_factory=lambda: {OPERATOR})
    """Whose name may stand in O: our own, and those whose requests we have signed."""
    serials: dict[str, str] = field(default_factory=dict)
    """Station id -> the serial number that may stand in CN; the id itself always may."""
    file: Path | None = None

    @classmethod
    def of(cls, file: Path) -> Owners:
        """What stands in a file; a new one if there is none. Raises OSError and ValueError."""
        if not file.exists():
            return cls(file=file)
        found = json.loads(file.read_text("utf-8"))
        try:
            return cls(set(map(str, found["operators"])), dict(found["serials"]), file)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{file.name}: {error}") from error

    def learn(self, station_id: str, serial: str, *, anew: bool) -> None:
        """A station has said its serial number; `anew`: it may be another one than before.

        Raises OSError.
        """
        before = self.serials.get(station_id)
        if serial and serial != before and (anew or before is None):
            self.serials[station_id] = serial
            self._write()

    def trust(self, operator: str) -> None:
        """A request of this organisation is signed. Raises OSError."""
        if operator and operator not in self.operators:
            self.operators.add(operator)
            self._write()

    def objection(self, station_id: str, certificate: Mapping[str, Any]) -> Text | None:
        """What is wrong with the certificate that a station shows, as `getpeercert` gives it."""
        subject = dict(pair for part in certificate.get("subject", ()) for pair in part)
        name, operator = subject.get("commonName", ""), subject.get("organizationName", "")
        serial = self.serials.get(station_id)
        if name not in (station_id, serial):
            key = "other_station" if serial else "unknown_serial"
            return Text(f"training.not_its_own.{key}", {"name": name, "serial": serial or ""})
        if operator not in self.operators:
            trusted = ", ".join(sorted(self.operators))
            return Text("training.not_its_own.operator", {"operator": operator, "trusted": trusted})
        return None

    def _write(self) -> None:
        if self.file is None:
            return
        found = {"operators": sorted(self.operators), "serials": self.serials}
        self.file.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
