"""The schemas of a version: a quick verdict on a payload, and a precise explanation where it is bad.

The verdict comes from jsonschema-rs, compiled at first use. Only when it is negative the slow jsonschema
says where and why (see explaining.py). Both judge date-times by the same function.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonschema_rs

from app.kernel.units import parse_stamp
from app.ocpp.events import Violation
from app.ocpp.version import Version

if TYPE_CHECKING:
    from app.ocpp.explaining import Explainer

Kind = Literal["request", "response"]
Schema = dict[str, Any]
Judge = Callable[[Any], bool]

_FOLDERS = {Version.V16: ("v16", "", "Response"), Version.V201: ("v201", "Request", "Response")}
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_PLAIN = re.compile(
    r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z",
    re.ASCII,
)
"""What nearly all date-times look like: right in any reading, found ten times faster than by reading it."""
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")


class Schemas:
    """All schemas of one version. Use `Schemas.of(version)`: they are shared and compiled once."""

    def __init__(self, version: Version) -> None:
        self.version = version
        folder, request, response = _FOLDERS[version]
        self._folder = _package_folder() / folder / "schemas"
        self._endings: dict[Kind, str] = {"request": request, "response": response}
        answers = {path.stem for path in self._folder.glob("*Response.json")}
        self.actions = frozenset(stem.removesuffix("Response") for stem in answers)
        self._documents: dict[tuple[str, Kind], Schema] = {}
        self._judges: dict[tuple[str, Kind, bool], Judge] = {}
        self._explainers: dict[tuple[str, Kind, bool], Explainer] = {}

    @staticmethod
    def of(version: Version) -> Schemas:
        return _schemas(version)

    def document(self, action: str, kind: Kind) -> Schema:
        """The JSON schema as published in the `ocpp` package. Raises KeyError for an unknown action."""
        known = self._documents.get((action, kind))
        if known is None:
            if action not in self.actions:
                raise KeyError(action)
            path = self._folder / f"{action}{self._endings[kind]}.json"
            known = json.loads(path.read_text("utf-8-sig"))
            self._documents[action, kind] = known
        return known

    def check(
        self, action: str, kind: Kind, payload: Any, *, own: bool = False
    ) -> tuple[Violation, ...]:
        """Where a payload breaks its schema; empty if nowhere. Raises KeyError for an unknown action.

        `own`: what we send ourselves is held to the stricter rules of OCA's own files, and to complete
        date-times.
        """
        judge = self._judges.get((action, kind, own)) or self._compile(action, kind, own)
        try:
            if judge(payload):
                return ()
            found = self.explain(action, kind, payload, own=own)
        except (ValueError, RecursionError) as error:
            return (Violation("", "json", str(error)[:200]),)
        return found or (Violation("", "schema", "breaks the schema"),)

    def verdict(self, action: str, kind: Kind, payload: Any, *, own: bool = False) -> bool:
        """The quick judgement. Raises KeyError, and ValueError for what is no JSON at all."""
        judge = self._judges.get((action, kind, own)) or self._compile(action, kind, own)
        return judge(payload)

    def read_whole_numbers(self, action: str, kind: Kind, payload: Any) -> None:
        """Make 1.0 a 1 within a payload that keeps its schema, where that takes it for an integer.

        JSON schema does so from draft 6 on: in 2.0.1 and in the security extension of 1.6; in draft 4, which
        the rest of 1.6 uses, 1.0 is no integer.
        """
        if not _is_draft4(self.document(action, kind)):
            _read_whole_numbers(payload)

    def explain(
        self, action: str, kind: Kind, payload: Any, *, own: bool = False
    ) -> tuple[Violation, ...]:
        """The slow judgement on its own: every place, rule and value that breaks the schema."""
        explainer = self._explainers.get((action, kind, own))
        if explainer is None:
            # only here, since most stations never need it: 5 MiB and a fifth of a second of a start
            from app.ocpp.explaining import Explainer

            document = self._strict(action, kind, own)
            explainer = Explainer(document, _formats(own), draft4=_is_draft4(document))
            self._explainers[action, kind, own] = explainer
        return explainer.explain(payload)

    def _compile(self, action: str, kind: Kind, own: bool) -> Judge:
        document = self._strict(action, kind, own)
        draft4 = _is_draft4(document)
        draft = jsonschema_rs.Draft4Validator if draft4 else jsonschema_rs.Draft6Validator
        judge: Judge = draft(document, validate_formats=True, formats=_formats(own)).is_valid
        self._judges[action, kind, own] = judge
        return judge

    def _strict(self, action: str, kind: Kind, own: bool) -> Schema:
        document = self.document(action, kind)
        if own and self.version is Version.V16 and (action, kind) == ("MeterValues", "request"):
            # the package allows a unit here that OCA's own file lacks
            document = copy.deepcopy(document)
            for part in _parts(document):
                if "enum" in part and "Hertz" in part["enum"]:
                    part["enum"].remove("Hertz")
        return document


@cache
def _schemas(version: Version) -> Schemas:
    return Schemas(version)


def _package_folder() -> Path:
    spec = importlib.util.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package `ocpp`, which holds the schemas, is not installed")
    return Path(spec.submodule_search_locations[0])


def _parts(document: Any) -> Iterator[Schema]:
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from _parts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _parts(value)


def _read_whole_numbers(holder: Any) -> None:
    places: Any = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for place, value in places:
        kind = type(value)
        if kind is float:
            if value.is_integer():
                holder[place] = int(value)
        elif kind is dict or kind is list:
            _read_whole_numbers(value)


def _is_draft4(document: Schema) -> bool:
    return "draft-04" in document.get("$schema", "")


# ---------------------------------------------------------------- formats: one judge for both


def _is_date_time(text: Any) -> bool:
    """Any form that we can read: with an offset, with a fraction of any length, with neither."""
    if not isinstance(text, str) or _PLAIN.fullmatch(text) is not None:
        return True
    try:
        parse_stamp(text)
    except (ValueError, OverflowError):
        return False
    return True


def _is_complete_date_time(text: Any) -> bool:
    """RFC 3339 to the letter: what we send ourselves."""
    if not isinstance(text, str):
        return True
    if _RFC3339.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return _is_date_time(text)  # a leap second, a fraction of odd length
    return True


def _is_uri(text: Any) -> bool:
    return not isinstance(text, str) or _URI.fullmatch(text) is not None


_LENIENT: dict[str, Callable[[Any], bool]] = {"date-time": _is_date_time, "uri": _is_uri}
_STRICT: dict[str, Callable[[Any], bool]] = {"date-time": _is_complete_date_time, "uri": _is_uri}


def _formats(own: bool) -> dict[str, Callable[[Any], bool]]:
    return _STRICT if own else _LENIENT
