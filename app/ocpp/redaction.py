"""Takes secrets out of frames before anybody keeps or shows them.

A secret keeps its length and a hash with a salt of this run: the same password is recognised again, and
nothing else can be learnt. Only messages that can carry a secret are looked at.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets as entropy
from collections.abc import Callable, Iterator
from typing import Any

from app.ocpp.events import Violation
from app.ocpp.version import Version

_SECRET_NAME = re.compile(
    r"authori[sz]ationkey|password|passphrase|passwd|secret|privatekey|simpin", re.IGNORECASE
)
_SECRET_FIELDS = {
    ("vpn", "key"),
    ("vpn", "password"),
    ("apn", "apnPassword"),
    ("apn", "simPin"),
}
_NAMED_BY = {"key": ("value",), "variable": ("attributeValue", "value", "actualValue")}
_BESIDE = frozenset(
    {
        *("key", "readonly", "component", "variable", "attributeType", "attributeStatus"),
        *("attributeStatusInfo", "variableAttribute", "variableCharacteristics", "customData"),
        *("eventId", "timestamp", "trigger", "eventNotificationType", "variableMonitoring"),
    }
)
"""Fields beside the name of a secret that never hold it."""
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s\"?#]+)@")
# a signed address is a key by itself
_URL_KEY = re.compile(
    r"([?&;](?:[^=&;\s\"#]*(?:sig|token|key|secret|passw|credential|auth))[^=&;\s\"#]*=)([^&;\s\"#]+)",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r'("(?:value|attributeValue|actualValue|password|apnPassword|simPin|key)"\s*:\s*")((?:[^"\\]|\\.)*)'
)
_SECRET_WORDS = (
    *("authorizationkey", "authorisationkey", "password", "passphrase", "passwd"),
    *("secret", "privatekey", "simpin", '"vpn"', '"apn"'),
)
"""One of these stands in every text that `_SECRET_NAME` or `_SECRET_FIELDS` may mean."""
_LONG = 16 * 1024
_SALT = entropy.token_bytes(16)

# actions that can carry a secret in their request or answer
_ACTIONS = {
    Version.V16: frozenset(
        {
            "ChangeConfiguration",
            "GetConfiguration",
            "GetDiagnostics",
            "UpdateFirmware",
            "SignedUpdateFirmware",
            "GetLog",
            "DataTransfer",
        }
    ),
    Version.V201: frozenset(
        {
            "SetVariables",
            "GetVariables",
            "NotifyReport",
            "NotifyEvent",
            "NotifyMonitoringReport",
            "SetNetworkProfile",
            "UpdateFirmware",
            "PublishFirmware",
            "GetLog",
            "DataTransfer",
        }
    ),
}


def conceal(secret: str) -> str:
    """What is shown in place of a secret."""
    digest = hashlib.blake2s(secret.encode("utf-8", "surrogatepass"), key=_SALT, digest_size=4)
    return f"•••{len(secret)}:{digest.hexdigest()}"


def may_hold_secret(version: Version | None, action: str | None) -> bool:
    """Whether a frame of this action has to be looked at; an unknown action always has."""
    return version is None or action is None or action in _ACTIONS[version]


def redact(version: Version | None, action: str | None, text: str) -> str:
    """The frame without its secrets; the very same text where it has none."""
    if not may_hold_secret(version, action) or _is_plainly_harmless(text):
        return text
    hidden = [False]
    try:
        clean = _clean(json.loads(text), hidden)
    except (ValueError, RecursionError):
        return _redact_loosely(text)
    return json.dumps(clean, ensure_ascii=False, separators=(",", ":")) if hidden[0] else text


def _is_plainly_harmless(text: str) -> bool:
    """A long text in which no name of a secret stands, however it is read: it need not be parsed."""
    if len(text) < _LONG or "\\" in text or "://" in text:
        return False
    folded = text.lower()
    return not any(word in folded for word in _SECRET_WORDS)


def redact_violations(
    version: Version | None, action: str | None, violations: tuple[Violation, ...]
) -> tuple[Violation, ...]:
    """The same places and rules; values of messages that can hold a secret are left out."""
    if not violations or not may_hold_secret(version, action):
        return violations
    return tuple(Violation(item.path, item.rule, item.message) for item in violations)


def _clean(value: Any, hidden: list[bool], parent: str = "") -> Any:
    if isinstance(value, dict):
        secret_here = set(_secret_fields(value, parent))
        return {
            name: _hide(item, hidden) if name in secret_here else _clean(item, hidden, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_clean(item, hidden, parent) for item in value]
    if isinstance(value, str) and _SECRET_NAME.search(value) and ("{" in value or "=" in value):
        return _clean_inside(value, hidden)
    if isinstance(value, str) and "://" in value:
        return _clean_url(value, hidden)
    return value


def _clean_inside(text: str, hidden: list[bool]) -> str:
    """A text that is JSON itself, or names a secret and gives it (vendors put both into DataTransfer)."""
    inside = [False]
    try:
        data = _clean(json.loads(text), inside)
    except (ValueError, RecursionError):
        hidden[0] = True
        return conceal(text)
    hidden[0] = hidden[0] or inside[0]
    return json.dumps(data, ensure_ascii=False) if inside[0] else text


def _secret_fields(fields: dict[str, Any], parent: str) -> Iterator[str]:
    for name in fields:
        if (parent, name) in _SECRET_FIELDS or _SECRET_NAME.search(name):
            yield name
    for namer, named in _NAMED_BY.items():
        if _is_secret_name(fields.get(namer)):
            yield from (name for name in named if name in fields)
            # where a field does not belong, the secret may stand all the same
            yield from (name for name in fields if name not in _BESIDE and name not in named)
            # a report keeps the values one level below the name
            yield from (name for name in ("variableAttribute",) if name in fields)


def _is_secret_name(namer: Any) -> bool:
    name = namer.get("name") if isinstance(namer, dict) else namer
    return isinstance(name, str) and _SECRET_NAME.search(name) is not None


def _hide(value: Any, hidden: list[bool]) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        hidden[0] = True
        return conceal(str(value))
    if isinstance(value, list):
        return [_hide(item, hidden) for item in value]
    if isinstance(value, dict):
        return {
            name: _hide(item, hidden) if name in ("value", "attributeValue") else item
            for name, item in value.items()
        }
    return value


def _redact_loosely(text: str) -> str:
    """For what is no JSON: better hide too much."""
    hidden = [False]
    if _SECRET_NAME.search(text):
        text = _swap(_LOOSE, lambda match: match[1] + conceal(match[2]), text, hidden)
    return _clean_url(text, hidden)


def _clean_url(text: str, hidden: list[bool]) -> str:
    """Addresses in a text lose their password, and the keys among the values of their query."""
    text = _swap(_URL_PASSWORD, lambda match: f"{match[1]}:{conceal(match[2])}@", text, hidden)
    if "://" not in text or "=" not in text:
        return text
    return _swap(_URL_KEY, lambda match: match[1] + conceal(match[2]), text, hidden)


def _swap(
    pattern: re.Pattern[str], change: Callable[[re.Match[str]], str], text: str, hidden: list[bool]
) -> str:
    changed, count = pattern.subn(change, text)
    hidden[0] = hidden[0] or count > 0
    return changed


def is_secret_name(name: str) -> bool:
    """Whether a setting or field of this name holds a password or a key."""
    return _SECRET_NAME.search(name) is not None


def without_url_password(text: str) -> str:
    """Addresses lose the password that stands in them."""
    return _URL_PASSWORD.sub(lambda match: f"{match[1]}@", text) if "://" in text else text
