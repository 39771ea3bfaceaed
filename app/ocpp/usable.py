"""What can be used of a payload that breaks its schema: the payload without the parts that do."""

from __future__ import annotations

import copy
import re
from typing import Any

from app.ocpp.schema import Schemas

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def usable_part(schemas: Schemas, action: str, payload: Any) -> dict[str, Any] | None:
    """The answer without its unknown and broken optional fields; None if what is left is no answer."""
    if action not in schemas.actions or not isinstance(payload, dict):
        return None
    rest = copy.deepcopy(payload)
    for violation in schemas.check(action, "response", payload):
        if violation.rule != "required":
            _remove(rest, violation.path)
    return None if schemas.check(action, "response", rest) else rest


def _remove(tree: Any, path: str) -> None:
    """Take the field at `path` away; an element of a list takes the whole list with it."""
    steps = [name for name, index in _STEP.findall(path) if name] if "[" not in path else []
    if "[" in path:
        steps = [name for name, _ in _STEP.findall(path[: path.index("[")])]
    for name in steps[:-1]:
        if not isinstance(tree, dict) or name not in tree:
            return
        tree = tree[name]
    if steps and isinstance(tree, dict):
        tree.pop(steps[-1], None)
