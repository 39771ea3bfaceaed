"""What is wrong with a file of settings, as sentences: which file, where in it, what, what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.kernel.text import Text

if TYPE_CHECKING:
    from app.kernel.forms import Slip


class ConfigError(ValueError):
    """A configuration cannot be used; `problems` are sentences."""

    def __init__(self, problems: Iterable[Text]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{text.id} {dict(text.params)}" for text in self.problems))

    @property
    def text(self) -> Text:
        """The first problem, and how many more there are."""
        first, more = self.problems[0], len(self.problems) - 1
        return Text("runtime.config.more", {"first": first, "more": more}) if more else first


def problem(slip: Slip, file: str, known: Iterable[str] = ()) -> Text:
    """One slip in a file as a sentence. `known`: names that would be right at that place."""
    where = slip.place
    if slip.kind == "missing":
        return Text("runtime.config.missing", {"file": file, "path": where})
    if slip.kind == "unknown":
        return _unknown(file, where, str(slip.path[-1]), known)
    if slip.rule is not None:
        return Text("runtime.config.rule", {"file": file, "path": where, "rule": slip.rule})
    found = "…" if where.endswith("password") else shortened(slip.found)
    params = {"file": file, "path": where, "found": found}
    return Text("runtime.config.wrong", {**params, "expected": slip.expected})


def shortened(value: Any) -> str:
    """A value as it would stand in the file, at most 60 characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _unknown(file: str, where: str, name: str, known: Iterable[str]) -> Text:
    import difflib  # for the one who mistyped only

    close = difflib.get_close_matches(name, list(known), 1)
    params = {"file": file, "path": where}
    if close:
        return Text("runtime.config.unknown_near", {**params, "near": close[0]})
    return Text("runtime.config.unknown", params)
