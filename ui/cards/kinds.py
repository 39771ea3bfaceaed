"""The kinds of identifiers, and whether one looks as its kind does."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from app.kernel.text import Text

HEX_KINDS = frozenset({"ISO14443", "ISO15693", "MacAddress"})
LONGEST, LONGEST_16 = 36, 20
"""Characters of an identifier in 2.0.1 and in 1.6."""
_LENGTHS = {"ISO14443": (8, 14, 20), "ISO15693": (16,), "MacAddress": (12, 16)}
_EMAID = re.compile(r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?[A-Za-z0-9]{9}(-?[A-Za-z0-9])?")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_SEPARATORS = re.compile(r"[\s:.-]")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is to be said of an identifier. `good`: it looks as its kind does; nothing is forbidden."""

    good: bool
    text: Text


def normal(kind: str, uid: str) -> str:
    """As it is sent: hex without separators and in capitals, anything else as typed."""
    text = uid.strip()
    if kind not in HEX_KINDS:
        return text
    joined = _SEPARATORS.sub("", text)
    return joined.upper() if _HEX.fullmatch(joined) else text


def judge(kind: str, uid: str) -> Opinion:
    """Does this identifier look as its kind does?"""
    text = normal(kind, uid)
    if kind == "NoAuthorization":
        return Opinion(True, Text("cards.check.none_needed"))
    if not text:
        return Opinion(False, Text("cards.check.empty"))
    if len(text) > LONGEST:
        return Opinion(False, Text("cards.check.too_long", {"count": len(text)}))
    if kind in HEX_KINDS:
        opinion = _judge_hex(kind, text)
    elif kind == "eMAID" and not _EMAID.fullmatch(text):
        opinion = Opinion(False, Text("cards.check.no_emaid"))
    else:
        opinion = Opinion(True, Text("cards.check.good"))
    if opinion.good and len(text) > LONGEST_16:
        return Opinion(False, Text("cards.check.long_16", {"count": len(text)}))
    return opinion


def made_up(kind: str) -> str:
    """An identifier nobody has, in the form of its kind."""
    match kind:
        case "ISO14443":
            return "04" + secrets.token_hex(3).upper()
        case "ISO15693":
            return "E0" + secrets.token_hex(7).upper()
        case "MacAddress":
            return secrets.token_hex(6).upper()
        case "eMAID":
            return f"DE-FOR-C{secrets.randbelow(10**8):08d}-X"
        case "KeyCode":
            return f"{secrets.randbelow(10**6):06d}"
        case "NoAuthorization":
            return ""
        case _:
            return secrets.token_hex(8).upper()


def _judge_hex(kind: str, text: str) -> Opinion:
    lengths = _LENGTHS[kind]
    wanted = ", ".join(map(str, lengths))
    if not _HEX.fullmatch(text):
        return Opinion(False, Text("cards.check.no_hex", {"wanted": wanted}))
    if len(text) not in lengths:
        params = {"count": len(text), "wanted": wanted}
        return Opinion(False, Text("cards.check.odd_length", params))
    return Opinion(True, Text("cards.check.bytes", {"count": len(text) // 2}))
