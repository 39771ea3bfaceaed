"""Turns a `Text` into a sentence of one language.

One folder a language, one TOML file an area (`resources/translations/en/station.toml`), flat keys
that begin with the area. What a language lacks is taken from English; what English lacks shows its id,
so that a missing sentence is seen and not fatal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from app.kernel.resources import resource
from app.kernel.text import Text

FALLBACK = "en"


class Catalogue:
    """The sentences of one language."""

    def __init__(self, sentences: Mapping[str, str], language: str = FALLBACK) -> None:
        self.language = language
        self._sentences = dict(sentences)

    @classmethod
    def load(cls, language: str = FALLBACK, folder: Path | None = None) -> Catalogue:
        """Read all areas of `language` over those of English. Raises ValueError for a broken file."""
        root = folder or resource("translations")
        sentences: dict[str, str] = {}
        for name in dict.fromkeys((FALLBACK, language)):
            for path in sorted((root / name).glob("*.toml")):
                sentences |= _read(path)
        return cls(sentences, language)

    def __contains__(self, text_id: object) -> bool:
        return text_id in self._sentences

    def render(self, text: Text) -> str:
        """The sentence, its gaps filled; the bare id and parameters where it is missing."""
        values = {
            key: self.render(value) if isinstance(value, Text) else value
            for key, value in text.params.items()
        }
        sentence = self._sentences.get(text.id)
        if sentence is None:
            return f"{text.id} {values}" if values else text.id
        try:
            return sentence.format_map(values)
        except (LookupError, ValueError, TypeError, AttributeError):
            return f"{sentence} {values}"


def _read(path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: {error}") from error
    return {str(key): str(value) for key, value in data.items()}
