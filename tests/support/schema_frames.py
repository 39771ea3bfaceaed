"""Makes payloads from a JSON schema: valid ones, and ones with one thing wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

Schema = dict[str, Any]

GOOD_DATES = (
    "2026-01-15T08:00:00Z",
    "2026-01-15T08:00:00.123Z",
    "2026-01-15T08:00:00.123456789Z",
    "2026-01-15T09:00:00+01:00",
    "2026-01-15T08:00:00-00:30",
    "2026-01-15t08:00:00z",
    "2026-06-30T23:59:60Z",
    "2024-02-29T00:00:00Z",
)
ODD_DATES = (
    "2026-01-15T08:00:00",
    "2026-01-15 08:00:00Z",
    "2026-01-15T08:00:00+0100",
    "2026-01-15",
    "08:00:00",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2026-01-15T25:00:00Z",
    "2026-01-15T08:61:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "2026-01-15T08:00:00+99:99",
    "２０２６-01-15T08:00:00Z",
    "yesterday",
    "",
)
WORDS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_äöüé漢😀"


class Maker:
    """Makes payloads for one schema, from a seed."""

    def __init__(self, document: Schema, random: Random) -> None:
        self.document = document
        self.random = random

    def valid(self) -> Any:
        return self._value(self.document, 0)

    def _resolve(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema

    def _value(self, schema: Schema, depth: int) -> Any:
        schema = self._resolve(schema)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return self._string(schema)
        if kind == "integer":
            return self._whole(schema)
        if kind == "number":
            return self._number(schema)
        if kind == "boolean":
            return self.random.random() < 0.5
        return self.random.choice([None, True, 3, 1.5, "any", [1, "a"], {"a": {"b": []}}])

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        share = 0.6 / (1 + depth / 2)
        return {
            name: self._value(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or self.random.random() < share
        }

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", least + 2), least + 2)
        count = self.random.randint(least, most)
        return [self._value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _string(self, schema: Schema) -> str:
        if schema.get("format") == "date-time":
            return self.random.choice(GOOD_DATES)
        if schema.get("format") == "uri":
            return self.random.choice(["https://example.com/a?b=c", "ftp://host/x", "urn:a:b"])
        most = schema.get("maxLength", 40)
        length = self.random.choice([0, 1, most, self.random.randint(0, most)])
        return "".join(self.random.choice(WORDS) for _ in range(min(length, 600)))

    def _whole(self, schema: Schema) -> int:
        low = int(schema.get("minimum", -(10**6)))
        high = int(schema.get("maximum", max(10**6, low)))
        return self.random.choice([low, high, self.random.randint(low, high)])

    def _number(self, schema: Schema) -> float:
        low = float(schema.get("minimum", -40_000))
        high = float(schema.get("maximum", 40_000))
        value = self.random.uniform(low, high)
        return round(value, 1) if "multipleOf" in schema or self.random.random() < 0.5 else value

    # ------------------------------------------------------------ one thing wrong (or odd)

    def mutated(self) -> Any:
        payload = copy.deepcopy(self.valid())
        places = list(_places(payload))
        if not places or self.random.random() < 0.02:
            return self.random.choice([[], "text", 5, None, True, [payload]])
        holder, key = self.random.choice(places)
        change = self.random.choice(
            (self._drop, self._unknown, self._other_kind, self._stretch, self._stretch)
        )
        change(holder, key)
        return payload

    def _drop(self, holder: Any, key: Any) -> None:
        del holder[key]

    def _unknown(self, holder: Any, key: Any) -> None:
        if isinstance(holder, dict):
            holder[self.random.choice(["vendorExtra", "", "a.b", "ключ"])] = 1
        else:
            holder.append({"extra": True})

    def _other_kind(self, holder: Any, key: Any) -> None:
        holder[key] = self.random.choice([None, True, 0, 1.0, -2.5, "7", "", [], {}, [{}], 2**70])

    def _stretch(self, holder: Any, key: Any) -> None:
        value = holder[key]
        if isinstance(value, bool):
            holder[key] = int(value)
        elif isinstance(value, int):
            holder[key] = self.random.choice([float(value), value + 0.5, -value, value * 10**6])
        elif isinstance(value, float):
            holder[key] = self.random.choice(
                [value + 0.05, value + 1e-9, -value, int(value), 0.1 + 0.2, 16.1, value * 1000]
            )
        elif isinstance(value, str):
            holder[key] = self.random.choice(
                [value * 30 + "x" * 60, value + "?", value.lower(), *ODD_DATES]
            )
        elif isinstance(value, list):
            holder[key] = self.random.choice([[], value * 4, [*value, None]])
        else:
            holder[key] = [value]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in list(items):
        yield value, key
        yield from _places(item)
