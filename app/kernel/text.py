"""A sentence for people, named but not yet written: catalogues turn it into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Text:
    """The id of a sentence of the catalogue and what to put into its gaps.

    `id` is "<area>.<key>"; the area is the catalogue file that holds it. Parameters are plain values
    (str, int, float, datetime) or further Texts.
    """

    id: str
    params: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)

    def __hash__(self) -> int:
        return hash((self.id, tuple(sorted((k, str(v)) for k, v in self.params.items()))))
