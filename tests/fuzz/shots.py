"""Frames that nobody should send, and some that anybody may: made from a seed.

A shot is a text (or bytes) that comes over the wire. Some are answers to a CALL of the station; in those
`{id}` stands for the id of that CALL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from tests.support.schema_frames import Maker

ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ufeff",
    "\u202egnirts",
    "e\u0301" * 20,
    "\U0001f600" * 40,
    "ｅｖｓｅ",
    "'; DROP TABLE doc; --",
    "../../../../etc/passwd",
    "%s%n{0}{}$",
    "<script>alert(1)</script>",
    "x" * 500,
    "ß" * 37,
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    2**200,
    -0.0,
    1e308,
    5e-324,
    0.1 + 0.2,
    [],
    {},
    [[]],
    {"": ""},
    *ODD_TEXTS,
)
ODD_TOKENS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-",
    "01",
    "1.",
    "'a'",
    "\\ud800",
    '"\\ud83d"',
    '"\\u0000"',
    "\x00",
    "//",
    "/**/",
    ",",
    ":",
    "]",
    "}",
    "[",
    "{",
    '"',
    "\\",
    "null",
    "9" * 5000,
    "\ufeff",
    "\u2028",
    "undefined",
)
NO_HOST = "gopher://127.0.0.1:9/nobody"
"""Where an order to fetch or to deliver something may lead in these tests."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame for the station; `answer`: as the answer to a CALL of its own."""

    kind: str
    text: str | bytes
    answer: bool = False

    def row(self, version: Version, why: str) -> dict[str, Any]:
        """The form of the corpus."""
        binary = isinstance(self.text, bytes)
        text = self.text.hex() if isinstance(self.text, bytes) else self.text
        return {
            "version": version.value,
            "kind": self.kind,
            "answer": self.answer,
            "binary": binary,
            "why": why,
            "text": text,
        }

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Shot:
        text = bytes.fromhex(row["text"]) if row["binary"] else row["text"]
        return cls(row["kind"], text, row["answer"])


class Shots:
    """An endless magazine for one version."""

    def __init__(self, version: Version, random: Random) -> None:
        self.version = version
        self.random = random
        self._schemas = Schemas.of(version)
        self._ids = count(1)
        self._makers: dict[tuple[str, str], Maker] = {}
        self._actions = sorted(self._schemas.actions)
        self._before: Shot | None = None
        self._kinds: tuple[tuple[int, Callable[[], Shot]], ...] = (
            (20, self._right),
            (25, self._one_thing_wrong),
            (12, self._odd_value),
            (12, self._broken_frame),
            (20, self._broken_text),
            (3, self._deep),
            (2, self._long),
            (8, self._answer_to_nothing),
            (4, self._again),
            (3, self._binary),
            (14, self._wrong_answer),
        )

    def __iter__(self) -> Iterator[Shot]:
        weights = [weight for weight, _ in self._kinds]
        makers = [maker for _, maker in self._kinds]
        while True:
            shot = self.random.choices(makers, weights)[0]()
            yield shot
            if not shot.answer:
                self._before = shot

    def forget(self) -> None:
        """Hold no shot of megabytes for another time."""
        self._before = None

    # ------------------------------------------------------------ CALLs

    def _maker(self, action: str, kind: Any) -> Maker:
        known = self._makers.get((action, kind))
        if known is None:
            document = self._schemas.document(action, kind)
            known = self._makers[action, kind] = Maker(document, self.random)
        return known

    def _action(self) -> str:
        return self.random.choice(self._actions)

    def _id(self) -> str:
        return f"shot-{next(self._ids)}"

    def _right(self) -> Shot:
        action = self._action()
        return Shot("right", self._call(action, self._maker(action, "request").valid()))

    def _one_thing_wrong(self) -> Shot:
        action = self._action()
        return Shot("one thing wrong", self._call(action, self._maker(action, "request").mutated()))

    def _odd_value(self) -> Shot:
        action = self._action()
        payload = self._maker(action, "request").valid()
        places = list(_places(payload))
        if places:
            holder, key = self.random.choice(places)
            holder[key] = self.random.choice(ODD_VALUES)
        return Shot("odd value", self._call(action, payload))

    def _call(self, action: str, payload: Any) -> str:
        ascii_only = self.random.random() < 0.5
        text = json.dumps([2, self._id(), action, payload], ensure_ascii=ascii_only)
        for host in ("https://example.com/a?b=c", "ftp://host/x", "urn:a:b"):
            text = text.replace(host, NO_HOST)
        return text

    # ------------------------------------------------------------ frames

    def _broken_frame(self) -> Shot:
        action = self._action()
        frame: list[Any] = [2, self._id(), action, self._maker(action, "request").valid()]
        for _ in range(self.random.randint(1, 2)):
            place = self.random.randrange(len(frame)) if frame else 0
            change = self.random.randrange(4)
            if change == 0 and frame:
                frame[place] = self.random.choice(ODD_VALUES)
            elif change == 1 and frame:
                del frame[place]
            elif change == 2:
                frame.insert(place, self.random.choice(ODD_VALUES))
            elif frame:
                frame[0] = self.random.choice((2, 3, 4, 5, 0, -2, 2.0, "2", True, None, 2**70))
        frame = frame if self.random.random() < 0.9 else self.random.choice(ODD_VALUES)  # type: ignore[assignment]
        return Shot("broken frame", json.dumps(frame).replace("https://example.com", NO_HOST))

    def _broken_text(self) -> Shot:
        """A right frame, damaged on the way."""
        text = self._right().text
        assert isinstance(text, str)
        for _ in range(self.random.randint(1, 4)):
            place = self.random.randrange(len(text) + 1)
            size = self.random.choice((1, 1, 2, 10, 60))
            change = self.random.randrange(5)
            if change == 0:
                text = text[:place] + text[place + size :]
            elif change == 1:
                text = text[:place] + text[place : place + size] * 2 + text[place + size :]
            elif change == 2:
                text = text[:place]
            elif change == 3:
                text = text[:place] + self.random.choice(ODD_TOKENS) + text[place:]
            else:
                code = self.random.choice((0, 1, 9, 34, 92, 127, 255, 0x2028, 0xFFFF, 0x1F600))
                text = text[:place] + chr(code) + text[place + 1 :]
        return Shot("broken text", text)

    def _deep(self) -> Shot:
        depth = self.random.choice((20, 60, 100, 300, 900, 990, 1_100, 5_000, 100_000))
        opening, closing = self.random.choice((("[", "]"), ('{"a":', "}"), ('[{"evse":', "}]")))
        closed = self.random.random() < 0.8
        nest = opening * depth + "1" + (closing * depth if closed else "")
        action = self.random.choice((self._action(), "DataTransfer"))
        frame = self.random.choice(
            (
                nest,
                f'[2,"{self._id()}","{action}",{nest}]',
                f'[2,"{self._id()}","{action}",{{"vendorId":"a","data":{nest}}}]',
                f'[2,"{self._id()}","{action}",{{"customData":{{"vendorId":"a","x":{nest}}}}}]',
                f'[3,"{self._id()}",{nest}]',
            )
        )
        return Shot("deep", frame)

    def _long(self) -> Shot:
        size = self.random.choice((40_000, 200_000, 1_000_000, 3_000_000, 6_000_000))
        kind = self.random.randrange(3)
        if kind == 0:
            pieces = ('"x"', "{}", "1", "[]", '{"idTag":"A","a":1}', '"\U0001f600"')
            piece = self.random.choice(pieces) + ","
            value = "[" + (piece * (size // len(piece)))[:-1] + "]"
        elif kind == 1:
            fields = (f'"k{number}":{number}' for number in range(min(size, 400_000) // 14))
            value = "{" + ",".join(fields) + "}"
        else:
            piece = self.random.choice(("x", "\\u00e9", "é", "\U0001f600", '\\"'))
            value = '"' + piece * (size // len(piece)) + '"'
        action = self._action()
        frame = self.random.choice(
            (
                value,
                f'[2,"{self._id()}","{action}",{value}]',
                f'[2,"{self._id()}","DataTransfer",{{"vendorId":"a","data":{value}}}]',
                f'[2,"{self._id()}",{value},{{}}]',
                f"[2,{value},1,{{}}]",
                f'[3,"{self._id()}",{value}]',
                f'[4,"{self._id()}",{value},"",{{}}]',
                f"[{value}",
            )
        )
        return Shot("long", frame)

    def _answer_to_nothing(self) -> Shot:
        ident = self.random.choice((self._id(), "", "-1", None, 7, "x" * 40))
        if self.random.random() < 0.5:
            action = self._action()
            frame: list[Any] = [3, ident, self._maker(action, "response").valid()]
        else:
            frame = [4, ident, self.random.choice(("InternalError", "", "Nonsense")), "", {}]
        return Shot("answer to nothing", json.dumps(frame))

    def _again(self) -> Shot:
        text = self._before.text if self._before is not None else "[]"
        return Shot("again", text if len(text) < 10_000 else "[]")

    def _binary(self) -> Shot:
        size = self.random.choice((0, 1, 3, 200, 100_000))
        text = self._right().text
        assert isinstance(text, str)
        random = self.random.randbytes(size)
        return Shot("binary", self.random.choice((random, text.encode(), b"\xff\xfe" + random)))

    # ------------------------------------------------------------ answers

    def _wrong_answer(self) -> Shot:
        """To a Heartbeat that the station was made to send."""
        payload: Any = {"currentTime": "2026-01-15T08:00:00Z"}
        change = self.random.randrange(8)
        if change == 0:
            payload = self._maker("Heartbeat", "response").mutated()
        elif change == 1:
            payload = self._maker(self._action(), "response").valid()
        elif change == 2:
            payload = {"currentTime": self.random.choice(ODD_VALUES)}
        elif change == 3:
            payload = self.random.choice(ODD_VALUES)
        frame: list[Any] = [3, "{id}", payload]
        if change == 4:
            code = self.random.choice(("InternalError", "FormationViolation", "", "☃", 5, None))
            frame = [
                4,
                "{id}",
                code,
                self.random.choice(ODD_VALUES),
                self.random.choice(ODD_VALUES),
            ]
        elif change == 5:
            frame.append(self.random.choice(ODD_VALUES))
        elif change == 6:
            frame = [3, "{id}"]
        text = json.dumps(frame)
        if change == 7:
            text = text[: self.random.randrange(len(text))] + self.random.choice(ODD_TOKENS)
        return Shot("wrong answer", text, answer=True)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return
    for key, item in list(items):
        yield value, key
        yield from _places(item)
